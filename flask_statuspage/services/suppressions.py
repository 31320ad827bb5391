"""Addresses that nothing may be sent to any more: what that does to their subscriptions, and how it ends.

It ends where :func:`.subscriptions._activate` is reached: somebody proved the address, or a member switches it on.
"""

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
    for row in hold(session, channel, address):
        # START brings back what STOP had ended, not what was switched off before.
        was_off = row.state is SubscriptionState.DISABLED
        subscriptions.unsubscribe(session, row, reason="unsubscribed" if was_off else STOPPED)
    stored.add(session, channel, address, STOPPED, utc_now())


def suppress(session: Session, subscription: Subscription, reason: str) -> None:
    """Send nothing to the subscription's address any more, on no page."""
    suppress_address(session, subscription.channel, subscription.target, reason)


def suppress_address(session: Session, channel: str, address: str, reason: str) -> None:
    """Send nothing to a normalised address any more, on no page, whether it is subscribed or not.

    Whoever holds rows of one page must have called :func:`hold` before.
    """
    if reason == STOPPED:
        stop(session, channel, address)
        return
    for subscription in hold(session, channel, address):
        if subscription.state is not SubscriptionState.ENDED:
            subscriptions.disable(session, subscription, reason=reason)
    # Last, as whoever lifts it holds a subscription by then.
    stored.add(session, channel, address, reason, utc_now())
    session.flush()


def hold(session: Session, channel: str, address: str) -> list[Subscription]:
    """The subscriptions of a normalised address, held until the transaction ends, with all pages.

    All pages first, in the order of their ids: two workers whose mails to one address came back at the same time, each
    for another page, would else wait for each other, and a sign-up on a third one would not be seen.
    """
    pages.hold_all(session)
    return list(stored_subscriptions.at_address(session, channel, address, lock=True))
