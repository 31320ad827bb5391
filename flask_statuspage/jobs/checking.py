"""Make the checks of a region: claim what is due, ask, record, in batches and beside each other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy.orm import Session

from ..probing import CheckResult, ProbeOrder
from ..probing.batch import Asking
from ..services import monitoring, self_check
from ..state import current_settings
from ..storage import due
from ..storage.races import committed
from ..storage.session import begin_read_committed, current_session, database_now, in_pages, is_away
from ..storage.trouble import worded

logger = logging.getLogger(__name__)

BUDGET = 20.0
"""Seconds after which a task leaves the rest to the next one, as soon as nobody has to wait for a slow answer."""

SLOW_BUDGET = 50.0
"""The same while some target is slow: with the longest timeout, it ends before its worker would be thought dead."""

SLOW = 0.5
"""Seconds without an answer that make a target a slow one."""

GATHER_SECONDS = 0.5
GATHERED = 200
"""How long, and how many, results gather before they are recorded together."""

BUSY = 20
LINGER_SECONDS = 3.0
"""Who has made so many checks looks for more for so long: another task in a process of its own would cost more."""

RETRY_SECONDS = 1.0
PATIENCE = 25.0
"""For how long a task that is about to end tries to record what it has, when the database is away."""

PORTION = 500
"""How many results are recorded in one transaction at most: after an outage many wait, and each monitor is held."""

MOST_KEPT = 20_000
"""Results that wait for the database; older ones are given up."""


def check_due(region: str, stopping: Callable[[], bool]) -> int:
    """Make all checks that are due, and what becomes due meanwhile; returns how many.

    A target that hangs holds up its own thread only. What was claimed and is not asked is given back.

    :param stopping: asked between batches; once it says so only answers that are on their way are waited for.
    """
    began, claim_at, asked = time.monotonic(), 0.0, 0
    found_at = began
    is_more = is_closing = False
    record = Record()
    with Asking(current_settings()) as asking:
        try:
            while True:
                now = time.monotonic()
                is_closing = is_closing or stopping() or _is_over(now - began, asking)
                if asking.is_stuck or stopping():
                    asked -= _give_back(region, asking.withdraw())
                if not is_closing and now >= claim_at and asking.room:
                    room = asking.room
                    orders = _claimed(region, room)
                    asking.add(orders)
                    asked += len(orders)
                    is_more = len(orders) == room
                    claim_at = now if is_more else now + GATHER_SECONDS
                    found_at = now if orders else found_at
                    lingers = asked >= BUSY and now - found_at < LINGER_SECONDS
                    if not orders and not asking.open and not lingers:
                        return asked
                if is_closing and not asking.open:
                    return asked
                results = asking.collect(
                    within=GATHER_SECONDS,
                    enough=GATHERED,
                    while_busy=is_more and not is_closing,
                )
                record.add(results)
                if not asking.open and not is_more and not is_closing:
                    # What becomes due in this moment is asked together.
                    time.sleep(max(0.0, claim_at - time.monotonic()))
        finally:
            _give_back(region, asking.withdraw())
            while asking.open:  # whatever happened here, what was asked counts
                record.add(asking.collect(within=GATHER_SECONDS, enough=GATHERED))
            record.close()


class Record:
    """Results that are to be recorded: at once, or when the database is back."""

    def __init__(self) -> None:
        self._kept: list[CheckResult] = []
        self._retry_at = 0.0

    def add(self, results: Sequence[CheckResult]) -> None:
        """Record *results* with those that wait. Raises nothing: what the database refuses is logged and left out."""
        self._kept += results
        if self._kept and time.monotonic() >= self._retry_at:
            self._record()

    def close(self) -> None:
        """Try for a while to record what waits, then give it up."""
        ends = time.monotonic() + PATIENCE
        while self._kept and time.monotonic() < ends:
            time.sleep(max(0.0, self._retry_at - time.monotonic()))
            self._record()
        if self._kept:
            logger.error("status page: %d results of checks were lost", len(self._kept))

    def _record(self) -> None:
        waiting, self._kept = self._kept, []
        for some in in_pages(waiting, PORTION):
            # Once the database is away, the rest need not try.
            self._kept += some if self._kept else _left(some)
        if self._kept:
            self._retry_at = time.monotonic() + RETRY_SECONDS
        if len(self._kept) > MOST_KEPT:
            logger.error("status page: %d results were lost", len(self._kept) - MOST_KEPT)
            del self._kept[:-MOST_KEPT]


def _left(results: Sequence[CheckResult]) -> Sequence[CheckResult]:
    """Record *results*; those that wait for the database, which is away."""
    try:
        _believe(results)
    except Exception as error:
        if is_away(error):
            logger.warning(
                "status page: results of checks cannot be recorded yet: %s", worded(error)
            )
            return results
        if len(results) == 1:
            logger.exception("status page: a result of a check could not be recorded")
            return []
    else:
        return []
    # Whatever is wrong with one of them, the others count.
    half = len(results) // 2
    left = _left(results[:half])
    return [*left, *results[half:]] if left else _left(results[half:])


def _believe(results: Sequence[CheckResult]) -> None:
    believed = self_check.believed(list(results), current_settings())
    committed(current_session(), partial(monitoring.record, results=believed))


def _claimed(region: str, room: int) -> list[ProbeOrder]:
    """At most *room* orders; none when they cannot be had, which is logged."""
    try:
        return committed(current_session(), partial(_claim, region=region, limit=room))
    except Exception as error:
        # What is being asked is recorded all the same.
        if is_away(error):
            logger.warning("status page: what is due cannot be read: %s", worded(error))
        else:
            logger.exception("status page: what is due in %s cannot be asked", region)
    return []


def _claim(session: Session, *, region: str, limit: int) -> list[ProbeOrder]:
    begin_read_committed(session)
    return monitoring.claim_due(session, region, database_now(session), limit=limit)


def _give_back(region: str, orders: Sequence[ProbeOrder]) -> int:
    """Let others ask *orders*; returns how many they are. What cannot be given back is asked at its next time."""
    taken = [
        (order.monitor_id, order.due_at, order.next_at)
        for order in orders
        if order.due_at is not None and order.next_at is not None
    ]
    if not taken:
        return 0
    try:
        committed(current_session(), partial(due.give_back, region=region, checks=taken))
    except Exception as error:
        logger.warning("status page: %d checks were not made: %s", len(taken), worded(error))
    return len(taken)


def _is_over(elapsed: float, asking: Asking) -> bool:
    if elapsed < BUDGET:
        return False
    return elapsed >= SLOW_BUDGET or asking.longest < SLOW
