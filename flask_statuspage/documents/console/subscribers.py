"""The pages "Subscribers": the list, one of them, a new one, and many from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ...domain.subscriber_lines import COLUMNS, MAX_LINES, MAX_PROBLEMS, Problem
from ..channel_words import channel_words
from .pager import Pager
from .room import Room, shown

STATES = {
    "active": "Active",
    "pending": "Pending",
    "disabled": "Switched off",
    "ended": "Unsubscribed",
}
"""The states of a subscription in words."""

SILENCED = "silenced"
"""What is looked for beside the states: addresses that nothing may be sent to."""

STATE_CHOICE = (*STATES.items(), (SILENCED, "Bounced or stopped"))

HOW = (
    ("ask", "Ask them first"),
    ("confirmed", "Confirmed by you"),
)
USUAL = (
    ("pending", "Ask them first"),
    ("active", "Active at once"),
)

SENT = {
    "pending": "Waiting",
    "done": "Delivered",
    "dead": "Given up",
    "cancelled": "Cancelled",
}
"""The states of a delivery in words."""

ADDED = {"active": "Active at once", "pending": "Sent a confirmation"}
LEFT = {
    "doubles": "Stand in the file more than once",
    "known": "Are subscribed, or asked, already: nothing changes for them",
    "unsubscribed": "Have unsubscribed: only they come back by themselves",
    "off": "Are switched off here",
    "silenced": "Bounced, or answered STOP: nothing is sent there",
    "unwanted": "Are disabled or ended by the file itself",
}
"""What becomes of lines that are right, by the names of their counts."""

PROBLEMS_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class SubscriberRow:
    """One subscription in the list.

    :param address: of one that is a secret, only where it leads.
    :param services: names; empty: all.
    :param language: empty: the page's.
    """

    id: UUID
    channel: str
    address: str
    state: str
    reason: str
    services: Sequence[str]
    language: str
    since: datetime

    @property
    def way(self) -> str:
        return str(channel_words(self.channel).label)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A delivery: its event in words, its state by its name."""

    at: datetime
    event: str
    state: str


@dataclass(frozen=True, kw_only=True)
class SubscriberView:
    """One subscription on its page.

    :param chosen: slugs of services, *events*: names; of both none means what is usual. *offered*: events to choose
        from, names with words, *usual*: the words of those that come unasked.
    :param gone: how many services it chose that have left the page.
    :param silenced: why nothing may be sent to the address, and since when; None: it may.
    :param confirmed_by: how it was confirmed, in words.
    :param made_by: whom it belongs to or who made it, in words.
    :param contact: the mailbox that is told when it is switched off.
    :param can_be_asked: it waits for its owner's word.
    :param sent: the newest deliveries. *log_url*: where all of them are.
    :param has_account: it posts by an account that is connected.
    """

    row: SubscriberRow
    chosen: Sequence[str]
    gone: int
    events: Sequence[str]
    offered: Sequence[tuple[str, str]]
    usual: Sequence[str]
    confirmed_at: datetime | None
    confirmed_by: str
    made_by: str
    contact: str
    silenced: tuple[str, datetime] | None
    can_be_asked: bool
    sent: Sequence[Sent]
    log_url: str | None
    has_account: bool


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a file amounts to: how many would be *added*, and why which others would not, both as words and numbers.

    :param mark: what the button that brings them in carries.
    """

    added: Sequence[tuple[str, int]]
    left: Sequence[tuple[str, int]]
    problems: Sequence[Problem]
    mark: str

    @property
    def total(self) -> int:
        return sum(number for _, number in self.added)


def subscribers(
    room: Room,
    *,
    rows: Sequence[SubscriberRow],
    counts: Mapping[str, int],
    asked: Mapping[str, str],
    channels: Sequence[str],
    services: Sequence[tuple[str, str]],
    pager: Pager,
) -> str:
    """:param counts: how many of the page are in each of the states of :data:`STATE_CHOICE`.
    :param asked: what is looked for: ``search``, ``channel``, ``state``, ``component``.
    :param channels: names to choose from.
    :param services: slugs and names to choose from.
    """
    return shown(
        room,
        "subscribers",
        rows=rows,
        counts=[(value, word, counts.get(value, 0)) for value, word in STATE_CHOICE],
        asked=asked,
        narrowed={name: value for name, value in asked.items() if value},
        ways=[("", "All channels"), *((name, str(channel_words(name).label)) for name in channels)],
        states=[("", "All states"), *STATE_CHOICE],
        services=[("", "All services"), *services],
        words_of=STATES,
        pager=pager,
    )


def subscriber(room: Room, view: SubscriberView, *, services: Sequence[tuple[str, str]]) -> str:
    """Fields of its form: ``components``, ``events``, ``locale``, each with ``was.<name>``.

    :param services: slugs and names.
    """
    return shown(
        room,
        "subscriber",
        view=view,
        row=view.row,
        services=services,
        words_of=STATES,
        sent_words=SENT,
    )


def subscriber_new(
    room: Room, *, channels: Sequence[str], services: Sequence[tuple[str, str]]
) -> str:
    """Fields of its form: ``channel``, ``address``, ``components``, ``locale``, ``how``."""
    ways = [(name, str(channel_words(name).label)) for name in channels]
    return shown(room, "subscriber_new", ways=ways, services=services, how=HOW)


def subscribers_import(room: Room, check: Check | None) -> str:
    """Fields of its form: ``file``, ``text``, ``state``; button ``import``, which posts ``seen`` as well."""
    return shown(
        room,
        "subscribers_import",
        check=check,
        usual=USUAL,
        columns=COLUMNS,
        most=MAX_LINES,
        problems_shown=PROBLEMS_SHOWN,
        most_problems=MAX_PROBLEMS,
    )
