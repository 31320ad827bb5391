"""The updates of an imported incident or maintenance: theirs are mended and added, ours stand between them by time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.source_page import SourceUpdate
from ..storage.incidents import IncidentUpdate
from ..storage.maintenances import MaintenanceUpdate

Update = TypeVar("Update", IncidentUpdate, MaintenanceUpdate)


def merge(
    session: Session,
    updates: list[Update],
    theirs: Sequence[SourceUpdate],
    *,
    origin_of: Callable[[str], str],
    make: Callable[[SourceUpdate, str], Update],
    mend: Callable[[Update, SourceUpdate], None],
) -> None:
    """Bring *theirs*, oldest first, into *updates* and number all of them by time.

    :param make: a new row with that origin; its number is set here.
    :param mend: bring a row that is here already to what theirs says, its time too.
    """
    known = {update.origin: update for update in updates if update.origin}
    places: dict[UUID, int] = {update.id: update.number for update in updates}
    added: list[Update] = []
    for place, item in enumerate(theirs):
        origin = origin_of(item.id)
        row = known.get(origin)
        if row is None:
            row = make(item, origin)
            added.append(row)
        else:
            mend(row, item)
        places[row.id] = place
    everything = updates + added
    everything.sort(key=lambda update: (update.created_at, places[update.id]))
    _number(session, everything, new=set(added))
    updates.extend(added)


def _number(session: Session, ordered: Sequence[Update], *, new: set[Update]) -> None:
    """Number *ordered* upwards. Numbers that are right already stay, so that nothing is written again."""
    kept = [update for update in ordered if update not in new]
    at_the_end = ordered[: len(kept)] == kept
    numbers = [update.number for update in kept]
    last = max(numbers, default=0)
    if at_the_end and numbers == sorted(numbers):
        for number, update in enumerate(ordered[len(kept) :], start=last + 1):
            update.number = number
        return
    # Out of the way first: an incident never has two updates of one number, not between two statements either.
    for number, update in enumerate(kept, start=last + len(ordered) + 1):
        update.number = number
    session.flush()
    for number, update in enumerate(ordered, start=1):
        update.number = number


def told(updates: Iterable[Update]) -> dict[str, Any]:
    """What the updates say, to be compared and recorded one by one."""
    return {
        f"update {update.id}": {
            "status": update.status,
            "body": update.body,
            "created_at": update.created_at,
            "components": [
                [item["slug"], item["status"]] for item in getattr(update, "components", ())
            ],
        }
        for update in updates
    }
