"""What an import must know of a page before it writes: each kind of row in one locking query, as it is now.

The page's row is held already. Children are read by queries of their own and set on their parents: a locking join of
updates with components would be their product, and what follows a locking query with ``selectinload`` is on MariaDB
as old as the transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from .components import Component, ComponentGroup, Condition
from .incidents import AffectedComponent, Incident, IncidentUpdate
from .maintenances import MaintainedComponent, Maintenance, MaintenanceUpdate
from .session import in_pages

Row = TypeVar("Row")
Parent = TypeVar("Parent", Incident, Maintenance)

AT_ONCE = 500


def groups(session: Session, page_id: UUID) -> list[ComponentGroup]:
    query = select(ComponentGroup).where(ComponentGroup.page_id == page_id)
    return _locked(session, query.order_by(ComponentGroup.position, ComponentGroup.id))


def components(
    session: Session, page_id: UUID, groups: Iterable[ComponentGroup]
) -> list[Component]:
    """All components of the page, archived ones too, each with its group of *groups*."""
    query = select(Component).where(Component.page_id == page_id)
    rows = _locked(session, query.order_by(Component.position, Component.id))
    by_id = {group.id: group for group in groups}
    for row in rows:
        set_committed_value(row, "group", by_id.get(row.group_id) if row.group_id else None)
    return rows


def conditions(session: Session, page_id: UUID) -> list[Condition]:
    """All that is said of the page's components at the moment."""
    ids = select(Component.id).where(Component.page_id == page_id)
    return _locked(session, select(Condition).where(Condition.component_id.in_(ids)))


def incidents(
    session: Session,
    page_id: UUID,
    origins: Collection[str],
    components: Mapping[UUID, Component],
) -> list[Incident]:
    """The page's incidents of these *origins* with updates and components, the latter out of *components*."""
    rows = _of_origins(session, Incident, page_id, origins)
    _set_children(session, rows, "updates", IncidentUpdate, IncidentUpdate.incident_id)
    _set_children(session, rows, "affected", AffectedComponent, AffectedComponent.incident_id)
    for row in rows:
        for item in row.affected:
            set_committed_value(item, "component", components[item.component_id])
    return rows


def maintenances(
    session: Session,
    page_id: UUID,
    origins: Collection[str],
    components: Mapping[UUID, Component],
) -> list[Maintenance]:
    """The same for maintenance."""
    rows = _of_origins(session, Maintenance, page_id, origins)
    _set_children(session, rows, "updates", MaintenanceUpdate, MaintenanceUpdate.maintenance_id)
    _set_children(
        session, rows, "affected", MaintainedComponent, MaintainedComponent.maintenance_id
    )
    for row in rows:
        for item in row.affected:
            set_committed_value(item, "component", components[item.component_id])
    return rows


def _of_origins(
    session: Session, model: type[Parent], page_id: UUID, origins: Collection[str]
) -> list[Parent]:
    rows: list[Parent] = []
    for some in in_pages(origins, AT_ONCE):
        query = select(model).where(model.page_id == page_id, model.origin.in_(some))
        rows += _locked(session, query)
    return rows


def _set_children(
    session: Session, parents: Iterable[Any], name: str, model: type[Any], key: Any
) -> None:
    """Set the list *name* of all *parents*, in the order in which it was kept."""
    parents = list(parents)
    order = model.number if hasattr(model, "number") else model.position
    children: dict[UUID, list[Any]] = defaultdict(list)
    for some in in_pages([parent.id for parent in parents], AT_ONCE):
        for child in _locked(session, select(model).where(key.in_(some)).order_by(order, model.id)):
            children[getattr(child, key.key)].append(child)
    for parent in parents:
        set_committed_value(parent, name, children[parent.id])


def _locked(session: Session, query: Select[Any]) -> list[Any]:
    return list(
        session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()
    )
