"""POST to an endpoint, signed, to addresses that the guard lets through only."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from ...config import Settings
from ...errors import Invalid
from ...outgoing import AddressRefused, Client, SendFailed, vet_address, vet_url
from ...outgoing.site import site_client, site_policy
from .. import signing
from ..formats import formats
from ..parcel import Failure, Outcome, Parcel
from .channel import Line
from .retry_after import seconds

logger = logging.getLogger(__name__)

USER_AGENT = "Flask-StatusPage"
KEPT_ANSWER = 4096  # bytes of the answer that the log keeps

# Fixed words only: they reach the subscriber and must not tell what lies behind the address.
FAILURES = {
    "dns": "The endpoint could not be reached.",
    "connect": "The endpoint could not be reached.",
    "refused_address": "The endpoint could not be reached.",
    "tls": "The endpoint's certificate was not accepted.",
    "timeout": "The endpoint did not answer in time.",
    "protocol": "The endpoint did not answer with HTTP.",
}


class WebhookChannel:
    name = "webhook"
    default_format = "native"
    needs_confirmation = False
    confirms_by_code = False
    members_only = False
    for_people = False
    replies = False
    target_seconds = 120.0
    parallel: int | None = None

    def available(self, settings: Settings) -> str | None:
        return None

    def normalise(self, address: str, settings: Settings) -> str:
        try:
            return vet_url(address.strip(), site_policy(settings)).url
        except AddressRefused as error:
            raise Invalid.field("address", str(error)) from error

    def vet(self, address: str, settings: Settings) -> None:
        try:
            vet_address(address.strip(), site_policy(settings))
        except AddressRefused as error:
            raise Invalid.field("address", str(error)) from error

    def endpoint(self, address: str) -> str:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return f"{parts.hostname}:{port}"

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Line]:
        yield WebhookLine(site_client(settings, USER_AGENT))


class WebhookLine:
    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, parcel: Parcel) -> Outcome:
        body = parcel.body.encode()
        try:
            headers = _headers(parcel, body)
        except Exception as error:
            logger.exception("status page: format %s could not sign", parcel.format)
            words = f"The format could not sign the message ({type(error).__name__})."
            return Outcome(error=words, kind=Failure.CHANNEL, final=True)
        try:
            answer = self._client.send(
                "POST",
                parcel.address,
                headers=headers,
                body=body,
                timeout=parcel.policy.timeout,
            )
        except SendFailed as failure:
            return Outcome(
                error=_words(failure),
                kind=Failure(failure.kind),
                milliseconds=round(failure.milliseconds),
            )
        delivered = parcel.policy.is_success(answer.status)
        return Outcome(
            error=None if delivered else f"The endpoint answered {answer.status}.",
            kind=None if delivered else Failure.STATUS,
            code=answer.status,
            milliseconds=round(answer.milliseconds),
            answer=_excerpt(answer.body, parcel),
            retry_after=None if delivered else seconds(answer.headers.get("Retry-After")),
            ends_subscription=answer.status == 410,
        )


def _words(failure: SendFailed) -> str:
    # A port that swallows connections must look like one that refuses them.
    unreached = failure.kind == "timeout" and not failure.connected
    return FAILURES["connect" if unreached else failure.kind]


def _headers(parcel: Parcel, body: bytes) -> dict[str, str]:
    """The format's own signature, and Standard Webhooks 1.0 on every format."""
    format = formats[parcel.format]
    timestamp = int(time.time())
    headers = {
        "Content-Type": format.content_type,
        "webhook-id": str(parcel.delivery_id),
        "webhook-timestamp": str(timestamp),
    }
    live = [secret for secret in (parcel.secret, parcel.previous_secret) if secret]
    if live:
        # A vendor's header has room for one signature. While two secrets live they take turns, so that a receiver
        # with either of them accepts one of two attempts; in the standard header it finds both.
        headers |= format.sign(live[(parcel.attempt - 1) % len(live)], body)
        headers["webhook-signature"] = " ".join(
            signing.standard_signature(secret, str(parcel.delivery_id), timestamp, body)
            for secret in live
        )
    return headers


def _excerpt(answer: bytes, parcel: Parcel) -> str:
    """The beginning of the answer for the log, without a secret that it may echo."""
    text = answer[:KEPT_ANSWER].decode("utf-8", "replace").replace("\x00", "")
    hidden = [parcel.secret, parcel.previous_secret]
    if formats[parcel.format].secret_address:
        hidden += [parcel.address, urlsplit(parcel.address).path.strip("/")]
    for secret in hidden:
        if secret:
            text = text.replace(secret, "[secret]")
    return text
