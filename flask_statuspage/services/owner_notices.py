"""Where a subscription's owner reads mail, and the mail that it was switched off."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..delivery.channels import channels
from ..delivery.channels.email import EmailChannel
from ..errors import Invalid
from ..state import current_settings
from ..storage import outbox, suppressions
from ..storage.base import utc_now
from ..storage.outbox import EventRow
from ..storage.subscriptions import Subscription
from . import confirmations, events

MAIL = EmailChannel.name


def check(contact: str | None, channel: str) -> str | None:
    """*contact* as it is kept.

    :raises Invalid: for what is no email address, or beside an address that is a mailbox itself.
    """
    if contact is None:
        return None
    if channel == MAIL:
        raise Invalid.field("contact", "The address is a mailbox itself.")
    try:
        return channels[MAIL].normalise(contact, current_settings())
    except Invalid as error:
        raise Invalid.field("contact", error.errors[0].message) from error


def default(channel: str, identity: str | None) -> str | None:
    """The mailbox of whoever makes a subscription, if *identity*, the name they go by, is one and is needed."""
    if identity is None or channel == MAIL:
        return None
    try:
        return check(identity, channel)
    except Invalid:
        return None


def tell_owner(session: Session, event: EventRow, subscription: Subscription) -> bool:
    """Mail *event* to the owner, if it is known where and there is a way to; returns whether."""
    contact, now = subscription.contact, utc_now()
    if contact is None or channels[MAIL].available(current_settings()):
        return False
    row = suppressions.of(session, MAIL, contact)
    if row is not None and now - row.at < confirmations.TRIED_AGAIN_AFTER:
        return False
    outbox.add_notice(session, event, subscription.id, contact, now)
    events.wake_after_commit(session, "deliver")
    return True
