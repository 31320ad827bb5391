"""What all steps of an incident share: the row as it is now, checked words, the written update, the event."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.incident import IncidentStatus, event_name
from ..domain.status import ComponentStatus, Impact
from ..errors import Conflict, Invalid, NotFound, Problems
from ..storage import incidents as stored
from ..storage import monitors as stored_monitors
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component
from ..storage.incidents import Incident, IncidentUpdate
from ..storage.monitors import Monitor
from ..storage.pages import Page
from . import addresses, affected_components, audit, components, events, facts, page_changes, texts

VISIBILITIES = ("published", "draft")


def held(session: Session, page: Page, incident_id: UUID) -> Incident:
    """The incident as it is now; nobody else writes to its page until the transaction ends.

    The page's version stays: whoever finds something to change touches the page.

    :raises NotFound: unless *page* has this incident.
    """
    pages.hold(session, page.id)
    incident = stored.locked(session, incident_id)
    if incident is None or incident.page_id != page.id:
        raise NotFound("incident", incident_id)
    page_changes.watch(session, page)
    return incident


def watched(session: Session, page: Page, ident: str) -> Monitor:
    """The monitor with that slug or id, held. Monitors are locked before pages, so call this first.

    :raises Invalid: naming ``monitor`` when there is none.
    """
    monitor = stored_monitors.find_locked(session, page.id, ident)
    if monitor is None:
        raise Invalid.field("monitor", f"There is no monitor {ident!r} on this page.")
    return monitor


def asked_twice(
    page: Page, opened: Incident, *, title: str, body: str, visibility: str
) -> Incident:
    """The incident that the same form *opened* before, if this is what the form said then.

    :raises Conflict: when it says something else by now, or the id is one of another page.
    """
    first = min(opened.updates, key=lambda update: update.number)
    said = (page.id, title, body, visibility)
    if said == (opened.page_id, opened.title, first.body, opened.visibility):
        return opened
    if opened.page_id != page.id:
        raise Conflict("This form cannot be sent again. Load it anew.")
    raise Conflict(
        f"This form has opened the incident {opened.title!r} already, and it says something else now. Nothing more was "
        "saved. Write an update there; or press the button once more, and a second incident is opened."
    )


def refuse_second(session: Session, incident: Incident, monitor_id: UUID | None) -> None:
    """:raises Conflict: when another open incident tells of the monitor already."""
    other = stored.open_of_monitor(session, monitor_id) if monitor_id is not None else None
    if other is not None and other.id != incident.id:
        raise Conflict(
            f"The open incident {other.title!r} ({other.id}) tells of this monitor already."
        )


def check(
    *, title: str | None = None, body: str | None = None, visibility: str | None = None
) -> None:
    """:raises Invalid: naming every field that cannot be kept."""
    problems = Problems()
    with problems.gathered():
        texts.check(title=title, body=body)
    with problems.gathered():
        if visibility is not None and visibility not in VISIBILITIES:
            raise Invalid.field("visibility", f"Must be one of {', '.join(VISIBILITIES)}.")
    problems.tell()


def check_new(
    session: Session, page: Page, values: Mapping[str, Any], *, partly: bool = False
) -> Monitor | None:
    """Look at what a new incident is made of, and hold the monitor that it names.

    :param values: arguments of :func:`.incidents.open`; what is not there is not looked at.
    :param partly: something else is known to be wrong. Then its components are looked up, too, which otherwise
        whoever opens it does under the lock of the page.
    :raises Invalid: naming every field that is wrong.
    """
    problems = Problems()
    status = values.get("status", IncidentStatus.INVESTIGATING)
    texts_of = {name: values.get(name) for name in ("title", "body", "visibility")}
    with problems.gathered():
        check(**texts_of)
    with problems.gathered():
        if status is IncidentStatus.POSTMORTEM:
            raise Invalid.field("status", "An incident cannot begin with its postmortem.")
    with problems.gathered():
        started_at = values.get("started_at") or utc_now()
        check_times(started_at, values.get("resolved_at"), status)
    with problems.gathered():
        check_due(values.get("next_update_due"), status)
    monitor = values.get("monitor")
    if isinstance(monitor, str):
        with problems.gathered():
            monitor = watched(session, page, monitor)
    if partly or problems.found:
        with problems.gathered():
            components.by_ident(session, page, list(values.get("affected") or ()))
    problems.tell()
    return monitor


def check_past(field: str, when: datetime | None) -> None:
    """:raises Invalid: naming *field* unless *when* is an aware time that has come."""
    if when is not None and when.tzinfo is None:
        raise Invalid.field(field, "Must have a time zone.")
    if when is not None and when > utc_now():
        raise Invalid.field(field, "Must not lie in the future.")


def check_due(due: datetime | None, status: IncidentStatus) -> None:
    """:raises Invalid: naming ``next_update_due`` unless readers of an open incident can be promised that time."""
    if due is None:
        return
    if due.tzinfo is None:
        raise Invalid.field("next_update_due", "Must have a time zone.")
    if due <= utc_now():
        raise Invalid.field("next_update_due", "Must lie in the future.")
    if not status.is_open:
        raise Invalid.field("next_update_due", "An incident that is over promises no update.")


def check_times(started_at: datetime, resolved_at: datetime | None, status: IncidentStatus) -> None:
    """:raises Invalid: naming the field unless an incident that is *status* can have had that beginning and end."""
    problems = Problems()
    for field, when in (("started_at", started_at), ("resolved_at", resolved_at)):
        with problems.gathered():
            check_past(field, when)
    problems.tell()
    if resolved_at is not None and status is not IncidentStatus.RESOLVED:
        raise Invalid.field("resolved_at", "Only an incident that is resolved has an end.")
    if resolved_at is not None and resolved_at < started_at:
        raise Invalid.field("resolved_at", "Must not lie before the start.")


def go_on(
    session: Session,
    page: Page,
    incident: Incident,
    status: IncidentStatus,
    chosen: Mapping[Component, ComponentStatus],
    *,
    named: Collection[Component],
    values: Mapping[str, Any],
    action: str,
    body: str,
    actor: str | None,
    notify: bool,
) -> None:
    """Take *incident* one step further, in the order in which it is told.

    :param named: of *chosen*, those that the incident is to speak of from now on, as of those that it does already.
    :param values: ``title impact next_update_due``; None: not said.
    """
    now = utc_now()
    pages.touch(session, page.id, now)
    was, kept = incident.status, state(incident)
    before = {item.component: item.status for item in incident.affected}
    incident.status, incident.updated_at = status, now
    if status.is_open and not was.is_open:
        incident.resolved_at = incident.monitoring_at = None
    if status is IncidentStatus.MONITORING and incident.monitoring_at is None:
        incident.monitoring_at = now
    if was.is_open and not status.is_open:
        incident.resolved_at = now
    incident.title = values.get("title") or incident.title
    incident.next_update_due = values["next_update_due"]
    if values["impact"] is not None:
        incident.impact, incident.impact_set = values["impact"], True
    elif not incident.impact_set and status.is_open:
        incident.impact = Impact.of(chosen.values())
    spoken = affected_components.spoken_of(session, incident)
    affected_components.keep(incident, chosen)
    add_update(incident, status, body, chosen, before=before, actor=actor, notify=notify, at=now)
    session.flush()
    dropped = [component for component in before if component not in chosen]
    affected_components.fall_silent(session, page, incident, dropped, notify=notify)
    if status.is_open:
        said = {c: one for c, one in chosen.items() if c in named or c.id in spoken}
        affected_components.let_speak(session, page, incident, said, notify=notify)
    elif was.is_open:
        affected_components.fall_silent(session, page, incident, list(chosen), notify=notify)
    tell(session, page, incident, event_name(was, status), notify=notify, is_step=True)
    old, new = audit.difference(kept, state(incident))
    audit.of(
        session,
        action,
        incident,
        actor,
        subject="incident",
        before=old,
        after={**new, "body": body},
    )


def add_update(
    incident: Incident,
    status: IncidentStatus,
    body: str,
    chosen: Mapping[Component, ComponentStatus],
    *,
    before: Mapping[Component, ComponentStatus],
    actor: str | None,
    notify: bool,
    at: datetime,
) -> None:
    """Write down what is told, with each component as it was before and is now."""
    incident.updates.append(
        IncidentUpdate(
            number=max((item.number for item in incident.updates), default=0) + 1,
            status=status,
            body=body,
            components=[
                {
                    "id": str(component.id),
                    "slug": component.slug,
                    "name": component.name,
                    "group": component.group.name if component.group else None,
                    "status": now_is.value,
                    "old_status": before.get(component, component.status).value,
                }
                for component, now_is in chosen.items()
            ],
            actor=actor,
            notified=notify and incident.visibility == "published",
            created_at=at,
            updated_at=at,
        )
    )


def state(incident: Incident) -> dict[str, Any]:
    """What steps and edits change, as the audit keeps it."""
    return {
        "title": incident.title,
        "status": incident.status.value,
        "impact": incident.impact.value,
        "impact_set": incident.impact_set,
        "visibility": incident.visibility,
        "next_update_due": plain(incident.next_update_due),
        "monitor": plain(incident.monitor_id),
        "components": {item.component.slug: item.status.value for item in incident.affected},
    }


def tell(
    session: Session,
    page: Page,
    incident: Incident,
    name: str,
    *,
    notify: bool,
    is_step: bool = False,
) -> None:
    """Record the event *name*; of a draft nobody hears.

    :param is_step: the latest update was just made, and nothing else is told.
    """
    if incident.visibility != "published":
        return
    fact = facts.incident(incident)
    row = events.record(
        session,
        page,
        name,
        subject_id=incident.id,
        components=fact.concerned(at_its_end=name == "incident.resolved"),
        data={
            "incident": {
                **plain(fact),
                "url": addresses.incident_url(page, incident.id),
            },
            "components": facts.present(item.component for item in incident.affected),
        },
        notify=notify,
        newly=is_step and fact.newly,
    )
    page_changes.note(session, page, row, told=notify)
