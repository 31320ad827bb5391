"""Uptime from the published history of a component: interval arithmetic, weights, floored percent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .clock import midnight
from .status import ComponentStatus


class Interval(NamedTuple):
    """A stretch of time with one published status; ``end`` is None while it lasts.

    A page has thousands of them, and a tuple is made several times as fast as another object.
    """

    status: ComponentStatus
    start: datetime
    end: datetime | None = None


def from_day(history: Iterable[Interval], day: date | None, zone: ZoneInfo) -> Iterable[Interval]:
    """*history* without what was before *day* began in *zone*; all of it for None."""
    if day is None:
        return history
    first = midnight(day, zone)
    return [
        interval if interval.start >= first else interval._replace(start=first)
        for interval in history
        if interval.end is None or interval.end > first
    ]


_NOT_OBSERVED = (ComponentStatus.UNKNOWN, ComponentStatus.UNDER_MAINTENANCE)


def uptime_percent(
    history: Iterable[Interval], *, since: datetime, until: datetime, partial_weight: float
) -> float | None:
    """Percent of the observed time in which the component worked, floored to two decimals.

    ``1 - (major + partial_weight * partial) / observed``. Degraded performance costs nothing; time under maintenance
    and time without a known status does not count as observed. 100.0 is returned only without any downtime. None:
    nothing was observed between *since* and *until*.
    """
    seconds: dict[ComponentStatus, float] = {}
    for status, start, end in history:
        if start < since:
            start = since
        if end is None or end > until:
            end = until
        if start < end:
            seconds[status] = seconds.get(status, 0.0) + (end - start).total_seconds()
    return percent_of(seconds, partial_weight=partial_weight)


def percent_of(seconds: Mapping[ComponentStatus, float], *, partial_weight: float) -> float | None:
    """The same of a time in which each status lasted for so many seconds."""
    observed = 0.0
    for status, lasted in seconds.items():
        if status not in _NOT_OBSERVED:
            observed += lasted
    lost = seconds.get(ComponentStatus.MAJOR_OUTAGE, 0.0)
    lost += partial_weight * seconds.get(ComponentStatus.PARTIAL_OUTAGE, 0.0)
    if observed <= 0:
        return None
    if not lost:
        return 100.0
    # Floored, and never shown as whole while a second was lost. Rounded before that: 90 lost seconds of
    # 100 leave 9.999999999999998 percent in floating point.
    hundredths = round((observed - lost) * 10_000 / observed, 6)
    return min(math.floor(hundredths) / 100, 99.99)
