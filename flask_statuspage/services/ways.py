"""The channels, formats and events that a visitor may choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..delivery.channels import channels
from ..delivery.formats import formats
from ..documents import sign_up
from ..documents.channel_words import channel_words, format_word
from ..documents.words import EVENTS
from ..domain.markup import one_line
from ..errors import FieldError
from ..translation import Said, said
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
        return channel_words(channel).missing if channel else said("Enter an address.")
    if error.message.startswith("Must "):
        return _naming(error, values)
    if error.field != "events" or channel not in channels:
        return error.message
    name = values.get("format") or channels[channel].default_format
    wanted = values.get("events")
    if name not in formats or not isinstance(wanted, list):
        return error.message
    offered = formats[name].offered
    unheard = tuple(
        Said(EVENTS[event]) for event in wanted if event in EVENTS and event not in offered
    )
    if not unheard:
        return error.message
    way = format_word(name) if channel == "webhook" else channel_words(channel).label
    heard = tuple(Said(word) for event, word in EVENTS.items() if event in offered)
    if len(heard) < len(unheard):
        # Translators: the way is a channel such as Email, the kinds are such as "A new incident".
        return said("“{way}” reports only: {kinds}.", way=way, kinds=heard)
    return said("“{way}” cannot report: {kinds}. Choose something else.", way=way, kinds=unheard)


def _naming(error: FieldError, values: Mapping[str, Any]) -> str:
    """The message of *error* for whoever does not see which field it stands by."""
    typed = one_line(str(values.get(error.field) or ""))[:MOST_TYPED]
    match error.field:
        case "channel":
            return said("Choose one of the ways that are offered.")
        case "format":
            return said("Choose one of the formats that are offered.")
        case "locale":
            return said(
                "There is no language “{typed}”; write it such as de or pt-BR.", typed=typed
            )
        case "time_zone":
            return said(
                "There is no time zone “{typed}”; write it such as Europe/Berlin.", typed=typed
            )
        case "secret" if isinstance(error.message, Said) and "least" in error.message.gaps:
            gaps = error.message.gaps
            if "most" in gaps:
                return said("The secret must have {least} to {most} bytes.", **gaps)
            return said("The secret must have {least} bytes of base64 after its prefix.", **gaps)
        case "secret":
            # Translators: what is wrong with a field, after its name.
            return said("Secret: {problem}", problem=error.message)
        case "level":
            return said("Level: {problem}", problem=error.message)
    return error.message
