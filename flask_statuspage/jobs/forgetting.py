"""Results of checks that are too old go, and with them what removed monitors left, and answers of the manage API that
no longer count: a portion a transaction.

At 30,000 monitors 30,000 results a minute grow too old. The work shares its queue with what must be on time to a few
seconds, so a task ends after a moment, whether it is done or not, and the next one goes on somewhere else.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from ..state import current_settings
from ..storage import history, kept_answers
from ..storage.races import committed
from ..storage.rollups import KEPT
from ..storage.session import current_session, database_now, is_away

logger = logging.getLogger(__name__)
T = TypeVar("T")

REGIONS_AT_ONCE = 200
DELETED_AT_ONCE = 5000
"""Rows in one transaction, which takes about a twentieth of a second."""


def forget(stopping: Callable[[], bool], *, budget: float, start: int | None = None) -> int:
    """Delete until nothing is too old, *budget* seconds are spent or the process wants to stop. A portion that fails is
    logged, and holds up no other.

    :param start: number of the region to begin after, and to go round from; None: any, so that one task after the other
        that runs out of time comes to all of them.
    :returns: how many rows went.
    """
    ends = time.monotonic() + budget
    deleted = 0
    for portion in _portions(start):
        while time.monotonic() < ends and not stopping():
            try:
                count = _committed(portion)
            except Exception as error:
                if is_away(error):
                    raise
                logger.exception("status page: some of what is too old could not be forgotten")
                break
            deleted += count
            if count < DELETED_AT_ONCE:
                break
        else:
            return deleted
    return deleted


def _portions(start: int | None) -> Iterator[Callable[[Session], int]]:
    """What is to be done, each until it deletes less than it might."""
    now = _committed(database_now)
    old = now - timedelta(days=current_settings().check_retention_days)
    limits: list[tuple[int | None, datetime]] = [(None, old)]
    limits += [(span, now - kept) for span, kept in KEPT.items() if kept is not None]
    removed = partial(history.delete_removed, limit=DELETED_AT_ONCE)
    yield removed
    yield partial(_forget_answers, before=now - kept_answers.KEPT)
    for chunk in _chunks(start):
        for span, before in limits:
            yield partial(_delete_old, region_ids=chunk, span=span, before=before)
        yield removed  # neither waits for all of the other


def _chunks(start: int | None) -> Iterator[list[int]]:
    """The numbers of all regions, those after *start* first."""
    if start is None:
        start = random.randint(0, _committed(history.last_region))
    for after, until in ((start, None), (0, start)):
        at = after
        while chunk := _committed(
            partial(history.regions_after, region_id=at, limit=REGIONS_AT_ONCE)
        ):
            at = chunk[-1]
            wanted = [region_id for region_id in chunk if until is None or region_id <= until]
            if not wanted:
                break
            yield wanted


def _delete_old(
    session: Session, *, region_ids: list[int], span: int | None, before: datetime
) -> int:
    return history.delete_old(session, region_ids, before, limit=DELETED_AT_ONCE, span=span)


def _forget_answers(session: Session, *, before: datetime) -> int:
    return kept_answers.forget_before(session, before, limit=DELETED_AT_ONCE)


def _committed(work: Callable[[Session], T]) -> T:
    return committed(current_session(), work)
