"""What the tests of monitors' verdicts set up and read back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import CheckResult
from flask_statuspage.services import monitoring
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.monitors import Monitor, MonitorRegion


def record(session: Session, *results: CheckResult) -> None:
    monitoring.record(session, results)
    session.commit()


def verdict_of(session: Session, row: Monitor) -> Verdict:
    return session.execute(select(Monitor.verdict).where(Monitor.id == row.id)).scalar_one()


def regions_of(session: Session, row: Monitor) -> dict[str, MonitorRegion]:
    query = select(MonitorRegion).where(MonitorRegion.monitor_id == row.id)
    rows = session.scalars(query.execution_options(populate_existing=True))
    return {one.region: one for one in rows}


def age(
    session: Session, row: Monitor, seconds: float, *, regions: Iterable[str] | None = None
) -> None:
    """Let all that these regions (None: all) said have been said so much earlier."""
    before = timedelta(seconds=seconds)
    for one in regions_of(session, row).values():
        if regions is None or one.region in regions:
            values = {"last_at": one.last_at and one.last_at - before}
            if one.abstained_at:
                values["abstained_at"] = one.abstained_at - before
            session.execute(
                update(MonitorRegion).where(MonitorRegion.id == one.id).values(values),
                execution_options={"synchronize_session": False},
            )
    session.commit()


def not_due(session: Session, *rows: Monitor) -> None:
    """Let nothing of *rows* be due for an hour."""
    session.execute(
        update(MonitorRegion)
        .where(MonitorRegion.monitor_id.in_([row.id for row in rows]))
        .values(due_at=utc_now() + timedelta(hours=1)),
        execution_options={"synchronize_session": False},
    )
    session.commit()


def is_due(session: Session, row: Monitor) -> bool:
    """Whether the monitor is due now, wherever it is asked."""
    rows = regions_of(session, row).values()
    return any(one.due_at is not None and one.due_at <= utc_now() for one in rows)
