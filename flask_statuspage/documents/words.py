"""What a page says, in one language and by one zone's clock: words and looks of statuses, times, durations, numbers.

Plain values for the templates; nothing here knows of Flask. Sentences and lists of a whole page are made in
:mod:`.banner` and :mod:`.listing`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from ..domain.facts import ShownPage
from ..domain.incident import IncidentStatus
from ..domain.maintenance import MaintenanceStatus
from ..domain.status import ComponentStatus, Impact
from ..translation import Texts, marked, marked_in


@dataclass(frozen=True)
class Look:
    """How a status is shown: its word, its icon and the set of colours. Never by colour alone."""

    word: str
    icon: str
    tone: str


@dataclass(frozen=True)
class Moment:
    """A time to print: ``iso`` for machines, ``text`` for people."""

    iso: str
    text: str


STATUSES = {
    ComponentStatus.OPERATIONAL: Look(marked("Operational"), "check", "operational"),
    ComponentStatus.DEGRADED_PERFORMANCE: Look(
        marked("Degraded performance"), "triangle", "degraded"
    ),
    ComponentStatus.PARTIAL_OUTAGE: Look(marked("Partial outage"), "diamond", "partial"),
    ComponentStatus.MAJOR_OUTAGE: Look(marked("Major outage"), "octagon", "major"),
    ComponentStatus.UNDER_MAINTENANCE: Look(marked("Under maintenance"), "wrench", "maintenance"),
    ComponentStatus.UNKNOWN: Look(marked("Not known"), "question", "unknown"),
}

IMPACTS = {
    Impact.NONE: Look(marked("No impact"), "info", "unknown"),
    Impact.MINOR: STATUSES[ComponentStatus.DEGRADED_PERFORMANCE],
    Impact.MAJOR: STATUSES[ComponentStatus.PARTIAL_OUTAGE],
    Impact.CRITICAL: STATUSES[ComponentStatus.MAJOR_OUTAGE],
}

STATES: dict[IncidentStatus | MaintenanceStatus, tuple[str, str]] = {
    IncidentStatus.INVESTIGATING: marked_in("state of an incident", "Investigating"),
    IncidentStatus.IDENTIFIED: marked_in("state of an incident", "Identified"),
    IncidentStatus.MONITORING: marked_in("state of an incident", "Monitoring"),
    IncidentStatus.RESOLVED: marked_in("state of an incident", "Resolved"),
    IncidentStatus.POSTMORTEM: marked_in("state of an incident", "Postmortem"),
    MaintenanceStatus.SCHEDULED: marked_in("state of a maintenance", "Scheduled"),
    MaintenanceStatus.IN_PROGRESS: marked_in("state of a maintenance", "In progress"),
    MaintenanceStatus.VERIFYING: marked_in("state of a maintenance", "Verifying"),
    MaintenanceStatus.COMPLETED: marked_in("state of a maintenance", "Completed"),
    MaintenanceStatus.CANCELLED: marked_in("state of a maintenance", "Cancelled"),
}

MAINTENANCE = Look(marked("Maintenance"), "wrench", "maintenance")

EVENTS = {
    "incident.created": marked("A new incident"),
    "incident.updated": marked("News of an incident"),
    "incident.resolved": marked("An incident is resolved"),
    "incident.postmortem": marked("A postmortem is published"),
    "maintenance.scheduled": marked("Maintenance is planned"),
    "maintenance.started": marked("Maintenance begins"),
    "maintenance.updated": marked("News of a maintenance"),
    "maintenance.completed": marked("Maintenance is over"),
    "maintenance.reminder": marked("Maintenance is near"),
    "component.status_change": marked("A service changes its status"),
    "monitor.down": marked("A monitor finds a failure"),
    "monitor.recovered": marked("A monitor finds a recovery"),
}


class Words(Texts):
    """The words of pages for readers of *locale*, with times by the clock of *zone*."""

    def __init__(self, locale: str | None, zone: ZoneInfo) -> None:
        super().__init__(locale)
        self.zone = zone
        self._months = (
            self.pgettext("month in a date", "Jan"),
            self.pgettext("month in a date", "Feb"),
            self.pgettext("month in a date", "Mar"),
            self.pgettext("month in a date", "Apr"),
            self.pgettext("month in a date", "May"),
            self.pgettext("month in a date", "Jun"),
            self.pgettext("month in a date", "Jul"),
            self.pgettext("month in a date", "Aug"),
            self.pgettext("month in a date", "Sep"),
            self.pgettext("month in a date", "Oct"),
            self.pgettext("month in a date", "Nov"),
            self.pgettext("month in a date", "Dec"),
        )
        # Translators: a date, such as 19 Feb 2026.
        self._date = self.pgettext("date", "{day} {month} {year}")
        # Translators: a month of a year, such as Feb 2026.
        self._month = self.pgettext("date", "{month} {year}")
        # Translators: a date, a time and the name of the time zone, such as 19 Feb 2026, 17:30 UTC.
        self._moment = self.pgettext("date", "{date}, {time} {zone}")
        # Translators: stands between the whole and the fraction of a number; translate only the point.
        self._point = self.pgettext("number", "0.1")[1:2]
        self._between = self.pgettext("between days, hours and minutes", " ")
        self._looks: dict[Look, Look] = {}
        # A page says the same days and durations hundreds of times.
        self._days = lru_cache(maxsize=1000)(self._day)
        self._durations = lru_cache(maxsize=5000)(self._duration)

    def status(self, status: ComponentStatus) -> Look:
        return self._look(STATUSES[status])

    def impact(self, impact: Impact) -> Look:
        return self._look(IMPACTS[impact])

    @property
    def maintenance(self) -> Look:
        """How a maintenance is shown, however far it is."""
        return self._look(MAINTENANCE)

    def state(self, status: IncidentStatus | MaintenanceStatus) -> str:
        """How far an incident or a maintenance is."""
        return self.pgettext(*STATES[status])

    def event(self, name: str) -> str:
        """:param name: one of :data:`EVENTS`."""
        return self.gettext(EVENTS[name])

    def moment(self, when: datetime) -> Moment:
        """*when* as RFC 3339 in UTC and as a text that names the zone: "19 Feb 2026, 17:30 UTC"."""
        local = when.astimezone(self.zone)
        text = self._moment.format(
            date=self.day(local.date()).text, time=f"{local:%H:%M}", zone=self.clock(when)
        )
        return Moment(when.astimezone(UTC).isoformat(timespec="seconds"), text)

    def clock(self, when: datetime) -> str:
        """What the zone's clock is called at that time: "UTC", "CEST"."""
        name = when.astimezone(self.zone).tzname() or self.zone.key
        return f"UTC{name}" if name.startswith(("+", "-")) else name

    def day(self, day: date) -> Moment:
        """A date: "19 Feb 2026"."""
        return self._days(day)

    def month(self, year: int, month: int) -> Moment:
        """A month: "Feb 2026"."""
        text = self._month.format(month=self._months[month - 1], year=year)
        return Moment(f"{year:04}-{month:02}", text)

    def duration(self, start: datetime, end: datetime) -> str:
        """The time between two instants in the two largest units: "1 h 12 min"."""
        return self.seconds((end - start).total_seconds())

    def seconds(self, number: float) -> str:
        """The same of a number of seconds."""
        return self._durations(max(0, int(number // 60)))

    def percent(self, number: float) -> str:
        """An uptime, which is floored already: "99.95%", and "100%" for exactly that."""
        digits = "100" if number == 100 else f"{number:.2f}".replace(".", self._point)
        return self.gettext("{number}%", number=digits)

    def share(self, part: float) -> str:
        """A part of the whole, from 0 to 1, as exactly as it is written: "30%", "12.5%"."""
        digits = f"{part * 100:.10g}".replace(".", self._point)
        return self.gettext("{number}%", number=digits)

    def milliseconds(self, number: int) -> str:
        """How long an answer took: "245 ms", and "12.5 s" from ten seconds on."""
        if number < 10_000:
            # Translators: milliseconds.
            return self.gettext("{number} ms", number=number)
        # Translators: seconds, with one decimal.
        return self.gettext("{number} s", number=f"{number / 1000:.1f}".replace(".", self._point))

    def isolated(self, name: str) -> str:
        """*name* kept apart where it runs in another direction than the words around it: attributes have no markup."""
        if self.direction == "ltr" and not any(
            unicodedata.bidirectional(character) in ("R", "AL") for character in name
        ):
            return name
        return f"\u2068{name}\u2069"

    def names(self, names: Iterable[str]) -> str:
        """Names in a row: "Billing, Search"."""
        return self.separator.join(names)

    def _day(self, day: date) -> Moment:
        # Not strftime("%b"): its words change with the host's locale.
        text = self._date.format(day=day.day, month=self._months[day.month - 1], year=day.year)
        return Moment(day.isoformat(), text)

    def _duration(self, minutes: int) -> str:
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        parts = []
        if days:
            # Translators: days, in a duration.
            parts.append(self.gettext("{count} d", count=days))
        if hours:
            # Translators: hours, in a duration.
            parts.append(self.gettext("{count} h", count=hours))
        if minutes and len(parts) < 2:
            # Translators: minutes, in a duration.
            parts.append(self.gettext("{count} min", count=minutes))
        return self._between.join(parts) or self.gettext("less than a minute")

    def _look(self, look: Look) -> Look:
        known = self._looks.get(look)
        if known is None:
            known = self._looks[look] = Look(self.gettext(look.word), look.icon, look.tone)
        return known


@lru_cache(maxsize=512)
def words_in(locale: str | None, zone: str) -> Words:
    """:param zone: its IANA name."""
    return Words(locale, ZoneInfo(zone))


def words_of(page: ShownPage) -> Words:
    """The words of what every reader of *page* gets alike, such as its feeds: in its own language and zone."""
    return words_in(page.language or page.locale, page.time_zone)
