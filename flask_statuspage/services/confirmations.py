"""The message that asks an address's owner, and the nonce that lets its link and code work only so long."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..delivery import links
from ..delivery.channels import channels
from ..domain.events import CONFIRMATION
from ..domain.opt_out import STOPPED
from ..errors import Invalid
from ..storage import suppressions
from ..storage.base import utc_now
from ..storage.pages import Page
from ..storage.subscriptions import Subscription, SubscriptionState
from ..translation import said
from . import addresses, events

TRIED_AGAIN_AFTER = timedelta(days=1)
"""An address that was suppressed longer ago may be asked again, as its mailbox may be there by now. One whose owner
said STOP stays silent until they say START."""

MAILS_AN_HOUR = 3
"""A stranger can make one address get at most this many confirmation mails an hour."""


def mail_owner(session: Session, page: Page, subscription: Subscription) -> None:
    """Send the link that confirms, or, to somebody who is subscribed already, the one that changes."""
    now = utc_now()
    pause = timedelta(hours=1) / MAILS_AN_HOUR
    if subscription.mailed_at is not None and now - subscription.mailed_at < pause:
        return  # one is on its way; the answer to whoever asked stays the same
    # Also where nothing is sent: codes that are guessed are counted from here on, which must not tell who is silent.
    subscription.mailed_at = now
    purpose = "manage" if subscription.state is SubscriptionState.ACTIVE else "confirm"
    if purpose == "confirm":
        subscription.nonce = new_nonce()
    session.flush()
    if is_silenced(session, subscription, now):
        return  # the answer stays the same here, too
    if purpose == "confirm":
        data = question(page, subscription)
    else:
        url = addresses.ticket_url(page, purpose, subscription.id, subscription.nonce)
        data = {f"{purpose}_url": url}
    events.record_for(session, page, CONFIRMATION, subscription, data=data)


def question(page: Page, subscription: Subscription) -> dict[str, str]:
    """What the message to an address's owner has to hold, so that they can confirm."""
    url = addresses.ticket_url(page, "confirm", subscription.id, subscription.nonce)
    data = {"confirm_url": url}
    if channels[subscription.channel].confirms_by_code:
        data["code"] = links.code(links.Ticket(subscription.id, subscription.nonce))
    return data


def is_silenced(session: Session, subscription: Subscription, now: datetime) -> bool:
    """Whether nothing may be sent to the subscription's address, not even the question whether it wants to."""
    row = suppressions.of(session, subscription.channel, subscription.target)
    if row is None:
        return False
    return row.reason == STOPPED or now - row.at < TRIED_AGAIN_AFTER


def refuse_stopped(session: Session, channel: str, address: str) -> None:
    """Nobody but its owner brings an address back that was silenced by a STOP, not even a member.

    :raises Invalid: naming ``address``.
    """
    row = suppressions.of(session, channel, address, latest=True)
    if row is not None and row.reason == STOPPED:
        raise Invalid.field(
            "address",
            said("Its owner answered STOP; only START from that phone lets texts through again."),
        )


def new_nonce() -> str:
    return secrets.token_urlsafe(16)
