"""Who may send what, now: workers claim due deliveries with a lease, and only its holder writes the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased, contains_eager

from ..domain.ids import new_id
from .outbox import Delivery, DeliveryState


def _free(now: datetime) -> ColumnElement[bool]:
    """Due, and held by nobody whose lease still runs."""
    return and_(
        Delivery.state == DeliveryState.PENDING,
        Delivery.due_at <= now,
        or_(Delivery.lease_until.is_(None), Delivery.lease_until < now),
    )


def _first_in_line() -> ColumnElement[bool]:
    """No earlier delivery about the same subject is still on its way to the same subscription."""
    earlier = aliased(Delivery)
    return ~exists().where(
        earlier.subscription_id == Delivery.subscription_id,
        earlier.subject_id == Delivery.subject_id,
        earlier.state == DeliveryState.PENDING,
        earlier.sequence < Delivery.sequence,
    )


def any_due(session: Session, now: datetime) -> bool:
    """Whether :func:`claim` would find something."""
    query = select(Delivery.id).where(_free(now), _first_in_line()).limit(1)
    return session.scalar(query) is not None


def claim(session: Session, now: datetime, *, lease: timedelta, limit: int) -> Sequence[Delivery]:
    """Lease at most *limit* due deliveries, with their events and subscriptions.

    ``attempts`` goes up here, not when the outcome is known: a payload that kills its worker is given up in the end
    instead of coming round for ever.
    """
    ids = list(
        session.scalars(
            select(Delivery.id)
            .where(_free(now), _first_in_line())
            .order_by(Delivery.due_at, Delivery.sequence)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )
    if not ids:
        return []
    token = new_id()
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), _free(now))
        .values(lease_token=token, lease_until=now + lease, attempts=Delivery.attempts + 1),
        execution_options={"synchronize_session": False},
    )
    return session.scalars(_held(token)).all()


def _held(token: UUID) -> Select[Delivery]:
    return (
        select(Delivery)
        .join(Delivery.event)
        .join(Delivery.subscription)
        .where(Delivery.lease_token == token)
        .order_by(Delivery.sequence)
        .options(contains_eager(Delivery.event), contains_eager(Delivery.subscription))
        .execution_options(populate_existing=True)
    )


def finish(session: Session, delivery_id: UUID, token: UUID, **values: Any) -> bool:
    """Write the outcome if *token* still holds the lease; False: another worker has taken over."""
    result = session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.lease_token == token)
        .values(lease_token=None, lease_until=None, **values),
        execution_options={"synchronize_session": False},
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]


def give_back(session: Session, delivery_id: UUID, token: UUID) -> None:
    """Free a delivery that was not tried after all; the attempt does not count."""
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.lease_token == token)
        .values(lease_token=None, lease_until=None, attempts=Delivery.attempts - 1),
        execution_options={"synchronize_session": False},
    )


def followed_one_since(session: Session, delivery: Delivery, instant: datetime) -> bool:
    """Whether a delivery about the same subject, which *delivery* had to wait for, ended after *instant*."""
    query = select(Delivery.id).where(
        Delivery.subscription_id == delivery.subscription_id,
        Delivery.subject_id == delivery.subject_id,
        Delivery.sequence < delivery.sequence,
        Delivery.finished_at > instant,
    )
    return session.scalar(query.limit(1)) is not None


def lag(session: Session, now: datetime) -> float:
    """Seconds by which the oldest delivery that is due and free is late; 0.0 when none is due."""
    oldest = session.scalar(select(func.min(Delivery.due_at)).where(_free(now)))
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
