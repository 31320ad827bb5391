"""The page "Dashboard", with the form that says how services are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from flask import request

from ...documents.console import dashboard as documents
from ...documents.console.room import Undo
from ...domain.rights import Right
from ...domain.status import ComponentStatus, Source
from ...errors import Invalid
from ...services import at_work, conditions, seen_statuses, status_changes
from ...services.status_changes import FOLLOW
from ...storage import components as stored
from ...storage import dashboard as figures
from ...storage.components import Component, Condition
from ...storage.session import database_now
from . import happenings, reading
from .desk import Desk
from .visit import Done, Visit

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
SHOWN = 20
"""So many open incidents and near maintenances are listed at most."""

Groups = Sequence[tuple[str | None, Sequence[documents.ServiceRow]]]

OUTAGES = {ComponentStatus.PARTIAL_OUTAGE, ComponentStatus.MAJOR_OUTAGE}

SOURCES = {
    Source.MANUAL: "Manual",
    Source.INCIDENT: "An incident",
    Source.MAINTENANCE: "Maintenance",
    Source.MONITOR: "A monitor",
}


def add_routes(desk: Desk) -> None:
    desk.area(
        "dashboard",
        "Dashboard",
        Right.SEE,
        {"status": "The status changes are saved.", "undone": "It is as it was before."},
    )
    desk.form("/", "dashboard", show, save, right=Right.SEE, doing=Right.TELL)


def show(visit: Visit) -> str:
    now = database_now(visit.session)
    page_id = visit.page.id
    incidents, open_ones, drafts = figures.open_incidents(visit.session, page_id, SHOWN)
    maintenances, near = figures.next_maintenances(visit.session, page_id, now + WEEK, SHOWN)
    subscribers, came, went = figures.subscribers(visit.session, page_id, now - WEEK)
    groups = _groups(visit, now)
    visit.undo = _undo(visit, groups)
    return documents.dashboard(
        visit.room("dashboard"),
        figures=documents.Figures(
            incidents=open_ones,
            drafts=drafts,
            maintenances=near,
            subscribers=subscribers,
            came=came,
            went=went,
            failed=figures.failed_deliveries(visit.session, page_id, now - DAY),
        ),
        happenings=[
            *(happenings.of_incident(visit, row) for row in incidents),
            *(happenings.of_maintenance(visit, row) for row in maintenances),
        ],
        groups=groups,
        lacking=at_work.look(visit.session, now).lacking,
        offer=_offer(visit, groups),
    )


def save(visit: Visit) -> Done:
    typed = visit.sent
    if "undo" in typed:
        return _take_back(visit)
    changes = {
        slug: _status(f"status.{slug}", word)
        for slug, word in reading.starting_with(typed, "status.").items()
        if word
    }
    if not changes:
        raise Invalid.field("status", "No service was chosen.")
    hours = reading.number(typed, "hours")
    if str(hours or "") not in dict(documents.HOURS):
        raise Invalid.field("hours", "Choose one of the list.")
    now = database_now(visit.session)
    before = status_changes.save(
        visit.session,
        visit.page,
        changes,
        seen=_seen(typed, changes),
        words=reading.starting_with(typed, "said."),
        note=reading.words(typed, "note"),
        until=now + timedelta(hours=hours) if hours else None,
        notify="notify" in typed,
        actor=visit.actor,
    )
    return Done(
        "dashboard", "status", {"was": [f"{slug}:{one.entry or 0}" for slug, one in before.items()]}
    )


def _take_back(visit: Visit) -> Done:
    entries = {
        slug: int(ident)
        for slug, ident in reading.starting_with(visit.sent, "entry.").items()
        if _is_entry(ident)
    }
    if not entries:
        raise Invalid.field("status", "No service was chosen.")
    status_changes.take_back(
        visit.session, visit.page, entries, seen=_seen(visit.sent, entries), actor=visit.actor
    )
    return Done("dashboard", "undone")


def _is_entry(text: str) -> bool:
    """Whether it can be the number of an entry of the audit."""
    return text.isascii() and text.isdigit() and 0 < int(text[:19]) < 2**63 and len(text) < 20


def _seen(typed: reading.Typed, chosen: Collection[str]) -> dict[str, ComponentStatus]:
    """What was shown of the services that are *chosen* (slugs)."""
    return {
        slug: ComponentStatus(word)
        for slug, word in reading.starting_with(typed, "was.").items()
        if word in set(ComponentStatus) and slug in chosen
    }


def _status(field: str, word: str) -> ComponentStatus | None:
    if word == FOLLOW:
        return None
    if word not in set(ComponentStatus) or word == ComponentStatus.UNKNOWN:
        raise Invalid.field(field, f"Must be one of {', '.join(s for s, _ in documents.CHOICE)}.")
    return ComponentStatus(word)


def _undo(visit: Visit, groups: Groups) -> Undo | None:
    """The button that takes back what was just said: what a person had said before counts again, or nothing.

    What that was stands in the audit, of which the address names the entries: nobody's link can put words into it.
    """
    said = dict(pair.rpartition(":")[::2] for pair in request.args.getlist("was"))
    fields = {}
    for service in _services(groups):
        entry = said.get(service.slug, "")
        if _is_entry(entry):
            fields[f"entry.{service.slug}"] = entry
            fields[f"was.{service.slug}"] = service.status.value
    if not fields or not visit.may(Right.TELL) or visit.typed is not None:
        return None
    return Undo(url=visit.to("dashboard"), fields={**fields, "undo": "yes"})


def _offer(visit: Visit, groups: Groups) -> documents.Way | None:
    """The way to report an incident of the services that were just said to be out."""
    changed = {pair.rpartition(":")[0] for pair in request.args.getlist("was")}
    out = [
        service.slug
        for service in _services(groups)
        if service.slug in changed and service.status in OUTAGES
    ]
    if not out or visit.notice is None or not visit.may(Right.TELL):
        return None
    return documents.Way(visit.to("incident_new", components=out), "Open an incident?")


def _services(groups: Groups) -> Iterator[documents.ServiceRow]:
    return (service for _, services in groups for service in services)


def _groups(visit: Visit, now: datetime) -> Groups:
    rows = visit.session.scalars(stored.of_page(visit.page.id)).all()
    said = stored.said_of(visit.session, [row.id for row in rows])
    seen = seen_statuses.of(visit.session, visit.page.id, rows, now)
    found: dict[str | None, list[documents.ServiceRow]] = {}
    for row in rows:
        name = row.group.name if row.group else None
        found.setdefault(name, []).append(_row(row, said[row.id], seen[row.id]))
    return list(found.items())


def _row(row: Component, said: Sequence[Condition], seen: ComponentStatus) -> documents.ServiceRow:
    source = conditions.showing(said)
    word = next((one for one in said if one.source is Source.MANUAL), None)
    by = f", by {source.actor}" if source and source.actor else ""
    return documents.ServiceRow(
        slug=row.slug,
        name=row.name,
        status=row.status,
        seen=seen,
        source=f"{SOURCES[source.source]}{by}" if source else "Nobody says otherwise",
        since=source.since if source else None,
        until=source.until if source else None,
        is_manual=word is not None,
        note=word.note if word else "",
        mark=status_changes.mark(word),
    )
