"""Monitors of components that were under maintenance: what their checks found meanwhile, once it is over."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.verdict import Streak, Verdict, is_milder, milder
from ..probing import CheckResult
from ..storage import maintenances, monitors
from ..storage.monitors import Monitor
from ..storage.pages import Page
from . import monitoring


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
    heard = [id_ for id_ in component_ids if id_ not in maintained]
    for monitor in monitors.lock_on(session, heard):
        judged = monitoring.judged(monitor)
        if judged is not Verdict.UNKNOWN and is_milder(judged, monitor.verdict):
            monitoring.turn(session, page, monitor, _latest(monitor, judged), notify=notify)
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


def _latest(monitor: Monitor, judged: Verdict) -> CheckResult:
    """The latest result of any region, of those that say what is believed now if there are any."""
    answered = [region for region in monitor.regions if region.last_at and region.last_outcome]
    agreeing = [region for region in answered if region.last_outcome is judged]
    region = max(agreeing or answered, key=lambda row: row.last_at)  # type: ignore[arg-type, return-value]
    assert region.last_at is not None
    assert region.last_outcome is not None
    return CheckResult(
        monitor_id=monitor.id,
        region=region.region,
        outcome=region.last_outcome,
        at=region.last_at,
        milliseconds=region.last_ms,
        code=region.last_code,
        error=region.last_error,
    )
