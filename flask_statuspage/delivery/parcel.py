"""What a channel is given, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ..domain.retry import Policy


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One attempt of one delivery, ready to be sent.

    :param delivery_id: the receiver's key for dropping doubles; the same over all retries.
    :param lease: proves that this worker still holds the delivery.
    :param attempt: counts from 1.
    :param body: the exact text to send, made once.
    :param secret: None: unsigned.
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
    manage_url: str | None = None
    unsubscribe_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one attempt.

    :param error: class of the failure in a few fixed words, fit to be shown to the subscriber; None on success.
    :param code: the protocol's status, if there was an answer.
    :param answer: the beginning of the answer.
    :param retry_after: seconds that the receiver asked for.
    :param final: no retry will help.
    :param ends_subscription: the address refuses all further deliveries (HTTP 410, a bounced mailbox).
    """

    error: str | None = None
    code: int | None = None
    milliseconds: int | None = None
    answer: str | None = None
    retry_after: float | None = None
    final: bool = False
    ends_subscription: bool = False

    @property
    def delivered(self) -> bool:
        return self.error is None
