"""The calendar as ``icalendar`` writes it: its head, and one VEVENT per window, series, occurrence or incident.

Import this module inside a function: see :mod:`.calendar`. Nothing in it is of the moment it is made in, so that the
same snapshot gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vDuration, vRecur, vUri

from ..domain.facts import AffectedFact, IncidentFact, MaintenanceFact, UpdateFact
from ..domain.maintenance import MaintenanceStatus
from .calendar_series import Series, instant, sorted_out
from .cleaning import clean, one_line
from .snapshot import Snapshot
from .time_zones import vtimezone
from .words import words_of

PRODUCT = "-//Flask-StatusPage//Status page//EN"
REFRESH = timedelta(minutes=15)
"""How often a reader should ask again."""

SHORTEST = timedelta(minutes=1)
SHORTEST_OPEN = timedelta(minutes=15)
"""An event needs an end after its start. One of an incident that is open lasts until its latest update, the last time
for which somebody said so, and so long at least that it can be seen among others."""

ZONE_YEARS = 10
"""So long after the last change of the page the changes of its clocks are told."""


def written(snapshot: Snapshot) -> bytes:
    """The whole calendar."""
    single, series = sorted_out(snapshot.maintenances)
    writer = _Writer(snapshot)
    events = [writer.window(fact) for fact in single]
    for one in series:
        events.append(writer.master(one))
        events += [writer.occurrence(one, wall, fact) for wall, fact in one.changed]
    events += [writer.incident(fact) for fact in snapshot.incidents]
    calendar = writer.head()
    changed = snapshot.page.updated_at.year
    zones: dict[str, int] = {}
    for one in series:
        if not _is_utc(one.zone):
            zones[one.zone.key] = min(one.begin.year, zones.get(one.zone.key, changed))
    if not events:
        # A calendar has at least one component (RFC 5545, 3.6).
        zones[snapshot.page.time_zone] = changed
    last = max([changed, *(one.begin.year for one in series)]) + ZONE_YEARS
    for key, year in sorted(zones.items()):
        calendar.add_component(vtimezone(key, year - 1, last))
    for event in events:
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def alone(snapshot: Snapshot, fact: MaintenanceFact) -> bytes:
    """One maintenance by itself. Nothing tells readers to ask again: whoever wants changes takes the whole calendar."""
    writer = _Writer(snapshot)
    calendar = writer.frame()
    calendar.add_component(writer.window(fact))
    return bytes(calendar.to_ical())


class _Writer:
    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.page = snapshot.page
        self.words = words_of(snapshot.page)
        self.host = urlsplit(snapshot.page.url).hostname or "localhost"

    def head(self) -> Calendar:
        page, focus = self.page, self.snapshot.focus
        name, where = one_line(page.name) or self.host, f"{page.url}/api/calendar.ics"
        if focus is not None:
            service = one_line(focus.fact.name) or focus.fact.slug
            name = self.words.gettext("{page}: {service}", page=name, service=service)
            where = f"{page.url}/components/{quote(focus.fact.slug, safe='')}/calendar.ics"
        head = self.frame()
        head.add("uid", self._uid(focus.fact.id if focus else page.id))
        for key in ("name", "x-wr-calname"):
            head.add(key, name)
        head.add("x-wr-timezone", page.time_zone)
        head.add("last-modified", page.updated_at)
        head.add("url", vUri(page.url))
        head.add("source", vUri(where), parameters={"VALUE": "URI"})
        head.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
        head.add("x-published-ttl", vDuration(REFRESH))
        return head

    def frame(self) -> Calendar:
        """What every calendar begins with."""
        frame = Calendar()
        frame.add("prodid", PRODUCT)
        frame.add("version", "2.0")
        frame.add("calscale", "GREGORIAN")
        return frame

    def window(self, fact: MaintenanceFact) -> Event:
        """A maintenance that stands alone."""
        event = self._maintenance(fact, fact.updates)
        event.add("uid", self._uid(fact.id))
        # One whose rule was taken off may have been in the calendar as its series, under the same UID.
        event.add("sequence", self.snapshot.version if fact.series_id else _sequence(fact))
        event.add("created", _whole(fact.created_at))
        _date(event, fact.updated_at)
        _span(event, fact.scheduled_start, fact.scheduled_end)
        return event

    def master(self, series: Series) -> Event:
        """The event that carries the rule, told as its newest occurrence was announced.

        It has no ``CREATED``, which a snapshot without the first occurrence does not know. Its ``SEQUENCE`` is the
        page's version: that rises with whatever becomes of the series, also when an occurrence of it is deleted.
        """
        newest = series.newest
        event = self._maintenance(newest, newest.updates[-1:], is_cancelled=False)
        event.add("uid", self._uid(series.id))
        event.add("sequence", self.snapshot.version)
        _date(event, series.updated_at)
        start = instant(series.begin, series.zone)
        _add_wall(event, "dtstart", series.begin, series.zone)
        _add_end(event, start, start + series.duration, series.zone)
        event.add("rrule", vRecur.from_ical(series.rule))
        for wall in series.without:
            _add_wall(event, "exdate", wall, series.zone)
        return event

    def occurrence(self, series: Series, wall: datetime, fact: MaintenanceFact) -> Event:
        """What the occurrence that the rule puts at *wall* really is."""
        event = self._maintenance(fact, fact.updates)
        event.add("uid", self._uid(series.id))
        event.add("sequence", self.snapshot.version)
        event.add("created", _whole(fact.created_at))
        _date(event, fact.updated_at)
        _add_wall(event, "recurrence-id", wall, series.zone)
        _span(event, fact.scheduled_start, fact.scheduled_end, series.zone)
        return event

    def incident(self, fact: IncidentFact) -> Event:
        title = one_line(fact.title) or self.words.gettext("Incident")
        start = _whole(fact.started_at)
        latest = max((update.created_at for update in fact.updates), default=start)
        end = fact.resolved_at or max(latest, start + SHORTEST_OPEN)
        event = Event()
        impact, status = self.words.impact(fact.impact).word, self.words.state(fact.status)
        # Translators: an incident in a calendar, such as "Payments fail (Major outage, Resolved)".
        summary = self.words.gettext(
            "{title} ({impact}, {state})", title=title, impact=impact, state=status
        )
        event.add("summary", summary)
        heading = [
            self.words.gettext("Status: {state}", state=status),
            self.words.gettext("Impact: {impact}", impact=impact),
        ]
        event.add("description", self._text(heading, fact.components, fact.updates))
        event.add("url", vUri(f"{self.page.url}/incidents/{fact.id}"))
        event.add("categories", [self.words.gettext("Incident")])
        event.add("status", "CONFIRMED")
        event.add("transp", "TRANSPARENT")
        event.add("uid", self._uid(fact.id))
        event.add("sequence", _sequence(fact))
        event.add("created", _whole(fact.created_at))
        _date(event, fact.updated_at)
        _span(event, start, end)
        return event

    def _maintenance(
        self,
        fact: MaintenanceFact,
        updates: Iterable[UpdateFact],
        *,
        is_cancelled: bool | None = None,
    ) -> Event:
        if is_cancelled is None:
            is_cancelled = fact.status is MaintenanceStatus.CANCELLED
        event = Event()
        # Some readers show nothing of the status.
        event.add("summary", self._summary(one_line(fact.title), is_cancelled=is_cancelled))
        if text := self._text([], fact.components, updates):
            event.add("description", text)
        event.add("url", vUri(f"{self.page.url}/maintenance/{fact.id}"))
        event.add("categories", [self.words.maintenance.word])
        event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
        event.add("transp", "TRANSPARENT")
        return event

    def _text(
        self,
        heading: list[str],
        components: Iterable[AffectedFact],
        updates: Iterable[UpdateFact],
    ) -> str:
        """Plain text: what is affected, then the updates as they were typed, the newest first."""
        names = [name for component in components if (name := one_line(component.name))]
        if names:
            said = self.words.gettext("Affected: {names}", names=self.words.names(names))
            heading = [*heading, said]
        parts = ["\n".join(heading)]
        for update in updates:
            when = self.words.moment(update.created_at).text
            parts.append(f"{self.words.state(update.status)}, {when}\n{clean(update.body)}".strip())
        return "\n\n".join(part for part in parts if part)

    def _summary(self, title: str, *, is_cancelled: bool) -> str:
        if is_cancelled:
            if not title:
                return self.words.state(MaintenanceStatus.CANCELLED)
            # Translators: a maintenance in a calendar that will not be.
            return self.words.gettext("Cancelled: {title}", title=title)
        if not title:
            return self.words.maintenance.word
        return self.words.gettext("Maintenance: {title}", title=title)

    def _uid(self, ident: UUID) -> str:
        return f"{ident}@{self.host}"


def _sequence(fact: IncidentFact | MaintenanceFact) -> int:
    """Rises with each change: the seconds from the beginning to the latest one, and the changes of a window itself."""
    age = max(0, int((fact.updated_at - fact.created_at).total_seconds()))
    return age + (fact.revision if isinstance(fact, MaintenanceFact) else 0)


def _date(event: Event, changed: datetime) -> None:
    # Without a METHOD the stamp is that of the last change as well (RFC 5545, 3.8.7.2).
    event.add("dtstamp", _whole(changed))
    event.add("last-modified", _whole(changed))


def _span(event: Event, start: datetime, end: datetime, zone: ZoneInfo | None = None) -> None:
    """From *start* to *end*, on the clock of *zone* where that tells them, else in UTC."""
    start = _whole(start)
    end = max(_whole(end), start + SHORTEST)  # what was imported may end as it begins
    wall = start.astimezone(zone).replace(tzinfo=None, fold=0) if zone else None
    if zone is None or wall is None or instant(wall, zone) != start:
        event.add("dtstart", start)
        event.add("dtend", end)
        return
    _add_wall(event, "dtstart", wall, zone)
    _add_end(event, start, end, zone)


def _add_end(event: Event, start: datetime, end: datetime, zone: ZoneInfo) -> None:
    # Some readers take the length from the two wall clocks; where the clock changes in between it would be wrong.
    local = end.astimezone(zone)
    if local.utcoffset() != start.astimezone(zone).utcoffset():
        event.add("dtend", _whole(end))
        return
    _add_wall(event, "dtend", local.replace(tzinfo=None, fold=0), zone)


def _add_wall(event: Event, name: str, wall: datetime, zone: ZoneInfo) -> None:
    if _is_utc(zone):
        event.add(name, wall.replace(tzinfo=UTC))
    else:
        event.add(name, wall, parameters={"TZID": zone.key})


def _is_utc(zone: ZoneInfo) -> bool:
    return zone.key == "UTC"


def _whole(when: datetime) -> datetime:
    return when.astimezone(UTC).replace(microsecond=0)
