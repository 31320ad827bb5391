"""Codes that an app on a phone shows for half a minute each: TOTP (RFC 6238) with SHA-1, six digits, 30 seconds.

Those are what every such app knows; some ignore what else an address of theirs says.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from urllib.parse import quote, urlencode

SECONDS = 30
DIGITS = 6
DRIFT = 1
"""Steps by which a phone's clock may be wrong (RFC 6238, 5.2)."""


def new_secret() -> str:
    """160 random bits (RFC 4226, 4) in Base32, as apps take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(secret: str, step: int, *, digits: int = DIGITS) -> str:
    """The code of *step*, which is the number of half minutes since 1970 (RFC 4226, 5.3)."""
    made = hmac.new(base64.b32decode(secret), step.to_bytes(8), hashlib.sha1).digest()
    at = made[-1] & 0x0F
    number = int.from_bytes(made[at : at + 4]) & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def matching_step(secret: str, typed: str, now: float, *, after: int) -> int | None:
    """The step of which *typed* is the code, if it is near *now* and later than *after*; None: it is none.

    :param now: seconds since 1970. :param after: the step of the last code that was taken: none counts twice.
    """
    text = re.sub(r"[\s-]", "", typed)
    if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", text):
        return None
    here = int(now) // SECONDS
    found = None
    for step in range(here - DRIFT, here + DRIFT + 1):
        if hmac.compare_digest(code(secret, step), text) and step > after and found is None:
            found = step
    return found


def address(secret: str, *, account: str, issuer: str) -> str:
    """The ``otpauth://`` address that apps read from a picture or a link."""
    label = quote(f"{issuer}:{account}", safe="")
    return (
        f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"
    )
