"""Maintenance: schedule, update, start, complete, cancel. What follows from each is in :mod:`.maintenance_course`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.ids import new_id
from ..domain.maintenance import ACTIVE, MaintenanceStatus, event_name, may_become, past_reminders
from ..errors import Conflict, NotFound, WrongStep
from ..storage import maintenances as stored
from ..storage import outbox, pages
from ..storage.base import utc_now
from ..storage.maintenances import MaintainedComponent, Maintenance
from ..storage.pages import Page
from . import components, facts, maintenance_plans, page_changes, texts
from . import maintenance_course as course
from . import maintenance_windows as windows

S = MaintenanceStatus


def get(session: Session, page: Page, ident: UUID) -> Maintenance:
    """:raises NotFound: unless *page* has this maintenance."""
    row = stored.get(session, ident)
    if row is None or row.page_id != page.id:
        raise NotFound("maintenance", ident)
    return row


def schedule(
    session: Session,
    page: Page,
    *,
    title: str,
    scheduled_end: datetime,
    scheduled_start: datetime | None = None,
    body: str = "",
    affected: Collection[str] = (),
    status: MaintenanceStatus = S.SCHEDULED,
    auto_start: bool = True,
    auto_complete: bool = True,
    remind_before: Collection[int] | None = None,
    rrule: str | None = None,
    exceptions: Collection[str] = (),
    ident: UUID | None = None,
    actor: str | None = None,
    notify: bool = True,
) -> Maintenance:
    """A new window.

    :param scheduled_start: aware; None: now, so it begins with this call unless *auto_start* is off.
    :param affected: slugs or ids of components.
    :param status: ``scheduled``, ``in_progress`` (begins at once) or ``completed`` (history, told to nobody).
    :param remind_before: minutes before the start; None: as the settings say.
    :param rrule: RFC 5545 without ``DTSTART``; it counts from *scheduled_start* on the clock of the page's zone.
    :param exceptions: dates in that zone, ``YYYY-MM-DD``, without an occurrence.
    :param ident: the id that it gets; None: a new one. Whoever may ask twice for the same thing says it each time.
    :raises Invalid: naming every field that is wrong.
    :raises Conflict: when *ident* is another maintenance's.
    """
    now = utc_now()
    if scheduled_start is None and status is S.SCHEDULED and auto_start:
        status = S.IN_PROGRESS
    said = {"title": title or "", "body": body, "status": status, "affected": affected}
    times = {"scheduled_start": scheduled_start or now, "scheduled_end": scheduled_end}
    recurs = {"rrule": rrule, "exceptions": exceptions, "remind_before": remind_before}
    plan = maintenance_plans.check(session, page, {**said, **times, **recurs}, now)
    (start, scheduled_end), rule, reminders = plan.window, plan.rule, plan.reminders
    pages.touch(session, page.id, now)
    page_changes.watch(session, page)
    if ident is not None and (planned := stored.locked(session, ident)) is not None:
        return course.asked_twice(page, planned, title=title, body=body)
    found = components.by_ident(session, page, list(affected), lock=True)
    chosen = list(dict.fromkeys(found.values()))
    if status is not S.COMPLETED:
        windows.refuse_overlap(
            session, page, [c.id for c in chosen], start=start, end=scheduled_end, rule=rule
        )
    row = Maintenance(
        id=ident or new_id(),
        page_id=page.id,
        title=title,
        status=status,
        scheduled_start=start,
        scheduled_end=scheduled_end,
        started_at={S.SCHEDULED: None, S.COMPLETED: start}.get(status, now),
        ended_at=scheduled_end if status is S.COMPLETED else None,
        auto_start=auto_start,
        auto_complete=auto_complete,
        remind_before=reminders,
        reminded=past_reminders(start, reminders, now),
        rrule=rule.rule if rule else None,
        exceptions=sorted(day.isoformat() for day in rule.exceptions) if rule else [],
        created_at=now,
        updated_at=now,
        affected=[MaintainedComponent(component=c, position=n) for n, c in enumerate(chosen)],
        updates=[],
    )
    session.add(row)
    session.flush()
    if rule is not None:
        row.series_id, row.series_start, row.occurrence_at = row.id, start, start
        row.series_zone = rule.zone.key
    # History is shown, not sent.
    notify = notify and status is not S.COMPLETED
    course.add_update(row, body, actor=actor, notify=notify, now=now)
    if status is S.IN_PROGRESS:
        course.begin(session, page, row, chosen, notify=notify, now=now)
    course.set_clock(row)
    session.flush()
    if status is not S.COMPLETED:
        course.tell(session, page, row, event_name(None, status), notify=notify)
    course.record_audit(session, "create", row, actor, after=plain(facts.maintenance(row)))
    if status is S.IN_PROGRESS:
        course.plan_next(session, page, row, now=now)
    return row


def update(
    session: Session,
    page: Page,
    maintenance_id: UUID,
    *,
    status: MaintenanceStatus | None = None,
    body: str = "",
    actor: str | None = None,
    notify: bool = True,
) -> Maintenance:
    """The next word on a maintenance, with the status that it has from now on (None: as it was).

    :raises Conflict: when the life cycle does not lead from the present status to *status*.
    """
    texts.check(body=body)
    now = utc_now()
    row = course.held(session, page, maintenance_id)
    status = status or row.status
    if row.status is S.SCHEDULED and status is S.COMPLETED:
        raise WrongStep("It has not begun; cancel it instead.")
    if not may_become(row.status, status):
        raise WrongStep(f"It is {row.status.value} and cannot become {status.value} any more.")
    if status is row.status and not body.strip():
        return row
    if status.is_active:
        _begin_late(session, page, row, actor=actor, now=now)
    return course.move(session, page, row, status, body, actor=actor, notify=notify, now=now)


def start(session: Session, page: Page, maintenance_id: UUID, **options: Any) -> Maintenance:
    """Begin now, whatever was planned. After its planned end its window moves to now and lasts as long as planned.

    :raises Invalid: when it would then be in the way of another window.
    """
    return _step(session, page, maintenance_id, S.IN_PROGRESS, {S.SCHEDULED}, **options)


def complete(session: Session, page: Page, maintenance_id: UUID, **options: Any) -> Maintenance:
    """It is over."""
    return _step(session, page, maintenance_id, S.COMPLETED, ACTIVE, **options)


def cancel(
    session: Session,
    page: Page,
    maintenance_id: UUID,
    *,
    series: bool = False,
    notify: bool = True,
    **options: Any,
) -> Maintenance:
    """It does not take place, or not to its end.

    :param series: the rule ends with it, and what is planned of it is cancelled too; else the next one stays planned.
    """
    end = partial(
        _step,
        session,
        page,
        status=S.CANCELLED,
        allowed={S.SCHEDULED, S.IN_PROGRESS, S.VERIFYING},
        ends_series=series,
        **options,
    )
    row = end(maintenance_id=maintenance_id, notify=notify)
    if series and row.series_id is not None:
        for planned in stored.planned_of_series(session, row.series_id):
            # Subscribers heard of a planned window only if they were reminded of it.
            reminded = bool(course.held(session, page, planned).reminded)
            end(maintenance_id=planned, notify=notify and reminded)
    return row


def remove(
    session: Session,
    page: Page,
    maintenance_id: UUID,
    *,
    actor: str | None = None,
    check: Callable[[Maintenance], None] | None = None,
) -> None:
    """Delete a maintenance with its updates. Nobody is told: cancel it first if somebody should be.

    :param check: is given the maintenance as it is now and raises if it is not to be deleted.
    """
    now = utc_now()
    get(session, page, maintenance_id)
    outbox.stop_fan_out(session, maintenance_id, now)  # before the page is held
    row = course.held(session, page, maintenance_id)
    if check is not None:
        check(row)
    pages.touch(session, page.id, now)
    course.record_audit(session, "delete", row, actor, before=plain(facts.maintenance(row)))
    if row.status.is_active:
        row.status = S.CANCELLED  # what is active keeps its monitors quiet
        course.end(session, page, row, notify=False)
    outbox.stop_fan_out(session, maintenance_id, now, wait=False)  # what was told meanwhile
    outbox.cancel_about(session, row.id, "The maintenance was deleted.", now)
    session.delete(row)
    session.flush()


def _step(
    session: Session,
    page: Page,
    maintenance_id: UUID,
    status: MaintenanceStatus,
    allowed: Collection[MaintenanceStatus],
    *,
    body: str = "",
    ends_series: bool = False,
    actor: str | None = None,
    notify: bool = True,
) -> Maintenance:
    texts.check(body=body)
    now = utc_now()
    row = course.held(session, page, maintenance_id)
    if row.status not in allowed:
        if row.status is S.SCHEDULED:
            raise Conflict("It has not begun; cancel it instead.")
        raise Conflict(f"It is {row.status.value} already.")
    if ends_series:
        _end_series(session, row, actor)
    if status.is_active:
        _begin_late(session, page, row, actor=actor, now=now)
    return course.move(session, page, row, status, body, actor=actor, notify=notify, now=now)


def _begin_late(
    session: Session, page: Page, row: Maintenance, *, actor: str | None, now: datetime
) -> None:
    """Somebody begins what should be over by now: then its window begins now. By the old one it would end at once.

    All of the window, as what follows in a series is as long as this one.
    """
    start, end = row.scheduled_start, row.scheduled_end
    if row.status is not S.SCHEDULED or now < end:
        return
    lasts = end - start
    if row.occurrence_at is not None and row.rrule is not None:
        windows.refuse_passing(windows.rule_of(page, row), row, now)
    about = [item.component_id for item in row.affected]
    windows.refuse_overlap(session, page, about, start=now, end=now + lasts, own=row)
    row.scheduled_start, row.scheduled_end = now, now + lasts
    row.revision += 1
    was = {"scheduled_start": plain(start), "scheduled_end": plain(end)}
    now_is = {name: plain(getattr(row, name)) for name in was}
    course.record_audit(session, "edit", row, actor, before=was, after=now_is)


def _end_series(session: Session, row: Maintenance, actor: str | None) -> None:
    if row.rrule is not None:
        was, row.rrule = row.rrule, None
        course.record_audit(
            session, "end_series", row, actor, before={"rrule": was}, after={"rrule": None}
        )
