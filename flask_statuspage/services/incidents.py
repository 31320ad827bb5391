"""Incidents: open, update, resolve, reopen, postmortem. What is mended afterwards: :mod:`.incident_edits`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.ids import new_id
from ..domain.incident import OPEN, IncidentStatus, event_name, may_become, may_reopen
from ..domain.status import Impact
from ..errors import Conflict, Invalid, NotFound, Problems, WrongStep
from ..storage import incidents as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component
from ..storage.incidents import AffectedComponent, Incident
from ..storage.monitors import Monitor
from ..storage.pages import Page
from . import affected_components, audit, facts, incident_edits, page_changes
from . import incident_steps as steps
from .affected_components import Affected

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
    resolved_at: datetime | None = None,
    next_update_due: datetime | None = None,
    visibility: str = "published",
    monitor: Monitor | str | None = None,
    automatic: bool = False,
    ident: UUID | None = None,
    actor: str | None = None,
    notify: bool = True,
) -> Incident:
    """A new incident with its first update; of a monitor's open incident it becomes the next update.

    :param impact: None: what the affected components amount to.
    :param affected: a plain list gives each component the status that *impact* stands for.
    :param started_at: aware; in the past for an incident that is told late, and then without notices.
    :param resolved_at: aware; when one that is told after its end was over.
    :param next_update_due: aware; when readers are promised news by.
    :param monitor: that watches what is wrong: its slug or id, or its row, locked.
    :param automatic: the monitor itself opens it. Its own word stands on the component, so the incident adds none.
    :param ident: the id that it gets; None: a new one. Whoever may ask twice for the same thing says it each time.
    :raises Invalid: naming every field that is wrong.
    :raises Conflict: when *ident* is another incident's.
    """
    said = {"title": title or "", "body": body, "visibility": visibility, "status": status}
    times = {"started_at": started_at, "resolved_at": resolved_at}
    more = {"next_update_due": next_update_due, "monitor": monitor, "affected": affected}
    monitor = steps.check_new(session, page, {**said, **times, **more})
    now = utc_now()
    pages.touch(session, page.id, now)
    page_changes.watch(session, page)
    if ident is not None and (opened := stored.locked(session, ident)) is not None:
        return steps.asked_twice(page, opened, title=title, body=body, visibility=visibility)
    notify = notify and started_at is None
    if monitor and not automatic and visibility == "published" and status.is_open:
        told = stored.open_of_monitor(session, monitor.id)
        if told is not None:
            return _merge(
                session,
                page,
                told,
                title=title,
                body=body,
                # "investigating" is what nobody chose; work that has gone on does not go back to it.
                status=None if status is IncidentStatus.INVESTIGATING else status,
                impact=impact,
                affected=affected,
                next_update_due=next_update_due,
                actor=actor,
                notify=notify,
            )
    was = affected_components.statuses(session, page, affected, impact)
    chosen = was if status.is_open else affected_components.at_end(session, was, at=resolved_at)
    incident = Incident(
        id=ident or new_id(),
        page_id=page.id,
        monitor_id=monitor.id if monitor else None,
        automatic=automatic,
        title=title,
        status=status,
        impact=impact or Impact.of(was.values()),
        impact_set=impact is not None,
        visibility=visibility,
        started_at=started_at or now,
        monitoring_at=now if status is IncidentStatus.MONITORING else None,
        resolved_at=None if status.is_open else resolved_at or now,
        next_update_due=next_update_due,
        created_at=now,
        updated_at=now,
        affected=[
            AffectedComponent(component=component, status=said, position=position)
            for position, (component, said) in enumerate(chosen.items())
        ],
        updates=[],
    )
    session.add(incident)
    steps.add_update(
        incident,
        status,
        body,
        chosen,
        before={} if status.is_open else was,
        actor=actor,
        notify=notify,
        at=incident.resolved_at or now,
    )
    session.flush()
    if status.is_open and not automatic:
        affected_components.let_speak(session, page, incident, chosen, notify=notify)
    steps.tell(session, page, incident, event_name(None, status), notify=notify)
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
    dropped: Collection[str] = (),
    freed: Collection[Component] = (),
    title: str | None = None,
    next_update_due: datetime | None = None,
    by_monitor: bool = False,
    actor: str | None = None,
    notify: bool = True,
) -> Incident:
    """The next update of an incident. One that says nothing new leaves no trace.

    :param status: None: as it was. *freed*: those that :func:`resolve` is given.
    :param affected: None: as they were. A mapping changes those that it names, a list replaces all.
    :param dropped: slugs or ids of those that the incident names no more, whose word is taken back.
    :param next_update_due: aware; when the next news are promised by. None: nothing is promised any more.
    :param by_monitor: *affected* is what the incident's monitor sees; the incident says nothing more than before.
    :raises Conflict: when the life cycle does not lead from the present status to *status*.
    """
    steps.check(title=title, body=body)
    incident = steps.held(session, page, incident_id)
    wanted = status or incident.status
    before = {item.component: item.status for item in incident.affected}
    if by_monitor and isinstance(affected, Mapping):
        spoken = affected_components.spoken_of(session, incident)
        affected = affected_components.left_to_monitor(affected, before, spoken)
    problems = Problems()
    with problems.gathered():
        chosen = affected_components.after(
            session, page, incident, before, affected, impact, wanted, freed
        )
    if problems.found:
        with problems.gathered():
            steps.check_due(next_update_due, wanted)
        problems.tell()
    chosen = affected_components.without(chosen, dropped)
    is_news = (
        bool(body.strip())
        or wanted is not incident.status
        or (chosen != before and (wanted.is_open or affected is not None or bool(dropped)))
        or impact not in (None, incident.impact)
        or title not in (None, incident.title)
        or next_update_due not in (None, incident.next_update_due)
    )
    if not is_news and (status is None or status.is_open):
        return incident
    if not may_become(incident.status, wanted):
        _refuse(incident.status, status)
    if wanted is IncidentStatus.POSTMORTEM and not body.strip():
        raise Invalid.field("body", "Is missing.")
    steps.check_due(next_update_due, wanted)
    # What a person promised is not kept by what a machine adds.
    due = incident.next_update_due if by_monitor and wanted.is_open else next_update_due
    steps.go_on(
        session,
        page,
        incident,
        wanted,
        chosen,
        named=() if by_monitor else affected_components.named_in(chosen, affected or ()),
        values={"title": title, "impact": impact, "next_update_due": due},
        action="update",
        body=body,
        actor=actor,
        notify=notify,
    )
    return incident


def resolve(
    session: Session,
    page: Page,
    incident_id: UUID,
    *,
    body: str = "",
    freed: Collection[Component] = (),
    actor: str | None = None,
    notify: bool = True,
) -> Incident:
    """The incident is over; its word on components ends with it. The caller takes back members' words on *freed*."""
    over = partial(update, status=IncidentStatus.RESOLVED, freed=freed)
    try:
        return over(session, page, incident_id, body=body, actor=actor, notify=notify)
    except WrongStep as error:
        raise Conflict(error.reason) from error


def postmortem(
    session: Session,
    page: Page,
    incident_id: UUID,
    *,
    body: str,
    actor: str | None = None,
    notify: bool = True,
) -> Incident:
    """What was learnt, told after the end. A second one is added to the first.

    :raises Conflict: while the incident is open.
    """
    if not body.strip():
        get(session, page, incident_id)
        raise Invalid.field("body", "Is missing.")
    learnt = partial(update, status=IncidentStatus.POSTMORTEM)
    incident = steps.held(session, page, incident_id)
    latest = max(incident.updates, key=lambda item: item.number)
    if (latest.status, latest.body) == (IncidentStatus.POSTMORTEM, body):
        return incident  # sent twice
    try:
        return learnt(session, page, incident_id, body=body, actor=actor, notify=notify)
    except WrongStep as error:
        raise Conflict(error.reason) from error


def reopen(
    session: Session,
    page: Page,
    incident_id: UUID,
    *,
    status: IncidentStatus = IncidentStatus.INVESTIGATING,
    body: str = "",
    impact: Impact | None = None,
    affected: Affected | None = None,
    dropped: Collection[str] = (),
    next_update_due: datetime | None = None,
    actor: str | None = None,
    notify: bool = True,
) -> Incident:
    """It was not over: the incident is open again and speaks for its components again.

    :param status: ``investigating``, ``identified`` or ``monitoring``.
    :param affected: as for :func:`update`, beginning from what was said of each before the end. *dropped*: likewise.
    :raises Conflict: when it is open, or another open incident tells of its monitor.
    """
    steps.check(body=body)
    incident = steps.held(session, page, incident_id)
    if status not in OPEN:
        words = ", ".join(member.value for member in IncidentStatus if member.is_open)
        raise Invalid.field("status", f"Must be one of {words}.")
    if not may_reopen(incident.status, status):
        raise Conflict(f"An incident that is {incident.status.value} cannot be reopened.")
    if incident.visibility == "published" or incident.automatic:
        steps.refuse_second(session, incident, incident.monitor_id)
    problems = Problems()
    with problems.gathered():
        steps.check_due(next_update_due, status)
    said = affected_components.when_open(incident)
    before = {
        item.component: said.get(item.component_id, item.status) for item in incident.affected
    }
    with problems.gathered():
        chosen = affected_components.after(
            session, page, incident, before, affected, impact, status
        )
    problems.tell()
    chosen = affected_components.without(chosen, dropped)
    steps.go_on(
        session,
        page,
        incident,
        status,
        chosen,
        named=chosen,
        values={"impact": impact, "next_update_due": next_update_due},
        action="reopen",
        body=body,
        actor=actor,
        notify=notify,
    )
    return incident


def _refuse(present: IncidentStatus, status: IncidentStatus | None) -> NoReturn:
    """Say why an update is not possible, and what is."""
    if present.is_open:
        raise WrongStep("It is still open: resolve it before its postmortem.")
    reason = f"It is {present.value}: reopen it first, or write a postmortem."
    if status is None:
        raise Conflict(reason)
    raise WrongStep(reason)


def _merge(
    session: Session, page: Page, told: Incident, *, affected: Affected, **values: Any
) -> Incident:
    """What would be a second incident of one monitor is the next update of the first."""
    incident = steps.held(session, page, told.id)
    promised = incident.next_update_due
    if values["next_update_due"] is None and promised is not None and promised > utc_now():
        values["next_update_due"] = promised
    if not isinstance(affected, Mapping):
        # A list would replace the components that the first one names.
        impact = values["impact"] or incident.impact
        known = {item.component_id for item in incident.affected}
        listed = affected_components.statuses(session, page, affected, impact)
        affected = {str(one.id): said for one, said in listed.items() if one.id not in known}
    update(session, page, incident.id, affected=affected or None, **values)
    if incident.visibility != "published":
        publish = {"visibility": "published"}
        actor, notify = values["actor"], values["notify"]
        incident_edits.edit(session, page, incident.id, publish, actor=actor, notify=notify)
    return incident
