"""Recurring maintenance in the calendar: what a reader sees is what takes place, over every change of the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flask_statuspage.documents.calendar import calendar
from flask_statuspage.domain.facts import MaintenanceFact
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.recurrence import Recurrence
from flask_statuspage.domain.rrule import read

from .calendar_reader import Seen, events, parsed, seen
from .conftest import (
    affected,
    component_state,
    maintenance_fact,
    page_fact,
    snapshot_of,
    update_fact,
    uuid,
)

HOUR = timedelta(hours=1)
SERIES = uuid(900)
API = component_state(1, "API")
YEARS_AHEAD = datetime(2029, 1, 1, tzinfo=UTC)

ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Pacific/Chatham",
]
RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TH;WKST=SU",
    "FREQ=MONTHLY;BYDAY=-1SU",
    "FREQ=MONTHLY;BYDAY=+2SU",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
    "FREQ=YEARLY;BYYEARDAY=90,300",
]


def rows_of(recurrence: Recurrence, at: list[datetime], **changes: Any) -> list[MaintenanceFact]:
    """A row for each of the occurrences *at*: the last one planned, the others over."""
    values: dict[str, Any] = {
        "rrule": recurrence.rule,
        "exceptions": tuple(sorted(map(str, recurrence.exceptions))),
        "series_id": SERIES,
        "series_start": recurrence.start,
        "series_zone": recurrence.zone.key,
    }
    return [
        maintenance_fact(
            number,
            "Weekly restart",
            "scheduled" if start == at[-1] else "completed",
            start=start,
            end=start + HOUR,
            occurrence_at=start,
            **(values | changes),
        )
        for number, start in enumerate(at)
    ]


def written(*rows: MaintenanceFact, **changes: Any) -> bytes:
    return calendar(snapshot_of(API, maintenances=rows, **changes))


def starts(data: bytes, first: datetime, last: datetime = YEARS_AHEAD) -> list[datetime]:
    return [one.start for one in seen(data, first, last)]


def weekly(**changes: Any) -> Recurrence:
    """Sundays at 02:30 in Berlin, a time that is left out once a year and comes twice once a year."""
    values: dict[str, Any] = {
        "rule": "FREQ=WEEKLY;BYDAY=SU",
        "start": datetime(2026, 1, 4, 1, 30, tzinfo=UTC),
        "zone": ZoneInfo("Europe/Berlin"),
    }
    return Recurrence(**(values | changes))


def first_weeks(recurrence: Recurrence, count: int) -> list[datetime]:
    return recurrence.between(recurrence.start, YEARS_AHEAD, limit=count)


def test_one_event_per_series() -> None:
    """A series is one event on the clock of its zone, with its rule; its plain occurrences need no other."""
    data = written(*rows_of(weekly(), first_weeks(weekly(), 5)))
    (event,) = events(parsed(data))
    assert event["UID"] == f"{SERIES}@status.example.com"
    text = data.decode()
    assert "DTSTART;TZID=Europe/Berlin:20260104T023000\r\n" in text
    assert "DTEND;TZID=Europe/Berlin:20260104T033000\r\n" in text
    assert "RRULE:FREQ=WEEKLY;BYDAY=SU\r\n" in text
    assert "TZID:Europe/Berlin\r\n" in text
    assert event["URL"].endswith(f"/maintenance/{uuid(504)}")


def test_a_gap_moves_an_occurrence_and_of_two_times_the_first_counts() -> None:
    """At the change to summer time it begins an hour later on the clock, at the change back at the first 02:30."""
    data = written(*rows_of(weekly(), first_weeks(weekly(), 3)))
    found = starts(data, weekly().start)
    assert datetime(2026, 3, 29, 1, 30, tzinfo=UTC) in found  # 03:30 CEST
    assert datetime(2026, 10, 25, 0, 30, tzinfo=UTC) in found  # 02:30 CEST
    assert found == weekly().between(weekly().start, YEARS_AHEAD)


@settings(deadline=None)
@given(data=st.data(), zone=st.sampled_from(ZONES), rule=st.sampled_from(RULES))
def test_a_reader_sees_what_takes_place(data: st.DataObject, zone: str, rule: str) -> None:
    """In any zone, with any rule, end and exceptions, the calendar has the occurrences that will be planned."""
    clock = data.draw(
        st.sampled_from([time(0), time(0, 30), time(2), time(2, 30), time(12, 5), time(23, 30)])
    )
    first = data.draw(st.dates(date(2022, 1, 1), date(2026, 12, 31)))
    day = next(read(rule).days(first, first.year))
    end = data.draw(
        st.sampled_from(["", ";COUNT=40", ";UNTIL=20270328", ";UNTIL=20270328T020000"])
        | st.just(";UNTIL=20261025T003000Z")
    )
    start = datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)
    whole = Recurrence(rule=rule + end, start=start, zone=ZoneInfo(zone))
    last = start + timedelta(days=900)
    occurrences = whole.between(start, last)
    # Where a gap moved the start, the rule counts from another time or even day.
    assume(occurrences and occurrences[0] == start)
    known = data.draw(st.integers(1, min(4, len(occurrences))))
    newest = data.draw(st.integers(known, min(30, len(occurrences))))
    chosen = occurrences[newest - known : newest]
    later = [at.astimezone(whole.zone).date() for at in occurrences[newest:]]
    exceptions = data.draw(st.sets(st.sampled_from(later), max_size=5)) if later else set()
    recurrence = replace(whole, exceptions=frozenset(exceptions))
    found = seen(written(*rows_of(recurrence, chosen)), start, last)
    assert [one.start for one in found] == recurrence.between(start, last)
    assert {one.end - one.start for one in found} == {HOUR}


@pytest.mark.parametrize("key", ZONES)
def test_every_change_of_the_clock(key: str) -> None:
    """A daily window at any half hour of the night is where it will be planned, before, on and after each change."""
    zone, last = ZoneInfo(key), datetime(2027, 12, 31, tzinfo=UTC)
    for half in range(-3, 9):
        start = datetime.combine(date(2026, 1, 2), time(), zone) + half * timedelta(minutes=30)
        recurrence = Recurrence(rule="FREQ=DAILY", start=start.astimezone(UTC), zone=zone)
        rows = rows_of(recurrence, first_weeks(recurrence, 2))
        found = starts(written(*rows), recurrence.start, last)
        assert found == recurrence.between(recurrence.start, last), half
        assert len(found) > 700


@pytest.mark.parametrize("day", [28, 29, 30])
def test_an_exception_around_a_gap_before_midnight(day: int) -> None:
    """In Nuuk 23:30 of 28 March is left out and moves to 00:30 of the 29th; an exception on either date means it."""
    recurrence = Recurrence(
        rule="FREQ=DAILY",
        start=datetime(2026, 3, 1, 1, 30, tzinfo=UTC),
        zone=ZoneInfo("America/Nuuk"),
        exceptions=frozenset({date(2026, 3, day)}),
    )
    last = recurrence.start + timedelta(days=50)
    data = written(*rows_of(recurrence, [recurrence.start]))
    found = starts(data, recurrence.start, last)
    assert found == recurrence.between(recurrence.start, last)
    assert len(found) == {28: 50, 29: 49, 30: 50}[day]


def test_a_start_that_is_the_second_of_two_equal_times() -> None:
    """No rule on a wall clock can begin with the second 02:30; the first occurrence is told apart."""
    start = datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    recurrence = weekly(start=start)
    data = written(*rows_of(recurrence, first_weeks(recurrence, 2)))
    assert starts(data, start - HOUR) == recurrence.between(start, YEARS_AHEAD)


def test_a_moved_and_a_retitled_occurrence() -> None:
    """What differs from the rule is an event of its own with RECURRENCE-ID; the reader sees it instead."""
    at = first_weeks(weekly(), 4)
    rows = rows_of(weekly(), at)
    rows[1] = replace(rows[1], scheduled_start=at[1] + 5 * HOUR, scheduled_end=at[1] + 7 * HOUR)
    rows[2] = replace(rows[2], title="Restart and more")
    data = written(*rows)
    found = seen(data, at[0], at[3])
    assert [(one.start, one.end, one.summary) for one in found] == [
        (at[0], at[0] + HOUR, "Maintenance: Weekly restart"),
        (at[1] + 5 * HOUR, at[1] + 7 * HOUR, "Maintenance: Weekly restart"),
        (at[2], at[2] + HOUR, "Maintenance: Restart and more"),
        (at[3], at[3] + HOUR, "Maintenance: Weekly restart"),
    ]
    ids = [
        event["RECURRENCE-ID"].to_ical().decode()
        for event in events(parsed(data))
        if "RECURRENCE-ID" in event
    ]
    assert ids == ["20260111T023000", "20260118T023000"]
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20260111T023000" in data.decode()
    assert len({one.uid for one in found}) == 1


def test_an_occurrence_that_was_moved_off_a_gap() -> None:
    """The occurrence that a gap had moved is named by the time that the rule gives, 02:30, which no clock showed."""
    recurrence = weekly(start=datetime(2026, 3, 22, 1, 30, tzinfo=UTC))
    at = first_weeks(recurrence, 3)
    rows = rows_of(recurrence, at)
    rows[1] = replace(rows[1], scheduled_start=at[1] + HOUR, scheduled_end=at[1] + 2 * HOUR)
    data = written(*rows)
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20260329T023000" in data.decode()
    assert starts(data, at[0], at[2]) == [at[0], at[1] + HOUR, at[2]]


def test_an_occurrence_that_a_gap_moved_to_another_day() -> None:
    """In Nuuk 23:30 of 28 March is 00:30 of the 29th: that occurrence and the one of the 29th keep apart."""
    start = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)
    recurrence = Recurrence(rule="FREQ=DAILY", start=start, zone=ZoneInfo("America/Nuuk"))
    at = first_weeks(recurrence, 4)
    rows = rows_of(recurrence, at)
    rows[1] = replace(rows[1], title="On the gap")
    rows[2] = replace(rows[2], title="After it")
    data = written(*rows)
    assert [(one.start, one.summary) for one in seen(data, at[0], at[3])] == [
        (at[0], "Maintenance: Weekly restart"),
        (at[1], "Maintenance: On the gap"),
        (at[2], "Maintenance: After it"),
        (at[3], "Maintenance: Weekly restart"),
    ]
    assert b"RECURRENCE-ID;TZID=America/Nuuk:20260328T233000" in data


def test_a_cancelled_occurrence() -> None:
    """One that was called off is there as CANCELLED while the series goes on."""
    at = first_weeks(weekly(), 3)
    rows = rows_of(weekly(), at)
    rows[1] = replace(rows[1], status=MaintenanceStatus.CANCELLED)
    data = written(*rows)
    found = seen(data, at[0], at[2] + timedelta(days=7))
    assert [one.status for one in found] == ["CONFIRMED", "CANCELLED", "CONFIRMED", "CONFIRMED"]
    assert found[1].summary == "Cancelled: Weekly restart"


def test_words_of_one_occurrence() -> None:
    """What was written on one occurrence is told with it; words of the clock, which are empty, change nothing."""
    at = first_weeks(weekly(), 3)
    kind = MaintenanceStatus
    first = update_fact(1, "scheduled", "As each week", at[0], kind=kind)
    rows = [replace(row, updates=(first,)) for row in rows_of(weekly(), at)]
    done = update_fact(2, "completed", "", at[0] + HOUR, kind=kind)
    rows[0] = replace(rows[0], updates=(done, first))
    longer = update_fact(3, "completed", "It took longer", at[1] + HOUR, kind=kind)
    rows[1] = replace(rows[1], updates=(longer, first))
    master, changed = events(parsed(written(*rows)))
    assert "As each week" in master["DESCRIPTION"]
    assert changed["RECURRENCE-ID"].dt.date() == date(2026, 1, 11)
    assert "It took longer" in changed["DESCRIPTION"]
    assert changed["URL"].endswith(f"/maintenance/{rows[1].id}")


def test_a_deleted_occurrence_is_not_shown() -> None:
    """What is missing among the known rows did not take place; what lies before them is as the rule says."""
    at = first_weeks(weekly(), 8)
    rows = [row for row in rows_of(weekly(), at) if row.occurrence_at not in (at[0], at[1], at[5])]
    assert starts(written(*rows), at[0], at[7]) == [*at[:5], *at[6:]]


def test_only_the_newest_rows_are_left() -> None:
    """With a single planned row the series still counts from its beginning."""
    recurrence = weekly(rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;COUNT=30")
    at = first_weeks(recurrence, 30)
    assert starts(written(rows_of(recurrence, at[:20])[-1]), at[0]) == at


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;BYDAY=SU", "FREQ=WEEKLY;BYDAY=SU;COUNT=99"])
def test_a_series_that_was_ended(rule: str) -> None:
    """Cancelled as a series, it has no occurrence after the last one, which is CANCELLED."""
    recurrence = weekly(rule=rule)
    at = first_weeks(recurrence, 4)
    rows = rows_of(recurrence, at)
    rows[-1] = replace(rows[-1], status=MaintenanceStatus.CANCELLED, rrule=None)
    data = written(*rows)
    found = seen(data, at[0], YEARS_AHEAD)
    assert [one.start for one in found] == at
    assert [one.status for one in found] == [*["CONFIRMED"] * 3, "CANCELLED"]
    assert "UNTIL=20260125T013000Z" in data.decode()
    assert "COUNT" not in data.decode()


def test_a_series_whose_planned_occurrence_was_deleted() -> None:
    """Where nothing is planned any more, the rule goes no further."""
    at = first_weeks(weekly(), 4)
    assert starts(written(*rows_of(weekly(), at)[:-1]), at[0]) == at[:-1]


def test_one_in_progress_goes_on() -> None:
    """While one takes place and the next is planned, the rule has no end."""
    at = first_weeks(weekly(), 3)
    rows = rows_of(weekly(), at)
    rows[1] = replace(rows[1], status=MaintenanceStatus.IN_PROGRESS)
    data = written(*rows)
    assert "UNTIL" not in data.decode()
    assert len(events(parsed(data))) == 1


def test_only_a_row_without_its_rule_is_left() -> None:
    """The last occurrence of an ended series, alone in the snapshot, is an event without a rule."""
    row = rows_of(weekly(), first_weeks(weekly(), 1))[0]
    row = replace(row, rrule=None, status=MaintenanceStatus.CANCELLED)
    (event,) = events(parsed(written(row)))
    assert event["UID"] == f"{row.id}@status.example.com"
    assert "RRULE" not in event
    assert event["STATUS"] == "CANCELLED"


def test_a_new_rule_is_another_series() -> None:
    """After an edit of the rule the old series ends at its last occurrence and the new one begins."""
    at = first_weeks(weekly(), 3)
    old = rows_of(weekly(), at)[:-1]
    daily = Recurrence(rule="FREQ=DAILY", start=at[2], zone=ZoneInfo("Europe/Berlin"))
    (new,) = rows_of(daily, [at[2]], series_id=uuid(901))
    new = replace(new, id=uuid(77))
    found: list[Seen] = seen(written(*old, new), at[0], at[2] + timedelta(days=3))
    assert [one.start for one in found] == [
        *at,
        *(at[2] + timedelta(days=days) for days in (1, 2, 3)),
    ]
    assert len({one.uid for one in found}) == 2


def test_until_on_the_wall_clock_becomes_utc() -> None:
    """RFC 5545 wants UNTIL in UTC beside a zone: the last occurrence stays the last, and none is added."""
    for until, last in (
        ("20260329", "20260329T013000Z"),  # left out: 02:30 is 03:30 CEST
        ("20260329T030000", "20260329T013000Z"),
        ("20260329T022959", "20260328T013000Z"),
        ("20261025T030000", "20261025T003000Z"),
    ):
        recurrence = weekly(rule=f"FREQ=DAILY;UNTIL={until}")
        data = written(*rows_of(recurrence, first_weeks(recurrence, 2)))
        assert f"UNTIL={last}" in data.decode()
        assert starts(data, recurrence.start) == recurrence.between(recurrence.start, YEARS_AHEAD)


def test_a_window_over_the_change_of_the_clock_keeps_its_length() -> None:
    """The end of a first window over the change is told in UTC, so that no reader takes it for an hour longer."""
    recurrence = weekly(start=datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
    data = written(*rows_of(recurrence, [recurrence.start]))
    assert "DTSTART;TZID=Europe/Berlin:20260329T013000\r\nDTEND:20260329T013000Z" in data.decode()
    found = seen(data, recurrence.start, recurrence.start + timedelta(days=8))
    assert {one.end - one.start for one in found} == {HOUR}


def test_the_sequence_of_a_series_never_falls() -> None:
    """It rises with the page's version: also when the newest occurrence, and with it the latest change, is deleted."""
    rows = rows_of(weekly(), first_weeks(weekly(), 3))
    rows[-1] = replace(rows[-1], updated_at=rows[-1].updated_at + HOUR)
    before, after = written(*rows, version=20), written(*rows[:-1], version=21)
    one, other = (int(events(parsed(data))[0]["SEQUENCE"]) for data in (before, after))
    assert one < other
    ended = replace(rows[0], rrule=None)
    assert int(events(parsed(written(ended, version=22)))[0]["SEQUENCE"]) > other


def test_what_a_component_misses_of_a_series() -> None:
    """In the calendar of a component stand those occurrences that are about it."""
    at = first_weeks(weekly(), 6)
    other = component_state(2, "Website")
    rows = [replace(row, components=(affected(API),)) for row in rows_of(weekly(), at)]
    rows[3] = replace(rows[3], components=(affected(other),))
    snapshot = snapshot_of(API, other, maintenances=tuple(rows))
    of_api = calendar(snapshot.about(snapshot.components[0]))
    assert starts(of_api, at[0], at[5]) == [*at[:3], *at[4:]]
    found = seen(calendar(snapshot.about(snapshot.components[1])), at[3], YEARS_AHEAD)
    assert [one.start for one in found] == [at[3]]


def test_a_series_keeps_its_zone() -> None:
    """The rule stays on the clock that it was made for when the page moves to another zone."""
    rows = rows_of(weekly(), first_weeks(weekly(), 2))
    data = written(*rows, page=page_fact(time_zone="Asia/Tokyo"))
    assert "DTSTART;TZID=Europe/Berlin" in data.decode()
    assert "TZID:Asia/Tokyo" not in data.decode()


def test_a_series_in_utc_needs_no_zone() -> None:
    """Its times are written in UTC, the exceptions and changed occurrences too."""
    recurrence = weekly(zone=ZoneInfo("UTC"), exceptions=frozenset({date(2026, 2, 8)}))
    at = first_weeks(recurrence, 3)
    rows = rows_of(recurrence, at)
    rows[1] = replace(rows[1], title="Another")
    text = written(*rows).decode()
    assert "TZID" not in text
    for line in (
        "DTSTART:20260104T013000Z",
        "EXDATE:20260208T013000Z",
        "RECURRENCE-ID:20260111T013000Z",
    ):
        assert f"{line}\r\n" in text
