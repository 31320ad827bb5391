"""What happens by the clock: maintenance begins and ends on time, subscribers are reminded.

Every step is taken under the page's lock and only if it is still due then, so two schedulers never take it twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.events import REMINDER
from ..domain.maintenance import PLANNED, Due, MaintenanceStatus, Step
from ..storage import maintenances as stored
from ..storage.base import utc_now
from ..storage.maintenances import Maintenance
from ..storage.pages import Page
from . import maintenance_course as course

AGAIN_AFTER = timedelta(minutes=1)
"""A maintenance whose step fails is tried again after this time, so that it does not hold up the others."""

BEGUN = ""
"""The announcement says what it is about and stays the latest word."""

DONE = "The maintenance is complete."


def advance(session: Session, page_id: UUID, maintenance_id: UUID, now: datetime) -> int:
    """Take all steps of one maintenance that are due at *now*; returns how many."""
    page = session.get(Page, page_id)
    if page is None:
        return 0  # deleted meanwhile, with all that belongs to it
    taken = 0
    row = course.held(session, page, maintenance_id)
    while (due := row.plan.next_step()) and due.at <= now:
        _take(session, page, row, due, now)
        taken += 1
    course.set_clock(row)
    session.flush()
    return taken


def postpone(session: Session, maintenance_id: UUID, now: datetime) -> int:
    """Look at a maintenance whose step failed again later."""
    row = session.get(Maintenance, maintenance_id, with_for_update=True)
    if row is None or row.next_at is None:
        return 0
    row.next_at = now + AGAIN_AFTER
    return 1


def due(session: Session, now: datetime, *, limit: int) -> list[tuple[UUID, UUID]]:
    """Page and id of the maintenance for which something is due."""
    return stored.due(session, now, limit=limit)


def _take(session: Session, page: Page, row: Maintenance, due: Due, now: datetime) -> None:
    if due.step is Step.REMIND:
        _remind(session, page, row, due, now)
        return
    if due.step is Step.PLAN_NEXT:
        course.plan_next(session, page, row, now=now)
        row.reminded = [*row.reminded, PLANNED]
        return
    status, body = {
        Step.START: (MaintenanceStatus.IN_PROGRESS, BEGUN),
        Step.COMPLETE: (MaintenanceStatus.COMPLETED, DONE),
    }[due.step]
    course.move(session, page, row, status, body, actor=None, notify=True, now=utc_now())


def _remind(session: Session, page: Page, row: Maintenance, due: Due, now: datetime) -> None:
    """One reminder, however many are due: a sweep that comes late sends the nearest one only, none after the start."""
    past = [
        minutes
        for minutes in row.remind_before
        if minutes not in row.reminded and row.scheduled_start - timedelta(minutes=minutes) <= now
    ]
    left = row.scheduled_start - now
    row.reminded = sorted({*row.reminded, *past, due.minutes}, reverse=True)
    session.flush()
    if left > timedelta(0):
        nominal, rest = min(past, default=due.minutes), round(left / timedelta(minutes=1))
        # What is told is the time that is left, also by a sweep that comes late.
        more = {"minutes": nominal if nominal - rest <= 1 else max(rest, 1)}
        course.tell(session, page, row, REMINDER, notify=True, more=more)
