"""Incidents afterwards: mend, publish, link to a monitor, delete. The audit keeps what was there before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.incident import IncidentStatus
from ..errors import Conflict, Invalid, NotFound, Problems
from ..storage import incidents as stored
from ..storage import outbox, pages
from ..storage.base import utc_now
from ..storage.incidents import Incident, IncidentUpdate
from ..storage.pages import Page
from . import affected_components, audit, facts
from . import incident_steps as steps

SHOWN = ("title", "impact", "next_update_due")
"""The fields of :func:`edit` that readers see."""

_audit = partial(audit.of, subject="incident")


def edit(
    session: Session,
    page: Page,
    incident_id: UUID,
    values: Mapping[str, Any],
    *,
    actor: str | None = None,
    notify: bool | None = None,
) -> Incident:
    """Change some of ``title impact next_update_due monitor visibility`` without an update, at any time.

    ``impact`` None: what the components amount to. ``next_update_due`` None: nothing is promised. ``monitor`` is a slug
    or id; None: of no monitor. ``visibility`` "published" makes a draft known, as a new incident.

    :param notify: whether subscribers are told. None: only when a draft is published whose incident is still open.
    :raises Conflict: when a published incident is to become a draft, or another open one tells of the monitor.
    """
    steps.check(title=values.get("title"), visibility=values.get("visibility"))
    monitor = values.get("monitor")
    problems, watched = Problems(), None
    with problems.gathered():
        watched = steps.watched(session, page, monitor) if monitor is not None else None
    incident = steps.held(session, page, incident_id)
    if values.get("visibility") == "draft" and incident.visibility == "published":
        raise Conflict("A published incident cannot become a draft again.")
    if values.get("next_update_due") != incident.next_update_due:
        with problems.gathered():
            steps.check_due(values.get("next_update_due"), incident.status)
    problems.tell()
    monitor_id = incident.monitor_id
    if "monitor" in values:
        monitor_id = watched.id if watched else None
    visibility = values.get("visibility") or incident.visibility
    is_claim = (monitor_id, visibility) != (incident.monitor_id, incident.visibility)
    if is_claim and visibility == "published" and incident.status.is_open:
        steps.refuse_second(session, incident, monitor_id)
    before = steps.state(incident)
    incident.monitor_id, incident.visibility = monitor_id, visibility
    if values.get("title") is not None:
        incident.title = values["title"]
    if "impact" in values:
        incident.impact_set = values["impact"] is not None
        incident.impact = values["impact"] or affected_components.implied_impact(incident)
    if "next_update_due" in values:
        incident.next_update_due = values["next_update_due"]
    was, now_is = audit.difference(before, steps.state(incident))
    if not now_is:
        return incident
    now = utc_now()
    pages.touch(session, page.id, now)
    incident.updated_at = now
    session.flush()
    if "visibility" in now_is:
        _publish(session, page, incident, notify=notify)
    elif any(name in now_is for name in SHOWN):
        steps.tell(session, page, incident, "incident.updated", notify=notify or False)
    _audit(session, "edit", incident, actor, before=was, after=now_is)
    return incident


def edit_update(
    session: Session,
    page: Page,
    incident_id: UUID,
    update_id: UUID,
    values: Mapping[str, Any],
    *,
    actor: str | None = None,
    notify: bool = False,
) -> Incident:
    """Change ``body`` or ``created_at`` (aware) of an update. Nobody is mailed about a typing error unless asked for.

    An update keeps its place: it may be moved between the ones before and after it.

    :raises NotFound: unless the incident has that update.
    """
    steps.check(body=values.get("body"))
    incident = steps.held(session, page, incident_id)
    update = _update(incident, update_id)
    body, at = values.get("body"), values.get("created_at")
    if body is not None and not body.strip() and update.status is IncidentStatus.POSTMORTEM:
        raise Invalid.field("body", "Must not be empty.")
    if at is not None and at != update.created_at:
        steps.check_past("created_at", at)
        ordered = sorted(incident.updates, key=lambda one: one.number)
        place = ordered.index(update)
        if at < (ordered[place - 1].created_at if place else incident.started_at):
            raise Invalid.field("created_at", "Must not lie before the update before or the start.")
        if place + 1 < len(ordered) and at > ordered[place + 1].created_at:
            raise Invalid.field("created_at", "Must not lie after the next update.")
    before = _written(update)
    update.body = update.body if body is None else body
    update.created_at = at or update.created_at
    was, now_is = audit.difference(before, _written(update))
    if now_is:
        now = utc_now()
        pages.touch(session, page.id, now)
        update.updated_at = incident.updated_at = now
        session.flush()
        steps.tell(session, page, incident, "incident.updated", notify=notify)
        which = {"update": str(update.id)}
        _audit(
            session,
            "edit_update",
            incident,
            actor,
            before={**which, **was},
            after={**which, **now_is},
        )
    return incident


def remove_update(
    session: Session, page: Page, incident_id: UUID, update_id: UUID, *, actor: str | None = None
) -> Incident:
    """Take one update back. Nobody is mailed.

    :raises NotFound: unless the incident has that update.
    :raises Conflict: for the only one, and for the latest if no other tells the incident's status.
    """
    incident = steps.held(session, page, incident_id)
    update = _update(incident, update_id)
    left = [one for one in incident.updates if one is not update]
    if not left:
        raise Conflict("An incident has at least one update; edit it, or delete the incident.")
    latest = max(left, key=lambda one: one.number)
    if latest.status is not incident.status:
        raise Conflict(f"No other update tells that it is {incident.status.value}; edit this one.")
    now = utc_now()
    pages.touch(session, page.id, now)
    incident.updates.remove(update)
    incident.updated_at = now
    session.flush()
    steps.tell(session, page, incident, "incident.updated", notify=False)
    gone = plain(facts.update(update))
    _audit(session, "delete_update", incident, actor, before={"update": gone["id"], **gone})
    return incident


def remove(
    session: Session,
    page: Page,
    incident_id: UUID,
    *,
    actor: str | None = None,
    check: Callable[[Incident], None] | None = None,
) -> None:
    """Delete an incident with its updates, as if it had never been told: no event tells it.

    Its word on the components ends, which is told as any change of theirs; what was still to be sent is cancelled.

    :param check: is given the incident as it is now and raises if it is not to be deleted.
    """
    now = utc_now()
    known = stored.get(session, incident_id)
    if known is None or known.page_id != page.id:
        raise NotFound("incident", incident_id)
    outbox.stop_fan_out(session, incident_id, now)  # before the page is held
    incident = steps.held(session, page, incident_id)
    if check is not None:
        check(incident)
    pages.touch(session, page.id, now)
    _audit(session, "delete", incident, actor, before=plain(facts.incident(incident)))
    listed = [item.component for item in incident.affected]
    affected_components.fall_silent(session, page, incident, listed, notify=True)
    outbox.stop_fan_out(session, incident_id, now, wait=False)  # what was told meanwhile
    outbox.cancel_about(session, incident_id, "The incident was deleted.", now)
    session.delete(incident)
    session.flush()


def _publish(session: Session, page: Page, incident: Incident, *, notify: bool | None) -> None:
    """Make a draft known: from now on it speaks for its components, and one event tells all of it."""
    told = incident.status.is_open if notify is None else notify
    for update in incident.updates:
        update.notified = told
    if incident.status.is_open:
        chosen = {item.component: item.status for item in incident.affected}
        own = affected_components.own_words(session, incident, chosen)
        affected_components.let_speak(session, page, incident, own, notify=told)
    steps.tell(session, page, incident, "incident.created", notify=told)


def _update(incident: Incident, update_id: UUID) -> IncidentUpdate:
    for update in incident.updates:
        if update.id == update_id:
            return update
    raise NotFound("update", update_id)


def _written(update: IncidentUpdate) -> dict[str, Any]:
    return {"body": update.body, "created_at": plain(update.created_at)}
