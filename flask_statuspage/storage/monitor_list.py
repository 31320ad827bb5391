"""What monitors, and what they watch, are called, where many of them are shown or chosen from."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from .components import Component
from .monitors import Monitor


def names(session: Session, page_id: UUID) -> list[tuple[UUID, str, str]]:
    """Ids, slugs and names of the page's monitors, by name."""
    query = select(Monitor.id, Monitor.slug, Monitor.name).where(Monitor.page_id == page_id)
    rows = session.execute(query.order_by(Monitor.name, Monitor.id))
    return [(row.id, row.slug, row.name) for row in rows]


def watched(session: Session, monitors: Collection[Monitor]) -> dict[UUID, str]:
    """The names of the components of *monitors* by their ids, archived ones too."""
    ids = {one.component_id for one in monitors if one.component_id is not None}
    if not ids:
        return {}
    rows = session.execute(select(Component.id, Component.name).where(Component.id.in_(ids)))
    return {row.id: row.name for row in rows}
