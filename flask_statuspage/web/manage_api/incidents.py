"""``incidents``, with ``updates`` and ``resolve``"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from ...domain.facts import plain
from ...domain.incident import IncidentStatus
from ...domain.roles import Role
from ...domain.status import Impact
from ...errors import Invalid, NotFound
from ...services import addresses, facts, incidents
from ...storage import incidents as stored
from ...storage.incidents import Incident
from .door import Call, Door
from .fields import Affected, Body, Instant, Prose, Text, Title, Visibility


class NewIncident(Body):
    page: Text | None = None
    title: Title
    body: Prose = ""
    status: IncidentStatus = IncidentStatus.INVESTIGATING
    impact: Impact | None = None
    components: Affected = Field(default_factory=list)
    started_at: Instant | None = None
    visibility: Visibility = "published"
    notify: bool = True


class NewUpdate(Body):
    status: IncidentStatus | None = None
    body: Prose = ""
    components: Affected | None = None
    impact: Impact | None = None
    notify: bool = True


class IncidentChange(Body):
    title: Title | None = None
    impact: Impact | None = None
    components: Affected | None = None
    visibility: Visibility = "published"
    notify: bool = True


class Resolution(Body):
    body: Prose = ""
    notify: bool = True


def add_routes(door: Door) -> None:
    door.route("GET", "/incidents", index, role=Role.VIEWER)
    door.route("POST", "/incidents", create, role=Role.EDITOR, body=NewIncident, status=201)
    door.route("GET", "/incidents/<ident>", show, role=Role.VIEWER)
    door.route("PATCH", "/incidents/<ident>", change, role=Role.EDITOR, body=IncidentChange)
    door.route(
        "POST", "/incidents/<ident>/updates", update, role=Role.EDITOR, body=NewUpdate, status=201
    )
    door.route("POST", "/incidents/<ident>/resolve", resolve, role=Role.EDITOR, body=Resolution)


def described(call: Call, incident: Incident) -> dict[str, Any]:
    return {
        **plain(facts.incident(incident)),
        "visibility": incident.visibility,
        "url": addresses.incident_url(call.page, incident.id),
    }


def index(call: Call) -> dict[str, Any]:
    return call.listed(stored.of_page(call.page.id), lambda row: described(call, row))


def create(call: Call) -> dict[str, Any]:
    values = call.values()
    affected = values.pop("components", [])
    incident = incidents.open(
        call.session, call.page, **values, affected=affected, actor=call.actor
    )
    return described(call, incident)


def show(call: Call, ident: str) -> dict[str, Any]:
    return described(call, incidents.get(call.session, call.page, _uuid(ident)))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Title and impact are mended in place; other components are an update."""
    values = call.values()
    if "components" in values:
        if "visibility" in values:
            raise Invalid.field("visibility", "Publish it first, then change its components.")
        return _updated(call, ident)
    if not call.values("notify"):
        return show(call, ident)  # nothing was sent, so there is nothing to tell
    incident = incidents.edit(call.session, call.page, _uuid(ident), **values, actor=call.actor)
    return described(call, incident)


def update(call: Call, ident: str) -> dict[str, Any]:
    return _updated(call, ident)


def resolve(call: Call, ident: str) -> dict[str, Any]:
    incident = incidents.resolve(
        call.session, call.page, _uuid(ident), **call.values(), actor=call.actor
    )
    return described(call, incident)


def _updated(call: Call, ident: str) -> dict[str, Any]:
    values = call.values()
    affected = values.pop("components", None)
    incident = incidents.update(
        call.session, call.page, _uuid(ident), **values, affected=affected, actor=call.actor
    )
    return described(call, incident)


def _uuid(ident: str) -> UUID:
    try:
        return UUID(ident)
    except ValueError:
        raise NotFound("incident", ident) from None
