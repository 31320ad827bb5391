"""``incidents``, with ``updates``, ``resolve``, ``reopen`` and ``postmortem``"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import Field

from ...domain.facts import IncidentFact
from ...domain.incident import OPEN, IncidentStatus
from ...domain.roles import Role
from ...domain.status import Impact
from ...errors import Invalid
from ...services import addresses, facts, incident_edits, incident_steps, incidents
from ...storage import incidents as stored
from ...storage.incidents import Incident
from ...storage.monitors import Monitor, slugs_of
from ..idents import uuid_of
from .answering import told
from .door import Call, Door
from .fields import Affected, Body, Change, Instant, Prose, Text, Title, Visibility
from .reading import asked, choice
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


class NewIncidentUpdate(Body):
    status: IncidentStatus | None = None
    body: Prose = ""
    components: Affected | None = None
    impact: Impact | None = None
    next_update_due: Instant | None = None
    notify: bool = True


class IncidentChange(Change):
    """What is not sent stays; ``notify`` is yes for what readers hear of as news, else no."""

    title: Title = ""
    impact: Impact | None = None
    components: Affected | None = None
    monitor: Text | None = None
    next_update_due: Instant | None = None
    visibility: Visibility = "published"
    notify: bool = True


class IncidentUpdateChange(Change):
    """Nobody is told of a mended text unless ``notify`` asks for it."""

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


@dataclass(frozen=True, kw_only=True)
class IncidentAnswer(IncidentFact):
    """An incident with all its updates, newest first; its ``components`` carry the status of the latest one.

    :param next_update_due: when readers were promised news by.
    :param monitor: the slug of the monitor that watches what is wrong, or None.
    :param url: where people read it; without the secret part for keys that may not know the page's link.
    """

    visibility: Visibility
    monitor: str | None
    url: str


STATUS = choice(
    "status",
    ("open", *IncidentStatus),
    "Only those with this status; `open`: those that are not over.",
)
VISIBILITY = choice(
    "visibility", incident_steps.VISIBILITIES, "Only drafts, or only what is published."
)


def add_routes(door: Door) -> None:
    every, one = "/incidents", "/incidents/<ident>"
    read = partial(door.route, role=Role.VIEWER, answer=IncidentAnswer)
    write = partial(door.route, role=Role.EDITOR, answer=IncidentAnswer)
    read("GET", every, index, paged=True, parameters=(STATUS, VISIBILITY))
    write("POST", every, create, body=NewIncident, status=201)
    read("GET", one, show)
    write("PATCH", one, change, body=IncidentChange)
    write("DELETE", one, remove, answer=None)
    write("POST", f"{one}/updates", update, body=NewIncidentUpdate, status=201)
    written = f"{one}/updates/<update_ident>"
    write("PATCH", written, change_update, body=IncidentUpdateChange)
    write("DELETE", written, remove_update, answer=None)
    write("POST", f"{one}/resolve", resolve, body=Resolution, bare=True)
    write("POST", f"{one}/reopen", reopen, body=Reopening, bare=True)
    write("POST", f"{one}/postmortem", postmortem, body=Resolution)


def described(call: Call, incident: Incident) -> dict[str, Any]:
    monitor = call.session.get(Monitor, incident.monitor_id) if incident.monitor_id else None
    return _described(call, incident, monitor.slug if monitor else None)


def _described(call: Call, incident: Incident, monitor_slug: str | None) -> dict[str, Any]:
    return told(
        IncidentAnswer,
        facts.incident(incident),
        visibility=incident.visibility,
        monitor=monitor_slug,
        url=addresses.incident_url(call.page, incident.id, known=not call.may_know_links),
    )


def index(call: Call) -> dict[str, Any]:
    """List incidents, newest first."""
    query = stored.of_page(call.page.id)
    if chosen := asked(STATUS):
        statuses = OPEN if chosen == "open" else {IncidentStatus(chosen)}
        query = query.where(Incident.status.in_(list(statuses)))
    if visibility := asked(VISIBILITY):
        query = query.where(Incident.visibility == visibility)
    # In one query, not one for each incident.
    slugs = slugs_of(call.session, call.page.id)

    def describe(incident: Incident) -> dict[str, Any]:
        slug = slugs.get(incident.monitor_id) if incident.monitor_id else None
        return _described(call, incident, slug)

    return call.listed(query, describe)


def create(call: Call) -> dict[str, Any]:
    """Open an incident, or tell one that is over."""
    values = filled(call, "incident")
    affected = values.pop("components", [])
    incident = incidents.open(
        call.session, call.page, **values, affected=affected, actor=call.actor
    )
    return described(call, incident)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read an incident."""
    return described(call, incidents.get(call.session, call.page, uuid_of(ident, "incident")))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Mend an incident in place; what is not sent stays.

    Other components are an update.
    """
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
    """Delete an incident as if it had never been told."""
    incident_edits.remove(call.session, call.page, uuid_of(ident, "incident"), actor=call.actor)


def update(call: Call, ident: str) -> dict[str, Any]:
    """Write an update on an incident."""
    return _updated(call, ident)


def change_update(call: Call, ident: str, update_ident: str) -> dict[str, Any]:
    """Mend an update of an incident; what is not sent stays."""
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
    """Take an update of an incident back."""
    which = uuid_of(ident, "incident"), uuid_of(update_ident, "update")
    incident_edits.remove_update(call.session, call.page, *which, actor=call.actor)


def resolve(call: Call, ident: str) -> dict[str, Any]:
    """Say that an incident is over."""
    incident = incidents.resolve(
        call.session, call.page, uuid_of(ident, "incident"), **call.values(), actor=call.actor
    )
    return described(call, incident)


def reopen(call: Call, ident: str) -> dict[str, Any]:
    """Say that an incident that was resolved goes on."""
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
    """Write what was learnt from an incident that is over."""
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
