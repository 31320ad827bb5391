"""Signatures of webhook bodies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

PREFIX = "whsec_"


def new_secret() -> str:
    """A secret of 32 random bytes in the Standard Webhooks notation."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def status_signature(secret: str, body: bytes) -> str:
    """``X-Status-Signature`` (FacioTech): lower-case hex HMAC-SHA256 of the exact body under the secret's text."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def prefixed_signature(secret: str, body: bytes) -> str:
    """``X-StatusPageOne-Signature``: the same with the name of its hash before it, ``sha256=<hex>``."""
    return "sha256=" + status_signature(secret, body)


def standard_signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """``webhook-signature`` of Standard Webhooks 1.0: ``v1,`` and base64 of HMAC-SHA256 over id, time and body.

    :param timestamp: Unix seconds of the attempt.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    mac = hmac.new(standard_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


def standard_key(secret: str) -> bytes:
    """The key bytes of *secret*: base64 with or without ``whsec_``, as verifiers read it, else its plain bytes."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:  # not base64, or not even ASCII
        return secret.encode()
