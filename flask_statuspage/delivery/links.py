"""Signed links in messages: confirm, manage, unsubscribe.

A token holds the subscription's id and nonce. The signature keeps others from making one; the nonce, compared with the
row by the caller, makes a link useless once the row has a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from ..errors import LinkExpired, LinkInvalid
from ..state import signing_keys

CONFIRM = "confirm"
"""Purpose of the link that begins a subscription."""

OWN = "own"
"""Purpose of the links that change or end one."""

TOO_OLD = "This link is too old: it worked for seven days. Enter your address again, and a new one is sent."
NOT_OURS = "Perhaps a part of it is missing. Open it from the message once more, or get a new one."

CONFIRM_SECONDS = 7 * 24 * 3600
"""How long a sign-up may be confirmed."""


@dataclass(frozen=True)
class Ticket:
    """What a genuine token says."""

    subscription_id: UUID
    nonce: str


def make(purpose: str, ticket: Ticket) -> str:
    """A token for *purpose*; it opens nothing else."""
    return _serializer(purpose).dumps([ticket.subscription_id.hex, ticket.nonce])


def read(purpose: str, token: str, *, max_age: int | None = None) -> Ticket:
    """The ticket of *token*.

    :param max_age: seconds; None: it does not age.
    :raises LinkExpired: when it is genuine but older.
    :raises LinkInvalid: when it was not made by this app for *purpose*.
    """
    try:
        subscription_id, nonce = _serializer(purpose).loads(token, max_age=max_age)
        return Ticket(UUID(hex=subscription_id), str(nonce))
    except SignatureExpired as error:
        raise LinkExpired(TOO_OLD) from error
    except (BadSignature, ValueError, TypeError) as error:
        raise LinkInvalid(NOT_OURS) from error


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    oldest_first = list(reversed(signing_keys()))
    return URLSafeTimedSerializer(oldest_first, salt=f"flask-statuspage {purpose}")
