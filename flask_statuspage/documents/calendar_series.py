"""Recurring maintenance as calendars have it: one event with a rule, and the occurrences that are not as it says.

A snapshot has a row per occurrence that took place or is planned next, the older ones cut off. The newest row tells
what the rule, the exceptions, the title and the length of those to come are, for the next one is planned from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from ..domain.facts import MaintenanceFact
from ..domain.maintenance import MaintenanceStatus
from ..domain.recurrence import Recurrence
from ..domain.rrule import read

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Series:
    """One rule and its occurrences. What is naive here is on the wall clock of *zone*.

    :param rule: RRULE as it goes with a DTSTART in a zone: its UNTIL is in UTC. It ends where the series ended.
    :param begin: where it counts from, naive.
    :param without: naive starts that the rule gives and that have no occurrence, in order.
    :param changed: naive starts that the rule gives, each with the occurrence that is not as :attr:`newest` tells.
    :param newest: the occurrence that those to come are planned from.
    """

    id: UUID
    zone: ZoneInfo
    rule: str
    begin: datetime
    without: tuple[datetime, ...]
    changed: tuple[tuple[datetime, MaintenanceFact], ...]
    newest: MaintenanceFact
    updated_at: datetime

    @property
    def duration(self) -> timedelta:
        return self.newest.scheduled_end - self.newest.scheduled_start


def sorted_out(
    maintenances: Iterable[MaintenanceFact],
) -> tuple[list[MaintenanceFact], list[Series]]:
    """The windows that stand alone, and the series of the others."""
    facts = list(maintenances)
    groups: dict[UUID, list[MaintenanceFact]] = defaultdict(list)
    for fact in facts:
        if fact.series_id and fact.occurrence_at and fact.series_start and fact.series_zone:
            groups[fact.series_id].append(fact)
    # The rule was taken off the row with which a series ended; those that still have it may be gone from the snapshot.
    ruled = {
        ident: rows for ident, rows in groups.items() if any(row.rrule is not None for row in rows)
    }
    single = [fact for fact in facts if fact.series_id not in ruled or not fact.occurrence_at]
    # All that were over since then are in the snapshot, of whatever series.
    known_from = min((fact.scheduled_start for fact in facts if fact.status.is_over), default=None)
    return single, [_series(ident, rows, known_from) for ident, rows in ruled.items()]


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant that readers of RFC 5545 (3.3.5) take *wall* for: a time that the clock leaves out is read with the
    offset before the gap, and of one that comes twice the first is meant."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _series(ident: UUID, rows: list[MaintenanceFact], known_from: datetime | None) -> Series:
    rows = sorted(rows, key=_occurrence)
    newest = rows[-1]
    ruled = next(row for row in reversed(rows) if row.rrule is not None)
    assert ruled.rrule is not None
    assert ruled.series_start is not None
    assert ruled.series_zone is not None
    recurrence = Recurrence(
        rule=ruled.rrule,
        start=ruled.series_start,
        zone=ZoneInfo(ruled.series_zone),
        exceptions=frozenset(map(date.fromisoformat, ruled.exceptions)),
    )
    zone = recurrence.zone
    begin = recurrence.start.astimezone(zone).replace(tzinfo=None, fold=0)
    by_wall = {_wall(_occurrence(row), begin, zone): row for row in rows}
    last = None
    if newest.rrule is None or newest.status is not MaintenanceStatus.SCHEDULED:
        # Whatever begins, or is called off, plans the next one: where none is planned, the rule has ended.
        last = max(_occurrence(newest), instant(_wall(_occurrence(newest), begin, zone), zone))
    without = {
        *_excepted(recurrence, begin),
        *_missing(recurrence, begin, known_from, _occurrence(newest)),
    }
    return Series(
        id=ident,
        zone=zone,
        rule=_rule(ruled.rrule, begin, zone, last),
        begin=begin,
        without=tuple(sorted(without - by_wall.keys())),
        changed=tuple(
            (wall, row)
            for wall, row in sorted(by_wall.items(), key=lambda item: item[0])
            if _differs(row, newest, instant(wall, zone))
        ),
        newest=newest,
        updated_at=max(row.updated_at for row in rows),
    )


def _occurrence(row: MaintenanceFact) -> datetime:
    assert row.occurrence_at is not None
    return row.occurrence_at


def _differs(row: MaintenanceFact, newest: MaintenanceFact, start: datetime) -> bool:
    """Whether a reader has to be told more of *row* than that it begins at *start* and is like *newest*."""
    if row.status is MaintenanceStatus.CANCELLED:
        return True
    end = start + (newest.scheduled_end - newest.scheduled_start)
    if (row.scheduled_start, row.scheduled_end) != (start, end):
        return True
    return _told(row) != _told(newest)


def _told(row: MaintenanceFact) -> tuple[object, ...]:
    # Updates without words come from the clock. They change no calendar.
    words = [update.body for update in row.updates if update.body.strip()]
    return row.title, [component.id for component in row.components], words


def _rule(text: str, begin: datetime, zone: ZoneInfo, last: datetime | None) -> str:
    """*text* with its UNTIL in UTC; up to the instant *last*, if there is one, whatever end it had."""
    until = read(text).until
    if last is None and until is not None:
        if until.tzinfo is None:
            # The instant of its last possible day: around a gap, wall clocks and instants are not in the same order.
            day = until.date() if begin.time() <= until.time() else until.date() - _DAY
            until = instant(datetime.combine(day, begin.time()), zone)
        last = until
    if last is None:
        return text
    kept = [part for part in text.split(";") if not part.startswith(("UNTIL=", "COUNT="))]
    return ";".join([*kept, f"UNTIL={last.astimezone(UTC):%Y%m%dT%H%M%SZ}"])


def _excepted(recurrence: Recurrence, begin: datetime) -> Iterator[datetime]:
    """The naive starts that the exceptions mean: the date that the rule gives, or the one that a gap moves it to."""
    for day in recurrence.exceptions:
        yield datetime.combine(day, begin.time())
        before = datetime.combine(day - _DAY, begin.time())
        if instant(before, recurrence.zone).astimezone(recurrence.zone).date() == day:
            yield before


def _missing(
    recurrence: Recurrence, begin: datetime, known_from: datetime | None, newest: datetime
) -> Iterator[datetime]:
    """The naive starts of those that must have a row if they had taken place: deleted, or left out."""
    if known_from is None:
        return
    for occurrence in recurrence.between(known_from, newest):
        yield _wall(occurrence, begin, recurrence.zone)


def _wall(occurrence: datetime, begin: datetime, zone: ZoneInfo) -> datetime:
    """The naive start from which the rule made *occurrence*."""
    local = occurrence.astimezone(zone).replace(tzinfo=None, fold=0)
    wall = datetime.combine(local.date(), begin.time())
    if local != wall:
        # A gap moves one to a later time, sometimes over midnight.
        before = wall - _DAY
        if instant(before, zone) == occurrence:
            return before
    return wall
