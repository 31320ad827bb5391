"""A zone's changes of the clock as a VTIMEZONE (RFC 5545, 3.6.5).

Not icalendar's own: its changes to summer time lie an hour late, for it takes the first time after the gap where the
standard wants the onset on the clock that ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

_STEP = timedelta(days=7)
"""No two changes of any zone lie closer together than this; Ramadan, without summer time in Morocco, lasts a month."""

_Kind = tuple[timedelta, str, bool]


@lru_cache(maxsize=64)
def vtimezone(key: str, first_year: int, last_year: int) -> Timezone:
    """The zone *key* from the beginning of *first_year* to the end of *last_year*. Do not change it: it is kept."""
    zone = ZoneInfo(key)
    start = datetime(first_year, 1, 1, tzinfo=UTC)
    before = _kind(start, zone)
    # offset before, offset after, name, whether it is summer time → the onsets, each on the clock that ends
    observed: dict[tuple[timedelta, *_Kind], list[datetime]] = defaultdict(list)
    observed[(before[0], *before)].append(_on_clock(start, before[0]))
    for onset, after in _changes(zone, start, datetime(last_year + 1, 1, 1, tzinfo=UTC)):
        observed[(before[0], *after)].append(_on_clock(onset, before[0]))
        before = after
    component = Timezone()
    component.add("tzid", key)
    for (offset_from, offset_to, name, is_summer), onsets in observed.items():
        part = TimezoneDaylight() if is_summer else TimezoneStandard()
        part.add("dtstart", onsets[0])
        part.add("tzoffsetfrom", offset_from)
        part.add("tzoffsetto", offset_to)
        part.add("tzname", name)
        if onsets[1:]:
            part.add("rdate", onsets[1:])
        component.add_component(part)
    return component


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, _Kind]]:
    """The instants at which the clock changes, to the second, and what it changes to."""
    while start < end:
        following = start + _STEP
        before, after = _kind(start, zone), _kind(following, zone)
        if before != after:
            low, high = start, following
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                low, high = (middle, high) if _kind(middle, zone) == before else (low, middle)
            yield high, after
        start = following


def _kind(when: datetime, zone: ZoneInfo) -> _Kind:
    local = when.astimezone(zone)
    return local.utcoffset() or timedelta(), local.tzname() or zone.key, bool(local.dst())


def _on_clock(when: datetime, offset: timedelta) -> datetime:
    return (when + offset).replace(tzinfo=None)
