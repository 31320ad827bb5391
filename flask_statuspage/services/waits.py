"""Why deliveries that are pending were not sent yet, for those who look at the log."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from ..storage import waiting as stored
from ..storage.outbox import Delivery, DeliveryState
from . import at_work


@dataclass(frozen=True, kw_only=True)
class Wait:
    """What one delivery waits for.

    :param behind: an earlier delivery about the same to the same subscription, which goes first.
    :param rests_until: when its endpoint, which did not answer in time, is called again.
    :param is_unworked: it is due, and no worker was heard of lately.
    """

    behind: UUID | None = None
    rests_until: datetime | None = None
    is_unworked: bool = False


def of(session: Session, rows: Collection[Delivery], now: datetime) -> dict[UUID, Wait]:
    """What those of *rows* wait for that are pending and that nobody has in hand, by their ids; those that only wait
    for their time are left out. At most four queries.
    """
    idle = [row for row in rows if row.state is DeliveryState.PENDING and not _is_held(row, now)]
    behind = stored.behind(session, [row.id for row in idle], now)
    due = [row for row in idle if row.due_at <= now and row.id not in behind]
    names = {row.endpoint for row in due if row.endpoint}
    resting = stored.resting(session, names, now)
    ready = {row.id for row in due if row.endpoint not in resting}
    is_unworked = bool(ready) and not at_work.look(session, now).has_workers
    found: dict[UUID, Wait] = {}
    for row in idle:
        if row.id in behind:
            found[row.id] = Wait(behind=behind[row.id])
        elif row.id in ready:
            found |= {row.id: Wait(is_unworked=True)} if is_unworked else {}
        elif row.due_at <= now:
            found[row.id] = Wait(rests_until=resting[row.endpoint or ""])
    return found


def _is_held(row: Delivery, now: datetime) -> bool:
    """Whether a worker has it in hand."""
    return row.lease_until is not None and row.lease_until > now
