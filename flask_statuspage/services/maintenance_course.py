"""What follows when a maintenance takes a step: components, monitors, the clock, the next occurrence, event and audit.

While one goes on its components are under maintenance and their monitors say nothing. Whatever can end one locks those
monitors before it touches the page, as everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.maintenance import MaintenanceStatus, event_name
from ..domain.status import ComponentStatus
from ..errors import Conflict, NotFound, Race
from ..storage import maintenances as stored
from ..storage import monitors as stored_monitors
from ..storage import pages
from ..storage.components import Component
from ..storage.maintenances import MaintainedComponent, Maintenance, MaintenanceUpdate
from ..storage.pages import Page
from . import addresses, audit, conditions, events, facts, maintained_monitors, page_changes
from . import maintenance_windows as windows

S = MaintenanceStatus

record_audit = partial(audit.of, subject="maintenance")


def held(session: Session, page: Page, maintenance_id: UUID) -> Maintenance:
    """The maintenance as it is now, with its monitors, its page and itself locked, in this order.

    The page's version stays: whoever finds something to change touches the page.

    :raises NotFound: unless *page* has it.
    """
    known = set(stored.component_ids(session, maintenance_id))
    stored_monitors.lock_on(session, known)
    pages.hold(session, page.id)
    row = stored.locked(session, maintenance_id)
    if row is None or row.page_id != page.id:
        raise NotFound("maintenance", maintenance_id)
    if not known.issuperset(item.component_id for item in row.affected):
        # Their monitors must be locked before the page, which cannot be let go without ending the transaction.
        raise Race("Another component was added to the maintenance at this moment; try again.")
    page_changes.watch(session, page)
    return row


def asked_twice(page: Page, planned: Maintenance, *, title: str, body: str) -> Maintenance:
    """The maintenance that the same form *planned* before, if this is what the form said then.

    :raises Conflict: when it says something else by now, or the id is one of another page.
    """
    if planned.page_id != page.id:
        raise Conflict("This form cannot be sent again. Load it anew.")
    first = min(planned.updates, key=lambda update: update.number)
    if (title, body) == (planned.title, first.body):
        return planned
    raise Conflict(
        f"This form has planned the maintenance {planned.title!r} already, and it says something else now. Nothing "
        "more was saved. Edit that one; or press the button once more, and a second one is planned."
    )


def move(
    session: Session,
    page: Page,
    row: Maintenance,
    status: MaintenanceStatus,
    body: str,
    *,
    actor: str | None,
    notify: bool,
    now: datetime,
) -> Maintenance:
    """Take a held maintenance to *status*, with all that follows from it."""
    pages.touch(session, page.id, now)
    was = row.status
    row.status, row.updated_at = status, now
    add_update(row, body, actor=actor, notify=notify, now=now)
    session.flush()
    if status.is_active and not was.is_active:
        begin(session, page, row, [item.component for item in row.affected], notify=notify, now=now)
    if status.is_over and not was.is_over:
        row.started_at = row.started_at or (now if status is S.COMPLETED else None)
        row.ended_at = now
        row.revision += status is S.CANCELLED
        if was.is_active:
            end(session, page, row, notify=notify)
    set_clock(row)
    session.flush()
    tell(session, page, row, event_name(was, status), notify=notify)
    record_audit(
        session,
        "update",
        row,
        actor,
        before={"status": was.value},
        after={"status": status.value, "body": body},
    )
    if was is S.SCHEDULED and status is not S.SCHEDULED:
        plan_next(session, page, row, now=now)
    return row


def begin(
    session: Session,
    page: Page,
    row: Maintenance,
    chosen: Collection[Component],
    *,
    notify: bool,
    now: datetime,
) -> None:
    """Put *chosen* under maintenance."""
    row.started_at = row.started_at or now
    for component in chosen:
        conditions.say(
            session,
            page,
            component,
            ComponentStatus.UNDER_MAINTENANCE,
            source="maintenance",
            reference=str(row.id),
            note=row.title,
            until=None,
            notify=notify,
        )


def end(
    session: Session,
    page: Page,
    row: Maintenance,
    gone: Collection[Component] | None = None,
    *,
    notify: bool,
) -> None:
    """Take *gone* (None: all its components) out of maintenance; their monitors are heard again.

    *row* is not active any more, or is not about them any more.
    """
    gone = [item.component for item in row.affected] if gone is None else gone
    session.flush()
    ids = [component.id for component in gone]
    maintained_monitors.hear_again(session, page, ids, notify=notify)
    conditions.hush(session, page, gone, source="maintenance", reference=str(row.id), notify=notify)


def plan_next(session: Session, page: Page, row: Maintenance, *, now: datetime) -> None:
    """Plan the next occurrence of a series. Subscribers heard of the series; reminders tell them of each window."""
    begins = windows.following(page, row, now)
    if begins is None or row.series_id is None or row.occurrence_at is None:
        return
    if stored.goes_on(session, row.series_id, row.occurrence_at):
        return
    first = min(row.updates, key=lambda item: item.number)
    following = Maintenance(
        page_id=row.page_id,
        title=row.title,
        status=S.SCHEDULED,
        scheduled_start=begins,
        scheduled_end=begins + (row.scheduled_end - row.scheduled_start),
        auto_start=row.auto_start,
        auto_complete=row.auto_complete,
        remind_before=list(row.remind_before),
        # None is needless: nobody was told of this window yet.
        reminded=[],
        rrule=row.rrule,
        exceptions=list(row.exceptions),
        series_id=row.series_id,
        series_start=row.series_start,
        series_zone=row.series_zone,
        occurrence_at=begins,
        created_at=now,
        updated_at=now,
        affected=[
            MaintainedComponent(component=item.component, position=item.position)
            for item in row.affected
        ],
        updates=[],
    )
    session.add(following)
    add_update(following, first.body, actor=None, notify=False, now=now)
    set_clock(following)
    session.flush()
    tell(session, page, following, "maintenance.scheduled", notify=False)
    record_audit(session, "create", following, None, after=plain(facts.maintenance(following)))


def add_update(
    row: Maintenance, body: str, *, actor: str | None, notify: bool, now: datetime
) -> None:
    row.updates.append(
        MaintenanceUpdate(
            number=max((item.number for item in row.updates), default=0) + 1,
            status=row.status,
            body=body,
            actor=actor,
            notified=notify,
            created_at=now,
            updated_at=now,
        )
    )


def set_clock(row: Maintenance) -> None:
    """Write down when the clock has to look at it again."""
    due = row.plan.next_step()
    row.next_at = due.at if due else None


def tell(
    session: Session,
    page: Page,
    row: Maintenance,
    name: str,
    *,
    notify: bool,
    more: dict[str, Any] | None = None,
    gone: Iterable[Component] = (),
) -> None:
    """Write the event *name*; *more* are further plain values of its ``maintenance``.

    :param gone: what was just taken off it, whose readers are told so.
    """
    fact = facts.maintenance(row)
    values = {**plain(fact), "url": addresses.maintenance_url(page, row.id)}
    event = events.record(
        session,
        page,
        name,
        subject_id=row.id,
        components=[*(item.component_id for item in row.affected), *(one.id for one in gone)],
        data={
            "maintenance": {**values, **(more or {})},
            "components": facts.present(item.component for item in row.affected),
        },
        notify=notify,
        newly=fact.newly,
    )
    page_changes.note(session, page, event, told=notify)
