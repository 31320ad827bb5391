"""Monitors of components that were under maintenance: what their checks found meanwhile, once it is over."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.verdict import Streak, Verdict
from ..probing import CheckResult
from ..storage import maintenances, monitors
from ..storage.monitors import Monitor
from ..storage.pages import Page
from . import monitoring


def hear_again(session: Session, page: Page, component_ids: Collection[UUID]) -> None:
    """Listen to the monitors of *component_ids* again, once no maintenance of theirs goes on any more.

    A target that works by now is believed at once, so that no outage from before the maintenance comes back for one
    interval. Failures from the time of the maintenance do not count: it takes as many new ones as ever to alert.

    The monitors and the page are held.
    """
    maintained = maintenances.under_maintenance(session, component_ids, lock=True)
    for monitor in monitors.lock_on(
        session, [id_ for id_ in component_ids if id_ not in maintained]
    ):
        if monitoring.judged(monitor) is Verdict.UP and monitoring.has_turned(monitor):
            monitoring.turn(session, page, monitor, _latest(monitor))
        elif monitoring.has_turned(monitor):
            for region in monitor.regions:
                region.streak = Streak(monitor.verdict)
    session.flush()


def _latest(monitor: Monitor) -> CheckResult:
    """The latest result of any region."""
    answered = [region for region in monitor.regions if region.last_at and region.last_outcome]
    region = max(answered, key=lambda row: row.last_at)  # type: ignore[arg-type, return-value]
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
