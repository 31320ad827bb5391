"""Slack's incoming webhooks: the POST of a webhook, but to Slack's own hosts only and judged by Slack's words.

Source of the answers: Slack's "Sending messages using incoming webhooks" and "Improving error conditions for Incoming
Webhooks": 200 with ``ok``; 400 for what it cannot read; 403, 404 and 410 where the webhook or its conversation is
closed; 429 with ``Retry-After``; 500 for trouble of its own. The body is one word such as ``channel_is_archived``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from ...config import Settings
from ...errors import Invalid
from ...outgoing import AddressRefused, Client, vet_url
from ...outgoing.site import site_client, site_policy
from ...translation import said
from ..parcel import Failure, Outcome, Parcel
from . import posting
from .channel import Line
from .webhook import WebhookChannel

CLOSED = frozenset({403, 404, 410})
"""Statuses by which Slack says that nothing can be posted by this webhook any more."""

UNREADABLE = frozenset({400, 413})
"""Statuses by which Slack refuses one message; the next one may be fine."""

_WORD = re.compile(r"[a-z]{2,20}(?:_[a-z]{1,20}){1,7}")
"""What Slack calls an error. Nothing else of an answer is shown: it may echo the address, which is a secret."""


class SlackChannel(WebhookChannel):
    """A channel of a team, so not ``for_people``: it is scrolled through later and keeps the whole course of an
    incident. A digest would take from it what it is there for, and nobody's pocket rings with each message. Slack's own
    limit of a message a second is kept by the format's rate.
    """

    name = "slack"
    default_format = "slack"
    secret_address = True

    def normalise(self, address: str, settings: Settings) -> str:
        address = super().normalise(address, settings)
        if not is_slacks(address, settings):
            raise Invalid.field(
                "address",
                said(
                    "The address does not lead to Slack ({hosts}).",
                    hosts=tuple(settings.slack_hosts),
                ),
            )
        if urlsplit(address).path == "/":
            raise Invalid.field(
                "address",
                said(
                    "This is not the whole address of an incoming webhook, such as https://hooks.slack.com/services/…."
                ),
            )
        return address

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Line]:
        yield SlackLine(site_client(settings, posting.USER_AGENT), settings)


class SlackLine:
    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def send(self, parcel: Parcel) -> Outcome:
        # Once more: the setting may be another one than when the address was saved.
        if not is_slacks(parcel.address, self._settings):
            error = posting.FAILURES["refused_address"]
            return Outcome(error=error, kind=Failure.REFUSED_ADDRESS, milliseconds=0)
        outcome = posting.post(self._client, parcel, posting.identified(parcel))
        return outcome if outcome.code is None else _judged(outcome, outcome.code)


def is_slacks(address: str, settings: Settings) -> bool:
    """Whether a URL leads to one of the hosts that are Slack's; False for what is no address."""
    try:
        host = vet_url(address.strip(), site_policy(settings)).host
    except AddressRefused:
        return False
    return host in {name.lower() for name in settings.slack_hosts}


def _judged(outcome: Outcome, status: int) -> Outcome:
    said = (outcome.answer or "").strip()
    if outcome.delivered:
        if said == "ok":
            return outcome
        # Something else in its place answered, such as a proxy's page for whoever is not logged in.
        return replace(outcome, error="Slack did not answer 'ok'.", kind=Failure.PROTOCOL)
    word = f": {said}" if _WORD.fullmatch(said) else ""
    return replace(
        outcome,
        error=f"Slack answered {status}{word}.",
        final=status in UNREADABLE,
        ends_subscription=status in CLOSED,
    )
