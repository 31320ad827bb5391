"""What the log and the outbox say of how long messages wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Float, and_, case, cast, func, select
from sqlalchemy.orm import Session, aliased

from . import line
from .line import Lane
from .outbox import Attempt, Delivery, DeliveryState, EventRow
from .subscriptions import Subscription, SubscriptionState


class Waited(NamedTuple):
    """First attempts of one channel: how many, and milliseconds that they waited."""

    messages: int
    mean: float
    longest: int
    late: int


class Pending(NamedTuple):
    deliveries: int
    held: int


def first_attempts(
    session: Session, since: datetime, targets: Mapping[str, float]
) -> dict[str, Waited]:
    """The first attempts that began at *since* or later, by channel.

    :param targets: by channel the milliseconds beyond which one is late.
    """
    is_late = [
        (and_(Attempt.channel == channel, Attempt.waited > target), 1)
        for channel, target in targets.items()
    ]
    query = (
        select(
            Attempt.channel,
            func.count(),
            cast(func.avg(Attempt.waited), Float),
            func.max(Attempt.waited),
            func.sum(case(*is_late, else_=0)),
        )
        .where(Attempt.started_at >= since, Attempt.waited.is_not(None))
        .group_by(Attempt.channel)
    )
    return {
        channel: Waited(count, float(mean), int(longest), int(late))
        for channel, count, mean, longest, late in session.execute(query)
        if channel is not None
    }


def oldest_waiting(session: Session, now: datetime) -> dict[str, datetime]:
    """Since when the oldest delivery of each channel is due that could have its first attempt now.

    One that is held, waits behind another or for an endpoint that is slow or silent says nothing of the workers.
    Notices to owners are left out.
    """
    query = (
        select(Subscription.channel, func.min(Delivery.due_at))
        .select_from(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(
            line.free(now),
            line.in_lane(Lane.FAST, now),
            line.first_in_line(now),
            Delivery.attempts == 0,
            Delivery.notice_to.is_(None),
        )
        .group_by(Subscription.channel)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def pending(session: Session) -> dict[str, Pending]:
    """How many deliveries of each channel are not finished; notices to owners are left out."""
    query = (
        select(
            Subscription.channel,
            func.count(),
            func.sum(case((Delivery.held, 1), else_=0)),
        )
        .select_from(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(Delivery.state == DeliveryState.PENDING, Delivery.notice_to.is_(None))
        .group_by(Subscription.channel)
    )
    return {row[0]: Pending(row[1], int(row[2] or 0)) for row in session.execute(query)}


def oldest_unaddressed(session: Session) -> datetime | None:
    """When the oldest event occurred whose deliveries are not all written yet; None: there is none."""
    query = select(func.min(EventRow.occurred_at)).where(EventRow.fanned_out_at.is_(None))
    return session.scalar(query)


def channels_in_use(session: Session) -> set[str]:
    """The channels of active subscriptions."""
    query = select(Subscription.channel).where(Subscription.state == SubscriptionState.ACTIVE)
    return set(session.scalars(query.distinct()))


def turn_came(session: Session, ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Of those of *ids* that waited behind another delivery about the same subject: when that one was finished."""
    if not ids:
        return {}
    earlier = aliased(Delivery)
    query = (
        select(Delivery.id, func.max(earlier.finished_at))
        .join(
            earlier,
            and_(
                earlier.subscription_id == Delivery.subscription_id,
                earlier.subject_id == Delivery.subject_id,
                earlier.sequence < Delivery.sequence,
                earlier.finished_at > Delivery.due_at,
            ),
        )
        .where(Delivery.id.in_(ids))
        .group_by(Delivery.id)
    )
    return {row[0]: row[1] for row in session.execute(query) if row[1] is not None}
