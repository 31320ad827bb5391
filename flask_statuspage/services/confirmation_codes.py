"""Six digits that confirm a subscription: texted to its owner, and typed where somebody signed up.

A code is made from the subscription's nonce, so it counts until another message is sent; it is kept only with that
message. Five wrong ones for one number and message are the
end of it for an hour. Whoever guesses is told the same and counted alike, whether the number is known, subscribed
already, silent, or none of these.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from ..delivery import links
from ..errors import TooMany
from ..storage import pages, signups
from ..storage import subscriptions as stored
from ..storage.base import utc_now
from ..storage.session import begin_read_committed
from ..storage.subscriptions import Subscription, SubscriptionState
from ..translation import said
from . import confirmations, subscriptions

WRONG_AT_MOST = 5
"""Wrong codes for one number within an hour; a new message begins anew."""

_HOUR = timedelta(hours=1)


def code_of(subscription: Subscription) -> str:
    """The code that the subscription's latest message tells."""
    return links.code(links.Ticket(subscription.id, subscription.nonce))


def claim_token(subscription: Subscription) -> str:
    """A token for the form of codes. It holds nothing that only a known number has."""
    return links.make_claim(
        links.Claim(subscription.page_id, subscription.channel, subscription.address_digest)
    )


def confirm(session: Session, claim: links.Claim, code: str) -> Subscription | None:
    """Begin the subscription of the claimed address if *code* is that of its latest message.

    None: it is not; the caller commits all the same, as the attempt counts. Nothing may have been read before in the
    transaction: MariaDB would keep to it, and whoever waited here would not see what was counted meanwhile.

    :raises TooMany: after too many wrong ones; the right one does not count then either.
    """
    begin_read_committed(session)
    pages.hold(session, claim.page_id)  # who guesses in many threads waits in one line
    now = utc_now()
    row = stored.by_digest(session, claim.page_id, claim.channel, claim.digest)
    asked_at = None if row is None else row.mailed_at
    key = f"code {claim.page_id} {claim.channel} {claim.digest} {asked_at}"
    if signups.count(session, key, since=now - _HOUR) >= WRONG_AT_MOST:
        raise TooMany(
            said("Too many wrong codes. Ask for a new one, or wait an hour."), retry_after=3600
        )
    if row is not None and is_right(session, row, code):
        subscriptions.begin(session, row)
        return row
    signups.add(session, key, now)
    return None


def is_right(session: Session, row: Subscription, code: str) -> bool:
    """Whether *code* begins a subscription that is held: it waits, was asked within a link's life, and by this code."""
    now, life = utc_now(), timedelta(seconds=links.CONFIRM_SECONDS)
    was_asked = row.mailed_at is not None and now - row.mailed_at < life
    return (
        row.state is SubscriptionState.PENDING
        and was_asked
        and not confirmations.is_silenced(session, row, now)
        and links.is_code(links.Ticket(row.id, row.nonce), code)
    )
