"""POST to an endpoint, signed, to addresses that the guard lets through only."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ...config import Settings
from ...errors import Invalid
from ...outgoing import AddressRefused, Client, vet_address, vet_url
from ...outgoing.site import site_client, site_policy
from .. import signing
from ..formats import formats
from ..parcel import Failure, Outcome, Parcel
from . import posting
from .channel import Line

logger = logging.getLogger(__name__)


class WebhookChannel:
    name = "webhook"
    default_format = "native"
    needs_confirmation = False
    confirms_by_code = False
    members_only = False
    secret_address = False
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
        return posting.endpoint_of(address)

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Line]:
        yield WebhookLine(site_client(settings, posting.USER_AGENT))


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
        return posting.post(self._client, parcel, headers)


def _headers(parcel: Parcel, body: bytes) -> dict[str, str]:
    """The format's own signature, and Standard Webhooks 1.0 on every format."""
    headers = posting.identified(parcel)
    live = [secret for secret in (parcel.secret, parcel.previous_secret) if secret]
    if live:
        # A vendor's header has room for one signature. While two secrets live they take turns, so that a receiver
        # with either of them accepts one of two attempts; in the standard header it finds both.
        headers |= formats[parcel.format].sign(live[(parcel.attempt - 1) % len(live)], body)
        ident, timestamp = headers["webhook-id"], int(headers["webhook-timestamp"])
        headers["webhook-signature"] = " ".join(
            signing.standard_signature(secret, ident, timestamp, body) for secret in live
        )
    return headers
