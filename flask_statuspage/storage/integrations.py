"""Endpoints elsewhere that the site's team set up, and the tests that were sent to them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager

from ..domain.events import TEST
from . import subscriptions
from .outbox import Attempt, Delivery, EventRow
from .subscriptions import Subscription, SubscriptionState


def of_team(page_id: UUID, channel: str) -> Select[Subscription]:
    """The subscriptions of a page by one channel that no visitor made; newest first."""
    query = subscriptions.of_page(page_id)
    return query.where(Subscription.channel == channel, Subscription.actor.is_not(None))


def count_of_visitors(session: Session, page_id: UUID, channels: Collection[str]) -> dict[str, int]:
    """How many by each of *channels* visitors signed up that are not ended; none: it is not there."""
    query = select(Subscription.channel, func.count()).where(
        Subscription.page_id == page_id,
        Subscription.channel.in_(channels),
        Subscription.actor.is_(None),
        Subscription.state != SubscriptionState.ENDED,
    )
    rows = session.execute(query.group_by(Subscription.channel))
    return {row[0]: row[1] for row in rows}


def sent_for(session: Session, event_id: UUID) -> UUID:
    """The id of the delivery of an event that goes to one subscription alone."""
    return session.scalars(select(Delivery.id).where(Delivery.event_id == event_id)).one()


def test_sent(session: Session, subscription_id: UUID, delivery_id: UUID) -> Delivery | None:
    """The delivery of a test to that subscription."""
    query = select(Delivery).join(Delivery.event).options(contains_eager(Delivery.event))
    ours = (Delivery.id == delivery_id, Delivery.subscription_id == subscription_id)
    return session.scalar(query.where(*ours, EventRow.name == TEST))


def last_attempt(session: Session, delivery_id: UUID) -> Attempt | None:
    query = select(Attempt).where(Attempt.delivery_id == delivery_id)
    return session.scalar(query.order_by(Attempt.id.desc()).limit(1))
