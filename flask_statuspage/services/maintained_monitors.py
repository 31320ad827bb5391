"""Monitors of components that were under maintenance: what their checks found meanwhile, once it is over."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.verdict import Streak, is_milder, milder
from ..storage import maintenances, monitors
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.session import database_now
from . import monitor_votes, monitoring


def hear_again(
    session: Session, page: Page, component_ids: Collection[UUID], *, notify: bool = True
) -> None:
    """Listen to the monitors of *component_ids* again, once no maintenance of theirs goes on any more.

    A target that works better by now is believed at once, so that no outage from before the maintenance comes back for
    one interval. Failures from the time of the maintenance do not count, however few: it takes as many new ones as ever
    to alert.

    The monitors and the page are held; the maintenance that ends is not active any more.
    """
    maintained = maintenances.under_maintenance(session, component_ids, lock=True)
    now = database_now(session)
    heard = [id_ for id_ in component_ids if id_ not in maintained]
    for monitor in monitors.lock_on(session, heard):
        judged = monitoring.judged(monitor, now)
        result = monitor_votes.latest(monitor, judged)
        if result is not None and is_milder(judged, monitor.verdict):
            monitoring.turn(session, page, monitor, result, notify=notify, now=now)
        _forget_failures(monitor)
    session.flush()


def _forget_failures(monitor: Monitor) -> None:
    for region in monitor.regions:
        streak = region.streak
        region.streak = Streak(
            milder(streak.verdict, monitor.verdict),
            answered=streak.answered,
            healthy=streak.healthy,
        )
