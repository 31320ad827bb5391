"""The days of a component, from its published history: what uptime strips and calendars show.

A day is one of the page's zone, so it has 23 or 25 hours where the clocks change. Most days are plain: one status all
day long. They cost nothing but a place in a list; only the others are looked at one by one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .clock import midnight
from .status import ComponentStatus
from .uptime import Interval, percent_of

THRESHOLD = 60
"""So many seconds a status has to last on a day, all in all, to give it its colour."""


@dataclass(frozen=True)
class Days:
    """Days of a zone, one after the other, today's so far.

    :param edges: seconds since the epoch: where each day begins and, last, where the last one ends.
    """

    dates: tuple[date, ...]
    edges: tuple[float, ...]

    def index(self, moment: datetime) -> int:
        """The place of the day that *moment* falls on: negative before the first day, too large after the last."""
        return bisect_right(self.edges, moment.timestamp()) - 1


class Day(NamedTuple):
    """A day with the seconds that each status lasted; ``UNKNOWN`` is what nothing is known of.

    The seconds amount to the length of the day, today's to what has passed of it. A tuple, since a page has a thousand.
    """

    date: date
    seconds: Mapping[ComponentStatus, float]

    @property
    def status(self) -> ComponentStatus:
        """See :func:`status_of`."""
        return status_of(self.seconds)

    def percent(self, *, partial_weight: float) -> float | None:
        """The uptime of this day, as :func:`.uptime.uptime_percent` has it; None: nothing was observed."""
        return percent_of(self.seconds, partial_weight=partial_weight)


@dataclass(frozen=True)
class Strip:
    """A component day by day.

    :param statuses: of each day, the oldest first.
    :param eventful: by their place the days on which something else happened than being operational, and those that
        are known only in part.
    :param first: the place of the first day of which anything is known; None: there is none.
    :param calm: rows of plain days that were operational, each by the place where it begins and the one that follows.
    """

    days: Days
    statuses: tuple[ComponentStatus, ...]
    eventful: Mapping[int, Day]
    first: int | None
    calm: Sequence[tuple[int, int]] = ()

    def day(self, place: int) -> Day:
        """Any of the days, a plain one too."""
        found = self.eventful.get(place)
        if found is not None:
            return found
        begin, end = self.days.edges[place : place + 2]
        return Day(self.days.dates[place], {self.statuses[place]: end - begin})

    def seconds(self, begin: int, end: int) -> dict[ComponentStatus, float]:
        """How long each status lasted on the days from the place *begin* up to, and without, *end*."""
        edges = self.days.edges
        calm = 0.0
        for since, until in self.calm:
            since, until = max(since, begin), min(until, end)
            if since < until:
                calm += edges[until] - edges[since]
        seconds = {ComponentStatus.OPERATIONAL: calm}
        for place, day in self.eventful.items():
            if begin <= place < end:
                for status, lasted in day.seconds.items():
                    seconds[status] = seconds.get(status, 0.0) + lasted
        return seconds

    def percent(self, begin: int, end: int, *, partial_weight: float) -> float | None:
        """The uptime of those days; None: nothing was observed."""
        return percent_of(self.seconds(begin, end), partial_weight=partial_weight)


def status_of(seconds: Mapping[ComponentStatus, float]) -> ComponentStatus:
    """The worst that lasted for :data:`THRESHOLD`; on a day that is too short for that, what lasted longest."""
    lasting = [status for status, number in seconds.items() if number >= THRESHOLD]
    if len(lasting) == 1:
        return lasting[0]
    if lasting:
        return max(lasting, key=_severity)
    return max(
        seconds,
        key=lambda status: (seconds[status], _severity(status)),
        default=ComponentStatus.UNKNOWN,
    )


def last_days(count: int, *, until: datetime, zone: ZoneInfo) -> Days:
    """The *count* days of *zone* up to the aware instant *until*, the day of that instant included."""
    today = until.astimezone(zone).date()
    return days_since(today - timedelta(days=count - 1), until=until, zone=zone)


def days_since(first: date, *, until: datetime, zone: ZoneInfo) -> Days:
    """The days of *zone* from *first* up to the aware instant *until*; none where *first* is ahead."""
    count = (until.astimezone(zone).date() - first).days + 1
    dates = tuple(first + timedelta(days=number) for number in range(count))
    begins = (midnight(day, zone).timestamp() for day in dates)
    return Days(dates, (*begins, until.timestamp()))


def strip(history: Iterable[Interval], days: Days) -> Strip:
    """What *history* says of *days*.

    :param history: in any order; of intervals that overlap the one counts that began first.
    """
    edges = days.edges
    count = len(days.dates)
    now = edges[-1]
    statuses = [ComponentStatus.UNKNOWN] * count
    eventful: dict[int, Day] = {}
    calm: list[tuple[int, int]] = []
    parts: dict[int, dict[ComponentStatus, float]] = {}
    reached = edges[0]
    first: int | None = None
    for status, began, ended in sorted(history, key=_began):
        if status is ComponentStatus.UNKNOWN:
            continue
        start = began.timestamp()
        if start < reached:
            start = reached
        end = now if ended is None else ended.timestamp()
        if end > now:
            end = now
        if end <= start:
            continue
        reached = end
        begin = min(bisect_right(edges, start) - 1, count - 1)
        first = begin if first is None else first
        while start < end:
            if start == edges[begin] and end >= edges[begin + 1]:
                # Whole days, and as many as there are at once.
                until = min(bisect_right(edges, end) - 1, count)
                statuses[begin:until] = [status] * (until - begin)
                if status is ComponentStatus.OPERATIONAL:
                    calm.append((begin, until))
                else:
                    for place in range(begin, until):
                        length = edges[place + 1] - edges[place]
                        eventful[place] = Day(days.dates[place], {status: length})
                start, begin = edges[until], until
                continue
            stop = edges[begin + 1]
            if end < stop:
                stop = end
            part = parts.get(begin)
            if part is None:
                part = parts[begin] = {}
            part[status] = part.get(status, 0.0) + stop - start
            start, begin = stop, begin + 1
    for place, part in parts.items():
        missing = edges[place + 1] - edges[place] - sum(part.values())
        if missing > 1e-3:  # more than what adding up numbers amounts to
            part[ComponentStatus.UNKNOWN] = missing
        elif (
            len(part) == 1 and ComponentStatus.OPERATIONAL in part
        ):  # today, or two intervals alike
            statuses[place] = ComponentStatus.OPERATIONAL
            calm.append((place, place + 1))
            continue
        day = eventful[place] = Day(days.dates[place], part)
        statuses[place] = day.status
    return Strip(days, tuple(statuses), eventful, first, tuple(calm))


def _began(interval: Interval) -> datetime:
    return interval.start


def _severity(status: ComponentStatus) -> int:
    return status.severity
