"""Uptime from the published history of a component: interval arithmetic, weights, floored percent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .status import ComponentStatus


@dataclass(frozen=True)
class Interval:
    """A stretch of time with one published status; ``end`` is None while it lasts."""

    status: ComponentStatus
    start: datetime
    end: datetime | None = None


def uptime_percent(
    history: Iterable[Interval], *, since: datetime, until: datetime, partial_weight: float
) -> float | None:
    """Percent of the observed time in which the component worked, floored to two decimals.

    ``1 - (major + partial_weight * partial) / observed``. Degraded performance and maintenance cost nothing; time
    without a known status does not count as observed. 100.0 is returned only without any downtime. None: nothing was
    observed between *since* and *until*.
    """
    weights = {
        ComponentStatus.MAJOR_OUTAGE: 1.0,
        ComponentStatus.PARTIAL_OUTAGE: partial_weight,
    }
    observed = lost = 0.0
    for interval in history:
        start, end = max(interval.start, since), min(interval.end or until, until)
        seconds = (end - start).total_seconds()
        if seconds <= 0 or interval.status is ComponentStatus.UNKNOWN:
            continue
        observed += seconds
        lost += seconds * weights.get(interval.status, 0.0)
    if not observed:
        return None
    if not lost:
        return 100.0
    # Floored, and never shown as whole while a second was lost. Rounded before that: 90 lost seconds of
    # 100 leave 9.999999999999998 percent in floating point.
    hundredths = round((observed - lost) * 10_000 / observed, 6)
    return min(math.floor(hundredths) / 100, 99.99)
