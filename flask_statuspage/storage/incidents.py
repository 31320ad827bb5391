"""Incidents, the components they affect, and their updates."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Select, UniqueConstraint, and_, func, or_, select
from sqlalchemy.orm import (
    Mapped,
    Session,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)

from ..domain.ids import new_id
from ..domain.incident import OPEN, IncidentStatus, ended_at
from ..domain.status import ComponentStatus, Impact
from .base import Actor, Base, Json, Key, LongText, Name, Origin, Word, utc_now, words
from .components import Component


class Incident(Base):
    """``impact_set`` says that a person chose the impact; otherwise it follows the components.

    ``monitor_id`` links it to a monitor, ``automatic`` says that the monitor opened it. ``next_update_due`` is the time
    that readers were promised news by.
    """

    __tablename__ = "statuspage_incident"
    __table_args__ = (
        Index("ix_statuspage_incident_page_started", "page_id", "started_at"),
        Index("ix_statuspage_incident_monitor_status", "monitor_id", "status"),
        Index("uq_statuspage_incident_origin", "page_id", "origin", unique=True),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("statuspage_page.id"))
    monitor_id: Mapped[UUID | None] = mapped_column(Key)
    automatic: Mapped[bool] = mapped_column(default=False)
    title: Mapped[str] = mapped_column(Name)
    status: Mapped[IncidentStatus] = mapped_column(words(IncidentStatus))
    impact: Mapped[Impact] = mapped_column(words(Impact))
    impact_set: Mapped[bool] = mapped_column(default=False)
    visibility: Mapped[str] = mapped_column(Word, default="published")
    started_at: Mapped[datetime]
    monitoring_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    next_update_due: Mapped[datetime | None]
    origin: Mapped[str | None] = mapped_column(Origin)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    affected: Mapped[list[AffectedComponent]] = relationship(
        lazy="raise_on_sql", cascade="all, delete-orphan", order_by="AffectedComponent.position"
    )
    updates: Mapped[list[IncidentUpdate]] = relationship(
        lazy="raise_on_sql", cascade="all, delete-orphan", order_by="IncidentUpdate.number.desc()"
    )


class AffectedComponent(Base):
    """A component of an incident, with the status that the latest update gave it."""

    __tablename__ = "statuspage_incident_component"
    __table_args__ = (UniqueConstraint("incident_id", "component_id"),)

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    incident_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_incident.id", ondelete="CASCADE")
    )
    component_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_component.id", ondelete="CASCADE"), index=True
    )
    status: Mapped[ComponentStatus] = mapped_column(words(ComponentStatus))
    position: Mapped[int] = mapped_column(default=0)

    component: Mapped[Component] = relationship(lazy="raise_on_sql")


class IncidentUpdate(Base):
    """What was told when. ``components`` keeps each affected component's old and new status as it was then.

    ``number`` counts the incident's updates from 1; two updates of one instant stay in order. ``notified`` says whether
    subscribers were told.
    """

    __tablename__ = "statuspage_incident_update"
    __table_args__ = (UniqueConstraint("incident_id", "number"),)

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    incident_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_incident.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    status: Mapped[IncidentStatus] = mapped_column(words(IncidentStatus))
    body: Mapped[str] = mapped_column(LongText, default="")
    components: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    actor: Mapped[str | None] = mapped_column(Actor)
    notified: Mapped[bool] = mapped_column(default=True)
    origin: Mapped[str | None] = mapped_column(Origin)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


def _whole() -> Select[Incident]:
    return select(Incident).options(
        selectinload(Incident.updates),
        selectinload(Incident.affected)
        .selectinload(AffectedComponent.component)
        .selectinload(Component.group),
    )


def get(session: Session, incident_id: UUID) -> Incident | None:
    """The incident with its components and updates."""
    return session.scalar(_whole().where(Incident.id == incident_id))


def locked(session: Session, incident_id: UUID) -> Incident | None:
    """The same as it is now; the page's row is held already, which is what keeps writers apart.

    In one statement: on MariaDB only what a locking statement reads is newer than the transaction's first look.
    """
    query = (
        select(Incident)
        .where(Incident.id == incident_id)
        .options(
            joinedload(Incident.updates),
            joinedload(Incident.affected)
            .joinedload(AffectedComponent.component)
            .joinedload(Component.group),
        )
        .with_for_update(of=Incident)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).unique().one_or_none()


def open_of_monitor(session: Session, monitor_id: UUID) -> Incident | None:
    """The open incident that is linked to the monitor: published, or opened by the monitor itself.

    A person's draft does not count: as long as nobody reads it, it tells of nothing.
    """
    query = _whole().where(
        Incident.monitor_id == monitor_id,
        Incident.status.in_(list(OPEN)),
        or_(Incident.visibility == "published", Incident.automatic),
    )
    query = query.order_by(Incident.created_at.desc()).limit(1).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).first()


def of_page(page_id: UUID) -> Select[Incident]:
    """All incidents of a page, newest first, drafts too."""
    return (
        _whole()
        .where(Incident.page_id == page_id)
        .order_by(Incident.started_at.desc(), Incident.id.desc())
    )


def published(session: Session, page_id: UUID, *, limit: int, offset: int) -> list[Incident]:
    """Some of the published incidents of a page, newest first."""
    query = of_page(page_id).where(Incident.visibility == "published")
    return list(session.scalars(query.limit(limit).offset(offset)))


def published_after(
    session: Session,
    page_id: UUID,
    last: tuple[datetime, UUID] | None,
    *,
    limit: int,
    component_id: UUID | None = None,
) -> list[Incident]:
    """The next of the published incidents of a page, newest first.

    :param last: start and id of the one after which to go on; None: from the newest.
    :param component_id: only those that affect it.
    """
    query = of_page(page_id).where(Incident.visibility == "published").limit(limit)
    if component_id is not None:
        query = query.where(Incident.affected.any(AffectedComponent.component_id == component_id))
    if last is not None:
        start, ident = last
        older = and_(Incident.started_at == start, Incident.id < ident)
        query = query.where(or_(Incident.started_at < start, older))
    return list(session.scalars(query))


def of_component(
    session: Session, page_id: UUID, component_id: UUID, *, since: datetime, limit: int
) -> list[tuple[UUID, str, IncidentStatus, Impact, datetime, datetime | None]]:
    """Id, title, status, impact, start and end of the newest published incidents that affect a component and were not
    over by *since*, newest first, in one query."""
    query = (
        select(
            Incident.id,
            Incident.title,
            Incident.status,
            Incident.impact,
            Incident.started_at,
            Incident.resolved_at,
        )
        .where(
            Incident.page_id == page_id,
            Incident.visibility == "published",
            Incident.affected.any(AffectedComponent.component_id == component_id),
            # Some are over, and nobody noted since when.
            or_(
                Incident.started_at >= since,
                Incident.resolved_at > since,
                and_(Incident.resolved_at.is_(None), Incident.status.in_(list(OPEN))),
            ),
        )
        .order_by(Incident.started_at.desc(), Incident.id.desc())
        .limit(limit)
    )
    return [
        (
            row.id,
            row.title,
            row.status,
            row.impact,
            row.started_at,
            ended_at(row.status, row.started_at, row.resolved_at),
        )
        for row in session.execute(query)
    ]


def count_published(session: Session, page_id: UUID) -> int:
    query = select(func.count()).where(
        Incident.page_id == page_id, Incident.visibility == "published"
    )
    return session.scalar(query) or 0
