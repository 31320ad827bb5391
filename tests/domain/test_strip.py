"""The days of a component: their bounds, their colours, and the seconds of each status."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.strip import THRESHOLD, Day, Days, Strip, days_since, last_days, strip
from flask_statuspage.domain.uptime import Interval, uptime_percent

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
UNKNOWN = ComponentStatus.UNKNOWN
OPERATIONAL = ComponentStatus.OPERATIONAL
MAINTENANCE = ComponentStatus.UNDER_MAINTENANCE
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE


def hours(days: Days) -> list[float]:
    return [(end - start) / 3600 for start, end in pairwise(days.edges)]


def utc_days(count: int = 3) -> Days:
    return last_days(count, until=NOW, zone=ZoneInfo("UTC"))


def midnight(back: int) -> datetime:
    return NOW.replace(hour=0) - timedelta(days=back)


def after(start: datetime, *stretches: tuple[ComponentStatus, float]) -> list[Interval]:
    """Intervals one after the other, each with its seconds."""
    history = []
    for status, seconds in stretches:
        end = start + timedelta(seconds=seconds)
        history.append(Interval(status, start, end))
        start = end
    return history


def of_day(*stretches: tuple[ComponentStatus, float]) -> Strip:
    """Yesterday, which begins with *stretches* and is otherwise operational, with a calm day before and after."""
    told = after(midnight(1), *stretches)
    end = told[-1].end
    assert end is not None
    history = [Interval(OPERATIONAL, midnight(9), midnight(1)), *told, Interval(OPERATIONAL, end)]
    return strip(history, utc_days())


def test_days_are_those_of_the_zone() -> None:
    """The last one is today's, so far; each begins at its midnight."""
    days = last_days(3, until=datetime(2026, 11, 20, 23, 30, tzinfo=UTC), zone=BERLIN)
    assert days.dates == (date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21))
    assert hours(days) == [24, 24, 0.5]
    begin = datetime(2026, 11, 18, 23, tzinfo=UTC)
    assert days.edges[0] == begin.timestamp()
    assert days.index(begin) == 0
    assert days.index(begin - timedelta(seconds=1)) == -1
    assert days.index(datetime(2026, 11, 20, 23, tzinfo=UTC)) == 2


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # where midnight itself is skipped
        ("Africa/Cairo", date(2026, 10, 29), 25),
        ("Pacific/Apia", date(2011, 12, 30), 0),  # a day that never was
    ],
)
def test_days_on_which_the_clocks_change(zone: str, day: date, expected: float) -> None:
    """Such a day is as long as it is, and one status all day long is that many hours."""
    until = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(days=2)
    days = last_days(5, until=until, zone=ZoneInfo(zone))
    place = days.dates.index(day)
    assert hours(days)[place] == expected
    if expected:
        told = strip([Interval(MAJOR, until - timedelta(days=30))], days)
        assert told.eventful[place].seconds == {MAJOR: expected * 3600}


@pytest.mark.parametrize(
    ("stretches", "colour"),
    [
        ([(MAJOR, THRESHOLD)], MAJOR),
        ([(MAJOR, THRESHOLD - 1)], OPERATIONAL),
        ([(MAJOR, 30), (OPERATIONAL, 99), (MAJOR, 30)], MAJOR),  # all in all
        ([(MAJOR, 59), (PARTIAL, 60), (DEGRADED, 3600)], PARTIAL),
        ([(DEGRADED, 60), (MAINTENANCE, 3600)], DEGRADED),
        ([(MAINTENANCE, 60)], MAINTENANCE),
        ([(UNKNOWN, 86_000)], OPERATIONAL),
        ([(UNKNOWN, 86_390)], UNKNOWN),
    ],
)
def test_colour_of_a_day(
    stretches: list[tuple[ComponentStatus, float]], colour: ComponentStatus
) -> None:
    """The worst status that lasted for the threshold; what was shorter is in the seconds only."""
    told = of_day(*stretches)
    assert told.statuses == (OPERATIONAL, colour, OPERATIONAL)
    assert list(told.eventful) == [1]
    day = told.eventful[1]
    assert day.seconds[stretches[0][0]] >= stretches[0][1]
    assert sum(day.seconds.values()) == pytest.approx(86_400)


def test_a_day_that_has_just_begun() -> None:
    """Before a threshold could be reached, it has the colour of what lasted longest."""
    days = last_days(1, until=midnight(0) + timedelta(seconds=30), zone=ZoneInfo("UTC"))
    assert strip([Interval(MAJOR, midnight(2))], days).statuses == (MAJOR,)
    assert strip([Interval(OPERATIONAL, midnight(2))], days).statuses == (OPERATIONAL,)
    assert strip([], days).statuses == (UNKNOWN,)


def test_without_data_nothing_is_green() -> None:
    """Days before the first data, in a gap and of a status that is not known are none of them."""
    history = [
        Interval(OPERATIONAL, midnight(4) + timedelta(hours=6), midnight(3)),
        Interval(UNKNOWN, midnight(3), midnight(2)),
        Interval(OPERATIONAL, midnight(1)),
    ]
    told = strip(history, utc_days(7))
    calm = (OPERATIONAL, OPERATIONAL)
    assert told.statuses == (UNKNOWN, UNKNOWN, OPERATIONAL, UNKNOWN, UNKNOWN, *calm)
    assert told.first == 2
    assert told.eventful == {
        2: Day(utc_days(7).dates[2], {OPERATIONAL: 18 * 3600, UNKNOWN: 6 * 3600})
    }
    assert strip([], utc_days()) == Strip(utc_days(), (UNKNOWN,) * 3, {}, None)


def test_intervals_that_overlap() -> None:
    """No second counts twice: it belongs to the interval that began first."""
    history = [
        Interval(MAJOR, midnight(1), midnight(1) + timedelta(hours=3)),
        Interval(OPERATIONAL, midnight(1) + timedelta(hours=1), midnight(0)),
        Interval(PARTIAL, midnight(1) + timedelta(hours=1), midnight(1) + timedelta(hours=2)),
    ]
    told = strip(history, utc_days())
    assert told.eventful[1].seconds == {MAJOR: 3 * 3600, OPERATIONAL: 21 * 3600}


def test_any_day() -> None:
    """A plain day, too, has its seconds."""
    told = of_day((MAJOR, 3600))
    assert told.day(0) == Day(utc_days().dates[0], {OPERATIONAL: 86_400})
    assert told.day(1).seconds == {MAJOR: 3600, OPERATIONAL: 82_800}
    assert told.day(2).seconds == {OPERATIONAL: 15 * 3600}


def test_percent_of_some_days() -> None:
    """Days without data are not observed, today counts as far as it has come, and a second is enough for a loss."""
    begun = midnight(2) + timedelta(hours=12)
    history = [
        Interval(OPERATIONAL, begun, midnight(1)),
        *after(midnight(1), (MAJOR, 1), (OPERATIONAL, 86_399)),
        Interval(OPERATIONAL, midnight(0)),
    ]
    told = strip(history, utc_days(9))
    assert told.percent(0, 7, partial_weight=1) == 100  # half of one day
    assert told.percent(0, 6, partial_weight=1) is None
    assert told.percent(0, 9, partial_weight=1) == 99.99
    assert told.percent(8, 9, partial_weight=1) == 100
    assert told.percent(5, 5, partial_weight=1) is None
    lost = strip(
        [*history[:-1], *after(midnight(0), (MAJOR, 3 * 3600), (OPERATIONAL, 9e4))], utc_days(9)
    )
    assert lost.percent(8, 9, partial_weight=1) == 80  # of 15 hours


def test_days_since() -> None:
    """From that day to today's; none where it is tomorrow."""
    zone = ZoneInfo("UTC")
    assert days_since(NOW.date() - timedelta(days=2), until=NOW, zone=zone) == utc_days()
    ahead = days_since(NOW.date() + timedelta(days=1), until=NOW, zone=zone)
    assert ahead.dates == ()
    assert strip([Interval(OPERATIONAL, midnight(9))], ahead) == Strip(ahead, (), {}, None)


def test_percent_of_a_day() -> None:
    """As over any other time: time without data is not observed, and maintenance costs nothing."""
    (day,) = of_day((PARTIAL, 3600 * 2.5), (MAINTENANCE, 3600), (UNKNOWN, 3600)).eventful.values()
    assert day.percent(partial_weight=1) == 88.63  # 2.5 of 22 hours
    assert day.percent(partial_weight=0) == 100
    assert Day(day.date, {UNKNOWN: 86_400}).percent(partial_weight=0.3) is None


@given(
    lengths=st.lists(
        st.tuples(st.sampled_from(ComponentStatus), st.integers(1, 4 * 86_400)), max_size=12
    ),
    begins=st.integers(-20 * 86_400, 20 * 86_400),
    still=st.booleans(),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Auckland"]),
    shuffle=st.randoms(),
)
def test_no_second_is_lost(
    lengths: list[tuple[ComponentStatus, int]],
    begins: int,
    still: bool,
    zone: str,
    shuffle: object,
) -> None:
    """The seconds of a day are its length, and all days together have the uptime of their whole time."""
    until = datetime(2026, 10, 30, 11, 7, tzinfo=UTC)
    days = last_days(14, until=until, zone=ZoneInfo(zone))
    history = after(until + timedelta(seconds=begins - 12 * 86_400), *lengths)
    if still and history:
        history[-1] = Interval(history[-1].status, history[-1].start)
    shuffle.shuffle(history)  # type: ignore[attr-defined]
    told = strip(history, days)
    total: dict[ComponentStatus, float] = {}
    for place, length in enumerate(hours(days)):
        day = told.eventful.get(place)
        seconds = day.seconds if day else {told.statuses[place]: length * 3600}
        assert told.statuses[place] in seconds
        assert sum(seconds.values()) == pytest.approx(length * 3600)
        if not day:
            assert told.statuses[place] in (OPERATIONAL, UNKNOWN)
        for status, number in seconds.items():
            total[status] = total.get(status, 0) + number
    since = datetime.fromtimestamp(days.edges[0], UTC)
    whole = uptime_percent(history, since=since, until=until, partial_weight=0.3)
    together = Day(days.dates[0], total).percent(partial_weight=0.3)
    assert (together is None) == (whole is None)
    assert together == pytest.approx(whole, abs=0.011)
