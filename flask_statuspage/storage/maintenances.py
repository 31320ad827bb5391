"""Maintenance windows, the components they are about, their updates, and when the clock must look at them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Select, UniqueConstraint, func, or_, select
from sqlalchemy.orm import (
    Mapped,
    Session,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)

from ..domain.ids import new_id
from ..domain.maintenance import ACTIVE, OVER, MaintenanceStatus, Plan
from .base import Actor, Base, Json, Key, LongText, Name, Origin, utc_now, words
from .components import Component


class Maintenance(Base):
    """One window. Of a recurring one each occurrence is a row of its own.

    ``remind_before`` and ``reminded`` are minutes before the start. ``next_at`` is when the clock has something to do,
    ``revision`` counts the changes of the window itself.

    A series shares ``series_id``. ``series_start`` is where its ``rrule`` counts from on the clock of ``series_zone``,
    ``occurrence_at`` the instant that the rule gave this occurrence, wherever it was moved to; ``exceptions`` are local
    dates without one. A 0 among ``reminded`` says that the next occurrence is planned although this one did not begin.
    """

    __tablename__ = "statuspage_maintenance"
    __table_args__ = (
        Index("ix_statuspage_maintenance_page_start", "page_id", "scheduled_start"),
        Index("ix_statuspage_maintenance_status_page", "status", "page_id"),
        Index("uq_statuspage_maintenance_origin", "page_id", "origin", unique=True),
        UniqueConstraint("series_id", "occurrence_at"),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("statuspage_page.id"))
    title: Mapped[str] = mapped_column(Name)
    status: Mapped[MaintenanceStatus] = mapped_column(words(MaintenanceStatus))
    scheduled_start: Mapped[datetime]
    scheduled_end: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    auto_start: Mapped[bool] = mapped_column(default=True)
    auto_complete: Mapped[bool] = mapped_column(default=True)
    remind_before: Mapped[list[int]] = mapped_column(Json, default=list)
    reminded: Mapped[list[int]] = mapped_column(Json, default=list)
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    revision: Mapped[int] = mapped_column(default=0)
    rrule: Mapped[str | None] = mapped_column(Name)
    exceptions: Mapped[list[str]] = mapped_column(Json, default=list)
    series_id: Mapped[UUID | None] = mapped_column(Key)
    series_start: Mapped[datetime | None]
    series_zone: Mapped[str | None] = mapped_column(Name)
    occurrence_at: Mapped[datetime | None]
    origin: Mapped[str | None] = mapped_column(Origin)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    affected: Mapped[list[MaintainedComponent]] = relationship(
        lazy="raise_on_sql", cascade="all, delete-orphan", order_by="MaintainedComponent.position"
    )
    updates: Mapped[list[MaintenanceUpdate]] = relationship(
        lazy="raise_on_sql",
        cascade="all, delete-orphan",
        order_by="MaintenanceUpdate.number.desc()",
    )

    @property
    def plan(self) -> Plan:
        """What the clock has to know."""
        return Plan(
            status=self.status,
            start=self.scheduled_start,
            end=self.scheduled_end,
            auto_start=self.auto_start,
            auto_complete=self.auto_complete,
            remind_before=tuple(self.remind_before),
            reminded=frozenset(self.reminded),
            recurs=self.rrule is not None,
        )


class MaintainedComponent(Base):
    """A component of a maintenance."""

    __tablename__ = "statuspage_maintenance_component"
    __table_args__ = (
        UniqueConstraint(
            "maintenance_id", "component_id", name="uq_statuspage_maintenance_component"
        ),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    maintenance_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_maintenance.id", ondelete="CASCADE")
    )
    component_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_component.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int] = mapped_column(default=0)

    component: Mapped[Component] = relationship(lazy="raise_on_sql")


class MaintenanceUpdate(Base):
    """What was told when. ``number`` counts from 1; ``notified`` says whether subscribers were told."""

    __tablename__ = "statuspage_maintenance_update"
    __table_args__ = (UniqueConstraint("maintenance_id", "number"),)

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    maintenance_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_maintenance.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    status: Mapped[MaintenanceStatus] = mapped_column(words(MaintenanceStatus))
    body: Mapped[str] = mapped_column(LongText, default="")
    actor: Mapped[str | None] = mapped_column(Actor)
    notified: Mapped[bool] = mapped_column(default=True)
    origin: Mapped[str | None] = mapped_column(Origin)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


def _whole() -> Select[Maintenance]:
    return select(Maintenance).options(
        selectinload(Maintenance.updates),
        selectinload(Maintenance.affected)
        .selectinload(MaintainedComponent.component)
        .selectinload(Component.group),
    )


def get(session: Session, maintenance_id: UUID) -> Maintenance | None:
    """The maintenance with its components and updates."""
    return session.scalar(_whole().where(Maintenance.id == maintenance_id))


def locked(session: Session, maintenance_id: UUID) -> Maintenance | None:
    """The same as it is now; the page's row is held already, which is what keeps writers apart.

    In one statement: on MariaDB only what a locking statement reads is newer than the transaction's first look.
    """
    query = (
        select(Maintenance)
        .where(Maintenance.id == maintenance_id)
        .options(
            joinedload(Maintenance.updates),
            joinedload(Maintenance.affected)
            .joinedload(MaintainedComponent.component)
            .joinedload(Component.group),
        )
        .with_for_update(of=Maintenance)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).unique().one_or_none()


def component_ids(session: Session, maintenance_id: UUID) -> list[UUID]:
    """The components that it is about."""
    query = select(MaintainedComponent.component_id)
    query = query.where(MaintainedComponent.maintenance_id == maintenance_id)
    return list(session.scalars(query))


def of_page(page_id: UUID) -> Select[Maintenance]:
    """All maintenance of a page, the latest window first."""
    return (
        _whole()
        .where(Maintenance.page_id == page_id)
        .order_by(Maintenance.scheduled_start.desc(), Maintenance.id.desc())
    )


def of_component(
    session: Session, page_id: UUID, component_id: UUID, *, since: datetime, limit: int
) -> list[tuple[UUID, str, MaintenanceStatus, datetime, datetime | None]]:
    """Id, title, status, start and end of the latest windows that a component is in and that were not over by *since*,
    the latest first, in one query.

    One without components is about the page as a whole; a cancelled one is about nothing. What has begun has the times
    at which it really did, what has not those that are planned.
    """
    start = func.coalesce(Maintenance.started_at, Maintenance.scheduled_start)
    end = func.coalesce(Maintenance.ended_at, Maintenance.scheduled_end)
    query = (
        select(
            Maintenance.id,
            Maintenance.title,
            Maintenance.status,
            Maintenance.scheduled_start,
            Maintenance.scheduled_end,
            Maintenance.started_at,
            Maintenance.ended_at,
        )
        .where(
            Maintenance.page_id == page_id,
            Maintenance.status != MaintenanceStatus.CANCELLED,
            or_(
                Maintenance.affected.any(MaintainedComponent.component_id == component_id),
                ~Maintenance.affected.any(),
            ),
            or_(Maintenance.status.in_(list(ACTIVE)), end > since),
        )
        .order_by(start.desc(), Maintenance.id.desc())
        .limit(limit)
    )
    return [
        (
            row.id,
            row.title,
            row.status,
            row.started_at or row.scheduled_start,
            None if row.status in ACTIVE else row.ended_at or row.scheduled_end,
        )
        for row in session.execute(query)
    ]


def pending(
    session: Session, page_id: UUID, component_ids: Collection[UUID], *, but: UUID | None = None
) -> list[Maintenance]:
    """The windows of a page, *but* one, that are not over and are about any of *component_ids*, as they are now."""
    query = (
        select(Maintenance)
        .join(Maintenance.affected)
        .where(
            Maintenance.page_id == page_id,
            Maintenance.status.not_in(list(OVER)),
            MaintainedComponent.component_id.in_(component_ids),
        )
        .order_by(Maintenance.scheduled_start, Maintenance.id)
        .with_for_update(of=Maintenance)
        .execution_options(populate_existing=True)
    )
    if but is not None:
        query = query.where(Maintenance.id != but)
    return list(session.scalars(query).unique())


def under_maintenance(
    session: Session, component_ids: Collection[UUID], *, lock: bool = False
) -> set[UUID]:
    """Those of *component_ids* for which a maintenance is going on.

    :param lock: as it is now, also on MariaDB, whose transactions otherwise see what was when they began.
    """
    query = (
        select(MaintainedComponent.component_id)
        .join(Maintenance, Maintenance.id == MaintainedComponent.maintenance_id)
        .where(
            MaintainedComponent.component_id.in_(component_ids),
            Maintenance.status.in_(list(ACTIVE)),
        )
    )
    return set(session.scalars(query.with_for_update(read=True) if lock else query))


def windows(
    session: Session, component_ids: Collection[UUID], *, since: datetime, until: datetime
) -> list[tuple[UUID, datetime, datetime | None]]:
    """When each of *component_ids* was under maintenance, as it really began and ended; None: it goes on.

    Only what reaches into the time from *since* to *until*.
    """
    query = (
        select(MaintainedComponent.component_id, Maintenance.started_at, Maintenance.ended_at)
        .join(Maintenance, Maintenance.id == MaintainedComponent.maintenance_id)
        .where(
            MaintainedComponent.component_id.in_(component_ids),
            Maintenance.started_at <= until,
            or_(Maintenance.ended_at.is_(None), Maintenance.ended_at > since),
        )
    )
    rows = session.execute(query).all()
    return [(row[0], row[1], row[2]) for row in rows if row[1] is not None]


def maintained_on(session: Session, page_id: UUID) -> list[UUID]:
    """The components of a page for which a maintenance is going on."""
    query = select(MaintainedComponent.component_id).join(
        Maintenance, Maintenance.id == MaintainedComponent.maintenance_id
    )
    query = query.where(Maintenance.page_id == page_id, Maintenance.status.in_(list(ACTIVE)))
    return list(session.scalars(query))


def planned_of_series(session: Session, series_id: UUID) -> list[UUID]:
    """The occurrences of a series that have not begun, as it is now. The page is held already."""
    query = select(Maintenance.id).where(
        Maintenance.series_id == series_id, Maintenance.status == MaintenanceStatus.SCHEDULED
    )
    return list(session.scalars(query.order_by(Maintenance.occurrence_at).with_for_update()))


def goes_on(session: Session, series_id: UUID, occurrence_at: datetime) -> bool:
    """Whether an occurrence after that one is there already, as it is now. The page is held already."""
    query = select(Maintenance.id).where(
        Maintenance.series_id == series_id, Maintenance.occurrence_at > occurrence_at
    )
    return session.scalar(query.limit(1).with_for_update()) is not None


def any_due(session: Session, now: datetime) -> bool:
    """Whether the clock has something to do for any page."""
    return (
        session.scalar(select(Maintenance.id).where(Maintenance.next_at <= now).limit(1))
        is not None
    )


def due(session: Session, now: datetime, *, limit: int) -> list[tuple[UUID, UUID]]:
    """Page and id of the maintenance for which the clock has something to do, the most urgent first."""
    query = (
        select(Maintenance.page_id, Maintenance.id)
        .where(Maintenance.next_at <= now)
        .order_by(Maintenance.next_at, Maintenance.id)
        .limit(limit)
    )
    return [(row.page_id, row.id) for row in session.execute(query)]
