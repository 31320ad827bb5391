"""Months as a page's readers count them: of a calendar, on the clock of one zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from .clock import midnight

_TEXT = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, order=True)
class Month:
    """A month of a year. ``str`` gives it as ISO 8601 writes it: ``2026-11``."""

    year: int
    month: int

    @classmethod
    def read(cls, text: str) -> Month:
        """The month that *text* names, in the form ``2026-11``.

        :raises ValueError: where it names none.
        """
        if not _TEXT.fullmatch(text) or text < "0001":
            raise ValueError(f"no month: {text[:20]!r}")
        return cls(int(text[:4]), int(text[5:]))

    @classmethod
    def of(cls, instant: datetime, zone: ZoneInfo) -> Month:
        """The month that *instant* (aware) is in on the clock of *zone*."""
        local = instant.astimezone(zone)
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    def plus(self, number: int) -> Month:
        """The month *number* months later, or earlier if that is negative."""
        years, month = divmod(self.year * 12 + self.month - 1 + number, 12)
        return Month(years, month + 1)

    def begins(self, zone: ZoneInfo) -> datetime:
        """Its first instant on the clock of *zone*, in UTC. Its end is where the next one begins.

        Where the clock leaves out the first midnight, it is the instant that the gap begins at.
        """
        return midnight(self.first_day, zone)

    def back_to(self, first: Month) -> Iterator[Month]:
        """It and the months before it down to *first*."""
        month = self
        while month >= first:
            yield month
            month = month.plus(-1)
