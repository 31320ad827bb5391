"""Signed links in messages: confirm, manage, unsubscribe.

A token holds the subscription's id and nonce. The signature keeps others from making one; the nonce, compared with the
row by the caller, makes a link useless once the row has a new one. From the same two comes the code that can be typed
in the place of a link. The link to the form for it says only who claims which address, as whoever follows it has proved
nothing yet.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from ..errors import LinkExpired, LinkInvalid
from ..state import signing_keys
from ..translation import said

CONFIRM = "confirm"
"""Purpose of the link that begins a subscription."""

OWN = "own"
"""Purpose of the links that change or end one."""

CLAIM = "claim"
"""Purpose of the link to the form in which a code is typed."""

PASS = "pass"
"""Purpose of the links by which members sign in."""

PASS_SECONDS = 15 * 60
"""How long a member's link works."""

CODE_DIGITS = 6
TOO_OLD = said(
    "This link is too old: it worked for seven days. Enter your address again, and a new one is sent."
)
REPLACED = said("This link does not work any more; a newer message has a newer one.")
NOT_OURS = said(
    "Perhaps a part of it is missing. Open it from the message once more, or get a new one."
)

CONFIRM_SECONDS = 7 * 24 * 3600
"""How long a sign-up may be confirmed."""


@dataclass(frozen=True)
class Ticket:
    """What a genuine token says."""

    subscription_id: UUID
    nonce: str


@dataclass(frozen=True)
class Claim:
    """For which page and channel somebody typed which address, of which ``digest`` is the stand-in."""

    page_id: UUID
    channel: str
    digest: str


@dataclass(frozen=True)
class Pass:
    """Which member may sign in."""

    member_id: UUID
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
    subscription_id, nonce = _said(purpose, token, 2, max_age)
    return Ticket(_uuid(subscription_id), nonce)


def make_claim(claim: Claim) -> str:
    """A token for the form in which a code is typed."""
    return _serializer(CLAIM).dumps([claim.page_id.hex, claim.channel, claim.digest])


def read_claim(token: str) -> Claim:
    """The claim of *token*.

    :raises LinkExpired: when it is genuine, but older than a sign-up may be confirmed.
    :raises LinkInvalid: when it was not made by this app for this.
    """
    page_id, channel, digest = _said(CLAIM, token, 3, CONFIRM_SECONDS)
    return Claim(_uuid(page_id), channel, digest)


def make_pass(passing: Pass) -> str:
    """A token that signs a member in."""
    return _serializer(PASS).dumps([passing.member_id.hex, passing.nonce])


def read_pass(token: str) -> Pass:
    """What a token that signs in says.

    :raises LinkExpired: when it is genuine, but older than :data:`PASS_SECONDS`.
    :raises LinkInvalid: when it was not made by this app for this.
    """
    try:
        member_id, nonce = _said(PASS, token, 2, PASS_SECONDS)
    except LinkExpired:
        minutes = PASS_SECONDS // 60
        raise LinkExpired(f"This link is too old: it worked for {minutes} minutes.") from None
    return Pass(_uuid(member_id), nonce)


def code(ticket: Ticket) -> str:
    """The digits that do for *ticket* what a link to confirm does. Others with another nonce."""
    return _code(ticket, signing_keys()[0])


def is_code(ticket: Ticket, typed: str) -> bool:
    """Whether *typed* is the code of *ticket*, also one that was made before a newer key came."""
    found = [
        hmac.compare_digest(_code(ticket, key).encode(), typed.encode("utf-8", "replace"))
        for key in signing_keys()
    ]
    return any(found)


def _code(ticket: Ticket, key: str) -> str:
    message = f"flask-statuspage code {ticket.subscription_id.hex} {ticket.nonce}"
    made = hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
    # Of 64 bits, so that no code is noticeably likelier than another.
    return f"{int.from_bytes(made[:8]) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def _said(purpose: str, token: str, count: int, max_age: int | None) -> list[str]:
    try:
        said: Any = _serializer(purpose).loads(token, max_age=max_age)
    except SignatureExpired as error:
        raise LinkExpired(TOO_OLD) from error
    except (BadSignature, ValueError, TypeError) as error:
        raise LinkInvalid(NOT_OURS) from error
    if not isinstance(said, list) or len(said) != count:
        raise LinkInvalid(NOT_OURS)
    return [str(item) for item in said]


def _uuid(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError as error:
        raise LinkInvalid(NOT_OURS) from error


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    oldest_first = list(reversed(signing_keys()))
    return URLSafeTimedSerializer(oldest_first, salt=f"flask-statuspage {purpose}")
