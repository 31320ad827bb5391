"""Months on the clock of a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flask_statuspage.domain.year_month import Month

INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "month", "begins"),
    [
        ("UTC", Month(2026, 11), datetime(2026, 11, 1, tzinfo=UTC)),
        ("Europe/Berlin", Month(2026, 11), datetime(2026, 10, 31, 23, tzinfo=UTC)),
        # The clock goes back within the day before, and forward in the night to the first.
        ("Europe/Berlin", Month(2027, 11), datetime(2027, 10, 31, 23, tzinfo=UTC)),
        ("America/Havana", Month(2026, 11), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("Asia/Amman", Month(2022, 4), datetime(2022, 3, 31, 21, tzinfo=UTC)),
        ("Asia/Amman", Month(2016, 4), datetime(2016, 3, 31, 22, tzinfo=UTC)),
        ("Pacific/Kiritimati", Month(2026, 1), datetime(2025, 12, 31, 10, tzinfo=UTC)),
    ],
)
def test_a_month_begins_at_the_first_instant_of_its_first_day(
    zone: str, month: Month, begins: datetime
) -> None:
    """The instant before belongs to the month before, whatever the clock does around midnight."""
    clock = ZoneInfo(zone)
    assert month.begins(clock) == begins
    assert Month.of(begins, clock) == month
    assert Month.of(begins - INSTANT, clock) == month.plus(-1)


def test_a_first_midnight_that_the_clock_leaves_out() -> None:
    """The month then begins with the gap."""
    clock = ZoneInfo("America/Asuncion")  # 2017-10-01: 00:00 became 01:00
    begins = Month(2017, 10).begins(clock)
    assert begins == datetime(2017, 10, 1, 4, tzinfo=UTC)
    assert Month.of(begins, clock) == Month(2017, 10)
    assert Month.of(begins - INSTANT, clock) == Month(2017, 9)


def test_months_are_counted_over_years() -> None:
    """December is followed by January, and lists go back."""
    assert Month(2026, 12).plus(1) == Month(2027, 1)
    assert Month(2026, 1).plus(-13) == Month(2024, 12)
    assert [str(one) for one in Month(2027, 1).back_to(Month(2026, 11))] == [
        *("2027-01", "2026-12", "2026-11")
    ]
    assert list(Month(2026, 1).back_to(Month(2026, 2))) == []


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "202611", "", "0000-01", "\u0662\u0660\u0662\u0666-01"]
)
def test_what_is_no_month(text: str) -> None:
    """Only four digits and a month are one."""
    with pytest.raises(ValueError, match="no month"):
        Month.read(text)


def test_reading_is_the_reverse_of_writing() -> None:
    """The text of a month names it."""
    assert Month.read("2026-11") == Month(2026, 11)
    assert str(Month(987, 2)) == "0987-02"
