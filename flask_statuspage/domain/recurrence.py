"""When a recurring maintenance takes place: an RFC 5545 rule on the wall clock of a zone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from ..errors import Invalid
from .rrule import CLOCK, REACH, REACH_YEARS, WEEKDAYS, read, wrong

MAX_INSTANCES = 1000
"""The most occurrences of a series with an end, and within the horizon of one without."""

MAX_EXCEPTIONS = 366

HORIZON_YEARS = 10

_HORIZON = timedelta(days=3652)
_FIRST_YEAR, _LAST_YEAR = 1970, 9800  # of a start: what follows stays within what datetime can tell

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, kw_only=True)
class Recurrence:
    """A rule (RFC 5545 RRULE without DTSTART) counted from *start*, on the wall clock of *zone*.

    Each occurrence has the wall-clock time of *start*. A time that a change of the clock leaves out moves forward by
    the gap; of one that comes twice the first counts (RFC 5545, 3.3.5). Occurrences end 100 years after *start*.

    Make it with :meth:`parse`. Its fields, once stored, may be put together again without another check.

    :param rule: upper case, without ``RRULE:``.
    :param start: aware; the first occurrence.
    :param exceptions: local dates (in *zone*) on which there is no occurrence. They count for COUNT all the same.
    """

    rule: str
    start: datetime
    zone: ZoneInfo
    exceptions: frozenset[date] = frozenset()

    @classmethod
    def parse(
        cls,
        rule: str,
        *,
        start: datetime,
        duration: timedelta,
        zone: ZoneInfo,
        exceptions: Iterable[str] = (),
    ) -> Recurrence:
        """What a member typed, checked: a series of windows of *duration* that do not overlap.

        :param exceptions: ISO dates (``2026-12-24``), at most 366.
        :raises Invalid: naming ``rrule`` or ``exceptions``.
        """
        text = _spelling(rule)
        if not _FIRST_YEAR <= start.year <= _LAST_YEAR:
            raise wrong(f"the first window must begin in the years {_FIRST_YEAR} to {_LAST_YEAR}")
        count = read(text).count
        if count is not None and count > MAX_INSTANCES:
            raise wrong(f"COUNT is more than {MAX_INSTANCES:,}")
        plain = cls(rule=text, start=start.astimezone(UTC), zone=zone)
        plain._refuse_other_start()
        plain._refuse_size()
        plain._refuse_overlap(duration)
        return cls(rule=text, start=plain.start, zone=zone, exceptions=dates_of(exceptions))

    def after(self, instant: datetime, *, inclusive: bool = False) -> datetime | None:
        """The first occurrence after *instant* (aware), or at it if *inclusive*, in UTC; None: there is none."""
        for occurrence in self._occurrences(instant.year - 1):
            if occurrence > instant or (inclusive and occurrence == instant):
                return occurrence
        return None

    def between(
        self, first: datetime, last: datetime, *, limit: int = MAX_INSTANCES
    ) -> list[datetime]:
        """The occurrences from *first* to *last* (aware, both included), in UTC; the earliest *limit* of them."""
        found: list[datetime] = []
        for occurrence in self._occurrences(first.year - 1):
            if occurrence > last or len(found) >= limit:
                break
            if occurrence >= first:
                found.append(occurrence)
        return found

    @property
    def _begin(self) -> datetime:
        return self.start.astimezone(self.zone).replace(tzinfo=None, fold=0)

    def _occurrences(self, year: int) -> Iterator[datetime]:
        """All occurrences of *year* and later, perhaps some earlier ones, in UTC."""
        rule, begin = read(self.rule), self._begin
        previous = None
        for day in rule.days(begin.date(), year):
            local = datetime.combine(day, begin.time())
            if local == begin:
                # The second of two equal wall-clock times can be a start, though never a repetition.
                occurrence = self.start.astimezone(UTC)
            else:
                occurrence = local.replace(tzinfo=self.zone).astimezone(UTC)
            if rule.until and (occurrence if rule.until.tzinfo else local) > rule.until:
                return
            if occurrence != previous and not self._is_exception(day, occurrence):
                # Where a zone left out a whole day, that day's time moves onto the next occurrence.
                previous = occurrence
                yield occurrence

    def _is_exception(self, day: date, occurrence: datetime) -> bool:
        # A gap before midnight moves an occurrence to the date after the one that the rule gives; either is meant.
        if not self.exceptions:
            return False
        return day in self.exceptions or occurrence.astimezone(self.zone).date() in self.exceptions

    def _refuse_other_start(self) -> None:
        rule, begin = read(self.rule), self._begin
        clock = (begin.hour, begin.minute, begin.second)
        for part, actual in zip(CLOCK, clock, strict=True):
            if rule.by.get(part, (actual,)) != (actual,):
                wall = f"{begin:%H:%M:%S} in {self.zone}"
                raise wrong(f"{part} gives another time than the first window's, {wall}; omit it")
        if rule.until and (self.start if rule.until.tzinfo else begin) > rule.until:
            raise wrong("UNTIL lies before the first window")
        first = next(rule.days(begin.date(), begin.year), None)
        if first is None:
            raise wrong(f"it never happens: no date within {REACH_YEARS} years fits the rule")
        if first != begin.date():
            raise wrong(
                f"the first window, on {_named(begin.date())} in {self.zone}, is not one that the rule gives; "
                f"the rule's first would be {_named(first)}"
            )

    def _refuse_size(self) -> None:
        rule, begin = read(self.rule), self._begin.date()
        days = rule.days(begin, begin.year)
        if rule.count is not None:
            if (number := sum(1 for _ in days)) < rule.count:
                raise wrong(
                    f"only {number} of the {rule.count} occurrences are within {REACH_YEARS} years"
                )
        elif rule.until is not None:
            if rule.until.date() > begin + REACH:
                raise wrong(f"UNTIL is more than {REACH_YEARS} years after the first window")
            if len(list(islice(self._occurrences(begin.year), MAX_INSTANCES + 1))) > MAX_INSTANCES:
                raise wrong(f"it has more than {MAX_INSTANCES:,} occurrences; end it earlier")
        else:
            end = begin + _HORIZON
            number = sum(1 for _ in takewhile(lambda day: day < end, days))
            if number > MAX_INSTANCES:
                raise wrong(
                    f"without an end it has {number:,} occurrences in {HORIZON_YEARS} years, more than "
                    f"{MAX_INSTANCES:,}; add COUNT or UNTIL"
                )
            if len(list(islice(rule.days(begin, begin.year), 2))) < 2:
                raise wrong(f"it does not recur within {REACH_YEARS} years")

    def _refuse_overlap(self, duration: timedelta) -> None:
        for one, other in pairwise(self._occurrences(self._begin.year)):
            if other - one <= duration:
                days = " and ".join(_named(at.astimezone(self.zone).date()) for at in (one, other))
                raise wrong(
                    f"its windows overlap: one lasts {duration}, those of {days} begin {other - one} apart"
                )


def check(rule: str) -> None:
    """Look at a rule alone, whatever window it is for.

    :raises Invalid: naming ``rrule``.
    """
    read(_spelling(rule))


def _spelling(rule: str) -> str:
    # Some letters beyond ASCII have a capital within it.
    return rule.strip().upper().removeprefix("RRULE:") if rule.isascii() else rule


def dates_of(exceptions: Iterable[str]) -> frozenset[date]:
    """The days of ISO dates, at most 366.

    :raises Invalid: naming ``exceptions``.
    """
    # Host code may well give dates instead of their text.
    texts = [str(item) for item in islice(exceptions, MAX_EXCEPTIONS + 1)]
    if len(texts) > MAX_EXCEPTIONS:
        raise Invalid.field("exceptions", f"at most {MAX_EXCEPTIONS} dates")
    found = set()
    for text in texts:
        try:
            if not _ISO_DATE.fullmatch(text):
                raise ValueError(text)
            found.add(date.fromisoformat(text))
        except ValueError:
            raise Invalid.field(
                "exceptions", f"{text[:40]!r} is not a date such as 2026-12-24"
            ) from None
    return frozenset(found)


def _named(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day}"
