"""The pages "Incidents" and "Report an incident". What is done with one incident: :mod:`.incident`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import request

from ...documents.console import incidents as documents
from ...documents.console.incidents import Asked, IncidentRow
from ...documents.console.loading import Loaded
from ...domain.incident import IncidentStatus
from ...domain.rights import Right
from ...domain.status import ComponentStatus
from ...errors import Problems
from ...services import incidents
from ...storage import components as stored_components
from ...storage import incident_list
from ...storage.incidents import Incident
from ..manage_api.incidents import NewIncident
from . import lists, loading, reading, telling
from .desk import Desk
from .visit import Done, Visit

NOTICES = {
    "published": "The incident is published.",
    "draft": "The draft is saved. Only members see it.",
    "deleted": "The incident is deleted.",
}

BACKDATED = "A start is given, so it is told as something of the past."


def add_routes(desk: Desk) -> None:
    desk.area("incidents", "Incidents", Right.SEE, NOTICES)
    desk.page("/incidents", "incidents", index, right=Right.SEE)
    desk.form("/incidents/new", "incident_new", show_report, report, right=Right.TELL)


def index(visit: Visit) -> str:
    asked = _asked()
    query = incident_list.of_page(
        visit.page.id,
        state=asked.state if asked.state in incident_list.STATES else None,
        component_slug=asked.component,
        text=asked.text,
    )
    looked_for = {"state": asked.state, "component": asked.component, "q": asked.text}
    rows, pager = lists.listed(visit, query, "incidents", **looked_for)
    return documents.incidents(
        visit.room("incidents"),
        rows=[_row(incident) for incident in rows],
        asked=asked,
        services=telling.names(visit),
        pager=pager,
    )


def show_report(visit: Visit) -> str:
    filled = loading.loaded(visit, "incident") if visit.typed is None else Loaded()
    affected = {**filled.affected, **_asked_for(visit)}
    return documents.report(
        visit.room("incidents"),
        templates=loading.choice(visit, "incident"),
        loaded=replace(filled, state=filled.state or IncidentStatus.INVESTIGATING.value),
        services=telling.services(visit, affected),
        asked=list(_asked_for(visit)),
        ident=telling.new_ident(visit),
        preview=visit.found,
    )


def _asked_for(visit: Visit) -> dict[str, ComponentStatus]:
    """The services that ``?components=`` names, each with how it is; one that works is taken to be down in part."""
    wanted = set(request.args.getlist("components"))
    if not wanted:
        return {}
    return {
        row.slug: ComponentStatus.PARTIAL_OUTAGE if row.status.is_calm else row.status
        for row in visit.session.scalars(stored_components.of_page(visit.page.id))
        if row.slug in wanted
    }


def report(visit: Visit) -> Done | None:
    typed = visit.sent
    values = _read(visit)
    affected = values.pop("components")
    incident = incidents.open(
        visit.session,
        visit.page,
        **values,
        affected=affected,
        ident=telling.ident_in(typed),
        actor=visit.actor,
    )
    if "preview" in typed:
        silence = BACKDATED if "started_at" in values else ""
        if not values["notify"]:
            silence = telling.NOT_TICKED
        visit.found = telling.preview(visit, incident, "incident.created", silence)
        return None
    return Done("incident", values["visibility"], {"incident_id": incident.id})


def _read(visit: Visit) -> dict[str, Any]:
    typed, problems = visit.sent, Problems()
    values: dict[str, Any] = {
        **reading.some(typed, "title", "status", "impact"),
        "body": reading.words(typed, "body").rstrip(),
        "visibility": "draft" if "draft" in typed else "published",
        "notify": "notify" in typed,
    }
    for name in ("started_at", "resolved_at", "next_update_due"):
        with problems.gathered():
            if (instant := telling.instant(typed, name, telling.zone(visit))) is not None:
                values[name] = instant
    with problems.gathered():
        values["components"] = telling.affected(typed)
    with problems.gathered():
        values = reading.checked(NewIncident, values)
    problems.tell()
    return values


def _asked() -> Asked:
    state = request.args.get("state", "")
    return Asked(
        state=state if state in dict(documents.STATES) else Asked.state,
        component=lists.asked("component"),
        text=lists.asked("q"),
    )


def _row(incident: Incident) -> IncidentRow:
    return IncidentRow(
        id=incident.id,
        title=incident.title,
        state=incident.status,
        impact=incident.impact,
        is_draft=incident.visibility == "draft",
        services=[item.component.name for item in incident.affected],
        started_at=incident.started_at,
        updated_at=incident.updated_at,
    )
