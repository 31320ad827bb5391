"""Addresses that nothing may be sent to any more: what that does to their subscriptions, and how it ends."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..storage import subscriptions as stored_subscriptions
from ..storage import suppressions as stored
from ..storage.base import utc_now
from ..storage.subscriptions import Subscription, SubscriptionState
from . import subscriptions


def suppress(session: Session, subscription: Subscription, reason: str) -> None:
    """Send nothing to the subscription's address any more, on no page."""
    channel, address = subscription.channel, subscription.target
    stored.add(session, channel, address, reason, utc_now())
    subscriptions.disable(session, subscription, reason=reason)
    for _, other_id in stored.subscriptions_of(session, channel, address):
        if other_id != subscription.id:
            other = stored_subscriptions.get(session, other_id, lock=True)
            if other is not None and other.state is not SubscriptionState.ENDED:
                subscriptions.disable(session, other, reason=reason)
    session.flush()
