"""One RFC 5545 rule: its text read part by part, and the days that it gives.

dateutil is asked for one year at a time, since its iteration over a rule that (no longer) matches goes on until the
year 9999, which takes seconds. What goes on between the years (INTERVAL, COUNT, BYSETPOS) is counted here.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby, islice

from dateutil.rrule import YEARLY, rrule, weekday

from ..errors import Invalid

MAX_CHARACTERS = 200

REACH_YEARS = 100
"""A series stops so long after its start: this bounds the work for any rule."""

REACH = timedelta(days=36525)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CLOCK = ("BYHOUR", "BYMINUTE", "BYSECOND")

_CODES = tuple(name[:2].upper() for name in WEEKDAYS)
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")

# Zero is a value only where the range begins with it; a range from below zero counts from the end as well.
_RANGES = {
    "BYSECOND": (0, 59),
    "BYMINUTE": (0, 59),
    "BYHOUR": (0, 23),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYMONTH": (1, 12),
    "BYSETPOS": (-366, 366),
}
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_RANGES}

_NUMBER = re.compile(r"[+-]?[0-9]{1,3}")
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The parts of a rule. ``until`` is aware if it was given in UTC, else on the wall clock."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    week_start: int = 0
    by: dict[str, tuple[int, ...]] = field(default_factory=dict)
    weekdays: tuple[weekday, ...] = ()

    def days(self, first: date, year: int) -> Iterator[date]:
        """The days that the rule gives from *first* on: those of *year* and later, perhaps some earlier ones."""
        # COUNT can be counted from the first one only.
        return islice(self._days(first, first.year if self.count else year), self.count)

    def _days(self, first: date, year: int) -> Iterator[date]:
        last, origin = first + REACH, self._period(first)
        # From the year before, for a week may begin in it.
        years = range(max(first.year, year) - 1, last.year + 2)
        found = (
            day
            for day in self._fitting(first, years)
            if (self._period(day) - origin) % self.interval == 0
        )
        if "BYSETPOS" in self.by:
            periods = groupby(found, self._period)
            found = (day for _, group in periods for day in self._chosen(list(group)))
        for day in found:
            if day > last:
                return
            if day >= first:
                yield day

    def _fitting(self, first: date, years: Iterable[int]) -> Iterator[date]:
        """The days of *years* that fit the BY parts."""
        weeks = self.by.get("BYWEEKNO")
        # Years of one length that begin on one weekday are alike: 14 kinds.
        kinds: dict[tuple[int, bool], list[int]] = {}
        for year in years:
            begin = date(year, 1, 1).toordinal()
            kind = (begin % 7, isleap(year))
            if kind not in kinds:
                kinds[kind] = [at.toordinal() - begin for at in self._year(first, year)]
            for number in kinds[kind]:
                day = date.fromordinal(begin + number)
                if weeks is None or not set(weeks).isdisjoint(self._week(day)[1:]):
                    yield day

    def _year(self, first: date, year: int) -> Iterable[datetime]:
        """The days of *year* that fit all BY parts but BYWEEKNO; where these say too little, *first* says the rest."""
        months, weekdays = self.by.get("BYMONTH"), self.weekdays
        month_days, year_days = self.by.get("BYMONTHDAY"), self.by.get("BYYEARDAY")
        if not (weekdays or month_days or year_days):
            if self.freq == "DAILY":
                weekdays = tuple(weekday(number) for number in range(7))
            elif self.freq == "WEEKLY":
                weekdays = (weekday(first.weekday()),)
            else:
                month_days = (first.day,)
                if self.freq == "YEARLY":
                    months = months or (first.month,)
        if self.freq == "MONTHLY":
            # Otherwise the second Tuesday would be that of the year.
            months = months or tuple(range(1, 13))
        return rrule(
            YEARLY,
            dtstart=datetime(year, 1, 1),
            interval=9999,  # one year, and no search for the next
            wkst=self.week_start,
            bymonth=months,
            bymonthday=month_days,
            byyearday=year_days,
            byweekday=weekdays or None,
        )

    def _period(self, day: date) -> int:
        """The number of the period (as FREQ says) that *day* is in."""
        if self.freq == "YEARLY":
            return self._week(day)[0] if "BYWEEKNO" in self.by else day.year
        if self.freq == "MONTHLY":
            return day.year * 12 + day.month
        if self.freq == "WEEKLY":
            return (day.toordinal() - 1 - self.week_start) // 7
        return day.toordinal()

    def _week(self, day: date) -> tuple[int, int, int]:
        """The year that the week of *day* belongs to, its number in it, and that counted from the end (from -1).

        dateutil's own BYWEEKNO gives wrong days around New Year, for week 53 and when counting from the end.
        """
        # A week belongs to the year that has four of its days.
        middle = day + timedelta(days=3 - (day.weekday() - self.week_start) % 7)
        last = date(middle.year, 12, 31)
        number = (middle - date(middle.year, 1, 1)).days // 7 + 1
        return middle.year, number, -((last - middle).days // 7) - 1

    def _chosen(self, days: list[date]) -> list[date]:
        """Those *days* of one period that BYSETPOS means."""
        number = len(days)
        places = {place - 1 if place > 0 else number + place for place in self.by["BYSETPOS"]}
        return [days[place] for place in sorted(places) if 0 <= place < number]


@lru_cache(maxsize=256)
def read(text: str) -> Rule:
    """The parts of *text* (upper case), each for itself and together as RFC 5545 allows them.

    :raises Invalid: naming ``rrule``.
    """
    parts = _split(text)
    freq = parts.get("FREQ", "")
    if freq in ("SECONDLY", "MINUTELY", "HOURLY"):
        raise wrong(f"FREQ={freq} is too often; DAILY is the most frequent")
    if freq not in _FREQUENCIES:
        raise wrong(f"it needs FREQ, one of {', '.join(_FREQUENCIES)}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise wrong("COUNT and UNTIL cannot both be given; keep one")
    if parts.get("WKST", "MO") not in _CODES:
        raise wrong(f"WKST must be one of {', '.join(_CODES)}")
    rule = Rule(
        freq=freq,
        interval=_positive("INTERVAL", parts.get("INTERVAL", "1")),
        count=_positive("COUNT", parts["COUNT"]) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        week_start=_CODES.index(parts.get("WKST", "MO")),
        by={name: _numbers(name, parts[name]) for name in _RANGES if name in parts},
        weekdays=_weekdays(parts["BYDAY"]) if "BYDAY" in parts else (),
    )
    _refuse_combinations(rule)
    return rule


def _split(text: str) -> dict[str, str]:
    if len(text) > MAX_CHARACTERS:
        raise wrong(f"it has more than {MAX_CHARACTERS} characters")
    if not text.isascii() or not text.isprintable() or " " in text or ":" in text:
        raise wrong(
            "only one rule such as FREQ=WEEKLY;BYDAY=MO, without blanks, line breaks, DTSTART, RDATE or EXRULE"
        )
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise wrong(f"{part!r} is not of the form NAME=VALUE")
        if name not in _PARTS:
            raise wrong(f"{name!r} is not a part of a rule that is known here")
        if name in parts:
            raise wrong(f"{name} is given twice")
        parts[name] = value
    return parts


def _refuse_combinations(rule: Rule) -> None:
    for name in CLOCK:
        if len(rule.by.get(name, ())) > 1:
            raise wrong(f"{name} with several values is more than once a day")
    for name in ("BYYEARDAY", "BYWEEKNO"):
        if name in rule.by and rule.freq != "YEARLY":
            raise wrong(f"{name} goes with FREQ=YEARLY only")
    if "BYMONTHDAY" in rule.by and rule.freq == "WEEKLY":
        raise wrong("BYMONTHDAY does not go with FREQ=WEEKLY")
    if "BYWEEKNO" in rule.by and not rule.weekdays:
        raise wrong("BYWEEKNO needs BYDAY, the day of that week")
    days = {"BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"} & rule.by.keys()
    if "BYSETPOS" in rule.by and not days and not rule.weekdays:
        raise wrong("BYSETPOS needs another part to choose from, such as BYDAY")
    numbers = [day.n for day in rule.weekdays if day.n]
    if not numbers:
        return
    if rule.freq in ("DAILY", "WEEKLY") or "BYWEEKNO" in rule.by:
        raise wrong(
            "a numbered day such as 2TU goes with FREQ=MONTHLY or YEARLY only, and not with BYWEEKNO"
        )
    if len(numbers) < len(rule.weekdays):
        raise wrong("BYDAY mixes numbered days such as 2TU with plain ones")
    in_month = rule.freq == "MONTHLY" or "BYMONTH" in rule.by
    if max(abs(number) for number in numbers) > (5 if in_month else 53):
        raise wrong("BYDAY counts further than a month (5) or a year (53) has weeks")


def _positive(name: str, value: str) -> int:
    # Its text is printable ASCII by now, so that these are the ten digits.
    if not value.isdecimal() or int(value) == 0:
        raise wrong(f"{name} must be a whole number from 1 on")
    return int(value)


def _numbers(name: str, value: str) -> tuple[int, ...]:
    low, high = _RANGES[name]
    found = set()
    for item in value.split(","):
        number = int(item) if _NUMBER.fullmatch(item) else high + 1
        if not low <= number <= high or (number == 0 and low < 0):
            kind = (
                f"from 1 to {high}, or -1 to {low} from the end" if low < 0 else f"{low} to {high}"
            )
            raise wrong(f"{name} takes numbers {kind}; {item!r} is none")
        found.add(number)
    return tuple(sorted(found))


def _weekdays(value: str) -> tuple[weekday, ...]:
    found = []
    for item in value.split(","):
        match = _DAY.fullmatch(item)
        if match is None or (match[1] and int(match[1]) == 0):
            raise wrong(f"BYDAY takes MO to SU, or numbered ones such as 2TU or -1FR; not {item!r}")
        found.append(weekday(_CODES.index(match[2]), int(match[1]) if match[1] else None))
    return tuple(found)


def _until(value: str) -> datetime:
    try:
        if not _UNTIL.fullmatch(value):
            raise ValueError(value)
        day = datetime.strptime(value[:8], "%Y%m%d").date()
        if len(value) == 8:
            # A date means all of it: an occurrence on that day is the last one.
            return datetime.combine(day, time.max)
        clock = time(int(value[9:11]), int(value[11:13]), int(value[13:15]))
    except ValueError:
        raise wrong(
            "UNTIL must be a date such as 20261231 or a time such as 20261231T220000Z"
        ) from None
    return datetime.combine(day, clock, UTC if value.endswith("Z") else None)


def wrong(reason: str) -> Invalid:
    """The error of a rule that cannot be accepted."""
    return Invalid.field("rrule", reason)
