"""What a sign-up asks for, from JSON or a form, in the words of the published clients and our own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flask import request
from werkzeug.datastructures import LanguageAccept

from ..errors import FieldError, Invalid
from ..services import wishes
from ..services.subscription_changes import READING
from ..services.wishes import Wish
from ..translation import LANGUAGES, said
from .failures import Unreadable, check_size
from .storable import UNSTORABLE, is_storable

ADDRESS_FIELDS = ("address", "url", "email", "phone", "number")
"""Published clients name the address after its kind: ``type=webhook&url=…``."""

CHANNEL_OF = {"url": "webhook", "email": "email", "phone": "sms", "number": "sms"}
"""The channel that such a name means where none is named."""

FIELDS = {*ADDRESS_FIELDS, "channel", "type", "format", "level", "secret", "csrf_token"}
FIELDS |= {"locale", "time_zone"}
SCOPES = {"scope": ("all", "some"), "events_scope": ("usual", "some")}
LISTS = ("components", "events")
KNOWN = FIELDS.union(SCOPES, LISTS)
SHOWN_IN = "shown_in"
"""Field of our own forms only: the language that the form was read in."""

MAX_CHOSEN = 1000
UNKNOWN = said("There is no such field.")
MOST_NAMED = 100


def sent(*, known: Collection[str] = KNOWN) -> dict[str, Any]:
    """The fields of the request, from JSON or a form. One of ours has an address and a format for each channel: those
    of the channel that was chosen count.

    :param known: the names that JSON may have.
    :raises Unreadable: for what is no JSON object.
    :raises Invalid: for JSON with a name that is no field: a typing error shall not be a silent no.
    """
    check_size()
    if request.is_json:
        try:
            body = request.get_json(silent=True)
        except RecursionError:  # thousands of nested lists
            body = None
        if not isinstance(body, dict):
            raise Unreadable("The body must be a JSON object.")
        unknown = [ascii(name)[1:101] for name in body if name not in known]
        if unknown:
            raise Invalid(*(FieldError(name.rstrip("'"), UNKNOWN) for name in unknown[:MOST_NAMED]))
        return body
    values: dict[str, Any] = request.form.to_dict()
    for name in LISTS:
        if name in request.form:
            values[name] = [
                item.strip()
                for text in request.form.getlist(name)
                for item in text.split(",")
                if item.strip()
            ]
    for name in ("address", "format"):
        if own := values.get(f"{values.get('channel')}_{name}"):
            values.setdefault(name, own)
            if name == "address" and values["channel"] != "webhook":
                values.pop("secret", None)  # the browser filled in the field of another channel
    return values


def check(values: Mapping[str, Any]) -> None:
    """:raises Invalid: naming the fields that are no text, or no list of texts where one is wanted."""
    errors = []
    for name, value in values.items():
        if name in LISTS:
            if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
                errors.append(FieldError(name, said("Must be a list of texts.")))
            elif len(value) > MAX_CHOSEN:
                errors.append(FieldError(name, said("At most {most}.", most=MAX_CHOSEN)))
            elif not all(is_storable(item) for item in value):
                errors.append(FieldError(name, UNSTORABLE))
        elif name in SCOPES and value is not None:
            if value not in SCOPES[name]:
                errors.append(FieldError(name, said("Must be one of {names}.", names=SCOPES[name])))
        elif name in FIELDS and value is not None:
            if not isinstance(value, str):
                errors.append(FieldError(name, said("Must be a text.")))
            elif not is_storable(value):
                errors.append(FieldError(name, UNSTORABLE))
    if errors:
        raise Invalid(*errors)


def wish(values: Mapping[str, Any]) -> Wish:
    """What was asked for. Names every field that is missing."""
    errors = []
    named = [name for name in ADDRESS_FIELDS if values.get(name)]
    channel = channel_of(values)
    known = wishes.known_channels(by_visitor=True)
    errors += [
        FieldError(name, said("Contradicts {name}.", name=named[0]))
        for name in named[1:]
        if values[name] != values[named[0]]
    ]
    if values.get("channel") and values.get("type") not in (None, "", values["channel"]):
        errors.append(FieldError("type", said("Contradicts {name}.", name="channel")))
    if channel and channel not in known:
        errors.append(FieldError("channel", said("Must be one of {names}.", names=tuple(known))))
    if not channel:
        errors.append(FieldError("channel", said("Name one of {names}.", names=tuple(known))))
    if not named:
        errors.append(FieldError("address", said("Is missing.")))
    if values.get("scope") == "some" and not values.get("components"):
        errors.append(FieldError("components", said("Choose at least one service.")))
    if values.get("events_scope") == "some" and not values.get("events"):
        errors.append(FieldError("events", said("Choose at least one kind of news.")))
    if errors:
        raise Invalid(*errors)
    everything, read = values.get("scope") == "all", reading(values)
    usual = values.get("events_scope") == "usual"
    return Wish(
        channel=str(channel),
        address=values[named[0]],
        format=values.get("format") or None,
        components=[] if everything else values.get("components") or [],
        events=None if usual else values.get("events") or None,
        level=values.get("level") or None,
        secret=values.get("secret") or None,
        locale=read.get("locale"),
        time_zone=read.get("time_zone"),
        likely_locale=_shown_in(values) or _spoken(),
        by_visitor=True,
    )


def as_typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """*values* in the words of our own form, to show what was typed again."""
    named = next((name for name in ADDRESS_FIELDS if values.get(name)), "address")
    return {**values, "channel": channel_of(values), "address": values.get(named)}


def reading(values: Mapping[str, Any]) -> dict[str, str | None]:
    """What was sent of the reader's language and clock; an empty field means the page's."""
    return {
        name: (values[name] or "").strip() or None
        for name in READING
        if values.get(name) is not None
    }


def _shown_in(values: Mapping[str, Any]) -> str | None:
    """The language that the form was read in: its reader's messages are in it, whatever the browser asks for."""
    language = values.get(SHOWN_IN)
    return language if language in LANGUAGES else None


def _spoken() -> str | None:
    """The language of ours that the visitor's browser likes best; None: none of them, or just any."""
    wanted = [(tag, quality) for tag, quality in request.accept_languages if tag != "*"]
    return LanguageAccept(wanted).best_match(LANGUAGES)


def channel_of(values: Mapping[str, Any]) -> str | None:
    """The channel that is named, or that the name of the address means."""
    named = next((name for name in ADDRESS_FIELDS if values.get(name)), "")
    channel = values.get("channel") or values.get("type") or CHANNEL_OF.get(named)
    return str(channel) if channel else None
