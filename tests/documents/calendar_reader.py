"""A calendar as a reader's program understands it: rules expanded, exceptions taken out, changed occurrences put in.

The rules are expanded by dateutil on the wall clock of the zone, as RFC 5545 says; nothing of the package is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event


@dataclass(frozen=True, order=True)
class Seen:
    start: datetime
    end: datetime
    summary: str
    status: str
    uid: str


def parsed(data: bytes) -> Calendar:
    calendar = Calendar.from_ical(data)
    assert isinstance(calendar, Calendar)
    assert not calendar.errors
    for event in events(calendar):
        assert not event.errors
    return calendar


def events(calendar: Calendar) -> list[Event]:
    return [part for part in calendar.subcomponents if part.name == "VEVENT"]


def seen(data: bytes, first: datetime, last: datetime) -> list[Seen]:
    """What a reader shows of the time from *first* to *last*, in order."""
    found: list[Seen] = []
    everything = events(parsed(data))
    for event in everything:
        if "RECURRENCE-ID" in event:
            continue
        changed = {
            utc(other["RECURRENCE-ID"].dt): other
            for other in everything
            if "RECURRENCE-ID" in other and other["UID"] == event["UID"]
        }
        length = utc(event["DTEND"].dt) - utc(event["DTSTART"].dt)
        for start in starts(event, last):
            if other := changed.pop(start, None):
                found.append(shown(other, utc(other["DTSTART"].dt)))
            else:
                found.append(shown(event, start, length))
        assert not [at for at in changed if at <= last], "an occurrence that the rule does not give"
    return sorted(one for one in found if first <= one.start <= last)


def starts(event: Event, last: datetime) -> list[datetime]:
    begin = event["DTSTART"].dt
    if "RRULE" not in event:
        return [utc(begin)]
    rule = rrulestr(event["RRULE"].to_ical().decode(), dtstart=begin)
    without = event.get("EXDATE", [])
    without = without if isinstance(without, list) else [without]
    gone = {utc(item.dt) for dates in without for item in dates.dts}
    found = []
    for at in rule:
        # A day that a zone left out altogether falls onto the next one.
        if utc(at) > last + timedelta(days=2):
            break
        if utc(at) not in gone and utc(at) not in found[-1:]:
            found.append(utc(at))
    return found


def shown(event: Event, start: datetime, length: timedelta | None = None) -> Seen:
    end = start + length if length else utc(event["DTEND"].dt)
    return Seen(start, end, str(event["SUMMARY"]), str(event["STATUS"]), str(event["UID"]))


def utc(when: Any) -> datetime:
    assert isinstance(when, datetime)
    assert when.tzinfo is not None
    zone = getattr(when.tzinfo, "key", None)
    # icalendar takes the zone from its name; a time on the wall is read as RFC 5545, 3.3.5 says.
    return (when.replace(tzinfo=ZoneInfo(zone), fold=0) if zone else when).astimezone(UTC)
