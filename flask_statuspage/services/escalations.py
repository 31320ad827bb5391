"""Notices that are repeated while a monitor stays down, at the intervals that it names.

Each is the event ``monitor.down`` with the next ``notification_level``. It is sent under the monitor's lock and only if
it is still due then, so two schedulers never send one twice. One that comes late is sent once, and the next one counts
from then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.verdict import Verdict
from ..storage import maintenances, monitor_clock, pages
from ..storage import monitors as stored
from ..storage.monitors import Monitor
from ..storage.pages import Page
from . import monitor_reports, monitor_votes
from .monitor_parents import Parents

AGAIN_AFTER = timedelta(minutes=1)
"""When a notice is looked at again that was not to be sent at its time."""


def due(session: Session, now: datetime, *, limit: int) -> list[UUID]:
    """The monitors whose notice is to be repeated."""
    return monitor_clock.escalating(session, now, limit=limit)


def advance(session: Session, monitor_id: UUID, now: datetime) -> int:
    """Repeat the notice of one monitor if it is due at *now*; returns how many were sent.

    It waits while the component is under maintenance, and while what the monitor depends on fails.
    """
    monitor = _held(session, monitor_id, now)
    if monitor is None:
        return 0
    if monitor.verdict is not Verdict.DOWN or monitor.paused_at is not None:
        monitor_reports.end_notices(monitor)
        return 0
    if monitor.notification_level > len(monitor.escalation_intervals or ()):
        monitor.escalates_at = None  # the list was made shorter meanwhile
        return 0
    page = session.get_one(Page, monitor.page_id)
    pages.hold(session, page.id)
    if _is_silent(session, monitor, now):
        monitor.escalates_at = now + AGAIN_AFTER
        return 0
    monitor_reports.count_notice(monitor, now)
    session.flush()
    result = monitor_votes.latest(monitor, Verdict.DOWN)
    # The signal is for what has changed, and nothing has.
    monitor_reports.tell(session, page, monitor, Verdict.DOWN, result, now=now, signal=False)
    return 1


def postpone(session: Session, monitor_id: UUID, now: datetime) -> int:
    """Look at a monitor whose notice failed again later."""
    monitor = _held(session, monitor_id, now)
    if monitor is None:
        return 0
    monitor.escalates_at = now + AGAIN_AFTER
    return 1


def _held(session: Session, monitor_id: UUID, now: datetime) -> Monitor | None:
    """The monitor, locked, if its notice is due."""
    pages.begin_writing(session)
    monitor = stored.locked(session, [monitor_id]).get(monitor_id)
    if monitor is None or monitor.escalates_at is None or monitor.escalates_at > now:
        return None
    return monitor


def _is_silent(session: Session, monitor: Monitor, now: datetime) -> bool:
    if Parents(session, [monitor], now, held={}).is_failing(monitor):
        return True
    watched = [monitor.component_id] if monitor.component_id else []
    return bool(watched and maintenances.under_maintenance(session, watched, lock=True))
