"""Steps of an incident by somebody who looked at it before: what was told meanwhile is never written over.

A form carries the mark of what was shown (:func:`mark`) and brings it back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.incident import IncidentStatus
from ..domain.status import ComponentStatus, Source
from ..errors import Invalid
from ..storage import components as stored_components
from ..storage.components import Component
from ..storage.incidents import Incident
from ..storage.pages import Page
from . import components, incident_edits, incidents, marks
from . import incident_steps as steps
from .marks import latest, number_in

STEPS: dict[str, Callable[..., Incident]] = {
    "update": incidents.update,
    "resolve": incidents.resolve,
    "reopen": incidents.reopen,
    "postmortem": incidents.postmortem,
}
"""The steps that tell readers something new."""

LEADS_TO = {"resolve": IncidentStatus.RESOLVED, "postmortem": IncidentStatus.POSTMORTEM}
"""The state in which a step leaves an incident, where the step alone says it."""


def mark(incident: Incident) -> str:
    """What a form carries of *incident* as it was shown."""
    return marks.mark(steps.state(incident), incident.updates)


def check(incident: Incident, seen: str) -> None:
    """:raises Conflict: when *incident* is otherwise by now than it was shown."""
    marks.check(mark(incident), seen, what="incident")


def take(
    session: Session,
    page: Page,
    incident_id: UUID,
    step: str,
    values: Mapping[str, Any],
    *,
    seen: str,
    actor: str,
    notify: bool,
) -> Incident:
    """One of :data:`STEPS`, with its own *values*. What is sent twice is told once.

    :param seen: the mark of what was shown.
    :raises Conflict: when the incident was changed meanwhile.
    :raises Invalid: for what would say nothing new.
    """
    incident = steps.held(session, page, incident_id)
    if _is_told(incident, step, values, seen, actor):
        return incident
    check(incident, seen)
    number = latest(incident.updates).number
    STEPS[step](session, page, incident_id, **values, actor=actor, notify=notify)
    if latest(incident.updates).number == number:
        raise Invalid.field("body", marks.NOTHING_NEW)
    return incident


def resolve(
    session: Session,
    page: Page,
    incident_id: UUID,
    *,
    body: str,
    freed: bool,
    seen: str,
    actor: str,
    notify: bool,
) -> Incident:
    """The incident is over.

    :param freed: what members said of its services by hand is taken back, too.
    """
    by_hand: list[Component] = []
    if freed:
        by_hand = list(said_by_hand(session, steps.held(session, page, incident_id)))
    values = {"body": body, "freed": by_hand}
    options: dict[str, Any] = {"seen": seen, "actor": actor, "notify": notify}
    incident = take(session, page, incident_id, "resolve", values, **options)
    for component in by_hand:
        components.set_status(session, page, component, None, actor=actor, notify=notify)
    return incident


def said_by_hand(session: Session, incident: Incident) -> dict[Component, ComponentStatus]:
    """Services of *incident* that members said by hand do not work, which its end alone does not change."""
    return others_say(session, incident, {Source.MANUAL})


def others_say(
    session: Session, incident: Incident, sources: set[Source]
) -> dict[Component, ComponentStatus]:
    """The services of *incident* of which one of *sources* says that they do not work, with the worst that is said."""
    living = [item.component for item in incident.affected if item.component.archived_at is None]
    conditions = stored_components.said_of(session, [component.id for component in living])
    found: dict[Component, ComponentStatus] = {}
    for component in living:
        bad = [
            condition.status
            for condition in conditions[component.id]
            if condition.source in sources
            and not condition.status.is_calm
            and condition.reference != str(incident.id)
        ]
        if bad:
            found[component] = max(bad, key=lambda status: status.severity)
    return found


def edit(
    session: Session,
    page: Page,
    incident_id: UUID,
    values: Mapping[str, Any],
    *,
    seen: str,
    actor: str,
    notify: bool,
) -> Incident:
    """:func:`.incident_edits.edit` of an incident that is still as it was shown. What is so already is fine."""
    monitor = values.get("monitor")
    # Before the page is held, as everywhere.
    watched = steps.watched(session, page, monitor) if monitor is not None else None
    incident = steps.held(session, page, incident_id)
    is_now = {
        "title": incident.title,
        "impact": incident.impact if incident.impact_set else None,
        "next_update_due": incident.next_update_due,
        "visibility": incident.visibility,
        "monitor": incident.monitor_id,
    }
    wanted = {**values, "monitor": watched.id if watched else None}
    if all(is_now[name] == wanted[name] for name in values):
        return incident
    check(incident, seen)
    return incident_edits.edit(session, page, incident_id, values, actor=actor, notify=notify)


def edit_update(
    session: Session,
    page: Page,
    incident_id: UUID,
    update_id: UUID,
    values: Mapping[str, Any],
    *,
    seen: str,
    actor: str,
    notify: bool,
) -> Incident:
    """:func:`.incident_edits.edit_update` of an incident that is still as it was shown. What is so already is fine."""
    incident = steps.held(session, page, incident_id)
    for update in incident.updates:
        is_now = {"body": update.body, "created_at": update.created_at}
        if update.id == update_id and all(is_now[name] == values[name] for name in values):
            return incident
    check(incident, seen)
    return incident_edits.edit_update(
        session, page, incident_id, update_id, values, actor=actor, notify=notify
    )


def remove_update(
    session: Session, page: Page, incident_id: UUID, update_id: UUID, *, seen: str, actor: str
) -> Incident:
    """:func:`.incident_edits.remove_update` of an incident that is still as it was shown."""
    check(steps.held(session, page, incident_id), seen)
    return incident_edits.remove_update(session, page, incident_id, update_id, actor=actor)


def remove(
    session: Session, page: Page, incident_id: UUID, *, title: str, seen: str, actor: str
) -> None:
    """Delete the incident, if *title*, which was typed, is its title, and it is still as it was shown."""

    def is_meant(incident: Incident) -> None:
        check(incident, seen)
        marks.check_title(title, incident.title, what="incident")

    incident_edits.remove(session, page, incident_id, actor=actor, check=is_meant)


def _is_told(
    incident: Incident, step: str, values: Mapping[str, Any], seen: str, actor: str
) -> bool:
    """Whether the latest update is what is to be told: the button was pressed twice."""
    told = latest(incident.updates)
    status = LEADS_TO.get(step) or values.get("status")
    words = {item["slug"]: item["status"] for item in told.components}
    return (
        mark(incident) != seen
        and told.number == number_in(seen) + 1
        and (told.actor, told.body) == (actor, values.get("body", ""))
        and status in (None, told.status)
        and all(words.get(slug) == word for slug, word in (values.get("affected") or {}).items())
        and not {item.component.slug for item in incident.affected}.intersection(
            values.get("dropped", ())
        )
    )
