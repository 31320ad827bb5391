"""Steps of a maintenance by somebody who looked at it before: what was told meanwhile is never written over.

A form carries the mark of what was shown (:func:`mark`) and brings it back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.maintenance import MaintenanceStatus
from ..errors import Invalid
from ..storage.maintenances import Maintenance
from ..storage.pages import Page
from . import maintenance_course as course
from . import maintenance_edits, maintenances, marks
from .marks import latest, number_in

STEPS: Mapping[str, Callable[..., Maintenance]] = {
    "update": maintenances.update,
    "start": maintenances.start,
    "verify": partial(maintenances.update, status=MaintenanceStatus.VERIFYING),
    "complete": maintenances.complete,
    "cancel": maintenances.cancel,
}
"""The steps that tell readers something new."""

LEADS_TO = {
    "start": MaintenanceStatus.IN_PROGRESS,
    "verify": MaintenanceStatus.VERIFYING,
    "complete": MaintenanceStatus.COMPLETED,
    "cancel": MaintenanceStatus.CANCELLED,
}
"""The status in which a step leaves a maintenance; an update leaves it as it is."""


def mark(row: Maintenance) -> str:
    """What a form carries of a maintenance as it was shown."""
    return marks.mark({**maintenance_edits.state(row), "status": row.status.value}, row.updates)


def check(row: Maintenance, seen: str) -> None:
    """:raises Conflict: when it is otherwise by now than it was shown."""
    marks.check(mark(row), seen, what="maintenance")


def take(
    session: Session,
    page: Page,
    maintenance_id: UUID,
    step: str,
    values: Mapping[str, Any],
    *,
    seen: str,
    actor: str,
    notify: bool,
) -> Maintenance:
    """One of :data:`STEPS`, with its own *values*. What is sent twice is told once.

    :param seen: the mark of what was shown.
    :raises Conflict: when it was changed meanwhile, or is not where the step begins.
    :raises Invalid: for what would say nothing new.
    """
    row = course.held(session, page, maintenance_id)
    if _is_told(row, step, values, seen, actor):
        return row
    check(row, seen)
    number = latest(row.updates).number
    row = STEPS[step](session, page, maintenance_id, **values, actor=actor, notify=notify)
    if latest(row.updates).number == number:
        raise Invalid.field("body", marks.NOTHING_NEW)
    return row


def edit(
    session: Session,
    page: Page,
    maintenance_id: UUID,
    values: Mapping[str, Any],
    *,
    seen: str,
    actor: str,
    notify: bool,
) -> Maintenance:
    """:func:`.maintenance_edits.edit` of one that is still as it was shown. What is so already is fine."""
    row = course.held(session, page, maintenance_id)
    is_now = maintenance_edits.state(row)
    if all(is_now[name] == plain(value) for name, value in values.items()):
        return row
    check(row, seen)
    return maintenance_edits.edit(session, page, maintenance_id, values, actor=actor, notify=notify)


def edit_update(
    session: Session,
    page: Page,
    maintenance_id: UUID,
    update_id: UUID,
    *,
    body: str,
    seen: str,
    actor: str,
    notify: bool,
) -> Maintenance:
    """:func:`.maintenance_edits.edit_update` of one that is still as it was shown. What is so already is fine."""
    row = course.held(session, page, maintenance_id)
    if any(update.id == update_id and update.body == body for update in row.updates):
        return row
    check(row, seen)
    return maintenance_edits.edit_update(
        session, page, maintenance_id, update_id, body=body, actor=actor, notify=notify
    )


def remove_update(
    session: Session, page: Page, maintenance_id: UUID, update_id: UUID, *, seen: str, actor: str
) -> Maintenance:
    """:func:`.maintenance_edits.remove_update` of one that is still as it was shown."""
    check(course.held(session, page, maintenance_id), seen)
    return maintenance_edits.remove_update(session, page, maintenance_id, update_id, actor=actor)


def remove(
    session: Session, page: Page, maintenance_id: UUID, *, title: str, seen: str, actor: str
) -> None:
    """Delete it, if *title*, which was typed, is its title, and it is still as it was shown."""

    def is_meant(row: Maintenance) -> None:
        check(row, seen)
        marks.check_title(title, row.title, what="maintenance")

    maintenances.remove(session, page, maintenance_id, actor=actor, check=is_meant)


def _is_told(row: Maintenance, step: str, values: Mapping[str, Any], seen: str, actor: str) -> bool:
    """Whether the latest update is what is to be told: the button was pressed twice."""
    told = latest(row.updates)
    return (
        mark(row) != seen
        and told.number == number_in(seen) + 1
        and (told.actor, told.body) == (actor, values.get("body", ""))
        and LEADS_TO.get(step) in (None, told.status)
    )
