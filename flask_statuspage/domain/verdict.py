"""From single check results to "up", "degraded" or "down": streaks within a region, quorum across regions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from .status import ComponentStatus


class Verdict(StrEnum):
    """What is believed of a monitor's target, mildest first."""

    UNKNOWN = "unknown"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


_SEVERITY = {verdict: rank for rank, verdict in enumerate(Verdict)}

DOUBLINGS = 4
"""How often the number of results that a recovery takes is doubled at most, for a target that flaps."""

CALM = 20
"""Times the threshold of recoveries: after so many fine results in a row it is forgotten that the target flapped."""


def is_milder(one: Verdict, other: Verdict) -> bool:
    """Whether *one* is less bad than *other*."""
    return _SEVERITY[one] < _SEVERITY[other]


def milder(one: Verdict, other: Verdict) -> Verdict:
    """The less bad of both."""
    return one if is_milder(one, other) else other


@dataclass(frozen=True)
class Thresholds:
    """How many results in a row it takes to believe in a failure, in a recovery, and that it is degraded.

    :param degraded: None: as many as for a failure.
    :param damped: whether a target that flaps is believed ever later. Not for those that speak seldom and by
        themselves: twice as many words of a nightly job are two nights.
    """

    failure: int = 3
    recovery: int = 2
    degraded: int | None = None
    damped: bool = True


@dataclass(frozen=True)
class Streak:
    """The memory of one region: its verdict and how many of its latest results agree.

    ``down`` counts results that failed, ``impaired`` those that failed or were slow, ``answered`` those that did not
    fail and ``healthy`` those that were fine; each is the length of the run that ends with the latest result.
    ``swings`` counts how often the verdict changed its direction lately: it is odd after a turn for the worse, and even
    after one for the better.
    """

    verdict: Verdict = Verdict.UNKNOWN
    down: int = 0
    impaired: int = 0
    answered: int = 0
    healthy: int = 0
    swings: int = 0

    @property
    def is_flapping(self) -> bool:
        """Whether the verdict turned for the worse again, soon after it had turned for the better."""
        return self.swings > 2

    @property
    def falls(self) -> int:
        """How often the verdict turned for the worse lately."""
        return (self.swings + 1) // 2

    def after(self, outcome: Verdict, thresholds: Thresholds) -> Streak:
        """The streak once another result came in; one that could not find out (``UNKNOWN``) changes nothing."""
        if outcome is Verdict.UNKNOWN:
            return self
        failed = outcome is Verdict.DOWN
        fine = outcome is Verdict.UP
        counted = replace(
            self,
            down=self.down + 1 if failed else 0,
            impaired=0 if fine else self.impaired + 1,
            answered=0 if failed else self.answered + 1,
            healthy=self.healthy + 1 if fine else 0,
        )
        verdict = counted._judge(thresholds)
        calm = counted.healthy >= CALM * thresholds.recovery
        if verdict is self.verdict and not (calm and self.swings):
            return counted
        return replace(counted, verdict=verdict, swings=0 if calm else self._swung(verdict))

    def anew(self) -> Streak:
        """The memory after a gap so long that what was before it and what comes are no run. A failure is not over
        because nobody looked."""
        if self.verdict is Verdict.DOWN:
            return Streak(Verdict.DOWN, swings=self.swings)
        return Streak()

    def _judge(self, thresholds: Thresholds) -> Verdict:
        # The more often it fell lately, the longer it must be well before that is believed.
        doublings = min(max(self.falls - 1, 0), DOUBLINGS) if thresholds.damped else 0
        recovery = thresholds.recovery << doublings
        if self.down >= thresholds.failure:
            return Verdict.DOWN
        if self.verdict is Verdict.DOWN:
            if self.answered < recovery:
                return Verdict.DOWN
            return Verdict.UP if self.healthy >= recovery else Verdict.DEGRADED
        if self.impaired >= (thresholds.degraded or thresholds.failure):
            return Verdict.DEGRADED
        if self.verdict is Verdict.DEGRADED:
            return Verdict.UP if self.healthy >= recovery else Verdict.DEGRADED
        return Verdict.UP if self.healthy else self.verdict

    def _swung(self, verdict: Verdict) -> int:
        """The number of swings once the verdict has become *verdict*. Down by way of degraded is one swing."""
        is_first = self.verdict is Verdict.UNKNOWN and verdict is Verdict.UP
        falls = is_milder(self.verdict, verdict) and not is_first
        is_down_there = self.swings % 2 == 1
        return self.swings + (falls is not is_down_there and not is_first)


def quorum_verdict(regions: Iterable[Verdict], quorum: int) -> Verdict:
    """The verdict over all regions: it takes *quorum* of them to call a target down or degraded.

    Regions without a result do not vote; where fewer than *quorum* vote, all of those that do must agree.
    """
    votes = [verdict for verdict in regions if verdict is not Verdict.UNKNOWN]
    if not votes:
        return Verdict.UNKNOWN
    needed = min(quorum, len(votes))
    if sum(vote is Verdict.DOWN for vote in votes) >= needed:
        return Verdict.DOWN
    if sum(vote is not Verdict.UP for vote in votes) >= needed:
        return Verdict.DEGRADED
    return Verdict.UP


def status_for(verdict: Verdict, *, outage: ComponentStatus) -> ComponentStatus:
    """What *verdict* makes of the monitored component; *outage* is the monitor's choice for "down"."""
    return {
        Verdict.UNKNOWN: ComponentStatus.UNKNOWN,
        Verdict.UP: ComponentStatus.OPERATIONAL,
        Verdict.DEGRADED: ComponentStatus.DEGRADED_PERFORMANCE,
        Verdict.DOWN: outage,
    }[verdict]
