"""What members look at first, in a few queries: numbers of a page, whatever its size."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from ..domain.maintenance import ACTIVE, MaintenanceStatus
from . import incident_list, maintenance_list
from .incidents import Incident
from .maintenances import Maintenance
from .outbox import Delivery, DeliveryState, EventRow
from .subscriptions import Subscription, SubscriptionState


def open_incidents(
    session: Session, page_id: UUID, limit: int
) -> tuple[Sequence[Incident], int, int]:
    """The newest of those that are not over, drafts too, without their updates; and how many there are in all that
    readers see, and how many drafts.
    """
    query = incident_list.of_page(page_id, state="open")
    rows = session.scalars(query.limit(limit)).all()
    bare = query.order_by(None).subquery()
    is_draft = bare.c.visibility == "draft"
    counted = select(_number(~is_draft), _number(is_draft)).select_from(bare)
    public, drafts = session.execute(counted).one()
    return rows, public, drafts


def next_maintenances(
    session: Session, page_id: UUID, until: datetime, limit: int
) -> tuple[Sequence[Maintenance], int]:
    """Those that run, and those that begin before *until*, without their updates, the next one first; and how many
    there are in all.
    """
    is_near = (Maintenance.status == MaintenanceStatus.SCHEDULED) & (
        Maintenance.scheduled_start < until
    )
    query = maintenance_list.of_page(page_id, is_open=True)
    query = query.where(Maintenance.status.in_(list(ACTIVE)) | is_near)
    rows = session.scalars(query.limit(limit)).all()
    return rows, _count(session, query)


def subscribers(session: Session, page_id: UUID, since: datetime) -> tuple[int, int, int]:
    """How many subscriptions are active, how many of them were confirmed since then, and how many were lost."""
    is_active = Subscription.state == SubscriptionState.ACTIVE
    is_lost = Subscription.state.in_([SubscriptionState.DISABLED, SubscriptionState.ENDED])
    query = select(
        _number(is_active),
        _number(is_active & (Subscription.confirmed_at >= since)),
        # What came and went within that time is no change.
        _number(is_lost & (Subscription.updated_at >= since) & (Subscription.confirmed_at < since)),
    ).where(Subscription.page_id == page_id)
    active, came, went = session.execute(query).one()
    return active, came, went


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows are so. MariaDB knows no ``FILTER``."""
    return func.count(case((condition, 1)))


def failed_deliveries(session: Session, page_id: UUID, since: datetime) -> int:
    """How many deliveries of events since then were given up."""
    query = (
        select(func.count())
        .select_from(Delivery)
        .join(EventRow, Delivery.event_id == EventRow.id)
        .where(
            EventRow.page_id == page_id,
            Delivery.created_at >= since,
            Delivery.state == DeliveryState.DEAD,
        )
    )
    return session.scalar(query) or 0


def _count(session: Session, query: Select[Any]) -> int:
    bare = query.order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(bare)) or 0
