"""The contract of a format: a pure function of an event, and the policy that its receivers were promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...domain.events import (
    COMPONENT_EVENTS,
    CONFIRMATION,
    DIGEST,
    PAGE_CHANGE,
    TEST,
    UPSTREAM_CHANGE,
    Event,
)
from ...domain.reader import Reader
from ...domain.retry import Policy


def _unsigned(secret: str, body: bytes) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Posting:
    """What only one attempt to one subscription knows.

    :param retry: 0 at the first attempt, then 1, 2, …
    :param unsubscribe_url: where the subscription ends.
    :param manage_url: where its owner changes it. Both are empty in messages that ask for a confirmation.
    """

    retry: int
    unsubscribe_url: str
    manage_url: str = ""


@dataclass(frozen=True, kw_only=True)
class Format:
    """How one published system words events.

    :param channels: the channels that can carry it.
    :param render: event → the exact text that is sent, the same for all subscriptions and attempts.
    :param render_for: event, reader → the same for a format that people read: in their language, by their clock.
    :param unasked: events that a subscription gets without choosing them.
    :param offered: all events that the format can word.
    :param complete: text, posting → the text with what differs from one attempt or subscription to the next; None:
        nothing does.
    :param sign: secret, body → the format's own signature headers.
    :param per_transaction: one message a page and transaction, the event ``page.status_change``, stands for all its
        ``component.status_change``. It tells of other services' pages, too: ``upstream.status_change``.
    :param page_status: it tells the page's status with each event of incidents, maintenance and components: their data
        have it in ``page["status"]``, as it is at the end of the transaction.
    :param levels: the severities from which on a subscription may want to be told, the default first; none: the format
        knows no levels.
    :param least_size: bytes with room for the least of every message, as far as a subscription may limit it.
    :param members_only: it tells what is not for strangers, so only the site's team may choose it.
    :param secret_address: whoever knows the address may write there, so it is stored encrypted and not shown again.
    """

    name: str
    channels: frozenset[str]
    render: Callable[[Event], str]
    unasked: frozenset[str]
    offered: frozenset[str]
    policy: Policy = field(default_factory=Policy)
    content_type: str = "application/json"
    render_for: Callable[[Event, Reader], str] | None = None
    complete: Callable[[str, Posting], str] | None = None
    sign: Callable[[str, bytes], Mapping[str, str]] = _unsigned
    per_transaction: bool = False
    page_status: bool = False
    levels: tuple[str, ...] = ()
    least_size: int = 1_000
    members_only: bool = False
    secret_address: bool = False

    def word(self, event: Event, reader: Reader) -> str:
        """The exact text that is sent, for *reader* where the format is for people."""
        return self.render(event) if self.render_for is None else self.render_for(event, reader)

    def words(self, name: str) -> bool:
        """Whether it has words for the event *name*: one that is offered, or that goes to one subscription alone."""
        if name in (TEST, CONFIRMATION, DIGEST):
            return True
        whole = (PAGE_CHANGE, UPSTREAM_CHANGE)
        if name in whole or name in COMPONENT_EVENTS:
            # The one tells the other's news.
            is_offered = not self.offered.isdisjoint(COMPONENT_EVENTS)
            return is_offered and (name in whole) is self.per_transaction
        return name in self.offered
