"""Recurring windows: rules on the wall clock of a zone, over changes of the clock, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from flask_statuspage.domain.recurrence import MAX_INSTANCES, Recurrence
from flask_statuspage.errors import Invalid

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
ZONES = [BERLIN, NEW_YORK, LORD_HOWE, ZoneInfo("UTC")]
ZONES += [ZoneInfo(name) for name in ("America/Havana", "America/Nuuk", "Asia/Kathmandu")]
CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ALWAYS = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def series(
    rule: str,
    start: str = "2026-01-05T02:30",  # a Monday
    *,
    zone: ZoneInfo = BERLIN,
    duration: timedelta = HOUR,
    exceptions: tuple[str, ...] = (),
) -> Recurrence:
    return Recurrence.parse(
        rule, start=at(start, zone), duration=duration, zone=zone, exceptions=exceptions
    )


def walls(recurrence: Recurrence, *, limit: int = MAX_INSTANCES) -> list[str]:
    """The first occurrences on the wall clock, with their UTC offset."""
    found = recurrence.between(*ALWAYS, limit=limit)
    return [each.astimezone(recurrence.zone).isoformat(timespec="minutes") for each in found]


def reason(rule: str, start: str = "2026-01-05T02:30", **more: object) -> str:
    """Why *rule* is refused."""
    with pytest.raises(Invalid) as caught:
        series(rule, start, **more)  # type: ignore[arg-type]
    (error,) = caught.value.errors
    assert error.field == "rrule"
    return error.message


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        (BERLIN, "2026-03-28T02:30", ["28T02:30+01:00", "29T03:30+02:00", "30T02:30+02:00"]),
        (BERLIN, "2026-03-28T22:00", ["28T22:00+01:00", "29T22:00+02:00", "30T22:00+02:00"]),
        (BERLIN, "2026-10-24T02:30", ["24T02:30+02:00", "25T02:30+02:00", "26T02:30+01:00"]),
        (NEW_YORK, "2026-03-07T02:15", ["07T02:15-05:00", "08T03:15-04:00", "09T02:15-04:00"]),
        (NEW_YORK, "2026-10-31T01:15", ["31T01:15-04:00", "01T01:15-04:00", "02T01:15-05:00"]),
        (LORD_HOWE, "2026-10-03T02:10", ["03T02:10+10:30", "04T02:40+11:00", "05T02:10+11:00"]),
        (LORD_HOWE, "2026-04-04T01:45", ["04T01:45+11:00", "05T01:45+11:00", "06T01:45+10:30"]),
    ],
)
def test_the_wall_clock_stays_when_the_clocks_change(
    zone: ZoneInfo, start: str, expected: list[str]
) -> None:
    """The same time each day; one that is left out moves by the gap, of one that comes twice the first counts."""
    found = walls(series("FREQ=DAILY;COUNT=3", start, zone=zone))
    assert [wall.partition("-")[2][3:] for wall in found] == expected


def test_a_start_in_the_second_of_two_equal_hours_is_an_occurrence() -> None:
    """The first window is where it was put, even if a repetition would never be there."""
    start = at("2026-10-25T02:30").replace(fold=1)
    found = Recurrence.parse("FREQ=DAILY;COUNT=2", start=start, duration=HOUR, zone=BERLIN)
    assert walls(found) == ["2026-10-25T02:30+01:00", "2026-10-26T02:30+01:00"]
    assert found.between(*ALWAYS)[0] == start.astimezone(UTC)


def test_a_day_that_a_zone_left_out_is_no_second_occurrence() -> None:
    """Samoa had no 30 December 2011: what would have been then is at the same instant as the next day's."""
    apia = ZoneInfo("Pacific/Apia")
    found = walls(series("FREQ=DAILY;COUNT=4", "2011-12-29T10:00", zone=apia))
    assert [wall[:10] for wall in found] == ["2011-12-29", "2011-12-31", "2012-01-01"]


@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        ("FREQ=WEEKLY", "2026-01-05T02:30", ["01-05", "01-12", "01-19"]),
        ("FREQ=WEEKLY;BYDAY=MO", "2026-01-05T02:30", ["01-05", "01-12", "01-19"]),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=SU",
            "2026-01-05T02:30",
            ["01-05", "01-19", "02-02"],
        ),
        # RFC 5545, 3.3.10: the start of the week decides which days are of the same one.
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            "1997-08-05T09:00",
            ["08-05", "08-10", "08-19", "08-24"],
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "1997-08-05T09:00",
            ["08-05", "08-17", "08-19", "08-31"],
        ),
        ("FREQ=MONTHLY", "2026-01-31T02:30", ["01-31", "03-31", "05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31T02:30", ["01-31", "02-28", "03-31"]),
        ("FREQ=MONTHLY;BYDAY=2TU", "2026-01-13T02:30", ["01-13", "02-10", "03-10"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-01-30T02:30", ["01-30", "02-27", "03-27"]),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "2026-01-30T02:30",
            ["01-30", "02-27", "03-31"],
        ),
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=5", "2026-01-05T02:30", ["01-05", "04-05", "07-05"]),
        ("FREQ=YEARLY;BYDAY=20MO", "1997-05-19T09:00", ["05-19", "05-18", "05-17"]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12T09:00", ["05-12", "05-11", "05-17"]),
        # Of which year a week is, decide its days and the day that it begins with.
        (
            "FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1;BYDAY=MO",
            "2025-12-29T02:30",
            ["12-29", "01-03", "12-31"],
        ),
        (
            "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO;WKST=SU",
            "2026-01-05T02:30",
            ["01-05", "01-04", "01-03"],
        ),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2096-02-29T02:30", ["02-29", "02-29", "02-29"]),
        ("FREQ=YEARLY;BYYEARDAY=-1", "2026-12-31T02:30", ["12-31", "12-31", "12-31"]),
        ("FREQ=YEARLY;BYMONTH=6,1", "2026-01-05T02:30", ["01-05", "06-05", "01-05"]),
        ("FREQ=DAILY;BYMONTH=1;BYDAY=MO", "2026-01-19T02:30", ["01-19", "01-26", "01-04"]),
        # The first week is a whole one too: its first of the two days was before the start.
        ("FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=-1", "2026-01-09T02:30", ["01-09", "01-16", "01-23"]),
        ("FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1", "2026-01-05T02:30", ["01-05", "01-12", "01-19"]),
        ("FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=2", "2027-01-01T02:30", ["01-01", "01-08", "01-15"]),
        ("FREQ=WEEKLY;BYDAY=WE,SA;BYSETPOS=-1", "2026-12-26T02:30", ["12-26", "01-02", "01-09"]),
    ],
)
def test_rules_give_the_days_of_rfc_5545(rule: str, start: str, expected: list[str]) -> None:
    """Weeks, months and years with all their parts, the examples of the RFC among them."""
    found = walls(series(rule, start), limit=len(expected))
    assert [wall[5:10] for wall in found] == expected


@pytest.mark.parametrize("number", [1, 52, 53, -1, -2, -52, -53])
def test_weeks_are_those_of_the_iso_calendar(number: int) -> None:
    """Week numbers around New Year agree with the standard library, also counted from the end."""

    def fits(day: date) -> bool:
        year, week, _ = day.isocalendar()
        weeks = date(year, 12, 28).isocalendar().week
        return number in (week, week - weeks - 1)

    days = (date(1998, 1, 1) + timedelta(days=ahead) for ahead in range(60 * 366))
    expected = list(islice((day for day in days if day.weekday() > 4 and fits(day)), 20))
    rule = f"FREQ=YEARLY;BYWEEKNO={number};BYDAY=SA,SU"
    found = walls(series(rule, f"{expected[0]}T02:30"), limit=20)
    assert [wall[:10] for wall in found] == [str(day) for day in expected]


def test_exceptions_take_dates_away_and_count_all_the_same() -> None:
    """The third of three is still the last when the second does not happen; other dates are without effect."""
    found = series(
        "FREQ=WEEKLY;COUNT=3", exceptions=("2026-01-12", "2026-01-13", "2026-01-12", "2030-02-28")
    )
    assert [wall[:10] for wall in walls(found)] == ["2026-01-05", "2026-01-19"]
    assert found.after(at("2026-01-05T02:30")) == at("2026-01-19T02:30")


def test_an_exception_may_take_the_first_window() -> None:
    """The rule counts from it all the same, so that the first of a series can be called off."""
    found = series("FREQ=WEEKLY;COUNT=2", exceptions=("2026-01-05",))
    assert [wall[:10] for wall in walls(found)] == ["2026-01-12"]


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29"])
def test_an_exception_means_the_date_of_the_rule_or_of_the_clock(day: str) -> None:
    """Greenland leaves out 23:00 to 24:00: the Saturday's window is on Sunday then, and either date names it."""
    nuuk = ZoneInfo("America/Nuuk")
    plain = series("FREQ=WEEKLY;COUNT=3", "2026-03-21T23:30", zone=nuuk)
    assert walls(plain)[1] == "2026-03-29T00:30-01:00"
    found = series("FREQ=WEEKLY;COUNT=3", "2026-03-21T23:30", zone=nuuk, exceptions=(day,))
    assert [wall[:10] for wall in walls(found)] == ["2026-03-21", "2026-04-04"]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260112", "2026-01-12"),
        ("20260111", "2026-01-05"),
        ("20260112T023000", "2026-01-12"),
        ("20260112T022959", "2026-01-05"),
        ("20260112T013000Z", "2026-01-12"),
        ("20260112T012959Z", "2026-01-05"),
        # In summer the same wall-clock time is an hour earlier in UTC.
        ("20260406T003000Z", "2026-04-06"),
        ("20260406T002959Z", "2026-03-30"),
    ],
)
def test_until_is_a_date_a_local_time_or_utc(until: str, last: str) -> None:
    """The last occurrence is the one at UNTIL or before; a date means the whole of it in the zone."""
    assert walls(series(f"FREQ=WEEKLY;UNTIL={until}"))[-1][:10] == last


def test_after_is_strict_unless_inclusive() -> None:
    """An occurrence at the very instant is found only if asked for, and none after the last."""
    found = series("FREQ=WEEKLY;COUNT=2")
    first, second = at("2026-01-05T02:30"), at("2026-01-12T02:30")
    assert found.after(first - timedelta(microseconds=1)) == first
    assert found.after(first, inclusive=True) == first
    assert found.after(first) == second
    assert found.after(second, inclusive=True) == second
    assert found.after(second) is None
    assert found.after(ALWAYS[0]) == first
    assert found.after(ALWAYS[1]) is None
    answer = found.after(first)
    assert answer is not None
    assert answer.tzinfo is UTC


def test_between_includes_both_ends_and_stops_at_its_limit() -> None:
    """The earliest ones are kept, and a reversed stretch holds nothing."""
    found = series("FREQ=WEEKLY")
    first, third = at("2026-01-05T02:30"), at("2026-01-19T02:30")
    assert len(found.between(first, third)) == 3
    assert found.between(first, third, limit=2) == [first, at("2026-01-12T02:30")]
    assert found.between(first + HOUR, third - HOUR) == [at("2026-01-12T02:30")]
    assert found.between(third, first) == []
    assert found.between(first, third, limit=0) == []
    assert len(found.between(*ALWAYS)) == MAX_INSTANCES


def test_an_endless_series_is_entered_anywhere() -> None:
    """Also far from its start."""
    found = series("FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,WE", "2026-01-05T00:30", zone=LORD_HOWE)
    every = found.between(*ALWAYS, limit=3000)
    for one, other in islice(pairwise(every), 0, None, 31):
        assert found.after(one) == other
        assert found.between(other, other + DAY) == [other]


def test_the_year_of_the_zone_is_not_always_that_of_utc() -> None:
    """On New Year's Eve in New York it is the next year in UTC already, and in Australia still the last one."""
    eve = series("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31T20:00", zone=NEW_YORK)
    occurrence = at("2030-12-31T20:00", NEW_YORK)
    assert eve.after(datetime(2031, 1, 1, 0, 30, tzinfo=UTC)) == occurrence
    assert eve.between(datetime(2031, 1, 1, tzinfo=UTC), occurrence) == [occurrence]
    morning = series("FREQ=MONTHLY", "2026-02-01T06:00", zone=LORD_HOWE)
    occurrence = at("2031-01-01T06:00", LORD_HOWE)
    assert morning.after(datetime(2030, 12, 31, tzinfo=UTC)) == occurrence
    assert morning.between(datetime(2030, 12, 31, tzinfo=UTC), occurrence) == [occurrence]


def test_a_series_ends_after_a_hundred_years() -> None:
    """An endless rule is followed far enough for any page, and no further."""
    found = series("FREQ=YEARLY")
    assert walls(found)[-1][:10] == "2126-01-05"
    assert found.after(at("2126-01-05T02:30")) is None


@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        ("FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO"),
        ("rrule:freq=weekly;byday=mo", "FREQ=WEEKLY;BYDAY=MO"),
        ("  RRULE:FREQ=WEEKLY;BYDAY=mo,TU;COUNT=3\n", "FREQ=WEEKLY;BYDAY=MO,TU;COUNT=3"),
        ("FREQ=DAILY;COUNT=2;BYHOUR=2;BYMINUTE=30;BYSECOND=0",) * 2,
    ],
)
def test_a_rule_is_kept_in_one_spelling(typed: str, rule: str) -> None:
    """Case, the property's name and blanks around it make no difference, and what was stored is read again."""
    found = series(typed)
    assert found.rule == rule
    assert series(found.rule) == found
    again = Recurrence(rule=found.rule, start=found.start, zone=BERLIN)
    assert again.between(*ALWAYS) == found.between(*ALWAYS)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("", "NAME=VALUE"),
        ("weekly", "NAME=VALUE"),
        ("FREQ=WEEKLY;", "NAME=VALUE"),
        ("FREQ=WEEKLY;BYDAY=", "NAME=VALUE"),
        ("FREQ=WEEKLY;BYDAY=MO=TU", "MO=TU"),
        ("COUNT=3", "needs FREQ"),
        ("FREQ=SOMETIMES", "needs FREQ"),
        ("FREQ=WEEKLY;FREQ=DAILY", "twice"),
        ("FREQ=YEARLY;BYEASTER=0", "'BYEASTER' is not a part"),
        ("FREQ=WEEKLY;X-COLOUR=RED", "'X-COLOUR' is not a part"),
        ("DTSTART=20260105;FREQ=WEEKLY", "'DTSTART' is not a part"),
        ("DTSTART:20260105T023000\nRRULE:FREQ=WEEKLY", "DTSTART"),
        ("FREQ=WEEKLY\nEXRULE:FREQ=DAILY", "EXRULE"),
        ("FREQ=WEEKLY\r\nRDATE:20260106", "RDATE"),
        ("FREQ=WEEKLY;\u2028BYDAY=MO", "line breaks"),
        ("FREQ=WEEKLY;\x00BYDAY=MO", "line breaks"),
        ("FREQ=DA\u0131LY;COUNT=2", "only one rule"),
        ("FREQ=WEEKLY;COUNT=\u0663", "only one rule"),
        ("FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 62), "200 characters"),
        ("FREQ=SECONDLY", "too often"),
        ("FREQ=MINUTELY;COUNT=2", "too often"),
        ("freq=hourly;interval=24", "too often"),
        ("FREQ=DAILY;COUNT=2;BYHOUR=2,14", "more than once a day"),
        ("FREQ=DAILY;COUNT=2;BYMINUTE=30,31", "more than once a day"),
        ("FREQ=DAILY;COUNT=2;BYSECOND=0,1;BYSETPOS=1", "more than once a day"),
        ("FREQ=DAILY;COUNT=2;BYHOUR=3", "BYHOUR gives another time"),
        ("FREQ=DAILY;COUNT=2;BYSECOND=1", "BYSECOND gives another time"),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20270101", "COUNT and UNTIL"),
        ("FREQ=WEEKLY;COUNT=0", "COUNT must be"),
        ("FREQ=WEEKLY;COUNT=-1", "COUNT must be"),
        ("FREQ=WEEKLY;COUNT=1_0", "COUNT must be"),
        ("FREQ=WEEKLY;INTERVAL=0", "INTERVAL must be"),
        ("FREQ=WEEKLY;INTERVAL=1.5", "INTERVAL must be"),
        ("FREQ=WEEKLY;INTERVAL=999999999", "does not recur within 100 years"),
        ("FREQ=DAILY;INTERVAL=999999999;COUNT=2", "only 1 of the 2"),
        ("FREQ=YEARLY;COUNT=102", "only 101 of the 102"),
        ("FREQ=WEEKLY;UNTIL=20260104", "before the first window"),
        ("FREQ=WEEKLY;UNTIL=20260105T012959Z", "before the first window"),
        ("FREQ=WEEKLY;UNTIL=20260105T022959", "before the first window"),
        ("FREQ=WEEKLY;UNTIL=20260230", "UNTIL must be"),
        ("FREQ=WEEKLY;UNTIL=00000101", "UNTIL must be"),
        ("FREQ=WEEKLY;UNTIL=20270101T250000Z", "UNTIL must be"),
        ("FREQ=WEEKLY;UNTIL=2027-01-01", "UNTIL must be"),
        ("FREQ=YEARLY;UNTIL=99991231T235959Z", "100 years after"),
        ("FREQ=WEEKLY;WKST=XX", "WKST must be"),
        ("FREQ=WEEKLY;BYDAY=MO,XX", "not 'XX'"),
        ("FREQ=MONTHLY;BYDAY=0MO", "not '0MO'"),
        ("FREQ=MONTHLY;BYDAY=6MO", "further than a month"),
        ("FREQ=YEARLY;BYMONTH=1;BYDAY=53MO", "further than a month"),
        ("FREQ=YEARLY;BYDAY=-54MO", "further than a month"),
        ("FREQ=MONTHLY;BYDAY=1MO,TU", "mixes"),
        ("FREQ=WEEKLY;BYDAY=1MO", "numbered day"),
        ("FREQ=YEARLY;BYWEEKNO=2;BYDAY=1MO", "numbered day"),
        ("FREQ=YEARLY;BYWEEKNO=2", "BYWEEKNO needs BYDAY"),
        ("FREQ=MONTHLY;BYWEEKNO=2;BYDAY=MO", "BYWEEKNO goes with"),
        ("FREQ=DAILY;BYYEARDAY=5", "BYYEARDAY goes with"),
        ("FREQ=WEEKLY;BYMONTHDAY=5", "BYMONTHDAY does not go"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH takes numbers 1 to 12; '13' is none"),
        ("FREQ=YEARLY;BYMONTH=0", "BYMONTH takes"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY takes"),
        ("FREQ=MONTHLY;BYMONTHDAY=-32", "BYMONTHDAY takes"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,,2", "'' is none"),
        ("FREQ=YEARLY;BYYEARDAY=" + "9" * 150, "BYYEARDAY takes"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never happens"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "never happens"),
        ("FREQ=DAILY;COUNT=3;BYHOUR=2;BYSETPOS=2", "BYSETPOS needs"),
        ("FREQ=DAILY;COUNT=3;BYDAY=MO;BYSETPOS=2", "never happens"),
        ("FREQ=WEEKLY;BYDAY=TU", "on Monday 2026-01-05 in Europe/Berlin, is not one"),
        ("FREQ=WEEKLY;BYDAY=TU", "would be Tuesday 2026-01-06"),
        ("FREQ=DAILY", "3,652 occurrences in 10 years, more than 1,000; add COUNT or UNTIL"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "1,044 occurrences in 10 years"),
        ("FREQ=DAILY;UNTIL=20281001", "more than 1,000 occurrences"),
        ("FREQ=DAILY;COUNT=1001", "COUNT is more than 1,000"),
        ("FREQ=DAILY;COUNT=" + "9" * 180, "COUNT is more than 1,000"),
    ],
)
def test_what_cannot_be_a_series_is_refused_with_the_reason(rule: str, why: str) -> None:
    """Each refusal names the field and tells what to change."""
    assert why in reason(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY",
        "FREQ=DAILY;INTERVAL=4",
        "FREQ=DAILY;COUNT=1000",
        "FREQ=DAILY;UNTIL=20280930T003000Z",
        "FREQ=DAILY;UNTIL=20280930",
        "FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 61),
        "FREQ=YEARLY;COUNT=101",
        "FREQ=DAILY;INTERVAL=999999999;COUNT=1",
    ],
)
def test_what_is_just_within_the_bounds_is_accepted(rule: str) -> None:
    """A thousand occurrences, a hundred years, and an endless rule that is not too frequent."""
    assert 0 < len(series(rule).between(*ALWAYS)) <= MAX_INSTANCES


def test_windows_of_a_series_must_not_overlap() -> None:
    """The shortest distance in real time counts: the day on which the clocks go forward has 23 hours."""
    spring, autumn = "FREQ=DAILY;COUNT=5", "2026-10-23T12:00"
    longest = 23 * HOUR - timedelta(seconds=1)
    assert series(spring, "2026-03-27T12:00", duration=longest).after(ALWAYS[0])
    why = reason(spring, "2026-03-27T12:00", duration=23 * HOUR)
    assert "Saturday 2026-03-28 and Sunday 2026-03-29 begin 23:00:00 apart" in why
    assert series(spring, autumn, duration=24 * HOUR - timedelta(seconds=1)).after(ALWAYS[0])
    assert "overlap" in reason(spring, autumn, duration=24 * HOUR)
    assert "overlap" in reason("FREQ=MONTHLY;BYMONTHDAY=5,6", duration=DAY)
    assert "overlap" in reason("FREQ=WEEKLY", duration=7 * DAY)
    assert series("FREQ=DAILY;COUNT=1", duration=30 * DAY).after(ALWAYS[0])


@pytest.mark.parametrize("year", [1, 1969, 9801, 9999])
def test_a_start_out_of_all_time_is_refused(year: int) -> None:
    """Also where no zone could tell the time any more."""
    for zone in (NEW_YORK, LORD_HOWE):
        start = datetime(year, 12 if year > 2000 else 1, 1, tzinfo=UTC)
        with pytest.raises(Invalid, match="rrule: the first window must begin in the years"):
            Recurrence.parse("FREQ=DAILY;COUNT=2", start=start, duration=HOUR, zone=zone)


@pytest.mark.parametrize(
    "exceptions",
    [
        ("2026-01-12T02:30",),
        ("20260112",),
        ("2026-W03-1",),
        ("2026-02-30",),
        ("12.01.2026",),
        ("\u0662026-01-12",),
        ("2026-01-12\n",),
        ("",),
        tuple(str(date(2026, 1, 1) + DAY * ahead) for ahead in range(367)),
    ],
)
def test_exceptions_are_iso_dates_and_not_too_many(exceptions: tuple[str, ...]) -> None:
    """Another spelling, a date that does not exist and a 367th are refused, naming the field."""
    with pytest.raises(Invalid) as caught:
        series("FREQ=WEEKLY", exceptions=exceptions)
    assert [error.field for error in caught.value.errors] == ["exceptions"]
    assert len(str(caught.value)) < 120


def test_366_exceptions_are_accepted() -> None:
    """A year of dates may be taken out."""
    dates = tuple(str(date(2026, 1, 6) + DAY * ahead) for ahead in range(366))
    assert walls(series("FREQ=WEEKLY", exceptions=dates), limit=2)[1][:10] == "2027-01-11"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=36;COUNT=1000",
        "FREQ=DAILY;INTERVAL=36;COUNT=1000;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=1",
        "FREQ=DAILY;INTERVAL=4",
        "FREQ=DAILY;INTERVAL=999999999;COUNT=2",
        "FREQ=YEARLY;BYYEARDAY=" + ",".join(str(day) for day in range(5, 52)),
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6;BYDAY=MO",
        "FREQ=YEARLY;UNTIL=99991231",
    ],
)
def test_no_rule_takes_long(rule: str) -> None:
    """Hostile rules cost some ten milliseconds; dateutil alone would search until the year 9999 for seconds."""
    before = process_time()
    try:
        found = series(rule)
        found.after(at("2120-01-01T00:00"))
        found.between(*ALWAYS)
    except Invalid:
        pass
    assert process_time() - before < 0.5


# What follows is for any series.

zones = st.sampled_from(ZONES)
starts = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(
    lambda wall: wall.replace(microsecond=0)
)
simple_rules = st.tuples(
    st.sampled_from(["DAILY", "WEEKLY"]), st.integers(1, 40), st.integers(1, 120)
)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a wall-clock time, found by trying the offsets of the days before and after."""
    offsets = []
    for near in (wall - 2 * DAY, wall + 2 * DAY):
        offset = near.replace(tzinfo=UTC).astimezone(zone).utcoffset()
        assert offset is not None
        offsets.append(offset)
    candidates = [(wall - offset).replace(tzinfo=UTC) for offset in offsets]
    fitting = [each for each in candidates if each.astimezone(zone).replace(tzinfo=None) == wall]
    return min(fitting, default=candidates[0])


@settings(deadline=None)
@given(simple_rules, starts, zones)
@example(("DAILY", 1, 5), datetime(2026, 3, 27, 2, 30), BERLIN)
@example(("DAILY", 1, 5), datetime(2026, 10, 23, 2, 30), BERLIN)
@example(("WEEKLY", 1, 3), datetime(2026, 3, 21, 23, 30), ZoneInfo("America/Nuuk"))
def test_simple_rules_are_plain_arithmetic_on_the_wall_clock(
    simple: tuple[str, int, int], wall: datetime, zone: ZoneInfo
) -> None:
    """Every n days or weeks: what the RFC says, computed without dateutil and without `fold`."""
    freq, interval, count = simple
    step = timedelta(days=interval * (7 if freq == "WEEKLY" else 1))
    start = instant_of(wall, zone)
    wall = start.astimezone(zone).replace(tzinfo=None)  # it may have been in a gap
    rule = f"FREQ={freq};INTERVAL={interval};COUNT={count}"
    found = Recurrence.parse(rule, start=start, duration=HOUR, zone=zone)
    expected = [instant_of(wall + step * number, zone) for number in range(count)]
    assert found.between(*ALWAYS) == expected


@st.composite
def rules(draw: st.DrawFn) -> tuple[str, datetime]:
    """A rule and a wall-clock start that it gives."""
    wall = draw(starts)
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 4))}"]

    def also(own: int | str, others: st.SearchStrategy[int] | st.SearchStrategy[str]) -> str:
        more: list[int | str] = draw(st.lists(others, max_size=3))
        return ",".join(str(value) for value in draw(st.permutations([own, *more])))

    if draw(st.booleans()):
        parts.append(f"BYMONTH={also(wall.month, st.integers(1, 12))}")
    if freq != "WEEKLY" and draw(st.booleans()):
        parts.append(f"BYMONTHDAY={also(wall.day, st.integers(-31, -1) | st.integers(1, 31))}")
    if freq == "YEARLY" and draw(st.booleans()):
        own = wall.timetuple().tm_yday
        parts.append(f"BYYEARDAY={also(own, st.integers(-366, -1) | st.integers(1, 366))}")
    if draw(st.booleans()):
        code, number = CODES[wall.weekday()], (wall.day + 6) // 7
        in_month = freq == "MONTHLY" or any(part.startswith("BYMONTH=") for part in parts)
        if freq in ("MONTHLY", "YEARLY") and in_month and draw(st.booleans()):
            numbered = st.tuples(st.sampled_from([-2, -1, 1, 2, 5]), st.sampled_from(CODES))
            others = numbered.map(lambda pair: f"{pair[0]}{pair[1]}")
            parts.append(f"BYDAY={also(f'{number}{code}', others)}")
        else:
            parts.append(f"BYDAY={also(code, st.sampled_from(CODES))}")
    parts.append(f"WKST={draw(st.sampled_from(CODES))}")
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 60))}")
    else:
        parts.append(f"UNTIL={wall.year + draw(st.integers(1, 9))}0630T235959")
    return ";".join(parts), wall


def parsed(rule: str, wall: datetime, zone: ZoneInfo, *exceptions: str) -> Recurrence:
    """The series, unless it is one of those that rightly do not get far enough."""
    start = wall.replace(tzinfo=zone)
    # Neither in a gap nor in the second of two equal hours: there the start alone differs.
    assume(start.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall)
    try:
        return Recurrence.parse(rule, start=start, duration=HOUR, zone=zone, exceptions=exceptions)
    except Invalid as error:
        assume("within 100 years" not in str(error) and "more than 1,000" not in str(error))
        raise


@settings(deadline=None)
@given(rules(), zones)
def test_days_are_those_of_dateutil(rule_and_wall: tuple[str, datetime], zone: ZoneInfo) -> None:
    """Asked year by year, dateutil gives the days that it gives when it is asked for the whole rule."""
    rule, wall = rule_and_wall
    found = parsed(rule, wall, zone).between(*ALWAYS)
    expected: Iterator[datetime] = iter(rrulestr(rule, dtstart=wall))
    assert found == [instant_of(day, zone) for day in islice(expected, len(found))]


@settings(deadline=None)
@given(rules(), zones, st.data())
def test_laws_of_every_series(
    rule_and_wall: tuple[str, datetime], zone: ZoneInfo, data: st.DataObject
) -> None:
    """Occurrences increase, keep the wall clock, avoid exceptions, and `after` and `between` agree."""
    rule, wall = rule_and_wall
    every = parsed(rule, wall, zone).between(*ALWAYS)
    assert every[0] == wall.replace(tzinfo=zone)
    assert all(one < other for one, other in pairwise(every))
    for each in every:
        local = each.astimezone(zone)
        before = (each - 12 * HOUR).astimezone(zone).utcoffset()
        offset = local.utcoffset()
        assert before is not None
        assert offset is not None
        moved = local.replace(tzinfo=None) - wall
        # Only a time in a gap differs, by the gap.
        assert moved % DAY == timedelta(0) or moved % DAY == offset - before > timedelta(0)

    dates = data.draw(st.lists(st.sampled_from([str(at.astimezone(zone).date()) for at in every])))
    without = parsed(rule, wall, zone, *dates)
    kept = without.between(*ALWAYS)
    assert kept == [each for each in every if str(each.astimezone(zone).date()) not in dates]

    moments = st.datetimes(datetime(2019, 1, 1), datetime(2140, 1, 1), timezones=st.just(UTC))
    first, last = (
        data.draw(moments | st.sampled_from([shift for at in every for shift in (at, at + HOUR)]))
        for _ in "12"
    )
    inside = [each for each in kept if first <= each <= last]
    assert without.between(first, last) == inside
    assert without.between(first, last, limit=2) == inside[:2]
    later = [each for each in kept if each > first]
    assert without.after(first) == (later[0] if later else None)
    at_or_later = [each for each in kept if each >= first]
    assert without.after(first, inclusive=True) == (at_or_later[0] if at_or_later else None)


PIECES = """FREQ= DAILY WEEKLY MONTHLY YEARLY ; ;; = , COUNT= UNTIL= INTERVAL= BYDAY= BYMONTH= BYMONTHDAY=
BYYEARDAY= BYWEEKNO= BYSETPOS= BYHOUR= WKST= MO -1FR 53SU 0 1 -1 5 30 366 -366 999999999 99991231
20260105T013000Z 00010101T000000 RRULE: DTSTART: EXDATE freq=daily \u0663 \u0131"""
pieces = st.sampled_from([*PIECES.split(), " ", "\n", "\x00"])
plausible = st.lists(
    st.sampled_from(
        ["BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "COUNT", "INTERVAL", "BYDAY"]
    ).flatmap(
        lambda name: st.lists(
            st.integers(-60, 400).map(str) | st.sampled_from(["1", "2", "5", "-1", "MO", "1MO"]),
            min_size=1,
            max_size=4,
        ).map(lambda values: f"{name}={','.join(values)}")
    ),
    max_size=4,
)
hostile = (
    st.text(max_size=220)
    | st.lists(pieces, max_size=30).map("".join)
    | st.tuples(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), plausible).map(
        lambda pair: ";".join([f"FREQ={pair[0]}", *pair[1]])
    )
)


@settings(deadline=None, max_examples=500)
@given(hostile, zones, st.datetimes(timezones=st.just(UTC)), st.lists(st.text(), max_size=3))
def test_any_text_is_a_series_or_invalid(
    rule: str, zone: ZoneInfo, start: datetime, exceptions: list[str]
) -> None:
    """No text, start or exception makes anything but a series that begins at its start, or Invalid."""
    try:
        found = Recurrence.parse(rule, start=start, duration=HOUR, zone=zone, exceptions=exceptions)
    except Invalid as error:
        refused = {each.field for each in error.errors}
    else:
        refused = set()
        assert found.after(start, inclusive=True) == start
    assert refused <= {"rrule", "exceptions"}
