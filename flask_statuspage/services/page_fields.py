"""What the fields of a page may hold, and how it is kept: one check for every door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..domain import branding, clock, colours
from ..domain.ids import RESERVED_SLUGS, is_slug
from ..domain.markup import has_control
from ..errors import FieldError, Invalid
from ..translation import said

_LAYOUT = str.maketrans("\t\n\r", "   ")

MAX_NAME = 200
MAX_URL = 500


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """*values* of fields as they are kept.

    :raises Invalid: naming every field that is wrong.
    """
    kept, errors = {}, list[FieldError]()
    for field, value in values.items():
        try:
            kept[field] = FIELDS[field](value)
        except Invalid as error:
            errors += error.errors
    if errors:
        raise Invalid(*errors)
    return kept


def _name(value: str | None) -> str | None:
    if value is None:
        return None
    value = value.strip()
    if not value or len(value) > MAX_NAME:
        raise Invalid.field("name", f"Must have 1 to {MAX_NAME} characters.")
    if has_control(value):
        raise Invalid.field("name", "Must not have line breaks or control characters.")
    return value


def _slug(value: str) -> str:
    if not value or not is_slug(value):
        raise Invalid.field("slug", "Lower-case letters, digits and single hyphens only.")
    if value in RESERVED_SLUGS:
        raise Invalid.field("slug", f"{value!r} is the name of a fixed path.")
    return value


def _url(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or len(value) > MAX_URL:
        raise Invalid.field("url", "Must be an http(s) URL without query or fragment.")
    if any(mark.isspace() or not mark.isprintable() for mark in value):
        raise Invalid.field("url", "Must not have spaces, line breaks or control characters.")
    return value


def _time_zone(value: str | None) -> str | None:
    if value is None:
        return None
    if not clock.is_zone(value):
        raise Invalid.field("time_zone", said("Must be an IANA name, such as 'UTC'."))
    return value


def _locale(value: str | None) -> str | None:
    if value is None:
        return None
    locale = branding.locale(value)
    if locale is None:
        raise Invalid.field(
            "locale", said("Must be a language as BCP 47 writes it: 'de', 'pt-BR'.")
        )
    return locale


def _visibility(value: str) -> str:
    if value not in branding.VISIBILITIES:
        allowed = ", ".join(branding.VISIBILITIES)
        raise Invalid.field("visibility", f"Must be one of {allowed}.")
    return value


def _logo(value: str | None) -> str | None:
    if value is None:
        return None
    if not branding.is_logo(value):
        raise Invalid.field(
            "logo",
            "Must be an https:// URL, or a path that begins with a single '/', "
            f"of at most {branding.MAX_LOGO} characters.",
        )
    return value


def _colours(value: Mapping[str, str] | None) -> dict[str, str] | None:
    return colours.checked(value or {}) or None


def _prose(field: str) -> Callable[[str | None], str | None]:
    def check(value: str | None) -> str | None:
        text = (value or "").strip()
        if len(text) > branding.MAX_PROSE:
            raise Invalid.field(field, f"At most {branding.MAX_PROSE} characters.")
        if has_control(text.translate(_LAYOUT)):
            raise Invalid.field(field, "Must not have control characters.")
        return text or None

    return check


FIELDS: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "slug": _slug,
    "url": _url,
    "time_zone": _time_zone,
    "locale": _locale,
    "visibility": _visibility,
    "logo": _logo,
    "colours": _colours,
    "header": _prose("header"),
    "footer": _prose("footer"),
}
"""Every field that can be changed. None gives a word back to the settings, or means that there is none."""
