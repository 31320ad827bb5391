"""How many calls an endpoint gets at once, learnt from how it answered: slow ones fewer, silent ones none for a while.

The endpoint is a ``host:port``. One that answers within a second keeps all its calls and is not even remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

SLOW = 1000.0
"""Milliseconds of an answer from which on an endpoint is slow."""

FAST_AGAIN = 500.0
"""Milliseconds below which a slow one counts as fast again; the gap keeps it from changing lanes at each answer."""

WEIGHT = 0.3
"""How much of the average is the latest answer."""

BREAK_AFTER = 5
"""Timeouts in a row after which an endpoint is left alone."""

REST, LONGEST_REST = timedelta(minutes=1), timedelta(minutes=15)
"""How long at first, and at most: each further timeout doubles it."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call that ended: after how long, and whether without an answer in time."""

    milliseconds: float
    timed_out: bool = False


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What is known of an endpoint.

    :param at_once: how many calls it may have in flight.
    :param milliseconds: of its answers, the latest counting most; None: it has not been called yet.
    :param timeouts: in a row, and ``rests`` how often in a row it was left alone for them.
    :param is_slow: it belongs into the slow lane.
    :param rests_until: nothing is sent to it before; then one call tries whether it is back.
    """

    at_once: int
    milliseconds: float | None = None
    timeouts: int = 0
    is_slow: bool = False
    rests: int = 0
    rests_until: datetime | None = None

    def after(self, calls: Iterable[Call], now: datetime, *, most: int) -> Behaviour:
        """What is known after *calls*, oldest first.

        :param most: calls at once of an endpoint without trouble.
        """
        known = self
        for call in calls:
            known = known._after_timeout(call, now) if call.timed_out else known._after_answer(call)
        return replace(known, at_once=min(known.at_once, most))

    def is_unremarkable(self, *, most: int) -> bool:
        """Whether nothing of it needs to be remembered."""
        return not self.is_slow and not self.timeouts and self.at_once >= most

    def _after_timeout(self, call: Call, now: datetime) -> Behaviour:
        timeouts, rests, rests_until = self.timeouts + 1, self.rests, self.rests_until
        # Calls that were in flight together end together: those that end while it rests are no further trial.
        if timeouts >= BREAK_AFTER and (rests_until is None or rests_until <= now):
            rests_until = now + min(REST * 2 ** min(rests, 10), LONGEST_REST)
            rests += 1
        return replace(
            self,
            milliseconds=self._averaged(call),
            timeouts=timeouts,
            at_once=1 if timeouts >= BREAK_AFTER else max(1, self.at_once // 2),
            is_slow=True,
            rests=rests,
            rests_until=rests_until,
        )

    def _after_answer(self, call: Call) -> Behaviour:
        # What it was like before it fell silent says nothing of it now.
        average = call.milliseconds if self.timeouts else self._averaged(call)
        slow = call.milliseconds >= SLOW
        return replace(
            self,
            milliseconds=average,
            timeouts=0,
            at_once=max(1, self.at_once - 1) if slow else self.at_once + 1,
            is_slow=average >= (FAST_AGAIN if self.is_slow else SLOW),
            rests=0,
            rests_until=None,
        )

    def _averaged(self, call: Call) -> float:
        if self.milliseconds is None:
            return call.milliseconds
        return self.milliseconds + WEIGHT * (call.milliseconds - self.milliseconds)
