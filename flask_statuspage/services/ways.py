"""The channels, formats and events that a visitor may choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..delivery.channels import channels
from ..delivery.formats import formats
from ..documents import sign_up, words
from ..domain.markup import one_line
from ..errors import FieldError
from . import wishes

MOST_TYPED = 60
"""Characters of what was typed that a message repeats."""


def offered_formats(channel: str) -> list[str]:
    """The formats that a visitor may choose for *channel*, its own first."""
    usual = channels[channel].default_format
    allowed = wishes.allowed_formats(channel, by_visitor=True)
    return sorted(allowed, key=lambda name: (name != usual, name))


def usual_events() -> frozenset[str]:
    """What somebody hears of who chooses nothing, by the first way that is offered."""
    for name in wishes.offered_channels():
        return formats[channels[name].default_format].unasked & frozenset(sign_up.CHOICE)
    return frozenset()


def in_words(
    errors: Iterable[FieldError], values: Mapping[str, Any], channel: str | None
) -> list[FieldError]:
    """*errors* as people are told who filled in a form: what is missing, and which kinds of news cannot be had."""
    return [
        FieldError(error.field, _message(error, values, str(channel or ""))) for error in errors
    ]


def _message(error: FieldError, values: Mapping[str, Any], channel: str) -> str:
    if error.field == "address" and not values.get("address"):
        return words.channel(channel).missing if channel else "Enter an address."
    if error.message.startswith("Must "):
        return _naming(error, values)
    if error.field != "events" or channel not in channels:
        return error.message
    name = values.get("format") or channels[channel].default_format
    wanted = values.get("events")
    if name not in formats or not isinstance(wanted, list):
        return error.message
    unheard = [
        words.EVENTS[event]
        for event in wanted
        if event in words.EVENTS and event not in formats[name].offered
    ]
    if not unheard:
        return error.message
    way = words.format(name) if channel == "webhook" else words.channel(channel).label
    heard = [word for event, word in words.EVENTS.items() if event in formats[name].offered]
    if len(heard) < len(unheard):
        return f"“{way}” tells this only: {', '.join(heard)}."
    return f"“{way}” cannot tell this: {', '.join(unheard)}. Choose something else."


def _naming(error: FieldError, values: Mapping[str, Any]) -> str:
    """The message of *error* for whoever does not see which field it stands by."""
    typed = one_line(str(values.get(error.field) or ""))[:MOST_TYPED]
    match error.field:
        case "channel":
            return "Choose one of the ways that are offered."
        case "format":
            return "Choose one of the formats that are offered."
        case "locale":
            return f"There is no language “{typed}”; write it such as de or pt-BR."
        case "time_zone":
            return f"There is no time zone “{typed}”; write it such as Europe/Berlin."
        case "secret" | "level":
            return f"The {error.field} {error.message[:1].lower()}{error.message[1:]}"
    return error.message
