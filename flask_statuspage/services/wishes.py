"""What somebody who subscribes asks for, and whether it can be had."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from ..delivery.channels import channels
from ..delivery.channels.slack import SlackChannel, is_slacks
from ..delivery.channels.webhook import WebhookChannel
from ..delivery.formats import formats
from ..errors import FieldError, Invalid
from ..state import current_settings
from ..storage.pages import Page
from ..translation import said
from . import components, owner_notices, page_fields, policies, signing_secrets

URLS = (WebhookChannel.name, SlackChannel.name)
"""The channels whose addresses nobody can be asked at, which ``STATUSPAGE_WEBHOOK_SIGNUP`` opens and closes."""

NOT_HERE = said("This way is not available on this page.")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks for.

    :param format: None: the channel's default.
    :param components: slugs or ids; none: all.
    :param events: None: the format's own choice.
    :param level: one of the format's levels; None: its first one.
    :param policy: what is wanted otherwise than the format does it, see :mod:`.policies`.
    :param contact: the mailbox of the owner of an address that is none.
    :param locale: the reader's language, ``time_zone`` their clock; None: the page's.
    :param likely_locale: the language that counts where none was ever chosen.
    :param adds: components and events come on top of those of a subscription that goes on.
    :param by_visitor: it came through the page's own door, so only what is open to everybody can be had.
    """

    channel: str
    address: str
    format: str | None = None
    components: Collection[str] = ()
    events: Collection[str] | None = None
    level: str | None = None
    policy: Mapping[str, Any] | None = None
    contact: str | None = None
    secret: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    likely_locale: str | None = None
    adds: bool = False
    by_visitor: bool = False


def check(session: Session, page: Page, wish: Wish) -> None:
    """Look at all that can be told without the network.

    :raises Invalid: naming every field that is wrong.
    """
    errors: list[FieldError] = []
    with _gathered(errors):
        checked(wish)
    with _gathered(errors):
        components.named(session, page, list(wish.components))
    if errors:
        raise Invalid(*errors)


def vet(wish: Wish) -> None:
    """Ask the network whether the wish's address may be used. No transaction may be open: this can take seconds.

    :raises Invalid: naming every field that is wrong.
    """
    wish = checked(wish)
    channels[wish.channel].vet(wish.address, current_settings())


def checked(wish: Wish) -> Wish:
    """*wish* with its channel, address, format, policy and contact as they are kept.

    :raises Invalid: naming every field that is wrong.
    """
    allowed = known_channels(by_visitor=wish.by_visitor)
    if wish.channel not in allowed:
        raise Invalid.field("channel", said("Must be one of {names}.", names=tuple(allowed)))
    wish = _of_slack(wish)
    channel = channels[wish.channel]
    if missing := channel.available(current_settings()):
        # What is not set is no stranger's concern.
        words: str = NOT_HERE if wish.by_visitor else f"{wish.channel} is not available: {missing}"
        raise Invalid.field("channel", words)
    if not isinstance(wish.address, str) or not wish.address.strip():
        raise Invalid.field("address", said("Is missing."))
    errors: list[FieldError] = []
    reading: dict[str, Any] = {}
    address, contact, policy, secret = "", None, None, None
    format = wish.format or channel.default_format
    with _gathered(errors):
        address = channel.normalise(wish.address, current_settings())
    with _gathered(errors):
        check_format(format, wish.channel, by_visitor=wish.by_visitor)
        with _gathered(errors):
            check_level(wish.level, format)
        check_events(wish.events, format)
    with _gathered(errors):
        policy = policies.checked(wish.policy)
        if format in formats:
            policies.check_size(policy, format)
    with _gathered(errors):
        contact = owner_notices.check(wish.contact, wish.channel)
    with _gathered(errors):
        secret = _secret(wish)
    with _gathered(errors):
        reading = page_fields.checked({"locale": wish.locale, "time_zone": wish.time_zone})
    if errors:
        raise Invalid(*errors)
    kept: dict[str, Any] = {
        "address": address,
        "format": format,
        "policy": policy,
        "contact": contact,
    }
    return replace(wish, **kept, secret=secret, **reading)


def _of_slack(wish: Wish) -> Wish:
    """A webhook that leads to Slack has its channel, so that one address is never subscribed twice."""
    if (
        wish.channel == WebhookChannel.name
        and wish.format in (None, SlackChannel.default_format)
        and is_slacks(wish.address, current_settings())
    ):
        return replace(wish, channel=SlackChannel.name)
    return wish


def _secret(wish: Wish) -> str | None:
    """What it is signed with. The page's form has one field for all channels, and a browser may fill it by itself."""
    if wish.by_visitor and wish.channel != WebhookChannel.name:
        return None
    signing_secrets.check(wish.secret, wish.channel)
    return wish.secret


@contextmanager
def _gathered(errors: list[FieldError]) -> Iterator[None]:
    """Keep what is wrong with one field, so that all wrong fields are named together."""
    try:
        yield
    except Invalid as error:
        errors.extend(error.errors)


def allowed_formats(channel: str, *, by_visitor: bool = False) -> list[str]:
    """The formats that *channel* can carry.

    :param by_visitor: those that tell what is not for strangers are left out.
    """
    return [
        name
        for name in formats
        if channel in formats[name].channels and not (by_visitor and formats[name].members_only)
    ]


def check_format(name: str, channel: str, *, by_visitor: bool = False) -> None:
    allowed = allowed_formats(channel, by_visitor=by_visitor)
    if name not in allowed:
        raise Invalid.field("format", said("Must be one of {names}.", names=tuple(allowed)))


def check_events(names: Collection[str] | None, format: str) -> None:
    for name in names or ():
        if name not in formats[format].offered:
            message = said(
                "There is no event {name}. Choose from {names}.",
                name=repr(name),
                names=tuple(sorted(formats[format].offered)),
            )
            raise Invalid.field("events", message)


def check_level(level: str | None, format: str) -> None:
    levels = formats[format].levels
    if level is None or level in levels:
        return
    if not levels:
        raise Invalid.field("level", said("The format {name} has no levels.", name=format))
    raise Invalid.field("level", said("Must be one of {names}.", names=tuple(levels)))


def known_channels(*, by_visitor: bool) -> list[str]:
    """:param by_visitor: those of the team are left out: a stranger hears of them as of any that is not there."""
    return [name for name in channels if not (by_visitor and channels[name].members_only)]


def channels_of_people() -> list[str]:
    """Those whose addresses belong to somebody who can be asked."""
    return [n for n in channels if channels[n].for_people and channels[n].needs_confirmation]


def offered_channels() -> list[str]:
    """The channels that a stranger may choose."""
    settings = current_settings()
    closed = URLS if settings.webhook_signup == "closed" else ()
    return [
        name
        for name in known_channels(by_visitor=True)
        if name not in closed and channels[name].available(settings) is None
    ]


def must_wait(channel: str) -> bool:
    """Whether a stranger's sign-up needs somebody's agreement before it counts."""
    if channels[channel].needs_confirmation:
        return True
    signup = current_settings().webhook_signup
    if signup == "closed":
        raise Invalid.field("channel", said("Webhooks are set up by the site's team only."))
    return signup == "approval"
