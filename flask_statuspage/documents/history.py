"""The history: one month of a page, day by day, with its totals and the way to other months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from ..domain.facts import AffectedFact, IncidentFact, MaintenanceFact
from ..domain.happenings import INSTANT
from ..domain.maintenance import MaintenanceStatus
from ..domain.status import Impact
from ..domain.year_month import Month
from ..errors import FieldError, Invalid
from ..translation import marked
from .rendering import Frame, render
from .snapshot import NEWEST_INCIDENTS, ComponentState, Snapshot
from .spans import Event, begins, ends, reaches
from .words import Moment, Words

FIRST = Month(2000, 1)
AHEAD = 60
"""So many months after the present one can be looked at: maintenance is not planned for later."""

MOST_MONTHS = 240
"""So many can be chosen from a list; links lead to earlier ones."""


@dataclass(frozen=True, kw_only=True)
class Events:
    """What there is of one month.

    :param incidents: newest first, those that began before and went on into it too; without updates.
    :param maintenances: the latest window first, likewise.
    :param first: the month of the first thing that the page has, ``last`` of the last one.
    :param earlier: the nearest month before that has something, if there is one; ``later`` likewise.
    :param is_complete: whether this, and *more* which are only counted, is all that there is.
    """

    month: Month
    incidents: Sequence[IncidentFact]
    maintenances: Sequence[MaintenanceFact]
    first: Month
    last: Month
    earlier: Month | None
    later: Month | None
    is_complete: bool = True
    more: int = 0

    @property
    def newest_first(self) -> list[Event]:
        listed: list[Event] = [*self.incidents, *self.maintenances]
        return sorted(listed, key=begins, reverse=True)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which month of which service is shown; ``component`` None: all of the page."""

    month: Month
    component: ComponentState | None

    @property
    def component_id(self) -> object:
        return self.component.fact.id if self.component else None


@dataclass(frozen=True)
class EventDay:
    """What began on one day, newest first; ``date`` None: before the month."""

    date: Moment | None
    events: tuple[Event, ...]


@dataclass(frozen=True, kw_only=True)
class Totals:
    """A month in numbers. ``impaired`` is how long at least one incident with an impact lasted, in seconds."""

    incidents: int
    impaired: float
    maintenances: int


def chosen(snapshot: Snapshot, values: Mapping[str, str]) -> Choice:
    """What a reader asked for by ``month`` and ``component``; the present month and all services where nothing is said.

    :raises Invalid: naming each that there is nothing for.
    """
    wrong: list[FieldError] = []
    present = month = _present(snapshot)
    component = None
    if text := values.get("month"):
        try:
            month = Month.read(text)
        except ValueError:
            wrong.append(FieldError("month", marked("Choose a month from the list.")))
        else:
            if not FIRST <= month <= present.plus(AHEAD):
                wrong.append(FieldError("month", marked("Choose a month from the list.")))
    if slug := values.get("component"):
        component = snapshot.component(slug)
        if component is None:
            wrong.append(FieldError("component", marked("Choose a service from the list.")))
    if wrong:
        raise Invalid(*wrong)
    return Choice(month=month, component=component)


def known(snapshot: Snapshot, choice: Choice) -> Events:
    """What the snapshot has of a month: for while the database does not answer."""
    zone = ZoneInfo(snapshot.page.time_zone)
    since, until = choice.month.begins(zone), choice.month.plus(1).begins(zone)
    of_service = [fact for fact in snapshot.incidents if _is_about(fact.components, choice)]
    windows = [
        fact
        for fact in snapshot.maintenances
        if not fact.components or _is_about(fact.components, choice)
    ]
    now = snapshot.generated_at
    starts = [fact.started_at for fact in of_service] + [fact.scheduled_start for fact in windows]
    begun = [fact.started_at for fact in snapshot.incidents]
    begun += [fact.scheduled_start for fact in snapshot.maintenances]
    incidents = [fact for fact in of_service if reaches(fact, since, until, now)]
    maintenances = [fact for fact in windows if reaches(fact, since, until, now)]
    all_of_it: list[Event] = [*of_service, *windows]
    past = [
        min(max(begins(fact), ends(fact, now) - INSTANT), since - INSTANT)
        for fact in all_of_it
        if begins(fact) < since
    ]
    return events_of(
        snapshot,
        choice.month,
        incidents,
        maintenances[::-1],
        first=min(begun, default=None),
        last=max(begun, default=None),
        before=max(past, default=None),
        after=min((start for start in starts if start >= until), default=None),
        is_complete=_covers(snapshot, since),
    )


def events_of(
    snapshot: Snapshot,
    month: Month,
    incidents: Sequence[IncidentFact],
    maintenances: Sequence[MaintenanceFact],
    *,
    first: datetime | None,
    last: datetime | None,
    before: datetime | None,
    after: datetime | None,
    is_complete: bool = True,
    more: int = 0,
) -> Events:
    """A month with its neighbours.

    :param first: when the first thing of the page begins, ``last`` the last one; None: there is nothing.
    :param before: the latest instant before the month at which something began or went on, ``after`` when the earliest
        thing after it begins.
    """
    zone = ZoneInfo(snapshot.page.time_zone)
    present = _present(snapshot)
    since, until = month.begins(zone), month.plus(1).begins(zone)
    earlier = Month.of(before, zone) if before else None
    later = Month.of(after, zone) if after else None
    # What lasts is listed in each month that it reaches into.
    listed: list[Event] = [*incidents, *maintenances]
    if any(begins(fact) < since for fact in listed):
        earlier = month.plus(-1)
    if month > present and (earlier is None or earlier < present):
        earlier = present  # what is open goes on up to now
    if any(ends(fact, snapshot.generated_at) > until for fact in listed):
        later = month.plus(1)
    return Events(
        month=month,
        incidents=incidents,
        maintenances=maintenances,
        first=max(FIRST, min(present, Month.of(first, zone) if first else present)),
        last=min(present.plus(AHEAD), max(present, Month.of(last, zone) if last else present)),
        earlier=earlier if earlier and earlier >= FIRST else None,
        later=later if later and later <= present.plus(AHEAD) else None,
        is_complete=is_complete,
        more=more,
    )


def days(events: Events, zone: ZoneInfo, words: Words) -> tuple[EventDay, ...]:
    """The days of the month on which something began, newest first; what began before comes last."""
    begun: dict[date | None, list[Event]] = {}
    for fact in events.newest_first:
        since = begins(fact)
        inside = Month.of(since, zone) == events.month
        begun.setdefault(since.astimezone(zone).date() if inside else None, []).append(fact)
    return tuple(
        EventDay(words.day(day) if day else None, tuple(facts)) for day, facts in begun.items()
    )


def totals(events: Events, zone: ZoneInfo, now: datetime) -> Totals:
    """The month in numbers, up to *now*."""
    since, until = events.month.begins(zone), min(now, events.month.plus(1).begins(zone))
    spans = sorted(
        (max(since, fact.started_at), min(until, ends(fact, now)))
        for fact in events.incidents
        if fact.impact is not Impact.NONE
    )
    impaired, reached = 0.0, since
    for start, end in spans:
        # What happens at once counts once.
        impaired += max(0.0, (end - max(start, reached)).total_seconds())
        reached = max(reached, end)
    return Totals(
        incidents=len(events.incidents),
        impaired=impaired,
        maintenances=sum(
            fact.status is not MaintenanceStatus.CANCELLED for fact in events.maintenances
        ),
    )


def history(
    snapshot: Snapshot,
    events: Events,
    frame: Frame,
    *,
    choice: Choice,
    action: str | None = None,
) -> str:
    """One month of the page, or of one service.

    :param action: where another month is asked for; None: where *frame* has the history.
    """
    words = frame.words(snapshot.page)
    zone = words.zone
    slug = choice.component.fact.slug if choice.component else ""
    return _rendered(
        snapshot,
        events,
        frame,
        values={"month": str(events.month), "component": slug},
        shown=words.month(events.month.year, events.month.month),
        days=days(events, zone, words),
        totals=totals(events, zone, snapshot.generated_at),
        service=choice.component.fact.name if choice.component else None,
        action=action,
    )


def refused(
    snapshot: Snapshot,
    events: Events,
    frame: Frame,
    *,
    values: Mapping[str, str],
    form_errors: Iterable[FieldError],
) -> str:
    """The form again, with what is wrong in it and what was asked for.

    :param events: of any month, for what can be chosen.
    """
    return _rendered(snapshot, events, frame, values=values, form_errors=form_errors, shown=None)


def _rendered(
    snapshot: Snapshot,
    events: Events,
    frame: Frame,
    *,
    values: Mapping[str, str],
    form_errors: Iterable[FieldError] = (),
    action: str | None = None,
    **context: object,
) -> str:
    words = frame.words(snapshot.page)
    present = _present(snapshot)
    slug = values.get("component") or ""
    kept = {"component": slug} if slug and snapshot.component(slug) else {}
    # A form that is sent by GET drops the query of its action.
    query = urlsplit(frame.urls("history")).query

    def place(month: Month | None) -> tuple[str, Moment] | None:
        if month is None:
            return None
        # The present one has one address.
        asked = kept if month == present else {"month": str(month), **kept}
        return frame.urls("history", **asked), words.month(month.year, month.month)

    return render(
        "history",
        snapshot.page,
        frame,
        here="history",
        snapshot=snapshot,
        events=events,
        values={"month": values.get("month") or "", "component": slug},
        problems={error.field: words.gettext(error.message) for error in form_errors},
        years=_years(events, words),
        action=action or frame.urls("history").partition("?")[0],
        hidden=parse_qsl(query),
        components=[state.fact for state in snapshot.components],
        earlier=place(events.earlier),
        later=place(events.later),
        present=place(present) if events.month != present else None,
        **context,
    )


def _years(events: Events, words: Words) -> list[tuple[int, list[Moment]]]:
    """The months that can be chosen, by their years, newest first."""
    years: dict[int, list[Moment]] = {}
    listed = list(events.last.back_to(events.first))[:MOST_MONTHS]
    if events.month not in listed:
        listed = sorted({*listed, events.month}, reverse=True)
    for month in listed:
        years.setdefault(month.year, []).append(words.month(month.year, month.month))
    return list(years.items())


def _present(snapshot: Snapshot) -> Month:
    return Month.of(snapshot.generated_at, ZoneInfo(snapshot.page.time_zone))


def _is_about(components: Iterable[AffectedFact], choice: Choice) -> bool:
    ident = choice.component_id
    return ident is None or any(item.id == ident for item in components)


def _covers(snapshot: Snapshot, since: datetime) -> bool:
    """Whether the snapshot has all from *since* on."""
    if snapshot.incident_count <= len(snapshot.incidents):
        return True
    newest = snapshot.incidents[:NEWEST_INCIDENTS]
    return bool(newest) and newest[-1].started_at < since
