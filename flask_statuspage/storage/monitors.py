"""Monitors, and what each region knows of them. When they are due: :mod:`.due`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    Select,
    String,
    UniqueConstraint,
    inspect,
    select,
)
from sqlalchemy.orm import (
    Mapped,
    Session,
    contains_eager,
    mapped_column,
    relationship,
    selectinload,
)
from sqlalchemy.orm.attributes import set_committed_value

from ..domain.ids import MAX_SLUG, new_id
from ..domain.status import ComponentStatus
from ..domain.verdict import Streak, Thresholds, Verdict
from ..errors import NotFound
from . import bulk
from .base import Base, Json, Key, LongText, Name, Word, utc_now, words
from .components import Component

Found = TypeVar("Found")


class Monitor(Base):
    """``interval`` and ``timeout`` are seconds, ``degraded_over_ms`` milliseconds; ``options`` are the probe's own.

    ``secrets`` are the options that are never shown again, by their dotted path, as JSON that
    :func:`.encryption.seal` has closed: whoever reads the monitor need not open it. ``escalation_intervals`` are the
    seconds from one notice to the next while it stays down, ``notification_level`` counts those that were sent,
    ``escalates_at`` is when the next one is due. ``observed`` is what a page elsewhere said last, ``token`` the secret
    part of a heartbeat's URL.
    """

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
    secrets: Mapped[str | None] = mapped_column(LongText)
    token: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    degraded_threshold: Mapped[int | None]
    depends_on_id: Mapped[UUID | None] = mapped_column(Key, index=True)
    template_id: Mapped[UUID | None] = mapped_column(Key)
    escalation_intervals: Mapped[list[int] | None] = mapped_column(Json)
    notification_level: Mapped[int] = mapped_column(default=0, server_default="0")
    escalates_at: Mapped[datetime | None] = mapped_column(index=True)
    observed: Mapped[dict[str, Any] | None] = mapped_column(Json(none_as_null=True))
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
        return Thresholds(self.failure_threshold, self.recovery_threshold, self.degraded_threshold)


class MonitorRegion(Base):
    """A monitor as one region sees it: when its next check is due, its streaks and its latest result.

    ``abstained_at`` is set while it does not vote: since a result, or since a resume, before which nothing counts any
    more. ``begun_at`` is set while a job said that it began and not yet how it went. ``rhythm`` are the seconds between
    its two latest results, ``woken_at`` is when it was last made due for the sake of a monitor that waits for its word.
    """

    __tablename__ = "statuspage_region"
    __table_args__ = (
        UniqueConstraint("monitor_id", "region"),
        Index("ix_statuspage_region_region_due", "region", "due_at"),
        {
            "sqlite_autoincrement": True
        },  # the results of a removed region must not become another one's
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    monitor_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_monitor.id", ondelete="CASCADE")
    )
    region: Mapped[str] = mapped_column(Word)
    due_at: Mapped[datetime | None]
    verdict: Mapped[Verdict] = mapped_column(words(Verdict), default=Verdict.UNKNOWN)
    down: Mapped[int] = mapped_column(default=0)
    impaired: Mapped[int] = mapped_column(default=0)
    answered: Mapped[int] = mapped_column(default=0)
    healthy: Mapped[int] = mapped_column(default=0)
    swings: Mapped[int] = mapped_column(default=0)
    abstained_at: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    woken_at: Mapped[datetime | None]
    rhythm: Mapped[float | None]
    last_outcome: Mapped[Verdict | None] = mapped_column(words(Verdict))
    last_at: Mapped[datetime | None]
    last_ms: Mapped[int | None]
    last_code: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(Name)

    monitor: Mapped[Monitor] = relationship(lazy="raise_on_sql", back_populates="regions")

    @property
    def streak(self) -> Streak:
        return Streak(
            self.verdict, self.down, self.impaired, self.answered, self.healthy, self.swings
        )

    @streak.setter
    def streak(self, value: Streak) -> None:
        self.verdict, self.down, self.impaired = value.verdict, value.down, value.impaired
        self.answered, self.healthy, self.swings = value.answered, value.healthy, value.swings


KNOWN = (
    *("verdict", "down", "impaired", "answered", "healthy", "swings", "abstained_at", "begun_at"),
    *("rhythm", "last_outcome", "last_at", "last_ms", "last_code", "last_error"),
)
"""What results change of a region."""


@dataclass(frozen=True)
class Measured:
    """Of one component: the latest response in milliseconds, the shortest interval in seconds, the latest check.

    ``milliseconds`` is None while no region's latest check was answered: how long one took that failed is no response.
    """

    milliseconds: int | None
    interval: int
    last_at: datetime | None


def of_page(page_id: UUID) -> Select[Monitor]:
    return (
        select(Monitor)
        .where(Monitor.page_id == page_id)
        .order_by(Monitor.name, Monitor.id)
        .options(selectinload(Monitor.regions))
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
    return next(iter(_sorted(session.scalars(query).unique())), None)


def locked(session: Session, monitor_ids: Collection[UUID]) -> dict[UUID, Monitor]:
    """The monitors *monitor_ids* with their regions by their ids, held until the transaction ends."""
    rows = session.scalars(_locking().where(bulk.among(session, Monitor.id, monitor_ids))).unique()
    return {monitor.id: monitor for monitor in _sorted(rows)}


def save_regions(session: Session, monitors: Iterable[Monitor]) -> None:
    """Write what is new in the regions of *monitors*, all in one statement.

    A flush sends one for each group of neighbours in which the same columns changed.
    """
    changed = [row for monitor in monitors for row in monitor.regions if inspect(row).modified]
    bulk.change(
        session,
        MonitorRegion,
        ({name: getattr(row, name) for name in ("id", *KNOWN)} for row in changed),
    )
    for row in changed:
        for name in KNOWN:
            set_committed_value(row, name, getattr(row, name))


def by_id(session: Session, monitor_ids: Collection[UUID]) -> dict[UUID, Monitor]:
    """The monitors *monitor_ids* with their regions by their ids, as they are now and not held."""
    query = (
        select(Monitor)
        .join(Monitor.regions)
        .where(bulk.among(session, Monitor.id, monitor_ids))
        .options(contains_eager(Monitor.regions))
        .execution_options(populate_existing=True)
    )
    return {monitor.id: monitor for monitor in _sorted(session.scalars(query).unique())}


def of_kinds(session: Session, monitor_ids: Collection[UUID], kinds: Collection[str]) -> set[UUID]:
    """Those of *monitor_ids* that are of one of these kinds."""
    query = select(Monitor.id).where(bulk.among(session, Monitor.id, monitor_ids))
    return set(session.scalars(query.where(Monitor.kind.in_(kinds))))


def lock_on(session: Session, component_ids: Collection[UUID]) -> list[Monitor]:
    """The monitors of *component_ids* with their regions, held until the transaction ends."""
    if not component_ids:
        return []
    watching = _locking().where(Monitor.component_id.in_(component_ids))
    return _sorted(session.scalars(watching).unique())


def _sorted(monitors: Iterable[Monitor]) -> list[Monitor]:
    """*monitors* with their regions by name. Asked for by a statement that locks, the order would have MariaDB lock its
    rows in different orders, too."""
    rows = list(monitors)
    for monitor in rows:
        if len(monitor.regions) > 1:
            ordered = sorted(monitor.regions, key=lambda row: row.region)
            set_committed_value(monitor, "regions", ordered)
    return rows


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


def on_components(session: Session, component_ids: Collection[UUID]) -> list[Monitor]:
    """The monitors of those components with their regions, by one query."""
    query = (
        select(Monitor)
        .join(Monitor.regions)
        .where(Monitor.component_id.in_(component_ids))
        .options(contains_eager(Monitor.regions))
    )
    return list(session.scalars(query).unique())


def find(session: Session, page_id: UUID, ident: str) -> UUID:
    """The id of the page's monitor with that slug or id.

    :raises NotFound: when there is none.
    """
    found: UUID | None = session.scalar(_named(select(Monitor.id), page_id, ident))
    if found is None:
        raise NotFound("monitor", ident)
    return found


def _named(query: Select[Found], page_id: UUID, ident: str) -> Select[Found]:
    query = query.where(Monitor.page_id == page_id)
    try:
        return query.where(Monitor.id == UUID(ident))
    except ValueError:
        return query.where(Monitor.slug == ident)


def find_locked(session: Session, page_id: UUID, ident: str) -> Monitor | None:
    """The page's monitor with that slug or id, without its regions, held until the transaction ends."""
    query = _named(select(Monitor), page_id, ident)
    query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def slugs_of(session: Session, page_id: UUID) -> dict[UUID, str]:
    """The slugs of the page's monitors by their ids."""
    rows = session.execute(select(Monitor.id, Monitor.slug).where(Monitor.page_id == page_id))
    return {row.id: row.slug for row in rows}


def response_of(outcome: Verdict | None, milliseconds: int | None) -> int | None:
    """How long the target took, of a check with that *outcome* that took *milliseconds*; None unless it answered."""
    return milliseconds if outcome in (Verdict.UP, Verdict.DEGRADED) else None


def measured(session: Session, page_id: UUID) -> dict[UUID, Measured]:
    """What the monitors of each component measured, by component id."""
    query = (
        select(
            Monitor.component_id,
            Monitor.interval,
            MonitorRegion.last_outcome,
            MonitorRegion.last_ms,
            MonitorRegion.last_at,
        )
        .join(Monitor.regions)
        .where(Monitor.page_id == page_id, Monitor.component_id.is_not(None))
        .order_by(MonitorRegion.last_at)
    )
    found: dict[UUID, Measured] = {}
    for component_id, interval, outcome, took, last_at in session.execute(query):
        assert component_id is not None  # as the query says
        milliseconds = response_of(outcome, took)
        before = found.get(component_id)
        found[component_id] = Measured(
            milliseconds if milliseconds is not None or before is None else before.milliseconds,
            min(interval, before.interval) if before else interval,
            last_at or (before.last_at if before else None),
        )
    return found


def kinds(session: Session) -> list[str]:
    """The kinds of all monitors, each once, by name."""
    return list(session.scalars(select(Monitor.kind).distinct().order_by(Monitor.kind)))


def has_kind(session: Session, kind: str) -> bool:
    """Whether there is a monitor of this kind."""
    return session.scalar(select(Monitor.id).where(Monitor.kind == kind).limit(1)) is not None
