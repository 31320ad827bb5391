"""The whole history of a page, month by month, made of all that ever happened: a mirror has all of it at hand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

from ..domain.facts import IncidentFact, MaintenanceFact
from ..domain.happenings import INSTANT
from ..domain.year_month import Month
from .history import AHEAD, FIRST, Events, events_of
from .snapshot import Snapshot
from .spans import Event, begins, ends, reaches


def by_month(
    snapshot: Snapshot,
    incidents: Sequence[IncidentFact],
    maintenances: Sequence[MaintenanceFact],
) -> dict[Month, Events]:
    """The present month, and each in which something began or went on, up to the last one that something is planned in.

    :param incidents: all published ones of the page, newest first; ``maintenances`` all, the latest window first.
    """
    zone = ZoneInfo(snapshot.page.time_zone)
    now = snapshot.generated_at
    every: list[Event] = sorted([*incidents, *maintenances], key=begins)
    begun = [begins(fact) for fact in every]
    # Up to each of them in that order, the last instant on which any of them went on.
    latest = list(accumulate((max(begins(one), ends(one, now) - INSTANT) for one in every), max))
    present = Month.of(now, zone)
    last = min(present.plus(AHEAD), max(present, Month.of(begun[-1], zone) if begun else present))
    lists: dict[Month, tuple[list[IncidentFact], list[MaintenanceFact]]] = {present: ([], [])}
    # Each thing is looked at once, and not once for each of the months.
    for incident in incidents:
        for month in _months_of(incident, zone, last, now):
            lists.setdefault(month, ([], []))[0].append(replace(incident, updates=()))
    for window in maintenances:
        for month in _months_of(window, zone, last, now):
            lists.setdefault(month, ([], []))[1].append(replace(window, updates=()))
    found: dict[Month, Events] = {}
    for month in sorted(lists, reverse=True):
        since, until = month.begins(zone), month.plus(1).begins(zone)
        earlier, later = bisect_left(begun, since), bisect_left(begun, until)
        found[month] = events_of(
            snapshot,
            month,
            *lists[month],
            first=begun[0] if begun else None,
            last=begun[-1] if begun else None,
            before=min(latest[earlier - 1], since - INSTANT) if earlier else None,
            after=begun[later] if later < len(begun) else None,
        )
    return found


def _months_of(fact: Event, zone: ZoneInfo, last: Month, now: datetime) -> Iterator[Month]:
    """The months that it is listed in, none after *last*."""
    first = Month.of(begins(fact), zone)
    until = min(last, max(first, Month.of(ends(fact, now), zone)))
    for month in until.back_to(max(first, FIRST)):
        if reaches(fact, month.begins(zone), month.plus(1).begins(zone), now):
            yield month
