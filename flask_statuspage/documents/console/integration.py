"""The form of one integration, the page that shows a secret once, and the one that tells what came of a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ...domain.events import PUBLIC_EVENTS
from ...translation import LANGUAGES
from ..channel_words import ChannelWords, channel_words, format_word
from ..words import EVENTS
from .integrations import STATES
from .room import Room, shown

FORMATS = {
    "native": "For receivers that you write yourself: everything that happens, signed.",
    "slack": "For what takes Slack's messages, such as Mattermost and Rocket.Chat.",
    "statusgator": "For receivers of StatusGator's webhooks: one message for each change of services' statuses.",
    "statusmate": "For receivers of StatusMate's webhooks: incidents, maintenance and services in one envelope.",
    "statuspage": "For receivers of Atlassian Statuspage's webhooks, which most tools know.",
    "statuspageone": "For receivers of StatusPage.one's alerts: monitors that fail and recover.",
    "text": "A title and a text, for people to read.",
    "x": "Posts, each incident as one thread.",
}
"""For which receivers each format is, in a line."""

HEARD = (
    ("usual", "What its format tells unasked"),
    ("some", "Only the events that are ticked below"),
)

LEVELS = {
    "any": "Any change",
    "warn": "Degraded performance and worse",
    "down": "Major outages only",
}

KINDS = {
    "dns": "The name of the address could not be looked up.",
    "connect": "Nothing took the connection at the address.",
    "tls": "The endpoint's certificate was not accepted (TLS).",
    "timeout": "The endpoint did not answer in time.",
    "refused_address": (
        "This site does not call the address: it leads into a private or reserved network, or not where its channel "
        "may lead."
    ),
}
"""What failed, for the team. Others are told less: see :data:`~...delivery.channels.posting.FAILURES`."""

HINTS = {"apprise": "As Apprise writes addresses, such as discord://id/token."}
"""What addresses look like that visitors never type."""

EXCERPT = 500
"""Characters of an answer that are shown."""


@dataclass(frozen=True, kw_only=True)
class IntegrationView:
    """What stands in the form.

    :param id: None for a new one. *name* is what it is called.
    :param levels: what its formats know; none: there is no such field.
    :param heard: ``usual`` or ``some``, and then of *events*.
    :param components: slugs; none: all.
    :param signs: its messages can be signed with a secret; *signed*: they are.
    :param is_public: whoever looks at the account sees its tests.
    """

    channel: str
    formats: Sequence[str]
    levels: Sequence[str]
    offered: Sequence[str]
    format: str
    level: str = ""
    heard: str = "usual"
    events: Sequence[str] = ()
    components: Sequence[str] = ()
    contact: str = ""
    locale: str = ""
    time_zone: str = ""
    id: str | None = None
    name: str = ""
    state: str = ""
    reason: str | None = None
    by: str | None = None
    since: datetime | None = None
    changed: datetime | None = None
    signs: bool = False
    signed: bool = False
    old_secret_until: datetime | None = None
    hides_address: bool = False
    is_public: bool = False

    @property
    def words(self) -> ChannelWords:
        return channel_words(self.channel)

    @property
    def label(self) -> str:
        return str(self.words.label)

    @property
    def hint(self) -> str:
        """What an address looks like."""
        return HINTS.get(self.channel) or str(self.words.hint)


@dataclass(frozen=True, kw_only=True)
class TestView:
    """How a test fares.

    :param stage: ``delivered``, ``failed``, ``cancelled``, ``sending``, ``waiting`` (until *due_at*) or ``untaken``.
    :param error: what went wrong, in words.
    :param due_at: when it is tried again, or for the first time; None: not any more, or at once.
    """

    stage: str
    sent_at: datetime
    started_at: datetime | None = None
    code: int | None = None
    milliseconds: int | None = None
    answer: str | None = None
    error: str = ""
    due_at: datetime | None = None

    @property
    def excerpt(self) -> str:
        text = (self.answer or "").strip()
        return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1]}…"


def integration(
    room: Room,
    view: IntegrationView,
    *,
    missing: str | None,
    services: Sequence[tuple[str, str]],
    seen: Sequence[tuple[str, str]] = (),
) -> str:
    """One integration, or a new one.

    Fields: ``channel address`` (of a new one), ``format secret level heard events components contact locale
    time_zone``.

    :param missing: why its channel cannot be used now; None: it can.
    :param services: slugs and names.
    :param seen: what the form carries of it as it is now.
    """
    words = room.frame.words(room.page)
    languages = {**({view.locale: view.locale} if view.locale else {}), **LANGUAGES}
    return shown(
        room,
        "integration",
        view=view,
        missing=missing,
        services=services,
        seen=seen,
        states=STATES,
        formats=[(name, format_word(name), FORMATS.get(name, "")) for name in view.formats],
        heard=HEARD,
        events=[
            (name, words.event(name) if name in EVENTS else name)
            for name in sorted(view.offered, key=_place)
        ],
        levels=[
            ("", "As its format has it"),
            *((name, LEVELS.get(name, name)) for name in view.levels),
        ],
        languages=[("", "The page's"), *languages.items()],
    )


def secret_made(room: Room, *, ident: str, name: str, secret: str, until: datetime | None) -> str:
    """The only page that ever shows *secret*.

    :param until: so long the one before it counts, too; None: there was none.
    """
    return shown(room, "integration_secret", ident=ident, name=name, secret=secret, until=until)


def tested(room: Room, view: TestView, *, ident: str, name: str, url: str) -> str:
    """What came of a test of the integration *name*. *url* is this page."""
    return shown(room, "integration_test", view=view, ident=ident, name=name, url=url)


def _place(event: str) -> int:
    return PUBLIC_EVENTS.index(event) if event in PUBLIC_EVENTS else len(PUBLIC_EVENTS)
