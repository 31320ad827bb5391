"""How components are as readers see them, for those who look at the rows themselves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.silence import seen_status
from ..domain.status import ComponentStatus
from ..storage import monitors as stored
from ..storage.components import Component


def of(
    session: Session, page_id: UUID, rows: Iterable[Component], now: datetime
) -> dict[UUID, ComponentStatus]:
    """The status of each of *rows*, components of one page, by its id: never green by old checks. One query."""
    measured = stored.measured(session, page_id)
    found = {}
    for row in rows:
        seen = measured.get(row.id)
        found[row.id] = seen_status(
            row.status, seen.last_at if seen else None, seen.interval if seen else None, now
        )
    return found
