"""What the audit keeps of a subscription.

Never its addresses, which must be gone once the subscription is, nor its secret or what opens its links.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from ..storage.subscriptions import Subscription, SubscriptionState
from ..storage.team import AuditEntry, about
from . import audit

SUBJECT: Final = "subscription"
"""What the audit calls them."""

SUBSCRIBER = "subscriber"
"""The actor of what an address's owner does."""

SECRET = "(hidden)"
NEW_SECRET = "(hidden, new)"

_LOOKED_AT = 100


def kept(subscription: Subscription) -> dict[str, Any]:
    """The state of a subscription as it was read. ``secret`` is that of the last look at the database."""
    return {
        "channel": subscription.channel,
        "format": subscription.format,
        "components": [str(item.component_id) for item in subscription.chosen],
        "events": subscription.events,
        "level": subscription.level,
        "policy": subscription.policy,
        "locale": subscription.locale,
        "time_zone": subscription.time_zone,
        "contact": SECRET if subscription.contact else None,
        "state": subscription.state.value,
        "reason": subscription.reason,
        "secret": SECRET if subscription.is_signed else None,
    }


def kept_after(
    subscription: Subscription, before: Mapping[str, Any], *, contact: str | None, resigned: bool
) -> dict[str, Any]:
    """The state after a change, in which what is hidden is called new where it is.

    :param before: what was :func:`kept`, with *contact* as it was.
    :param resigned: the secret was changed since the last look at the database.
    """
    after = {**kept(subscription), "secret": before["secret"]}
    if resigned:
        after["secret"] = None if subscription.secret is None else NEW_SECRET
    if subscription.contact and subscription.contact != contact:
        after["contact"] = NEW_SECRET
    return after


def note(
    session: Session,
    action: str,
    subscription: Subscription,
    actor: str | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry; of two states only what differs, and nothing if they are the same."""
    if before is not None and after is not None:
        before, after = audit.difference(before, after)
        if not after:
            return
    audit.record(
        session,
        actor=_named(actor, subscription),
        action=action,
        subject=SUBJECT,
        subject_id=subscription.id,
        page_id=subscription.page_id,
        before=before,
        after=after,
    )


def activation(session: Session, subscription: Subscription) -> AuditEntry | None:
    """The latest entry by which the subscription became active, if the log still has it."""
    newest = session.scalars(about(SUBJECT, subscription.id).limit(_LOOKED_AT))
    is_active = SubscriptionState.ACTIVE.value
    return next((row for row in newest if (row.after or {}).get("state") == is_active), None)


def _named(actor: str | None, subscription: Subscription) -> str:
    """*actor*, unless it is the address itself: a signed-in customer goes by it."""
    if actor is None or actor.casefold() == subscription.address.casefold():
        return SUBSCRIBER
    return actor
