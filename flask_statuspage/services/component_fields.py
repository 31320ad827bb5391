"""What the fields of components and groups may hold, whoever sends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from ..domain.markup import MAX_CHARACTERS, has_control, is_storable
from ..errors import FieldError, Invalid
from ..storage.base import utc_now

MAX_NAME = 200
MAX_POSITION = 1_000_000
FIRST_DAY = date(1990, 1, 1)
"""No component that somebody watches over HTTP is older."""

FARTHEST = timedelta(days=366)
"""A component may be announced so long before its first day."""


def check(values: Mapping[str, Any]) -> None:
    """:raises Invalid: naming every one of *values* that is wrong; names that are not known here are left alone."""
    wrong = [
        FieldError(name, reason)
        for name, value in values.items()
        if name in _RULES and (reason := _RULES[name](value))
    ]
    if wrong:
        raise Invalid(*wrong)


def _name(value: str) -> str | None:
    if wrong := _unstorable(value):
        return wrong
    if not value.strip():
        return "Must not be empty."
    if has_control(value):
        return "Must not have line breaks or control characters."
    return f"At most {MAX_NAME} characters." if len(value) > MAX_NAME else None


def _prose(value: str) -> str | None:
    if wrong := _unstorable(value):
        return wrong
    return f"At most {MAX_CHARACTERS} characters." if len(value) > MAX_CHARACTERS else None


def _unstorable(value: object) -> str | None:
    if not isinstance(value, str):
        return "Must be a text."
    return None if is_storable(value) else "Has a character that cannot be stored."


def _position(value: int | None) -> str | None:
    if value is None or 0 <= value <= MAX_POSITION:
        return None
    return f"Must be from 0 to {MAX_POSITION}."


def _day(value: date | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return "Must be a date without a time."
    if not FIRST_DAY <= value <= utc_now().date() + FARTHEST:
        return f"Must lie between {FIRST_DAY} and a year from now."
    return None


def _until(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        return "Must have a time zone."
    return None if value > utc_now() else "Must lie in the future."


_RULES: dict[str, Callable[[Any], str | None]] = {
    "name": _name,
    "description": _prose,
    "note": _prose,
    "position": _position,
    "start_date": _day,
    "until": _until,
}
