"""What the audit keeps of a subscription.

Never the address, which must be gone once the subscription is, nor its secret or what opens its links.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from ..storage.subscriptions import Subscription
from . import audit

SUBSCRIBER = "subscriber"
"""The actor of what an address's owner does."""

SECRET = "(hidden)"
NEW_SECRET = "(hidden, new)"


def kept(subscription: Subscription) -> dict[str, Any]:
    """The state of a subscription as it was read. ``secret`` is that of the last look at the database."""
    return {
        "channel": subscription.channel,
        "format": subscription.format,
        "components": [str(item.component_id) for item in subscription.chosen],
        "events": subscription.events,
        "state": subscription.state.value,
        "reason": subscription.reason,
        "secret": SECRET if subscription.is_signed else None,
    }


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
        subject="subscription",
        subject_id=subscription.id,
        page_id=subscription.page_id,
        before=before,
        after=after,
    )


def _named(actor: str | None, subscription: Subscription) -> str:
    """*actor*, unless it is the address itself: a signed-in customer goes by it."""
    if actor is None or actor.casefold() == subscription.address.casefold():
        return SUBSCRIBER
    return actor
