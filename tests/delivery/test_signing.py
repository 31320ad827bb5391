"""Signatures, checked by receivers' own means."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from flask_statuspage.delivery import signing
from flask_statuspage.delivery.formats import formats

BODY = '{"text":"Grüße"}'.encode()


def test_status_signature_is_a_hmac_of_the_body() -> None:
    """X-Status-Signature is the lower-case hex HMAC-SHA256 of the exact bytes under the secret's text."""
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in b"secret".ljust(64, b"\0")) + BODY)
    outer = hashlib.sha256(
        bytes(byte ^ 0x5C for byte in b"secret".ljust(64, b"\0")) + inner.digest()
    )
    assert signing.status_signature("secret", BODY) == outer.hexdigest()
    assert formats["native"].sign("secret", BODY) == {"X-Status-Signature": outer.hexdigest()}


@pytest.mark.parametrize(
    "secret",
    [signing.new_secret(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "c2VjcmV0LWtleQ=="],
    ids=["new", "published", "without prefix"],
)
def test_an_off_the_shelf_verifier_agrees(secret: str) -> None:
    """The package `standardwebhooks` accepts what we sign, and refuses one byte more."""
    now = int(time.time())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": signing.standard_signature(secret, "msg_1", now, BODY),
    }
    assert Webhook(secret).verify(BODY, headers) == {"text": "Grüße"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.new_secret()).verify(BODY, headers)


def test_a_plain_secret_signs_with_its_bytes() -> None:
    """A secret that is no base64 is a key as it stands."""
    mac = hmac.new("geheim! ü".encode(), b"id.5." + BODY, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(mac).decode()
    assert signing.standard_signature("geheim! ü", "id", 5, BODY) == expected


def test_new_secrets_have_256_random_bits() -> None:
    """Each new secret is 32 random bytes in the Standard Webhooks notation."""
    made = {signing.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(signing.standard_key(secret)) for secret in made} == {32}
