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


def is_milder(one: Verdict, other: Verdict) -> bool:
    """Whether *one* is less bad than *other*."""
    return _SEVERITY[one] < _SEVERITY[other]


def milder(one: Verdict, other: Verdict) -> Verdict:
    """The less bad of both."""
    return one if is_milder(one, other) else other


@dataclass(frozen=True)
class Thresholds:
    """How many results in a row it takes to believe in a failure, and in a recovery."""

    failure: int = 3
    recovery: int = 2


@dataclass(frozen=True)
class Streak:
    """The memory of one region: its verdict and how many of its latest results agree.

    ``down`` counts results that failed, ``impaired`` those that failed or were slow, ``answered`` those that did not
    fail and ``healthy`` those that were fine; each is the length of the run that ends with the latest result.
    """

    verdict: Verdict = Verdict.UNKNOWN
    down: int = 0
    impaired: int = 0
    answered: int = 0
    healthy: int = 0

    def after(self, outcome: Verdict, thresholds: Thresholds) -> Streak:
        """The streak once another result came in. *outcome* is ``UP``, ``DEGRADED`` or ``DOWN``."""
        failed = outcome is Verdict.DOWN
        fine = outcome is Verdict.UP
        counted = replace(
            self,
            down=self.down + 1 if failed else 0,
            impaired=0 if fine else self.impaired + 1,
            answered=0 if failed else self.answered + 1,
            healthy=self.healthy + 1 if fine else 0,
        )
        return replace(counted, verdict=counted._judge(thresholds))

    def _judge(self, thresholds: Thresholds) -> Verdict:
        if self.down >= thresholds.failure:
            return Verdict.DOWN
        if self.verdict is Verdict.DOWN:
            if self.answered < thresholds.recovery:
                return Verdict.DOWN
            return Verdict.UP if self.healthy >= thresholds.recovery else Verdict.DEGRADED
        if self.impaired >= thresholds.failure:
            return Verdict.DEGRADED
        if self.verdict is Verdict.DEGRADED:
            return Verdict.UP if self.healthy >= thresholds.recovery else Verdict.DEGRADED
        return Verdict.UP if self.healthy else self.verdict


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
