"""What members do for subscribers, beyond what visitors can: add one, and ask one that waits once more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from ..delivery.channels import channels
from ..errors import Conflict, Invalid, TooMany
from ..storage import pages
from ..storage import subscriptions as stored
from ..storage import suppressions as stored_suppressions
from ..storage.base import utc_now
from ..storage.pages import Page
from ..storage.subscriptions import Subscription, SubscriptionState
from . import confirmations, signups, subscription_log, subscriptions, wishes
from .wishes import Wish, channels_of_people

ALREADY = {
    SubscriptionState.ACTIVE: "Is subscribed already: change what it gets instead.",
    SubscriptionState.PENDING: "Waits for its owner's word already: ask it again instead.",
    SubscriptionState.DISABLED: "Is switched off here: look why, and enable it instead.",
    SubscriptionState.ENDED: "Its owner unsubscribed. Send a confirmation, so that they decide.",
}


def add(
    session: Session, page: Page, wish: Wish, *, confirmed: bool, origin: str | None, actor: str
) -> Subscription:
    """Subscribe somebody whom the page does not know.

    :param confirmed: the member says that they agreed: it is active at once. Else they are asked.
    :param origin: the member's network address: who is asked counts as a sign-up from there.
    :raises Invalid: naming the field; ``address`` also where it is subscribed, was ended by its owner, or bounced.
    :raises TooMany: see :mod:`.signups`.
    """
    allowed = channels_of_people()
    if wish.channel not in allowed:
        raise Invalid.field("channel", f"Must be one of {', '.join(allowed)}.")
    wishes.check(session, page, wish)
    kept = wishes.checked(wish)
    pages.hold(session, page.id)
    row = stored.by_address(session, page.id, kept.channel, kept.address)
    may_return = row is not None and row.state is SubscriptionState.ENDED and not confirmed
    if row is not None and not may_return:
        raise Invalid.field("address", ALREADY[row.state])
    _refuse_silenced(session, kept.channel, kept.address, asks=not confirmed)
    return subscriptions.subscribe(
        session,
        page,
        wish,
        proven=confirmed,
        origin=None if confirmed else origin,
        actor=actor,
    )


def ask_again(
    session: Session, page: Page, subscription: Subscription, *, origin: str | None, actor: str
) -> None:
    """Send the message once more that asks an address's owner. Earlier links stop working.

    :param subscription: held, as :func:`.subscriptions.get` does.
    :raises Conflict: when it waits for nobody's word.
    :raises Invalid: naming ``address`` when nothing may be sent there.
    :raises TooMany: as for a sign-up: see :mod:`.signups` and :data:`.confirmations.MAILS_AN_HOUR`.
    """
    if subscription.state is not SubscriptionState.PENDING:
        raise Conflict(
            f"The subscription is {subscription.state.value}; only one that is pending is asked."
        )
    if not channels[subscription.channel].needs_confirmation:
        raise Conflict("It waits for a member of the team, not for its owner: enable it.")
    _refuse_silenced(session, subscription.channel, subscription.target, asks=True)
    now = utc_now()
    pause = timedelta(hours=1) / confirmations.MAILS_AN_HOUR
    if subscription.mailed_at is not None and (rest := subscription.mailed_at + pause - now) > (
        timedelta()
    ):
        seconds = max(1, int(rest.total_seconds()))
        raise TooMany(
            f"A message went out a short while ago. The next one can be sent in {-(-seconds // 60)} minutes.",
            retry_after=seconds,
        )
    if origin is not None:
        signups.count_attempt(session, origin, subscription.target)
    subscription.asked_at = now  # its link, and the days until it is forgotten, count from here
    confirmations.mail_owner(session, page, subscription)
    state = {"state": subscription.state.value}
    subscription_log.note(session, "ask", subscription, actor, after=state)


def _refuse_silenced(session: Session, channel: str, address: str, *, asks: bool) -> None:
    """:param asks: one that bounced may be asked after a day, to see whether it is there by now."""
    confirmations.refuse_stopped(session, channel, address)
    row = stored_suppressions.of(session, channel, address, latest=True)
    if row is None:
        return
    is_fresh = utc_now() - row.at < confirmations.TRIED_AGAIN_AFTER
    if asks and not is_fresh:
        return
    onward = "It can be asked a day after that." if asks else "Send a confirmation instead."
    raise Invalid.field("address", f"Nothing is sent there: {row.reason.rstrip('.')}. {onward}")
