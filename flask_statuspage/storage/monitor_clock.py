"""What the clock does to monitors: notices are repeated, and what nobody looks at any more is not known."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update
from sqlalchemy.orm import Session

from ..domain.verdict import Verdict
from .monitors import Monitor, MonitorRegion
from .session import seconds_before


def any_escalating(session: Session, now: datetime) -> bool:
    """Whether a notice is to be repeated."""
    return session.scalar(select(exists().where(Monitor.escalates_at <= now))) or False


def escalating(session: Session, now: datetime, *, limit: int) -> list[UUID]:
    """The monitors whose notice is to be repeated, the most urgent first."""
    query = select(Monitor.id).where(Monitor.escalates_at <= now)
    return list(session.scalars(query.order_by(Monitor.escalates_at, Monitor.id).limit(limit)))


def silent(
    session: Session,
    now: datetime,
    *,
    intervals: int,
    grace: float,
    since: datetime,
    but: Collection[str],
    limit: int,
) -> list[UUID]:
    """The monitors that are believed to be well, and of which no region has said so for long.

    :param intervals: of the monitor; with its timeout and *grace*, in seconds, how long that is.
    :param since: from when on they were looked after; what is missing from before that does not count.
    :param but: kinds that are left out.
    """
    lasts = intervals * Monitor.interval + Monitor.timeout + grace
    long_ago = seconds_before(now, lasts)
    query = (
        select(Monitor.id)
        .where(
            Monitor.verdict.in_([Verdict.UP, Verdict.DEGRADED]),
            Monitor.paused_at.is_(None),
            Monitor.kind.not_in(list(but)),
            seconds_before(now, lasts) > since,
            ~_voted_after(long_ago),
        )
        .order_by(Monitor.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def _voted_after(instant: ColumnElement[datetime]) -> ColumnElement[bool]:
    spoke: Select[int] = select(MonitorRegion.id).where(
        MonitorRegion.monitor_id == Monitor.id,
        MonitorRegion.verdict != Verdict.UNKNOWN,
        # Since it abstains, it has not voted.
        func.coalesce(MonitorRegion.abstained_at, MonitorRegion.last_at) >= instant,
    )
    return spoke.correlate(Monitor).exists()


def make_due(
    session: Session, region_ids: Collection[int], now: datetime, *, unless_woken_since: datetime
) -> set[str]:
    """Make these regions due at once, but for those that somebody works on at this moment.

    :param unless_woken_since: those that were made due after that, and have not answered yet, are left out.
    :returns: the names of those that were made due.
    """
    if not region_ids:
        return set()
    query = (
        select(MonitorRegion.id, MonitorRegion.region)
        .where(
            MonitorRegion.id.in_(region_ids),
            MonitorRegion.due_at > now,
            # Asked again here: another batch may have been first.
            or_(
                MonitorRegion.woken_at.is_(None),
                MonitorRegion.woken_at < unless_woken_since,
                MonitorRegion.woken_at <= MonitorRegion.last_at,
            ),
        )
        .order_by(MonitorRegion.id)
        # Whoever holds one asks it, or writes down what it answered; and nobody waits for it here, who may hold its
        # child.
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(query).all()
    if rows:
        session.execute(
            update(MonitorRegion)
            .where(MonitorRegion.id.in_([row.id for row in rows]))
            .values(due_at=now, woken_at=now),
            execution_options={"synchronize_session": False},
        )
    return {row.region for row in rows}
