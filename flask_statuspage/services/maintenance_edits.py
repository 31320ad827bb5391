"""Mend a maintenance: its window, title, components, clock and rule; or the text of one of its updates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.ids import new_id
from ..domain.maintenance import PLANNED, MaintenanceStatus, past_reminders
from ..domain.recurrence import Recurrence
from ..errors import Conflict, Invalid, NotFound, Problems
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component
from ..storage.maintenances import MaintainedComponent, Maintenance, MaintenanceUpdate
from ..storage.pages import Page
from . import audit, components, facts, texts
from . import maintenance_course as course
from . import maintenance_windows as windows

QUIET = {"auto_start", "auto_complete", "remind_before", "exceptions", "rrule"}
"""What readers see nothing of: a change of these is no event."""


def edit(
    session: Session,
    page: Page,
    maintenance_id: UUID,
    values: Mapping[str, Any],
    *,
    actor: str | None = None,
    notify: bool = True,
) -> Maintenance:
    """Change some of ``title scheduled_start scheduled_end components auto_start auto_complete remind_before rrule
    exceptions``. Subscribers hear once of a window that moved, whatever else changed with it.

    :raises Conflict: when the window of one that has begun is to begin at another time, or one that is over to change.
    """
    for name, value in values.items():
        if value is None and name != "rrule":
            raise Invalid.field(name, "Must not be null.")
    problems = Problems()
    with problems.gathered():
        texts.check(title=values.get("title"))
    now = utc_now()
    row = course.held(session, page, maintenance_id)
    before = state(row)
    window = (row.scheduled_start, row.scheduled_end)
    # Taken apart before anything is changed, so that a refusal leaves the row as it was.
    new = {name: value for name, value in values.items() if before.get(name) != plain(value)}
    start, end = window
    with problems.gathered():
        chosen = _chosen(session, page, row, values)
    with problems.gathered():
        reminders = (
            windows.reminders(values["remind_before"]) if "remind_before" in values else None
        )
    with problems.gathered():
        start, end = _window(row, new, now)
        rule = _rule(page, row, values, start, end)
    problems.tell()
    if not row.status.is_over:
        windows.refuse_overlap(
            session, page, [c.id for c in chosen], start=start, end=end, rule=rule, own=row
        )
    row.title = values.get("title", row.title)
    row.scheduled_start, row.scheduled_end = start, end
    row.auto_start = values.get("auto_start", row.auto_start)
    row.auto_complete = values.get("auto_complete", row.auto_complete)
    if reminders is not None:
        row.remind_before = reminders
    _set_rule(row, rule, start)
    moved = window != (start, end)
    if moved or reminders is not None:
        planned = [PLANNED] if PLANNED in row.reminded else []
        row.reminded = [*past_reminders(start, row.remind_before, now), *planned]
    gone = _set_components(session, page, row, chosen, notify=notify, now=now)
    course.set_clock(row)
    session.flush()
    was, now_is = audit.difference(before, state(row))
    if not now_is:
        return row
    pages.touch(session, page.id, now)
    row.updated_at = now
    if set(now_is) - QUIET:
        row.revision += 1
        session.flush()
        more = (
            {"moved_from": plain({"scheduled_start": window[0], "scheduled_end": window[1]})}
            if moved
            else None
        )
        told = notify and not row.status.is_over
        course.tell(session, page, row, "maintenance.updated", notify=told, more=more, gone=gone)
    course.record_audit(session, "edit", row, actor, before=was, after=now_is)
    return row


def state(row: Maintenance) -> dict[str, Any]:
    """What can be changed of it by :func:`edit`, as plain data."""
    fact = plain(facts.maintenance(row))
    names = ("title", "scheduled_start", "scheduled_end", "auto_start", "auto_complete")
    shown = {name: fact[name] for name in (*names, "remind_before", "rrule", "exceptions")}
    return {**shown, "components": [item.component.slug for item in row.affected]}


def edit_update(
    session: Session,
    page: Page,
    maintenance_id: UUID,
    update_id: UUID,
    *,
    body: str,
    actor: str | None = None,
    notify: bool = False,
) -> Maintenance:
    """Mend the text of an update; the audit keeps the old one. Nobody is told of a mended typing error unless asked."""
    texts.check(body=body)
    now = utc_now()
    row = course.held(session, page, maintenance_id)
    update = _update(row, update_id)
    old = update.body
    if old != body:
        pages.touch(session, page.id, now)
        update.body, update.updated_at, row.updated_at = body, now, now
        session.flush()
        course.tell(session, page, row, "maintenance.updated", notify=notify)
        course.record_audit(
            session,
            "edit_update",
            row,
            actor,
            before={"update": str(update_id), "body": old},
            after={"update": str(update_id), "body": body},
        )
    return row


def remove_update(
    session: Session, page: Page, maintenance_id: UUID, update_id: UUID, *, actor: str | None = None
) -> Maintenance:
    """Take one update back. Nobody is mailed.

    :raises NotFound: unless the maintenance has that update.
    :raises Conflict: for the only one, and for the latest if no other tells the maintenance's status.
    """
    row = course.held(session, page, maintenance_id)
    update = _update(row, update_id)
    left = [item for item in row.updates if item is not update]
    if not left:
        raise Conflict("A maintenance has at least one update; edit it, or delete the maintenance.")
    latest = max(left, key=lambda item: item.number)
    if latest.status is not row.status:
        raise Conflict(f"No other update tells that it is {row.status.value}; edit this one.")
    now = utc_now()
    pages.touch(session, page.id, now)
    gone = next(
        one for one in plain(facts.maintenance(row))["updates"] if one["id"] == str(update_id)
    )
    row.updates.remove(update)
    row.updated_at = now
    session.flush()
    course.tell(session, page, row, "maintenance.updated", notify=False)
    before = {"update": gone["id"], **gone}
    course.record_audit(session, "delete_update", row, actor, before=before)
    return row


def _update(row: Maintenance, update_id: UUID) -> MaintenanceUpdate:
    for update in row.updates:
        if update.id == update_id:
            return update
    raise NotFound("update", update_id)


def _chosen(
    session: Session, page: Page, row: Maintenance, values: Mapping[str, Any]
) -> list[Component]:
    if "components" in values:
        found = components.by_ident(session, page, list(values["components"]), lock=True)
        return list(dict.fromkeys(found.values()))
    return [item.component for item in row.affected]


def _window(row: Maintenance, new: Mapping[str, Any], now: datetime) -> windows.Window:
    """The window that the maintenance shall have."""
    start = new.get("scheduled_start", row.scheduled_start)
    end = new.get("scheduled_end", row.scheduled_end)
    if row.status.is_over and set(new) - {"title"}:
        raise Conflict(f"It is {row.status.value}; only its title can be mended.")
    if {"rrule", "exceptions"} & set(new) and row.status is not MaintenanceStatus.SCHEDULED:
        raise Conflict("It has begun; change the rule of the occurrence that is planned.")
    if not {"scheduled_start", "scheduled_end"} & set(new):
        return row.scheduled_start, row.scheduled_end
    start, end = windows.checked(start, end)
    if row.status is not MaintenanceStatus.SCHEDULED and "scheduled_start" in new:
        raise Conflict(f"It is {row.status.value}; its start cannot move any more.")
    if end <= now:
        raise Invalid.field("scheduled_end", "Must lie in the future.")
    return start, end


def _rule(
    page: Page, row: Maintenance, values: Mapping[str, Any], start: datetime, end: datetime
) -> Recurrence | None:
    """The rule that the maintenance shall have; its own one counts on from where it did."""
    rrule = values.get("rrule", row.rrule)
    exceptions = values.get("exceptions", row.exceptions)
    if rrule is None:
        if exceptions and "exceptions" in values:
            raise Invalid.field("exceptions", "There is no rrule to make an exception from.")
        return None
    if rrule != row.rrule:
        return windows.recurrence(page, rrule, start=start, end=end, exceptions=exceptions)
    rule = windows.rule_of(page, row)
    if "exceptions" in values or {"scheduled_start", "scheduled_end"} & set(values):
        rule = Recurrence.parse(
            rule.rule,
            start=rule.start,
            duration=end - start,
            zone=rule.zone,
            exceptions=exceptions,
        )
    if "exceptions" in values:
        windows.refuse_own_day(rule, row.occurrence_at or start)
    if "scheduled_start" in values:
        windows.refuse_passing(rule, row, start)
    return rule


def _set_rule(row: Maintenance, rule: Recurrence | None, start: datetime) -> None:
    if rule is None:
        row.rrule, row.exceptions = None, []
        return
    if rule.rule != row.rrule:
        # A new rule counts from this window on, as a series of its own.
        row.series_id = new_id()
        row.series_start = row.occurrence_at = start
        row.series_zone = rule.zone.key
    row.rrule = rule.rule
    row.exceptions = sorted(day.isoformat() for day in rule.exceptions)


def _set_components(
    session: Session,
    page: Page,
    row: Maintenance,
    chosen: Collection[Component],
    *,
    notify: bool,
    now: datetime,
) -> list[Component]:
    """Let *chosen* be what it affects; returns what it does no more."""
    there = {item.component: item for item in row.affected}
    gone = [component for component in there if component not in chosen]
    added = [component for component in chosen if component not in there]
    if row.status.is_active and gone:
        row.affected = [item for item in row.affected if item.component not in gone]
        course.end(session, page, row, gone, notify=notify)
    row.affected = [
        there.get(component) or MaintainedComponent(component=component, position=0)
        for component in chosen
    ]
    for position, item in enumerate(row.affected):
        item.position = position
    if row.status.is_active and added:
        course.begin(session, page, row, added, notify=notify, now=now)
    return gone
