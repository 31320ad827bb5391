"""What somebody who subscribes asks for, and whether it can be had."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..delivery.channels import channels
from ..delivery.formats import formats
from ..errors import FieldError, Invalid
from ..state import current_settings

MAX_SECRET = 200


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks for. ``components`` are slugs or ids, none: all. ``events`` None: the format's own choice."""

    channel: str
    address: str
    format: str | None = None
    components: Collection[str] = ()
    events: Collection[str] | None = None
    secret: str | None = None


def vet(wish: Wish) -> None:
    """Ask the network whether the wish's address may be used. No transaction may be open: this can take seconds.

    :raises Invalid: naming every field that is wrong.
    """
    channel, address, _ = checked(wish)
    channels[channel].vet(address, current_settings())


def checked(wish: Wish) -> tuple[str, str, str]:
    """Channel, normalised address and format of a wish."""
    if wish.channel not in channels:
        raise Invalid.field("channel", f"Must be one of {', '.join(channels)}.")
    channel = channels[wish.channel]
    if missing := channel.available(current_settings()):
        raise Invalid.field("channel", f"{wish.channel} is not available: {missing}")
    errors: list[FieldError] = []
    address, format = "", wish.format or channel.default_format
    with _gathered(errors):
        address = channel.normalise(wish.address, current_settings())
    with _gathered(errors):
        check_format(format, wish.channel)
        check_events(wish.events, format)
    with _gathered(errors):
        check_secret(wish.secret)
    if errors:
        raise Invalid(*errors)
    return wish.channel, address, format


@contextmanager
def _gathered(errors: list[FieldError]) -> Iterator[None]:
    """Keep what is wrong with one field, so that all wrong fields are named together."""
    try:
        yield
    except Invalid as error:
        errors.extend(error.errors)


def check_format(name: str, channel: str) -> None:
    allowed = [other for other in formats if channel in formats[other].channels]
    if name not in allowed:
        raise Invalid.field("format", f"Must be one of {', '.join(allowed)}.")


def check_events(names: Collection[str] | None, format: str) -> None:
    for name in names or ():
        if name not in formats[format].offered:
            offered = ", ".join(sorted(formats[format].offered))
            raise Invalid.field("events", f"There is no event {name!r}. Choose from {offered}.")


def check_secret(secret: str | None) -> None:
    if secret is not None and not 1 <= len(secret) <= MAX_SECRET:
        raise Invalid.field("secret", f"Must have 1 to {MAX_SECRET} characters.")


def offered_channels() -> list[str]:
    """The channels that a stranger may choose."""
    settings = current_settings()
    closed = {"webhook"} if settings.webhook_signup == "closed" else set()
    return [
        name
        for name in channels
        if name not in closed and channels[name].available(settings) is None
    ]


def must_wait(channel: str) -> bool:
    """Whether a stranger's sign-up needs somebody's agreement before it counts."""
    if channels[channel].needs_confirmation:
        return True
    signup = current_settings().webhook_signup
    if signup == "closed":
        raise Invalid.field("channel", "Webhooks are set up by the site's team only.")
    return signup == "approval"
