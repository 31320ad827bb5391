"""The page "Integrations": where else the status page tells what happens, a card for each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..channel_words import channel_words, format_word
from .pager import Pager
from .room import Room, shown

STATES = {
    "pending": "waits for approval",
    "active": "active",
    "disabled": "off",
    "ended": "ended",
}

ABOUT = {
    "email": "Incidents and maintenance are mailed to whoever subscribed.",
    "sms": "The main steps of incidents and maintenance are texted to whoever subscribed.",
    "webhook": "Each event is posted to an address of yours, for a program to read.",
    "slack": "Incidents and maintenance are posted to a channel of Slack.",
    "x": "Incidents and maintenance are posted to X, each incident as one thread.",
    "apprise": "Incidents and maintenance are sent to whatever Apprise knows, such as Discord, Matrix and ntfy.",
}

ENDPOINTS, ACCOUNTS, READERS = "endpoints", "accounts", "readers"
"""What the addresses of a channel are: set up by the team, accounts that it signs in to, or people who subscribe."""


@dataclass(frozen=True, kw_only=True)
class EndpointRow:
    """An endpoint as its card shows it.

    :param name: its address; of one that is a secret, where it leads and a mark that tells it from others.
    :param format: what it is written in, in words; empty: there is no choice.
    :param reason: why it is off.
    :param events: what it hears of, *services* about what, in words.
    :param tested: whether a test can be sent now.
    """

    id: str
    name: str
    format: str
    state: str
    reason: str | None
    events: str
    services: str
    succeeded_at: datetime | None
    failed_at: datetime | None
    failure: str
    tested: bool


@dataclass(frozen=True, kw_only=True)
class AccountCard:
    """An account as its card shows it.

    :param since: when it was connected, *by* whom.
    :param state: of the subscription that posts by it; None: there is none. *reason* is why it is disabled.
    :param subscription: its id; None: there is none.
    :param failed_at: when the last failure was, *failure* what it was.
    """

    id: str
    name: str
    since: datetime
    by: str | None
    state: str | None
    reason: str | None
    subscription: str | None
    failed_at: datetime | None
    failure: str | None


@dataclass(frozen=True, kw_only=True)
class ChannelCard:
    """A channel of the installation.

    :param kind: one of :data:`ENDPOINTS`, :data:`ACCOUNTS`, :data:`READERS`.
    :param missing: what is missing before it can be used, in a sentence; None: nothing.
    :param visitors: how many endpoints visitors signed up, which are not listed here.
    :param readers_url: where whoever subscribed is looked after; None: nowhere.
    :param list_url: the card alone, with all its endpoints; None: all of them are here.
    """

    name: str
    kind: str
    missing: str | None
    rows: Sequence[EndpointRow] = ()
    pager: Pager = field(default_factory=Pager)
    list_url: str | None = None
    visitors: int = 0
    readers_url: str | None = None

    @property
    def label(self) -> str:
        return str(channel_words(self.name).label)

    @property
    def about(self) -> str:
        return ABOUT.get(self.name, "")


@dataclass(frozen=True, kw_only=True)
class XView:
    """What the card of X has.

    :param callback_url: what the app at X must know. *is_guessed*: nobody said where the page is.
    """

    accounts: Sequence[AccountCard]
    callback_url: str
    is_guessed: bool


def integrations(
    room: Room, *, cards: Sequence[ChannelCard], x: XView | None, only: str = ""
) -> str:
    """:param x: None where the card of X is not shown. *only*: the one channel that is shown; empty: all."""
    return shown(room, "integrations", cards=cards, x=x, only=only, states=STATES)


def word_of_format(name: str) -> str:
    """What people call a format."""
    return str(format_word(name))
