"""Monitors, what each region knows of them, and when they are due."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    Select,
    String,
    UniqueConstraint,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, contains_eager, mapped_column, relationship

from ..domain.ids import MAX_SLUG, new_id
from ..domain.status import ComponentStatus
from ..domain.verdict import Streak, Thresholds, Verdict
from .base import Base, Json, Key, Name, Word, utc_now, words
from .components import Component


class Monitor(Base):
    """``interval`` and ``timeout`` are seconds, ``degraded_over_ms`` milliseconds; ``options`` are the probe's own."""

    __tablename__ = "statuspage_monitor"
    __table_args__ = (UniqueConstraint("page_id", "slug"),)

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("statuspage_page.id"))
    component_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("statuspage_component.id"), index=True
    )
    slug: Mapped[str] = mapped_column(String(MAX_SLUG))
    name: Mapped[str] = mapped_column(Name)
    kind: Mapped[str] = mapped_column(Word)
    target: Mapped[str] = mapped_column(String(2048))
    interval: Mapped[int]
    timeout: Mapped[float]
    quorum: Mapped[int] = mapped_column(default=1)
    failure_threshold: Mapped[int]
    recovery_threshold: Mapped[int]
    degraded_over_ms: Mapped[int | None]
    outage_status: Mapped[ComponentStatus] = mapped_column(words(ComponentStatus))
    open_incident: Mapped[bool] = mapped_column(default=True)
    options: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    paused_at: Mapped[datetime | None]
    verdict: Mapped[Verdict] = mapped_column(words(Verdict), default=Verdict.UNKNOWN)
    verdict_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    component: Mapped[Component | None] = relationship(lazy="raise_on_sql")
    regions: Mapped[list[MonitorRegion]] = relationship(
        lazy="raise_on_sql",
        back_populates="monitor",
        cascade="all, delete-orphan",
        order_by="MonitorRegion.region",
    )

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(self.failure_threshold, self.recovery_threshold)


class MonitorRegion(Base):
    """A monitor as one region sees it: when its next check is due, its streaks and its latest result."""

    __tablename__ = "statuspage_monitor_region"
    __table_args__ = (
        UniqueConstraint("monitor_id", "region"),
        Index("ix_statuspage_monitor_region_region_due", "region", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    monitor_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_monitor.id", ondelete="CASCADE")
    )
    region: Mapped[str] = mapped_column(Word)
    due_at: Mapped[datetime | None]
    claim: Mapped[UUID | None] = mapped_column(Key, index=True)
    verdict: Mapped[Verdict] = mapped_column(words(Verdict), default=Verdict.UNKNOWN)
    down: Mapped[int] = mapped_column(default=0)
    impaired: Mapped[int] = mapped_column(default=0)
    answered: Mapped[int] = mapped_column(default=0)
    healthy: Mapped[int] = mapped_column(default=0)
    last_outcome: Mapped[Verdict | None] = mapped_column(words(Verdict))
    last_at: Mapped[datetime | None]
    last_ms: Mapped[int | None]
    last_code: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(Name)

    monitor: Mapped[Monitor] = relationship(lazy="raise_on_sql", back_populates="regions")

    @property
    def streak(self) -> Streak:
        return Streak(self.verdict, self.down, self.impaired, self.answered, self.healthy)

    @streak.setter
    def streak(self, value: Streak) -> None:
        self.verdict, self.down, self.impaired = value.verdict, value.down, value.impaired
        self.answered, self.healthy = value.answered, value.healthy


@dataclass(frozen=True)
class Measured:
    """Of one component: the latest response in milliseconds, the shortest interval in seconds, the latest check."""

    milliseconds: int | None
    interval: int
    last_at: datetime | None


def of_page(page_id: UUID) -> Select[Monitor]:
    return (
        select(Monitor)
        .outerjoin(Monitor.regions)
        .where(Monitor.page_id == page_id)
        .order_by(Monitor.name, Monitor.id, MonitorRegion.region)
        .options(contains_eager(Monitor.regions))
    )


def get(session: Session, monitor_id: UUID, *, lock: bool = False) -> Monitor | None:
    """The monitor with its regions; with *lock* as they are now, held until the transaction ends."""
    query = (
        select(Monitor)
        .join(Monitor.regions)
        .where(Monitor.id == monitor_id)
        .options(contains_eager(Monitor.regions))
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).unique().one_or_none()


def locked(session: Session, monitor_ids: Collection[UUID]) -> dict[UUID, Monitor]:
    """The monitors *monitor_ids* with their regions by their ids, held until the transaction ends."""
    rows = session.scalars(_locking().where(Monitor.id.in_(monitor_ids))).unique()
    return {monitor.id: monitor for monitor in rows}


def lock_on(session: Session, component_ids: Collection[UUID]) -> list[Monitor]:
    """The monitors of *component_ids* with their regions, held until the transaction ends."""
    if not component_ids:
        return []
    watching = _locking().where(Monitor.component_id.in_(component_ids))
    return list(session.scalars(watching).unique())


def _locking() -> Select[Monitor]:
    """Monitors with their regions as they are now, in the one order in which all lock them."""
    return (
        select(Monitor)
        .join(Monitor.regions)
        .order_by(Monitor.id)
        .options(contains_eager(Monitor.regions))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def find_locked(session: Session, page_id: UUID, ident: str) -> Monitor | None:
    """The page's monitor with that slug or id, without its regions, held until the transaction ends."""
    query = select(Monitor).where(Monitor.page_id == page_id)
    try:
        query = query.where(Monitor.id == UUID(ident))
    except ValueError:
        query = query.where(Monitor.slug == ident)
    query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def slugs_of(session: Session, page_id: UUID) -> dict[UUID, str]:
    """The slugs of the page's monitors by their ids."""
    rows = session.execute(select(Monitor.id, Monitor.slug).where(Monitor.page_id == page_id))
    return {row.id: row.slug for row in rows}


def due_regions(session: Session, now: datetime) -> list[str]:
    """The regions in which a check is due."""
    query = select(MonitorRegion.region).where(MonitorRegion.due_at <= now).distinct()
    return list(session.scalars(query))


def claim_due(
    session: Session, region: str, now: datetime, *, limit: int
) -> Sequence[MonitorRegion]:
    """Take at most *limit* due checks of *region* by moving their due time on; two workers never take the same one.

    The next check is due one interval after this one was due, or after *now* if that has passed already, so a stop of
    the scheduler is not followed by a burst. A check whose worker dies is made at the next interval.
    """
    seen = session.execute(
        select(MonitorRegion.id, MonitorRegion.due_at, MonitorRegion.monitor_id)
        .where(MonitorRegion.region == region, MonitorRegion.due_at <= now)
        .order_by(MonitorRegion.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not seen:
        return []
    monitor_ids = {row.monitor_id for row in seen}
    rows = session.execute(select(Monitor.id, Monitor.interval).where(Monitor.id.in_(monitor_ids)))
    interval_of = {row.id: row.interval for row in rows}
    claim = new_id()
    moves = [
        {
            "region_id": row.id,
            "was_due_at": row.due_at,
            "next_due_at": _following(row.due_at, interval_of[row.monitor_id], now),
        }
        for row in seen
    ]
    session.connection().execute(
        update(MonitorRegion)
        .where(
            MonitorRegion.id == bindparam("region_id"),
            MonitorRegion.due_at == bindparam("was_due_at"),
        )
        .values(due_at=bindparam("next_due_at"), claim=claim),
        moves,
    )
    taken = (
        select(MonitorRegion)
        .join(MonitorRegion.monitor)
        .where(MonitorRegion.claim == claim)
        .options(contains_eager(MonitorRegion.monitor))
        .execution_options(populate_existing=True)
    )
    return session.scalars(taken).all()


def _following(due_at: datetime, interval: int, now: datetime) -> datetime:
    following = due_at + timedelta(seconds=interval)
    return following if following > now else now + timedelta(seconds=interval)


def measured(session: Session, page_id: UUID) -> dict[UUID, Measured]:
    """What the monitors of each component measured, by component id."""
    query = (
        select(
            Monitor.component_id,
            Monitor.interval,
            MonitorRegion.last_ms,
            MonitorRegion.last_at,
        )
        .join(Monitor.regions)
        .where(Monitor.page_id == page_id, Monitor.component_id.is_not(None))
        .order_by(MonitorRegion.last_at)
    )
    found: dict[UUID, Measured] = {}
    for component_id, interval, milliseconds, last_at in session.execute(query):
        assert component_id is not None  # as the query says
        before = found.get(component_id)
        found[component_id] = Measured(
            milliseconds if milliseconds is not None or before is None else before.milliseconds,
            min(interval, before.interval) if before else interval,
            last_at or (before.last_at if before else None),
        )
    return found


def lag(session: Session, now: datetime) -> float:
    """Seconds by which the oldest due check is late; 0.0 when none is."""
    oldest = session.scalar(
        select(func.min(MonitorRegion.due_at)).where(MonitorRegion.due_at <= now)
    )
    return (now - oldest).total_seconds() if oldest else 0.0


def set_due(session: Session, monitor_ids: Collection[UUID], due_at: datetime | None) -> None:
    """Make all regions of the monitors due at *due_at*; None: never (paused)."""
    session.execute(
        update(MonitorRegion)
        .where(MonitorRegion.monitor_id.in_(monitor_ids))
        .values(due_at=due_at),
        execution_options={"synchronize_session": "fetch"},
    )
