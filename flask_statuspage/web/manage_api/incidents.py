"""``incidents``, with ``updates``, ``resolve``, ``reopen`` and ``postmortem``"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ...domain.facts import plain
from ...domain.incident import OPEN, IncidentStatus
from ...domain.roles import Role
from ...domain.status import Impact
from ...errors import Invalid
from ...services import addresses, facts, incident_edits, incident_steps, incidents
from ...storage import incidents as stored
from ...storage.incidents import Incident
from ...storage.monitors import Monitor, slugs_of
from .door import Call, Door
from .fields import Affected, Body, Instant, Prose, Text, Title, Visibility
from .reading import choice, uuid_of
from .templates import Templated, filled


class NewIncident(Templated):
    page: Text | None = None
    body: Prose = ""
    status: IncidentStatus = IncidentStatus.INVESTIGATING
    impact: Impact | None = None
    components: Affected = Field(default_factory=list)
    monitor: Text | None = None
    started_at: Instant | None = None
    resolved_at: Instant | None = None
    next_update_due: Instant | None = None
    visibility: Visibility = "published"
    notify: bool = True


class NewUpdate(Body):
    status: IncidentStatus | None = None
    body: Prose = ""
    components: Affected | None = None
    impact: Impact | None = None
    next_update_due: Instant | None = None
    notify: bool = True


class IncidentChange(Body):
    """What is not sent stays; ``notify`` is yes for what readers hear of as news, else no."""

    title: Title = ""
    impact: Impact | None = None
    components: Affected | None = None
    monitor: Text | None = None
    next_update_due: Instant | None = None
    visibility: Visibility = "published"
    notify: bool = True


class UpdateChange(Body):
    body: Prose = ""
    created_at: Instant | None = None
    notify: bool = False


class Resolution(Body):
    body: Prose = ""
    notify: bool = True


class Reopening(Body):
    status: IncidentStatus = IncidentStatus.INVESTIGATING
    body: Prose = ""
    components: Affected | None = None
    impact: Impact | None = None
    next_update_due: Instant | None = None
    notify: bool = True


def add_routes(door: Door) -> None:
    door.route("GET", "/incidents", index, role=Role.VIEWER)
    door.route("POST", "/incidents", create, role=Role.EDITOR, body=NewIncident, status=201)
    one = "/incidents/<ident>"
    door.route("GET", one, show, role=Role.VIEWER)
    door.route("PATCH", one, change, role=Role.EDITOR, body=IncidentChange)
    door.route("DELETE", one, remove, role=Role.EDITOR)
    door.route("POST", f"{one}/updates", update, role=Role.EDITOR, body=NewUpdate, status=201)
    written = f"{one}/updates/<update_ident>"
    door.route("PATCH", written, change_update, role=Role.EDITOR, body=UpdateChange)
    door.route("DELETE", written, remove_update, role=Role.EDITOR)
    door.route("POST", f"{one}/resolve", resolve, role=Role.EDITOR, body=Resolution, bare=True)
    door.route("POST", f"{one}/reopen", reopen, role=Role.EDITOR, body=Reopening, bare=True)
    door.route("POST", f"{one}/postmortem", postmortem, role=Role.EDITOR, body=Resolution)


def described(call: Call, incident: Incident) -> dict[str, Any]:
    monitor = call.session.get(Monitor, incident.monitor_id) if incident.monitor_id else None
    return _described(call, incident, monitor.slug if monitor else None)


def _described(call: Call, incident: Incident, monitor_slug: str | None) -> dict[str, Any]:
    return {
        **plain(facts.incident(incident)),
        "visibility": incident.visibility,
        "monitor": monitor_slug,
        "url": addresses.incident_url(call.page, incident.id, known=not call.may_know_links),
    }


def index(call: Call) -> dict[str, Any]:
    """Newest first; ``?status=`` (a status, or ``open``) and ``?visibility=`` choose among them."""
    query = stored.of_page(call.page.id)
    if chosen := choice("status", ("open", *IncidentStatus)):
        statuses = OPEN if chosen == "open" else {IncidentStatus(chosen)}
        query = query.where(Incident.status.in_(list(statuses)))
    if visibility := choice("visibility", incident_steps.VISIBILITIES):
        query = query.where(Incident.visibility == visibility)
    # In one query, not one for each incident.
    slugs = slugs_of(call.session, call.page.id)

    def describe(incident: Incident) -> dict[str, Any]:
        slug = slugs.get(incident.monitor_id) if incident.monitor_id else None
        return _described(call, incident, slug)

    return call.listed(query, describe)


def create(call: Call) -> dict[str, Any]:
    values = filled(call, "incident")
    affected = values.pop("components", [])
    incident = incidents.open(
        call.session, call.page, **values, affected=affected, actor=call.actor
    )
    return described(call, incident)


def show(call: Call, ident: str) -> dict[str, Any]:
    return described(call, incidents.get(call.session, call.page, uuid_of(ident, "incident")))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Mended in place; other components are an update."""
    values = call.values("notify")
    if "components" in values:
        for name in ("visibility", "monitor", "impact"):
            if name in values and (name != "impact" or values[name] is None):
                raise Invalid.field(name, "Change it first, then the components.")
        return _updated(call, ident)
    notify = call.values().get("notify")
    incident = incident_edits.edit(
        call.session, call.page, uuid_of(ident, "incident"), values, actor=call.actor, notify=notify
    )
    return described(call, incident)


def remove(call: Call, ident: str) -> None:
    incident_edits.remove(call.session, call.page, uuid_of(ident, "incident"), actor=call.actor)


def update(call: Call, ident: str) -> dict[str, Any]:
    return _updated(call, ident)


def change_update(call: Call, ident: str, update_ident: str) -> dict[str, Any]:
    incident = incident_edits.edit_update(
        call.session,
        call.page,
        uuid_of(ident, "incident"),
        uuid_of(update_ident, "update"),
        call.values("notify"),
        actor=call.actor,
        notify=call.body.notify,
    )
    return described(call, incident)


def remove_update(call: Call, ident: str, update_ident: str) -> None:
    which = uuid_of(ident, "incident"), uuid_of(update_ident, "update")
    incident_edits.remove_update(call.session, call.page, *which, actor=call.actor)


def resolve(call: Call, ident: str) -> dict[str, Any]:
    incident = incidents.resolve(
        call.session, call.page, uuid_of(ident, "incident"), **call.values(), actor=call.actor
    )
    return described(call, incident)


def reopen(call: Call, ident: str) -> dict[str, Any]:
    values = call.values()
    affected = values.pop("components", None)
    incident = incidents.reopen(
        call.session,
        call.page,
        uuid_of(ident, "incident"),
        **values,
        affected=affected,
        actor=call.actor,
    )
    return described(call, incident)


def postmortem(call: Call, ident: str) -> dict[str, Any]:
    values = {"body": "", **call.values()}
    incident = incidents.postmortem(
        call.session, call.page, uuid_of(ident, "incident"), **values, actor=call.actor
    )
    return described(call, incident)


def _updated(call: Call, ident: str) -> dict[str, Any]:
    values = call.values()
    affected = values.pop("components", None)
    incident = incidents.update(
        call.session,
        call.page,
        uuid_of(ident, "incident"),
        **values,
        affected=affected,
        actor=call.actor,
    )
    return described(call, incident)
