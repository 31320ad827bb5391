"""What a page shows, read as plain columns: as entities, each of which a session watches, it would cost a multiple."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, String, cast, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..domain.incident import OPEN
from ..domain.maintenance import OVER
from .components import Component, ComponentGroup, of_page
from .incidents import AffectedComponent, Incident, IncidentUpdate
from .maintenances import MaintainedComponent, Maintenance, MaintenanceUpdate

_Columns = tuple[Any, ...]

# What facts are made of, and no more.
_AFFECTED: _Columns = (
    Component.id,
    Component.slug,
    Component.name,
    ComponentGroup.name.label("group"),
)
_COMPONENT: _Columns = (
    *_AFFECTED,
    Component.description,
    Component.group_id,
    Component.position,
    Component.status,
    Component.only_show_if_degraded,
    Component.since,
    Component.created_at,
    Component.updated_at,
    Component.showcase,
    Component.start_date,
)
_INCIDENT: _Columns = (
    Incident.id,
    Incident.title,
    Incident.status,
    Incident.impact,
    Incident.automatic,
    Incident.started_at,
    Incident.monitoring_at,
    Incident.resolved_at,
    Incident.created_at,
    Incident.updated_at,
    Incident.next_update_due,
)
_INCIDENT_UPDATE: _Columns = (
    IncidentUpdate.id,
    IncidentUpdate.status,
    IncidentUpdate.body,
    IncidentUpdate.components,
    IncidentUpdate.created_at,
    IncidentUpdate.updated_at,
    IncidentUpdate.notified,
)
_MAINTENANCE: _Columns = (
    Maintenance.id,
    Maintenance.title,
    Maintenance.status,
    Maintenance.scheduled_start,
    Maintenance.scheduled_end,
    Maintenance.started_at,
    Maintenance.ended_at,
    Maintenance.auto_start,
    Maintenance.auto_complete,
    Maintenance.remind_before,
    Maintenance.revision,
    Maintenance.rrule,
    Maintenance.exceptions,
    Maintenance.series_id,
    Maintenance.series_start,
    Maintenance.series_zone,
    Maintenance.occurrence_at,
    Maintenance.created_at,
    Maintenance.updated_at,
)
_MAINTENANCE_UPDATE: _Columns = (
    MaintenanceUpdate.id,
    MaintenanceUpdate.status,
    MaintenanceUpdate.body,
    MaintenanceUpdate.created_at,
    MaintenanceUpdate.updated_at,
    MaintenanceUpdate.notified,
)


class Shown(NamedTuple):
    """An incident or a maintenance.

    :param row: its own columns by their names.
    :param affected: of each component ``id``, ``slug``, ``name``, ``group`` (the group's name), and of an incident
        ``status``, in their order.
    :param updates: the columns of each, the newest first.
    """

    row: Row[Any]
    affected: list[Row[Any]]
    updates: list[Row[Any]]


def components(session: Session, page_id: UUID) -> Sequence[Row[Any]]:
    """The columns of the page's components that are not archived, ``group`` for the group's name, in its order."""
    query: Select[Any] = of_page(page_id).with_only_columns(*_COMPONENT)
    return session.execute(query).all()


def incidents(session: Session, page_id: UUID, *, newest: int) -> list[Shown]:
    """The published incidents that a page shows: all open ones and the *newest* others, newest first."""
    published = (Incident.page_id == page_id, Incident.visibility == "published")
    order = (Incident.started_at.desc(), Incident.id.desc())
    # A query of its own: MariaDB knows no limit inside of IN.
    ids = session.scalars(select(Incident.id).where(*published).order_by(*order).limit(newest))
    is_shown = or_(Incident.status.in_(list(OPEN)), Incident.id.in_(ids.all()))
    affected = (
        select(*_AFFECTED, AffectedComponent.status)
        .join_from(AffectedComponent, AffectedComponent.component)
        .outerjoin(Component.group)
        .order_by(AffectedComponent.position)
    )
    return _with_parts(
        session,
        select(*_INCIDENT).where(*published, is_shown).order_by(*order),
        (AffectedComponent.incident_id, affected),
        (
            IncidentUpdate.incident_id,
            select(*_INCIDENT_UPDATE).order_by(IncidentUpdate.number.desc()),
        ),
    )


def maintenances(session: Session, page_id: UUID, *, newest: int) -> list[Shown]:
    """What a page shows: all that is not over, and the *newest* that is; the earliest window first."""
    of_this = Maintenance.page_id == page_id
    is_over = Maintenance.status.in_(list(OVER))
    latest = (Maintenance.scheduled_start.desc(), Maintenance.id.desc())
    ids = session.scalars(
        select(Maintenance.id).where(of_this, is_over).order_by(*latest).limit(newest)
    )
    is_shown = or_(Maintenance.status.not_in(list(OVER)), Maintenance.id.in_(ids.all()))
    affected = (
        select(*_AFFECTED)
        .join_from(MaintainedComponent, MaintainedComponent.component)
        .outerjoin(Component.group)
        .order_by(MaintainedComponent.position)
    )
    return _with_parts(
        session,
        select(*_MAINTENANCE)
        .where(of_this, is_shown)
        .order_by(Maintenance.scheduled_start, Maintenance.id),
        (MaintainedComponent.maintenance_id, affected),
        (
            MaintenanceUpdate.maintenance_id,
            select(*_MAINTENANCE_UPDATE).order_by(MaintenanceUpdate.number.desc()),
        ),
    )


_Parts = tuple["InstrumentedAttribute[UUID]", "Select[Any]"]
"""A query of parts, and the column that says whose part a row is."""


def _with_parts(
    session: Session, query: Select[Any], affected: _Parts, updates: _Parts
) -> list[Shown]:
    rows = session.execute(query).all()
    ids = [row.id for row in rows]
    affected_of = _of_each(session, ids, *affected)
    updates_of = _of_each(session, ids, *updates)
    return [Shown(row, affected_of[row.id], updates_of[row.id]) for row in rows]


def _of_each(
    session: Session, ids: list[UUID], column: InstrumentedAttribute[UUID], query: Select[Any]
) -> dict[UUID, list[Row[Any]]]:
    """The rows of *query* by the one of *ids* that *column* says."""
    found: dict[UUID, list[Row[Any]]] = {ident: [] for ident in ids}
    if not ids:
        return found
    # Each id stands in many rows, and is made of its text only once.
    by_key: dict[str, list[Row[Any]]] = {}
    query = query.add_columns(cast(column, String)).where(column.in_(ids))
    for row in session.execute(query):
        known = by_key.get(row[-1])
        if known is None:
            known = by_key[row[-1]] = found[UUID(row[-1])]
        known.append(row)
    return found
