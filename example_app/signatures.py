"""How a receiver makes sure that a webhook comes from the status page. Copy this into your receiver.

Both signatures are HMAC-SHA256 under the subscription's secret; one of them is enough.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

from werkzeug.datastructures import Headers

TOLERANCE_SECONDS = 300
"""An older request is refused, so that nobody can send a recorded one again."""


def status_signature_is_right(secret: str, headers: Headers, body: bytes) -> bool:
    """``X-Status-Signature``: lower-case hex over the body exactly as it came."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, headers.get("X-Status-Signature", ""))


def standard_signature_is_right(secret: str, headers: Headers, body: bytes) -> bool:
    """``webhook-signature`` (Standard Webhooks 1.0): base64 over id, time of the attempt and body.

    :param secret: ``whsec_`` and the key in base64.
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # While a secret is changed there may be several signatures, with spaces between them.
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected, signature) for signature in given)
