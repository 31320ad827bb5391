"""Addresses that nothing may be sent to any more: what that does to their subscriptions, and how it ends."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..domain.opt_out import STOPPED
from ..storage import pages
from ..storage import subscriptions as stored_subscriptions
from ..storage import suppressions as stored
from ..storage.base import utc_now
from ..storage.subscriptions import Subscription, SubscriptionState
from . import subscriptions


def stop(session: Session, channel: str, address: str) -> None:
    """Its owner said STOP: end all subscriptions of a normalised address at once, and keep it silent until START."""
    # Whoever lets one begin holds its page and looks at the suppression then: either it is there, or the one is.
    pages.hold_all(session)
    for row in stored_subscriptions.at_address(session, channel, address, lock=True):
        # START brings back what STOP had ended, not what was switched off before.
        was_off = row.state is SubscriptionState.DISABLED
        subscriptions.unsubscribe(session, row, reason="unsubscribed" if was_off else STOPPED)
    stored.add(session, channel, address, STOPPED, utc_now())


def suppress(session: Session, subscription: Subscription, reason: str) -> None:
    """Send nothing to the subscription's address any more, on no page."""
    channel, address = subscription.channel, subscription.target
    if reason == STOPPED:
        stop(session, channel, address)
        return
    stored.add(session, channel, address, reason, utc_now())
    subscriptions.disable(session, subscription, reason=reason)
    for _, other_id in stored.subscriptions_of(session, channel, address):
        if other_id != subscription.id:
            other = stored_subscriptions.get(session, other_id, lock=True)
            if other is not None and other.state is not SubscriptionState.ENDED:
                subscriptions.disable(session, other, reason=reason)
    session.flush()
