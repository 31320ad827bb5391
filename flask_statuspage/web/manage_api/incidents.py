"""``incidents``, with ``updates``, ``resolve``, ``reopen`` and ``postmortem``"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import Field

from ...domain.facts import IncidentFact
from ...domain.incident import OPEN, IncidentStatus
from ...domain.rights import Right
from ...domain.status import Impact
from ...errors import Invalid
from ...services import addresses, facts, incident_edits, incident_steps, incidents
from ...storage import lists
from ...storage.incidents import Incident
from ...storage.monitors import Monitor, slugs_of
from ..idents import uuid_of
from .answering import told
from .call import COMPONENT, Call
from .door import Door
from .fields import Affected, Body, Change, Flag, Instant, Prose, Text, Title, Visibility
from .reading import asked, choice, instant, sought
from .templates import Templated, filled
from .things import Thing


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
    notify: Flag = True


class NewIncidentUpdate(Body):
    status: IncidentStatus | None = None
    body: Prose = ""
    components: Affected | None = None
    impact: Impact | None = None
    next_update_due: Instant | None = None
    notify: Flag = True


class IncidentChange(Change):
    """What is not sent stays; ``notify`` is yes for what readers hear of as news, else no."""

    title: Title = ""
    impact: Impact | None = None
    components: Affected | None = None
    monitor: Text | None = None
    next_update_due: Instant | None = None
    visibility: Visibility = "published"
    notify: Flag = True


class IncidentUpdateChange(Change):
    """Nobody is told of a mended text unless ``notify`` asks for it."""

    body: Prose = ""
    created_at: Instant | None = None
    notify: Flag = False


class Resolution(Body):
    body: Prose = ""
    notify: Flag = True


class Reopening(Body):
    status: IncidentStatus = IncidentStatus.INVESTIGATING
    body: Prose = ""
    components: Affected | None = None
    impact: Impact | None = None
    next_update_due: Instant | None = None
    notify: Flag = True


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
IMPACT = choice("impact", tuple(Impact), "Only those with this impact.")
SINCE = instant("since", "Only those that began at this time or later.")
UNTIL = instant("until", "Only those that began before this time.")
SEARCH = sought("search", "Only those with this text in the title.")
FILTERS = (STATUS, VISIBILITY, IMPACT, COMPONENT, SINCE, UNTIL, SEARCH)


def add_routes(door: Door) -> None:
    every, one = "/incidents", "/incidents/<ident>"
    door.thing("incidents", Thing((IncidentAnswer,), show, _hold))
    read = partial(door.route, right=Right.SEE, answer=IncidentAnswer)
    write = partial(door.route, right=Right.TELL, answer=IncidentAnswer)
    read("GET", every, index, paged=True, parameters=FILTERS)
    write("POST", every, create, body=NewIncident, status=201, rest=look_at)
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
    chosen, impact = asked(STATUS), asked(IMPACT)
    statuses = OPEN if chosen == "open" else {IncidentStatus(chosen)} if chosen else None
    query = lists.incidents(
        call.page.id,
        statuses=statuses,
        visibility=asked(VISIBILITY),
        impact=Impact(impact) if impact else None,
        component_id=call.component_sought(),
        since=asked(SINCE),
        until=asked(UNTIL),
        search=asked(SEARCH),
    )
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


def look_at(call: Call) -> None:
    """:raises Invalid: naming what is wrong with the fields that there are."""
    values = call.values("template", "values")
    values["affected"] = values.pop("components", [])
    incident_steps.check_new(call.session, call.page, values, partly=True)


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


def _hold(call: Call, ident: str) -> None:
    if (monitor := getattr(call.body, "monitor", None)) is not None:
        incident_steps.watched(call.session, call.page, monitor)  # before the page, as everywhere
    incident_steps.held(call.session, call.page, uuid_of(ident, "incident"))
