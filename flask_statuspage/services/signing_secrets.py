"""What a webhook's messages are signed with: given, replaced, and for a day both the old one and the new."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..delivery import signing
from ..delivery.channels.webhook import WebhookChannel
from ..errors import Conflict, Invalid, SetupError
from ..storage import subscription_secrets as stored
from ..storage.base import utc_now
from ..storage.encryption import reveal
from ..storage.subscriptions import Subscription
from ..translation import said
from .subscription_log import NEW_SECRET, SECRET, note

MIN_BYTES, MAX_BYTES = 16, 200
"""Of a secret in UTF-8. A shorter one could be guessed from the messages that it signs.

One in the notation of Standard Webhooks (``whsec_``) has the fewest once it is decoded: that is its key.
"""

BOTH_COUNT = timedelta(hours=24)
"""So long after a change messages are signed with the secret before it as well."""


def check(secret: str | None, channel: str) -> None:
    """:raises Invalid: for a secret that is too short or too long, or of a channel that signs nothing."""
    if secret is None:
        return
    if channel != WebhookChannel.name:
        raise Invalid.field("secret", said("Only webhooks have a secret."))
    # Half a surrogate pair, which no UTF-8 has, is refused where it comes in.
    size = len(secret.encode(errors="surrogatepass"))
    if not MIN_BYTES <= size <= MAX_BYTES:
        raise Invalid.field(
            "secret", said("Must have {least} to {most} bytes.", least=MIN_BYTES, most=MAX_BYTES)
        )
    if secret.startswith(signing.PREFIX) and len(signing.standard_key(secret)) < MIN_BYTES:
        raise Invalid.field(
            "secret", said("Must have {least} bytes of base64 after its prefix.", least=MIN_BYTES)
        )


def give(session: Session, subscription: Subscription, secret: str | None, *, keep: bool) -> bool:
    """Sign with *secret* from now on; None: sign nothing. Returns whether that is a change.

    :param keep: the secret until now counts beside it for :data:`BOTH_COUNT`. Of several changes within that time the
        newest two secrets count.
    """
    current = _opened(session, subscription) if keep else None
    if keep and secret == current:
        return False
    is_kept = secret is not None and current is not None
    subscription.previous_secret = current if is_kept else None
    subscription.previous_until = utc_now() + BOTH_COUNT if is_kept else None
    subscription.secret = secret
    return True


def is_current(session: Session, subscription: Subscription, secret: str | None) -> bool:
    """Whether the messages of *subscription*, which is held, are signed with *secret* now."""
    try:
        return reveal(stored.sealed_secret(session, subscription.id)) == secret
    except SetupError:  # none of the site's keys opens it, so it is not the one that was given now
        return False


def rotate(
    session: Session,
    subscription: Subscription,
    *,
    secret: str | None = None,
    changed: datetime | None = None,
    actor: str | None,
) -> str:
    """Replace the secret, which is told once.

    :param secret: the new one; None: 32 random bytes.
    :param changed: when *subscription*, which is held, had been changed last when somebody saw it; None: nobody looked.
    :raises Invalid: for one that is too short or too long, or in use already.
    :raises Conflict: when it was changed since *changed*. Of two presses of one button the second would end the secret
        that the receiver has.
    """
    if subscription.channel != WebhookChannel.name:
        raise Conflict(said("Only webhooks have a secret."))
    if changed is not None and subscription.updated_at != changed:
        raise Conflict(
            "It was changed meanwhile, perhaps by this very button. No other secret was made. See how it is now."
        )
    check(secret, subscription.channel)
    before = SECRET if subscription.is_signed else None
    new = signing.new_secret() if secret is None else secret
    if not give(session, subscription, new, keep=True):
        raise Invalid.field("secret", "It is the secret already.")
    subscription.updated_at = utc_now()
    session.flush()
    was, now_is = {"secret": before}, {"secret": NEW_SECRET}
    note(session, "rotate_secret", subscription, actor, before=was, after=now_is)
    return new


def forget_previous(session: Session, now: datetime, *, limit: int) -> int:
    """Erase at most *limit* secrets that do not count any more; returns how many."""
    return stored.erase_previous_secrets(session, now, limit=limit)


def _opened(session: Session, subscription: Subscription) -> str | None:
    """The secret until now; None also when none of the app's keys opens it, since then it signs nothing."""
    try:
        return reveal(stored.sealed_secret(session, subscription.id))
    except SetupError:
        return None
