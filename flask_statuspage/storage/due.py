"""When the checks of monitors are due, and who makes them: each on its own beat, see :mod:`..domain.beat`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.orm import Session

from ..domain import beat
from . import bulk
from .monitors import Monitor, MonitorRegion
from .pages import begin_writing
from .session import (
    begin_read_committed,
    by_index,
    in_pages,
    locks_rows,
    locks_what_it_passes,
    seconds_before,
)

MOVED_AT_ONCE = 5_000
"""How many due times are moved in one statement."""

CHOSEN_AT_ONCE = 100
"""How many checks a claim chooses among, at least, where others hold the oldest."""

ASKED = (
    *("id", "slug", "kind", "target", "interval", "timeout"),
    *("degraded_over_ms", "options", "secrets"),
)
"""The columns of a monitor that an order is made of. What was observed of a page elsewhere can be large."""


@dataclass(frozen=True)
class DueCheck:
    """A check that was taken.

    :param region_id: of the region's row. :param due_at: when it was due. :param next_at: when it is due next.
    :param begun_at: since when its job is at work, if it said so.
    :param monitor: a plain row with the columns :data:`ASKED`: nothing of it is tracked or locked.
    """

    region_id: int
    due_at: datetime
    next_at: datetime
    begun_at: datetime | None
    monitor: Row[Any]


def first_due(session: Session) -> dict[str, datetime]:
    """When the next check of each region is due, by region. Reads one entry of the index for each."""
    found: dict[str, datetime] = {}
    last = ""
    while True:
        query = (
            select(MonitorRegion.region, MonitorRegion.due_at)
            .where(MonitorRegion.region > last, MonitorRegion.due_at.is_not(None))
            .order_by(MonitorRegion.region, MonitorRegion.due_at)
            .limit(1)
        )
        row = session.execute(query).one_or_none()
        if row is None:
            return found
        last = row.region
        found[last] = row.due_at


def due_regions(session: Session, now: datetime) -> list[str]:
    """The regions in which a check is due."""
    return [region for region, due_at in first_due(session).items() if due_at <= now]


def lag(session: Session, now: datetime) -> float:
    """Seconds by which the oldest due check is late; 0.0 when none is."""
    return max(
        (max(0.0, (now - due_at).total_seconds()) for due_at in first_due(session).values()),
        default=0.0,
    )


def claim(session: Session, region: str, now: datetime, *, limit: int) -> list[DueCheck]:
    """Take at most *limit* due checks of *region*, the oldest first, by moving their due times on.

    Two workers never take the same one. The next check is due on the monitor's own beat, at most one interval from
    now, however late this one was. What was missed while nobody asked, see :func:`.beat.is_missed`, is not made up for:
    it is moved on, too, beyond *limit*, so a stop is not followed by a burst. A check whose worker dies is made at the
    next interval.
    """
    _begin(session)
    with by_index(session):
        _pass_over_missed(session, region, now)
        taken = _taken(session, region, now, limit)
        monitors = _monitors(session, [row.monitor_id for row in taken])
        found = [
            DueCheck(
                region_id=row.id,
                due_at=row.due_at,
                next_at=_next(row.id, row.due_at, monitor, now),
                begun_at=row.begun_at,
                monitor=monitor,
            )
            for row in taken
            if row.due_at is not None and (monitor := monitors.get(row.monitor_id)) is not None
        ]
        moved = [{"id": check.region_id, "due_at": check.next_at} for check in found]
        bulk.change(session, MonitorRegion, moved)
    return found


def give_back(
    session: Session, region: str, checks: Iterable[tuple[UUID, datetime, datetime]]
) -> None:
    """Let others make checks that were taken and not made.

    :param checks: monitor, when the check was due, and when the claim has made it due next. One that is due at another
        time by now stays as it is: its job has reported, or somebody else has a reason.
    """
    _begin(session)
    for some in in_pages(checks, MOVED_AT_ONCE):
        dues = {monitor_id: (due_at, next_at) for monitor_id, due_at, next_at in some}
        query = (
            select(MonitorRegion.id, MonitorRegion.monitor_id, MonitorRegion.due_at)
            .where(
                MonitorRegion.region == region, bulk.among(session, MonitorRegion.monitor_id, dues)
            )
            .order_by(MonitorRegion.monitor_id)  # as all lock them who wait
            .with_for_update()
        )
        rows = [
            {"id": row.id, "due_at": due_at}
            for row in session.execute(query)
            for due_at, next_at in [dues[row.monitor_id]]
            if row.due_at == next_at
        ]
        bulk.change(session, MonitorRegion, rows)


def keep_beat(session: Session, now: datetime, *, monitor_id: UUID | None = None) -> int:
    """Bring nearer what is due later than it can be, for an interval that was longer or a clock that was ahead.

    :param monitor_id: None: of all monitors. :returns: how many were.
    """
    _begin(session)
    query = (
        select(MonitorRegion.id, MonitorRegion.monitor_id, MonitorRegion.due_at, Monitor.interval)
        .join(MonitorRegion.monitor)
        .where(
            MonitorRegion.due_at > now,
            # All others, nearly all that there are, need not be read.
            seconds_before(MonitorRegion.due_at, Monitor.interval) > now,
            Monitor.kind.not_in(beat.OF_THE_TARGET),
        )
    )
    if monitor_id is not None:
        query = query.where(MonitorRegion.monitor_id == monitor_id)
    astray = [
        row for row in session.execute(query) if beat.is_astray(row.due_at, row.interval, now)
    ]
    _move_on(session, astray, now)
    return len(astray)


def _begin(session: Session) -> None:
    begin_read_committed(session)
    if not locks_rows(session):
        begin_writing(session)


_TAKEN = (
    MonitorRegion.id,
    MonitorRegion.monitor_id,
    MonitorRegion.due_at,
    MonitorRegion.begun_at,
)


def _taken(session: Session, region: str, now: datetime, limit: int) -> Sequence[Any]:
    """At most *limit* checks that are due and nobody holds, the oldest first, held from now on.

    Without a join: MariaDB would lock the monitors too, which whoever records results holds.
    """
    is_due = (MonitorRegion.region == region, MonitorRegion.due_at <= now)
    if not locks_what_it_passes(session):
        oldest = select(*_TAKEN).where(*is_due).order_by(MonitorRegion.due_at).limit(limit)
        return session.execute(oldest.with_for_update(skip_locked=True)).all()
    # The first one that is not due would be held as well, whoever waits for it: chosen without a lock, held by key.
    taken: list[Any] = []
    place = (MonitorRegion.due_at, MonitorRegion.id)
    following: tuple[ColumnElement[bool], ...] = ()
    size = limit
    while len(taken) < limit:
        choice = select(*place).where(*is_due, *following).order_by(*place).limit(size)
        chosen = session.execute(choice).all()
        if chosen:
            held = select(*_TAKEN).where(
                MonitorRegion.id.in_([row.id for row in chosen]), MonitorRegion.due_at <= now
            )
            lacking = held.order_by(MonitorRegion.id).limit(limit - len(taken))
            taken += session.execute(lacking.with_for_update(skip_locked=True)).all()
        if len(chosen) < size:
            break
        # Others have taken some of these at this very moment; they may hold many, and a limit may be small.
        due_at, last = chosen[-1]
        following = (
            MonitorRegion.due_at >= due_at,
            or_(MonitorRegion.due_at > due_at, MonitorRegion.id > last),
        )
        size = max(limit, CHOSEN_AT_ONCE)
    return sorted(taken, key=lambda row: (row.due_at, row.id))


def _pass_over_missed(session: Session, region: str, now: datetime) -> None:
    late = (
        select(MonitorRegion.id, MonitorRegion.monitor_id, MonitorRegion.due_at, Monitor.interval)
        .join(MonitorRegion.monitor)
        .where(
            MonitorRegion.region == region,
            MonitorRegion.due_at <= now - beat.MISSED,
            Monitor.kind.not_in(beat.OF_THE_TARGET),
        )
    )
    missed = [row for row in session.execute(late) if beat.is_missed(row.due_at, row.interval, now)]
    if missed:
        _move_on(session, missed, now)


def _move_on(session: Session, rows: Sequence[Any], now: datetime) -> None:
    """Give each its next instant; one that somebody else holds, or has moved, is left to them."""
    for some in in_pages(rows, MOVED_AT_ONCE):
        were = {row.id: row for row in some}
        held = (
            select(MonitorRegion.id, MonitorRegion.due_at)
            .where(bulk.among(session, MonitorRegion.id, were))
            .with_for_update(skip_locked=True)
        )
        bulk.change(
            session,
            MonitorRegion,
            [
                {
                    "id": row.id,
                    "due_at": _following(
                        were[row.id].monitor_id, row.id, were[row.id].interval, now
                    ),
                }
                for row in session.execute(held)
                if row.due_at == were[row.id].due_at
            ],
        )


def _monitors(session: Session, ids: Sequence[UUID]) -> dict[UUID, Row[Any]]:
    if not ids:
        return {}
    query = select(*(Monitor.__table__.c[name] for name in ASKED)).where(
        bulk.among(session, Monitor.id, ids)
    )
    return {row.id: row for row in session.execute(query)}


def _next(region_id: int, due_at: datetime, monitor: Row[Any], now: datetime) -> datetime:
    """When a check is due next that was due at *due_at* and is taken now."""
    if monitor.kind in beat.OF_THE_TARGET:
        pause = timedelta(seconds=monitor.interval)
        return max(due_at, now - pause) + pause
    return _following(monitor.id, region_id, monitor.interval, now)


def _following(monitor_id: UUID, region_id: int, interval: int, now: datetime) -> datetime:
    return beat.following(beat.place(monitor_id, region_id), interval, now)
