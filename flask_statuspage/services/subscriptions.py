"""Subscriptions: sign up, confirm, change, end, disable.

Whoever can prove the address may change its subscription: a mailed link, a signed-in customer, a member. A stranger who
types an address that is subscribed already changes nothing; its owner is mailed instead, and the answer is the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery import links
from ..delivery.channels import channels
from ..delivery.channels.webhook import WebhookChannel
from ..delivery.formats.notices import TEST_MESSAGE
from ..domain.events import DISABLED, TEST
from ..errors import Conflict, Invalid, LinkExpired, NotFound
from ..storage import accounts, outbox, pages
from ..storage import subscriptions as stored
from ..storage import suppressions as stored_suppressions
from ..storage.base import utc_now
from ..storage.pages import Page
from ..storage.subscriptions import Subscription, SubscriptionState
from ..translation import said
from . import (
    addresses,
    audit,
    components,
    confirmations,
    events,
    owner_notices,
    signups,
    subscription_changes,
    wishes,
)
from .subscription_log import kept, kept_after, note
from .wishes import Wish

SIGN_IN_FIRST = 'Sign in with X first, on the console\'s page "Integrations".'


def subscribe(
    session: Session,
    page: Page,
    wish: Wish,
    *,
    proven: bool = False,
    origin: str | None = None,
    actor: str | None = None,
    new_secret: str | None = None,
) -> Subscription:
    """The one subscription of the wish's address, new or changed.

    :param new_secret: what a webhook signs with where the wish names no secret and there is none that goes on.

    :param proven: the address is known to belong to whoever asks (a signed-in customer, or a member decides).
    :param origin: network address of a stranger; attempts are counted by origin and by target.
    :raises Invalid: naming the field.
    :raises TooMany: after too many sign-ups from *origin*.
    """
    if not proven:
        wish = replace(wish, by_visitor=True)
    wish = wishes.checked(wish)
    channel, address = wish.channel, wish.address
    must_wait = not proven and wishes.must_wait(channel)  # where it is closed, for known ones too
    pages.hold(session, page.id)  # two sign-ups of one address must not both find none
    if origin is not None:
        signups.count_attempt(session, origin, address)
    if proven:
        confirmations.refuse_stopped(session, channel, address)  # before anything is written
    chosen = components.named(session, page, list(wish.components))
    if not _has_account(session, page, channel, address):
        raise Invalid.field("address", SIGN_IN_FIRST)
    subscription = stored.by_address(session, page.id, channel, address)
    now = utc_now()
    before = None if subscription is None else kept(subscription)
    signs = channel == WebhookChannel.name
    if signs and wish.secret is None and not (subscription and _signs_on(subscription)):
        wish = replace(wish, secret=new_secret)
    if subscription is None:
        subscription = Subscription(
            page_id=page.id,
            channel=channel,
            address=address,
            address_digest=stored.digest(address),
            state=SubscriptionState.PENDING,
            nonce=confirmations.new_nonce(),
            created_at=now,
            chosen=[],
        )
        session.add(subscription)
    elif not proven and _belongs_to_somebody(session, subscription, now):
        if channels[channel].needs_confirmation:
            confirmations.mail_owner(session, page, subscription)
        return subscription
    contact = subscription.contact
    resigned = subscription_changes.apply(session, subscription, wish, [row.id for row in chosen])
    subscription.actor, subscription.asked_at = actor, now
    session.flush()
    if not must_wait:
        _activate(session, page, subscription)
    else:
        subscription.state, subscription.reason = SubscriptionState.PENDING, None
        if channels[channel].needs_confirmation:
            confirmations.mail_owner(session, page, subscription)
    if before is None:
        note(session, "create", subscription, actor, after=kept(subscription))
    else:
        after = kept_after(subscription, before, contact=contact, resigned=resigned)
        note(session, "change", subscription, actor, before=before, after=after)
    return subscription


def confirm(session: Session, token: str) -> Subscription:
    """Begin a subscription whose owner pressed the button.

    :raises LinkError: when the link is too old, altered or used.
    """
    subscription = confirmable(session, token)
    begin(session, subscription)
    return subscription


def begin(session: Session, subscription: Subscription, *, action: str = "confirm") -> None:
    """Let a subscription that is held begin, or begin again, at its owner's word.

    :param action: what the audit calls it.
    """
    page = session.get_one(Page, subscription.page_id)
    before = kept(subscription)
    _activate(session, page, subscription)
    subscription.nonce = confirmations.new_nonce()  # a link or code works once
    note(session, action, subscription, None, before=before, after=kept(subscription))


def confirmable(session: Session, token: str) -> Subscription:
    """The pending subscription that *token* could confirm."""
    ticket = links.read(links.CONFIRM, token, max_age=links.CONFIRM_SECONDS)
    subscription = stored.get(session, ticket.subscription_id, lock=True)
    if subscription is None:
        raise LinkExpired(
            said(
                "This link is too old: nobody confirmed the sign-up in time. Enter your address again."
            )
        )
    if subscription.nonce != ticket.nonce or subscription.state is not SubscriptionState.PENDING:
        raise LinkExpired(
            said(
                "This link was used already, or a newer one was sent. If you have confirmed, nothing is left to do."
            )
        )
    return subscription


def owned(session: Session, token: str) -> Subscription:
    """The subscription that a ``manage`` or ``unsubscribe`` link leads to."""
    ticket = links.read(links.OWN, token)
    subscription = stored.get(session, ticket.subscription_id, lock=True)
    if subscription is None or subscription.nonce != ticket.nonce:
        raise LinkExpired(links.REPLACED)
    return subscription


def manage_token(subscription: Subscription) -> str:
    """A token for the pages on which the owner changes or ends this subscription."""
    return links.make(links.OWN, links.Ticket(subscription.id, subscription.nonce))


def unsubscribe(
    session: Session, subscription: Subscription, *, reason: str = "unsubscribed"
) -> None:
    """End a subscription for its owner. Doing it twice is fine."""
    if subscription.state is not SubscriptionState.ENDED:
        before = kept(subscription)
        _stop(session, subscription, SubscriptionState.ENDED, reason)
        subscription.mailed_at = None  # who comes back at once is asked at once
        note(session, "unsubscribe", subscription, None, before=before, after=kept(subscription))


def disable(
    session: Session,
    subscription: Subscription,
    *,
    reason: str,
    actor: str | None = None,
    tell_owner: bool = True,
) -> Subscription:
    """Switch a subscription off, keeping it: no event reaches it until :func:`enable`.

    :param actor: None: the extension itself, for what came of its deliveries; the owner is mailed then.
    :param tell_owner: False: not even then, as the mail leads to the page.
    """
    if subscription.state is not SubscriptionState.DISABLED:
        before = kept(subscription)
        _stop(session, subscription, SubscriptionState.DISABLED, reason)
        page = session.get_one(Page, subscription.page_id)
        path = f"/subscriptions/{subscription.id}/enable"
        event = events.record(
            session,
            page,
            DISABLED,
            subject_id=subscription.id,
            data={
                "subscription": described(subscription),
                "enable_url": addresses.manage_api_url(page, path),
            },
            notify=False,
        )
        if actor is None and tell_owner:
            owner_notices.tell_owner(session, event, subscription)
        by, after = actor or audit.SYSTEM, kept(subscription)
        note(session, "disable", subscription, by, before=before, after=after)
    return subscription


def enable(session: Session, subscription: Subscription, *, actor: str | None) -> Subscription:
    """A member switches a subscription on (again)."""
    page = session.get_one(Page, subscription.page_id)
    if subscription.state is not SubscriptionState.ACTIVE:
        if not _has_account(session, page, subscription.channel, subscription.address):
            raise Conflict(SIGN_IN_FIRST)
        before = kept(subscription)
        _activate(session, page, subscription)
        note(session, "enable", subscription, actor, before=before, after=kept(subscription))
    return subscription


def remove(session: Session, subscription: Subscription, *, actor: str | None) -> None:
    """Delete a subscription with its log: nothing of the address stays but the entry that somebody deleted it.

    :raises Conflict: while the account that it posts by is connected: only disconnecting gives back our access to it.
    """
    if row := stored.get(session, subscription.id, lock=True):
        if accounts.is_behind(session, row):
            raise Conflict("Disconnect the account instead.")
        note(session, "delete", row, actor, before=kept(row))
        session.flush()
        outbox.forget(session, [row.id])


def send_test(
    session: Session, page: Page, subscription: Subscription, *, actor: str | None = None
) -> UUID:
    """Write a test event for one subscription; returns the event's id."""
    if subscription.state is not SubscriptionState.ACTIVE:
        raise Conflict(f"The subscription is {subscription.state.value}; enable it first.")
    row = events.record_for(session, page, TEST, subscription, data={"message": TEST_MESSAGE})
    note(session, "test", subscription, actor or audit.SYSTEM, after={"event": str(row.id)})
    return row.id


def forget_unconfirmed(session: Session, now: datetime) -> int:
    """Delete the sign-ups that nobody confirmed within the life of their link; returns how many."""
    pages.begin_writing(session)
    signups.forget(session, now)
    before = now - timedelta(seconds=links.CONFIRM_SECONDS)
    asked = [name for name in channels if channels[name].needs_confirmation]
    ids = stored.unconfirmed(session, asked, before)
    if ids:
        outbox.forget(session, ids)
    return len(ids)


def get(session: Session, page: Page, subscription_id: UUID, *, lock: bool = False) -> Subscription:
    """:raises NotFound: unless *page* has this subscription."""
    subscription = stored.get(session, subscription_id, lock=lock)
    if subscription is None or subscription.page_id != page.id:
        raise NotFound("subscription", subscription_id)
    return subscription


def described(subscription: Subscription) -> dict[str, Any]:
    """The fields of a subscription as events and API show them; never the secret."""
    return {
        "id": str(subscription.id),
        "channel": subscription.channel,
        "address": subscription.address,
        "format": subscription.format,
        "components": [str(item.component_id) for item in subscription.chosen],
        "events": subscription.events,
        "level": subscription.level,
        "policy": subscription.policy,
        "contact": subscription.contact,
        "locale": subscription.locale,
        "time_zone": subscription.time_zone,
        "state": subscription.state.value,
        "reason": subscription.reason,
    }


def _has_account(session: Session, page: Page, channel: str, address: str) -> bool:
    """Whether *address* needs no account, or is one that was connected."""
    if channel not in accounts.KINDS:
        return True
    return accounts.is_connected(session, page.id, channel, address)


def _signs_on(subscription: Subscription) -> bool:
    return subscription.state is SubscriptionState.ACTIVE and bool(subscription.is_signed)


def _belongs_to_somebody(session: Session, subscription: Subscription, now: datetime) -> bool:
    """Whether a stranger's wish must leave it alone. A webhook that waits for approval or was switched off stays as it
    is until a member acts; a mailbox's owner can always prove to be the owner again, unless nothing may be sent there:
    then members go on seeing why."""
    if channels[subscription.channel].needs_confirmation:
        is_off = subscription.state is SubscriptionState.DISABLED
        is_active = subscription.state is SubscriptionState.ACTIVE
        return is_active or (is_off and confirmations.is_silenced(session, subscription, now))
    return bool(subscription.id) and subscription.state is not SubscriptionState.ENDED


def _activate(session: Session, page: Page, subscription: Subscription) -> None:
    if subscription.state is SubscriptionState.ACTIVE:
        return
    confirmations.refuse_stopped(session, subscription.channel, subscription.target)
    stored_suppressions.lift(session, subscription.channel, subscription.target)
    subscription.state, subscription.reason = SubscriptionState.ACTIVE, None
    subscription.confirmed_at = subscription.updated_at = utc_now()
    session.flush()
    _cancel_notices(session, subscription)
    events.record(
        session,
        page,
        "subscription.confirmed",
        subject_id=subscription.id,
        data={"subscription": described(subscription)},
        notify=False,
    )


def _stop(
    session: Session, subscription: Subscription, state: SubscriptionState, reason: str
) -> None:
    now = utc_now()
    subscription.state, subscription.reason, subscription.updated_at = state, reason, now
    session.flush()
    outbox.cancel_pending(session, subscription.id, reason, now)
    if state is not SubscriptionState.DISABLED:
        _cancel_notices(session, subscription)


def _cancel_notices(session: Session, subscription: Subscription) -> None:
    reason = f"The subscription is {subscription.state.value}, not disabled any more."
    outbox.cancel_notices(session, subscription.id, reason, utc_now())
