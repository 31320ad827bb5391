"""One incident: its page, its next update and the steps that end it or begin it anew."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ...documents.console import incident as documents
from ...documents.console.incident import Ending, IncidentView, Line
from ...documents.words import STATUSES
from ...domain.rights import Right
from ...domain.status import ComponentStatus, Source
from ...errors import Problems
from ...services import affected_components, facts, incident_sight, incidents
from ...services.incident_sight import mark
from ...services.marks import number_in
from ...storage.components import Component
from ...storage.incidents import Incident
from ...storage.monitors import Monitor
from ...storage.session import database_now
from ..idents import uuid_of
from ..manage_api.fields import Body
from ..manage_api.incidents import NewIncidentUpdate, Reopening, Resolution
from . import reading, telling
from .desk import Desk
from .visit import Done, Visit

NOTICES = {
    "posted": "The update is posted.",
    "resolve": "The incident is resolved.",
    "reopen": "The incident is open again.",
    "postmortem": "The postmortem is published.",
}

EVENTS = {
    "update": "incident.updated",
    "resolve": "incident.resolved",
    "reopen": "incident.updated",
    "postmortem": "incident.postmortem",
}
"""What subscribers get of each step."""

BODIES: Mapping[str, type[Body]] = {
    "update": NewIncidentUpdate,
    "resolve": Resolution,
    "reopen": Reopening,
    "postmortem": Resolution,
}

DRAFT = "It is a draft, which only members see."


def add_routes(desk: Desk) -> None:
    desk.notices |= NOTICES
    one = "/incidents/<incident_id>"
    desk.page(one, "incident", show, right=Right.SEE)
    desk.form(f"{one}/update", "incident_update", show, update, right=Right.TELL)
    for step in ("resolve", "reopen", "postmortem"):
        desk.form(
            f"{one}/{step}",
            f"incident_{step}",
            partial(show_step, step=step),
            partial(take, step=step),
            right=Right.TELL,
        )


def get(visit: Visit, incident_id: str) -> Incident:
    """:raises NotFound: unless the status page has that incident."""
    return incidents.get(visit.session, visit.page, uuid_of(incident_id, "incident"))


def seen(visit: Visit) -> str:
    """The mark of what was shown, as the form brings it back."""
    return visit.sent.get("seen", "")


def view(visit: Visit, incident: Incident) -> IncidentView:
    """The incident as it is now, with what was changed since the form that was sent was shown."""
    present = mark(incident)
    was = None if visit.typed is None else seen(visit)
    has_changed = was is not None and was != present
    monitor = visit.session.get(Monitor, incident.monitor_id) if incident.monitor_id else None
    rows = sorted(incident.updates, key=lambda row: row.number, reverse=True)
    return IncidentView(
        fact=facts.incident(incident),
        lines=[
            Line(
                update=facts.update(row),
                by=row.actor,
                is_new=has_changed and row.number > number_in(was or ""),
            )
            for row in rows
        ],
        mark=present,
        is_draft=incident.visibility == "draft",
        monitor=monitor.name if monitor else None,
        has_changed=has_changed,
    )


def show(visit: Visit, incident_id: str) -> str:
    incident = get(visit, incident_id)
    can_go_on = incident.status.is_open and visit.may(Right.TELL)
    due, said = incident.next_update_due, _said(incident)
    if due is not None and due <= database_now(visit.session):
        due = None
    services = telling.services(visit, said, are_listed=True) if can_go_on else ()
    shown = view(visit, incident)
    if shown.has_changed:
        now = {f"components.{slug}": status.value for slug, status in said.items()}
        now["next_update_due"] = telling.minute(due, telling.zone(visit))
        telling.follow(visit, {**now, "status": incident.status.value})
    return documents.incident(
        visit.room("incidents"),
        shown,
        services=services,
        due=due,
        preview=visit.found,
    )


def update(visit: Visit, incident_id: str) -> Done | None:
    return take(visit, incident_id, step="update")


def show_step(visit: Visit, incident_id: str, *, step: str) -> str:
    incident = get(visit, incident_id)
    services: Any = ()
    if step == "reopen":
        services = telling.services(visit, _when_open(incident), are_listed=True)
    return documents.step(
        visit.room("incidents"),
        view(visit, incident),
        step,
        services=services,
        ending=_ending(visit, incident) if step == "resolve" else None,
        preview=visit.found,
    )


def take(visit: Visit, incident_id: str, *, step: str) -> Done | None:
    typed = visit.sent
    incident = get(visit, incident_id)
    values = _read(visit, incident, step)
    options: dict[str, Any] = {
        "seen": seen(visit),
        "actor": visit.actor,
        "notify": values.pop("notify"),
    }
    if step == "resolve":
        body, freed = values["body"], "freed" in typed
        incident = incident_sight.resolve(
            visit.session, visit.page, incident.id, body=body, freed=freed, **options
        )
    else:
        incident = incident_sight.take(
            visit.session, visit.page, incident.id, step, values, **options
        )
    if "preview" in typed:
        silence = "" if options["notify"] else telling.NOT_TICKED
        if incident.visibility == "draft":
            silence = DRAFT
        visit.found = telling.preview(visit, incident, EVENTS[step], silence)
        return None
    return Done("incident", "posted" if step == "update" else step, {"incident_id": incident_id})


def _read(visit: Visit, incident: Incident, step: str) -> dict[str, Any]:
    """What was typed, as the step's service takes it, with ``notify``."""
    typed, problems = visit.sent, Problems()
    values: dict[str, Any] = {"body": reading.words(typed, "body").rstrip()}
    values["notify"] = "notify" in typed
    dropped: list[str] = []
    if step in ("update", "reopen"):
        values |= reading.some(typed, "status")
        shown = _when_open(incident) if step == "reopen" else _said(incident)
        with problems.gathered():
            due = telling.instant(
                typed, "next_update_due", telling.zone(visit), incident.next_update_due
            )
            if due is not None:
                values["next_update_due"] = due
        with problems.gathered():
            said = telling.affected(typed)
            # What stays as it is may be a monitor's word, which the incident need not take over.
            changed = {slug: status for slug, status in said.items() if shown.get(slug) != status}
            if changed:
                values["components"] = changed
        dropped = telling.dropped(typed, list(shown))
    with problems.gathered():
        values = reading.checked(BODIES[step], values)
    problems.tell()
    if "components" in values:
        values["affected"] = values.pop("components")
    if dropped:
        values["dropped"] = dropped
    return values


def _said(incident: Incident) -> dict[str, ComponentStatus]:
    return {item.component.slug: item.status for item in incident.affected}


def _when_open(incident: Incident) -> dict[str, ComponentStatus]:
    """What was said of each service before the end."""
    said = affected_components.when_open(incident)
    return {
        item.component.slug: said.get(item.component_id, item.status) for item in incident.affected
    }


def _ending(visit: Visit, incident: Incident) -> Ending:
    others = {Source.MONITOR, Source.MAINTENANCE, Source.INCIDENT}
    return Ending(
        by_hand=_named(incident_sight.said_by_hand(visit.session, incident)),
        by_others=_named(incident_sight.others_say(visit.session, incident, others)),
    )


def _named(said: Mapping[Component, ComponentStatus]) -> dict[str, str]:
    return {component.name: STATUSES[status].word for component, status in said.items()}
