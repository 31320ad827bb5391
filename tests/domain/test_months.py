"""A year of a component by its months; its days are those of strips, see test_strip."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flask_statuspage.domain.clock import midnight
from flask_statuspage.domain.months import CalendarMonth, first_day, months
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.strip import days_since, strip
from flask_statuspage.domain.uptime import Interval

GOOD, REPAIR = ComponentStatus.OPERATIONAL, ComponentStatus.UNDER_MAINTENANCE
PARTIAL, MAJOR = ComponentStatus.PARTIAL_OUTAGE, ComponentStatus.MAJOR_OUTAGE
UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def at(day: int, hour: float = 0, *, month: int = 3) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC) + timedelta(hours=hour)


def made(
    *history: Interval, since: date = date(2026, 3, 1), zone: ZoneInfo = UTC_ZONE
) -> tuple[CalendarMonth, ...]:
    days = days_since(since, until=NOW, zone=zone)
    return months(strip(history, days), partial_weight=0.5)


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2026, 3, 31), date(2025, 4, 1)),
        (date(2026, 12, 1), date(2026, 1, 1)),
        (date(2026, 1, 31), date(2025, 2, 1)),
        (date(2024, 2, 29), date(2023, 3, 1)),
    ],
)
def test_twelve_months_end_with_the_present_one(today: date, first: date) -> None:
    """The calendar begins on the first of the month eleven before this one."""
    assert first_day(today) == first


def test_every_day_has_its_place_once() -> None:
    """From the first day to today, month by month, whatever the history is."""
    found = made(since=date(2025, 4, 1))
    assert [(month.year, month.month) for month in found] == [
        *((2025, number) for number in range(4, 13)),
        *((2026, number) for number in range(1, 4)),
    ]
    assert [place for month in found for place in month.places] == list(range(365))
    assert [len(month.places) for month in found[:3]] == [30, 31, 30]
    assert {month.uptime_percent for month in found} == {None}


def test_uptime_of_a_month() -> None:
    """Outages cost by their weights, over what was observed of the month only."""
    february, march = made(
        Interval(MAJOR, at(27, month=2), at(1)),
        Interval(GOOD, at(1), at(2)),
        Interval(PARTIAL, at(2), at(2, 12)),
        Interval(REPAIR, at(2, 12), at(3)),
        Interval(GOOD, at(3), at(5)),
        Interval(MAJOR, NOW, None),
        since=date(2026, 2, 1),
    )
    assert february.uptime_percent == 0
    assert march.uptime_percent == 92.85  # 3.25 of 3.5 days


def test_months_are_those_of_the_zone() -> None:
    """A month begins at midnight in the zone."""
    since = date(2026, 2, 1)
    begun = midnight(date(2026, 3, 1), BERLIN)
    outage = Interval(MAJOR, begun - timedelta(hours=1), begun)
    calm = [Interval(GOOD, at(1, month=1), outage.start), Interval(GOOD, begun)]
    february, march = made(outage, *calm, since=since, zone=BERLIN)
    assert (february.uptime_percent, march.uptime_percent) == (99.85, 100.0)
    february, march = made(outage, *calm, since=since, zone=ZoneInfo("Pacific/Honolulu"))
    assert (february.uptime_percent, march.uptime_percent) == (99.85, 100.0)
    assert march.places == range(28, 59)


def test_a_first_day_that_is_ahead() -> None:
    """A calendar that begins tomorrow has no day yet."""
    assert made(Interval(GOOD, at(1)), since=date(2026, 4, 1)) == ()
