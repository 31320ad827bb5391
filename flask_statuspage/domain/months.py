"""The days of a component as the months of a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from .strip import Strip
from .year_month import Month

MONTHS = 12


@dataclass(frozen=True)
class CalendarMonth:
    """A month with those of its days that can be told of: none that are ahead.

    :param places: of its days in the strip.
    :param uptime_percent: None: nothing was observed.
    """

    year: int
    month: int
    places: range
    uptime_percent: float | None


def first_day(today: date) -> date:
    """Where a calendar of :data:`MONTHS` months begins that ends with the month of *today*."""
    return Month(today.year, today.month).plus(1 - MONTHS).first_day


def months(strip: Strip, *, partial_weight: float) -> tuple[CalendarMonth, ...]:
    """The months of *strip*, in the order of time; the first and the last may be there in part."""
    dates = strip.days.dates
    made = []
    begin = 0
    for (year, month), days in groupby(dates, key=lambda day: (day.year, day.month)):
        end = begin + len(list(days))
        percent = strip.percent(begin, end, partial_weight=partial_weight)
        made.append(CalendarMonth(year, month, range(begin, end), percent))
        begin = end
    return tuple(made)
