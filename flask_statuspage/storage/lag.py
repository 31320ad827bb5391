"""What the log and the outbox say of how long messages wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, literal, select, union_all
from sqlalchemy.orm import Session, aliased

from . import line
from .line import Lane
from .outbox import Attempt, Delivery, DeliveryState, EventRow
from .subscriptions import Subscription, SubscriptionState


class Tried(NamedTuple):
    """The attempts of one channel within some time.

    :param outcomes: how many went how: ``ok``, or the class of the failure.
    :param messages: how many first ones were measured; ``waited`` and ``longest`` are the milliseconds that they
        waited, all together and at most, ``late`` how many of them were late.
    """

    outcomes: dict[str, int]
    messages: int
    waited: int
    longest: int
    late: int


class Pending(NamedTuple):
    """Deliveries of one channel that are not finished.

    :param held: how many of them wait for their reader's share, ``untried`` how many could be tried for the first time
        now, were it not for what is before them. :param since: when the oldest of all was written.
    """

    deliveries: int
    held: int
    untried: int
    since: datetime


def attempts(session: Session, since: datetime, targets: Mapping[str, float]) -> dict[str, Tried]:
    """The attempts that began at *since* or later, by channel.

    :param targets: by channel the milliseconds beyond which a first one is late.
    """
    is_late = [
        (and_(Attempt.channel == channel, Attempt.waited > target), 1)
        for channel, target in targets.items()
    ]
    query = (
        select(
            Attempt.channel,
            Attempt.kind,
            func.count(),
            func.count(Attempt.waited),
            func.coalesce(func.sum(Attempt.waited), 0),
            func.coalesce(func.max(Attempt.waited), 0),
            func.sum(case(*is_late, else_=0)),
        )
        .where(Attempt.started_at >= since)
        .group_by(Attempt.channel, Attempt.kind)
    )
    found: dict[str, Tried] = {}
    for channel, kind, count, messages, waited, longest, late in session.execute(query):
        if channel is None:
            continue
        before = found.get(channel) or Tried({}, 0, 0, 0, 0)
        found[channel] = Tried(
            before.outcomes | {kind or "ok": count},
            before.messages + messages,
            before.waited + int(waited),
            max(before.longest, longest),
            before.late + int(late),
        )
    return found


def finished(session: Session, since: datetime) -> dict[str, dict[str, int]]:
    """How many deliveries of each channel ended how at *since* or later; notices to owners are left out."""
    query = (
        select(Subscription.channel, Delivery.state, func.count())
        .select_from(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(Delivery.finished_at >= since, Delivery.notice_to.is_(None))
        .group_by(Subscription.channel, Delivery.state)
    )
    found: dict[str, dict[str, int]] = {}
    for channel, state, count in session.execute(query):
        found.setdefault(channel, {})[state.value] = count
    return found


def pending(session: Session, now: datetime) -> dict[str, Pending]:
    """How many deliveries of each channel are not finished; notices to owners are left out."""
    query = (
        select(
            Subscription.channel,
            func.count(),
            func.sum(case((Delivery.held, 1), else_=0)),
            func.sum(case((_never_taken_up(now), 1), else_=0)),
            func.min(Delivery.created_at),
        )
        .select_from(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(Delivery.state == DeliveryState.PENDING, Delivery.notice_to.is_(None))
        .group_by(Subscription.channel)
    )
    return {
        row[0]: Pending(row[1], int(row[2] or 0), int(row[3] or 0), row[4])
        for row in session.execute(query)
    }


def oldest_waiting(
    session: Session, channels: Collection[str], now: datetime
) -> dict[str, datetime]:
    """Since when the oldest delivery of each of *channels* is due that could have its first attempt now.

    One that is held, waits behind another or for an endpoint that is slow or silent says nothing of the workers.
    Notices to owners are left out.
    """
    if not channels:
        return {}
    # The line is walked from its head and left at the first one: whether one waits behind another is not asked of all
    # that are due, of which there are as many as subscriptions just after an event.
    heads = [
        select(Delivery.due_at)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(
            Subscription.channel == channel,
            _never_taken_up(now),
            line.in_lane(Lane.FAST, now),
            line.first_in_line(now),
        )
        .order_by(Delivery.due_at)
        .limit(1)
        .subquery()
        for channel in sorted(channels)
    ]
    each = zip(sorted(channels), heads, strict=True)
    query = union_all(*(select(literal(channel), head.c.due_at) for channel, head in each))
    return {channel: due_at for channel, due_at in session.execute(query)}


def _never_taken_up(now: datetime) -> ColumnElement[bool]:
    """Due and free, and nobody has tried."""
    return and_(line.free(now), Delivery.attempts == 0, Delivery.notice_to.is_(None))


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
