"""Incidents: open, update, resolve."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.incident import IncidentStatus, event_name, may_become
from ..domain.markup import MAX_CHARACTERS, has_control
from ..domain.status import ComponentStatus, Impact
from ..errors import Conflict, Invalid, NotFound
from ..storage import incidents as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component
from ..storage.incidents import AffectedComponent, Incident, IncidentUpdate
from ..storage.monitors import Monitor
from ..storage.pages import Page
from . import addresses, affected_components, audit, events, facts
from .affected_components import Affected

MAX_TITLE = 200

_audit = partial(audit.of, subject="incident")


def get(session: Session, page: Page, ident: UUID) -> Incident:
    """:raises NotFound: unless *page* has this incident."""
    incident = stored.get(session, ident)
    if incident is None or incident.page_id != page.id:
        raise NotFound("incident", ident)
    return incident


def open(
    session: Session,
    page: Page,
    *,
    title: str,
    body: str = "",
    status: IncidentStatus = IncidentStatus.INVESTIGATING,
    impact: Impact | None = None,
    affected: Affected = (),
    started_at: datetime | None = None,
    visibility: str = "published",
    monitor: Monitor | None = None,
    actor: str | None = None,
    notify: bool = True,
) -> Incident:
    """A new incident with its first update.

    :param impact: None: what the affected components amount to.
    :param affected: a plain list gives each component the status that *impact* stands for.
    :param started_at: aware; in the past for an incident that is told late, and then without notices.
    :param monitor: the monitor that found it. Its own word stands on the component, so the incident adds none.
    """
    _check(title=title, body=body)
    notify = notify and started_at is None
    if status is IncidentStatus.POSTMORTEM:
        raise Invalid.field("status", "An incident cannot begin with its postmortem.")
    now = utc_now()
    if started_at is not None and started_at.tzinfo is None:
        raise Invalid.field("started_at", "Must have a time zone.")
    if started_at is not None and started_at > now:
        raise Invalid.field("started_at", "Must not lie in the future.")
    pages.touch(session, page.id, now)
    chosen = affected_components.statuses(session, page, affected, impact)
    incident = Incident(
        page_id=page.id,
        monitor_id=monitor.id if monitor else None,
        automatic=monitor is not None,
        title=title,
        status=status,
        impact=impact or Impact.of(chosen.values()),
        impact_set=impact is not None,
        visibility=visibility,
        started_at=started_at or now,
        monitoring_at=now if status is IncidentStatus.MONITORING else None,
        resolved_at=now if status is IncidentStatus.RESOLVED else None,
        created_at=now,
        updated_at=now,
        affected=[
            AffectedComponent(component=component, status=status, position=position)
            for position, (component, status) in enumerate(chosen.items())
        ],
        updates=[],
    )
    session.add(incident)
    _add_update(incident, status, body, chosen, before={}, actor=actor, now=now)
    session.flush()
    if monitor is None and status.is_open:
        affected_components.let_speak(session, page, incident, chosen, notify=notify)
    _tell(session, page, incident, event_name(None, status), notify=notify)
    _audit(session, "create", incident, actor, after=plain(facts.incident(incident)))
    return incident


def update(
    session: Session,
    page: Page,
    incident_id: UUID,
    *,
    status: IncidentStatus | None = None,
    body: str = "",
    impact: Impact | None = None,
    affected: Affected | None = None,
    title: str | None = None,
    actor: str | None = None,
    notify: bool = True,
) -> Incident:
    """The next update of an incident.

    :param status: None: as it was.
    :param affected: None: as they were. A mapping changes those that it names, a list replaces all.
    :raises Conflict: when the life cycle does not lead from the present status to *status*.
    """
    _check(title=title, body=body)
    now = utc_now()
    pages.touch(session, page.id, now)
    incident = stored.locked(session, incident_id)
    if incident is None or incident.page_id != page.id:
        raise NotFound("incident", incident_id)
    status = status or incident.status
    if not may_become(incident.status, status):
        raise Conflict(f"An incident that is {incident.status.value} cannot become {status.value}.")
    before = {item.component: item.status for item in incident.affected}
    chosen = affected_components.after(session, page, incident, before, affected, impact, status)
    was = incident.status
    incident.status, incident.updated_at = status, now
    incident.title = title or incident.title
    if impact is not None:
        incident.impact, incident.impact_set = impact, True
    elif not incident.impact_set and status.is_open:
        incident.impact = Impact.of(chosen.values())
    if status is IncidentStatus.MONITORING and incident.monitoring_at is None:
        incident.monitoring_at = now
    if status is IncidentStatus.RESOLVED and was.is_open:
        incident.resolved_at = now
    affected_components.keep(incident, chosen)
    _add_update(incident, status, body, chosen, before=before, actor=actor, now=now)
    session.flush()
    dropped = [component for component in before if component not in chosen]
    affected_components.fall_silent(session, page, incident, dropped, notify=notify)
    if not status.is_open:
        affected_components.fall_silent(session, page, incident, list(chosen), notify=notify)
    elif incident.monitor_id is None:
        affected_components.let_speak(session, page, incident, chosen, notify=notify)
    elif affected is not None and actor is not None:
        # A person adds to what the monitor found; the monitor speaks for its own component.
        affected_components.let_speak(session, page, incident, chosen, notify=notify)
    _tell(session, page, incident, event_name(was, status), notify=notify)
    _audit(
        session,
        "update",
        incident,
        actor,
        before={"status": was.value},
        after={"status": status.value, "body": body},
    )
    return incident


def edit(
    session: Session,
    page: Page,
    incident_id: UUID,
    *,
    title: str | None = None,
    impact: Impact | None = None,
    visibility: str | None = None,
    actor: str | None = None,
    notify: bool = True,
) -> Incident:
    """Mend title or impact without an update, also of an incident that is over. Subscribers hear of open ones.

    :param visibility: ``published`` makes a draft known as a new incident.
    :raises Conflict: when a published incident is to become a draft.
    """
    _check(title=title, body="")
    now = utc_now()
    pages.touch(session, page.id, now)
    incident = stored.locked(session, incident_id)
    if incident is None or incident.page_id != page.id:
        raise NotFound("incident", incident_id)
    before = _editable(incident)
    if visibility == "draft" and incident.visibility == "published":
        raise Conflict("A published incident cannot become a draft again.")
    newly_published = visibility == "published" and incident.visibility == "draft"
    incident.visibility = visibility or incident.visibility
    incident.title = title or incident.title
    if impact is not None:
        incident.impact, incident.impact_set = impact, True
    was, now_is = audit.difference(before, _editable(incident))
    if now_is:
        incident.updated_at = now
        session.flush()
        if newly_published and incident.status.is_open and incident.monitor_id is None:
            chosen = {item.component: item.status for item in incident.affected}
            affected_components.let_speak(session, page, incident, chosen, notify=notify)
        told = notify and incident.status.is_open
        name = "incident.created" if newly_published else "incident.updated"
        _tell(session, page, incident, name, notify=told)
        _audit(session, "edit", incident, actor, before=was, after=now_is)
    return incident


def _editable(incident: Incident) -> dict[str, Any]:
    return {
        "title": incident.title,
        "impact": incident.impact.value,
        "visibility": incident.visibility,
    }


def resolve(
    session: Session,
    page: Page,
    incident_id: UUID,
    *,
    body: str = "",
    actor: str | None = None,
    notify: bool = True,
) -> Incident:
    """The incident is over; its word on the components ends with it."""
    return update(
        session,
        page,
        incident_id,
        status=IncidentStatus.RESOLVED,
        body=body,
        actor=actor,
        notify=notify,
    )


def _check(*, title: str | None, body: str) -> None:
    if title is not None and not title.strip():
        raise Invalid.field("title", "Must not be empty.")
    if title is not None and has_control(title):
        raise Invalid.field("title", "Must not have line breaks or control characters.")
    if title is not None and len(title) > MAX_TITLE:
        raise Invalid.field("title", f"At most {MAX_TITLE} characters.")
    if len(body) > MAX_CHARACTERS:
        raise Invalid.field("body", f"At most {MAX_CHARACTERS} characters.")


def _add_update(
    incident: Incident,
    status: IncidentStatus,
    body: str,
    chosen: Mapping[Component, ComponentStatus],
    *,
    before: Mapping[Component, ComponentStatus],
    actor: str | None,
    now: datetime,
) -> None:
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
            created_at=now,
            updated_at=now,
        )
    )


def _tell(session: Session, page: Page, incident: Incident, name: str, *, notify: bool) -> None:
    if incident.visibility != "published":
        return
    events.record(
        session,
        page,
        name,
        subject_id=incident.id,
        components=[item.component_id for item in incident.affected],
        data={
            "incident": {
                **plain(facts.incident(incident)),
                "url": addresses.incident_url(page, incident.id),
            }
        },
        notify=notify,
    )
