"""What a channel is given, and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ..domain.retry import Policy


class Failure(StrEnum):
    """Classes of failures. Those of :attr:`UNREACHED` mean that the other side was not reached at all."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    REFUSED_ADDRESS = "refused_address"
    PROTOCOL = "protocol"
    STATUS = "status"
    CHANNEL = "channel"


UNREACHED = frozenset(
    {Failure.DNS, Failure.CONNECT, Failure.TLS, Failure.TIMEOUT, Failure.REFUSED_ADDRESS}
)


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One attempt of one delivery, ready to be sent.

    :param delivery_id: the receiver's key for dropping doubles; the same over all retries.
    :param lease: proves that this worker still holds the delivery.
    :param attempt: counts from 1.
    :param body: the exact text to send.
    :param kept_body: the same without what only this attempt knows; kept for the next one.
    :param endpoint: what it shares its share of connections with: ``host:port``, or the channel's name.
    :param secret: None: unsigned. ``previous_secret`` is the one before it, while both count.
    :param secret_address: the address is one, so nothing that is kept may tell it.
    :param is_notice: it tells the subscription's owner something of the subscription itself.
    :param lease_ends: ``time.monotonic()`` at which the lease runs out.
    :param reply_to: the remote id of what this subscription was sent last about the same subject; None: nothing.
    :param ready_since: of a first attempt: since when it was possible; None: that is not measured.
    :param manage_url: where the subscriber changes or ends the subscription; None for machines.
    """

    delivery_id: UUID
    subscription_id: UUID
    lease: UUID
    attempt: int
    channel: str
    format: str
    address: str
    event_name: str
    subject_id: UUID
    body: str
    secret: str | None
    policy: Policy
    endpoint: str = ""
    previous_secret: str | None = None
    kept_body: str | None = None
    secret_address: bool = False
    is_notice: bool = False
    lease_ends: float = math.inf
    reply_to: str | None = None
    ready_since: datetime | None = None
    manage_url: str | None = None
    unsubscribe_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one attempt.

    :param error: class of the failure in a few fixed words, fit to be shown to the subscriber; None on success.
    :param kind: the class of the failure; None on success.
    :param code: the protocol's status, if there was an answer.
    :param answer: the beginning of the answer.
    :param retry_after: seconds that the receiver asked for.
    :param final: no retry will help.
    :param ends_subscription: the address refuses all further deliveries (HTTP 410, a bounced mailbox).
    :param suppresses_address: nothing may be sent to this address any more, whatever subscription it belongs to.
    :param remote_id: what the other side calls the message that it took.
    """

    error: str | None = None
    kind: Failure | None = None
    code: int | None = None
    milliseconds: int | None = None
    answer: str | None = None
    retry_after: float | None = None
    final: bool = False
    ends_subscription: bool = False
    suppresses_address: bool = False
    remote_id: str | None = None

    @property
    def delivered(self) -> bool:
        return self.error is None
