"""What was typed, read: fields of forms become the bodies of the manage API, whose rules and words count here too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from ...domain.wrong_fields import field_errors
from ...errors import Conflict, Invalid
from ..manage_api.fields import Body

Model = TypeVar("Model", bound=Body)
Typed = MultiDict[str, str]


def checked(model: type[Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """*values* by the rules of a body of the manage API; only those that were given.

    :raises Invalid: naming every wrong field.
    """
    try:
        return model.model_validate(dict(values)).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise Invalid(*field_errors(error)) from error


def words(typed: Typed, name: str) -> str:
    """What stands in the field, line ends as everywhere else; empty where there is no such field."""
    return typed.get(name, "").replace("\r\n", "\n")


def some(typed: Typed, *names: str) -> dict[str, str]:
    """The fields of *names* that are not empty."""
    return {name: text for name in names if (text := words(typed, name).strip())}


def optional(typed: Typed, *names: str) -> dict[str, str | None]:
    """The fields of *names*; None for those that are empty."""
    return {name: words(typed, name).strip() or None for name in names}


def flags(typed: Typed, *names: str) -> dict[str, bool]:
    """Which boxes were ticked."""
    return {name: name in typed for name in names}


def number(typed: Typed, name: str) -> int | None:
    """A whole number; None where the field is empty.

    :raises Invalid: naming the field.
    """
    text = words(typed, name).strip()
    if not text:
        return None
    if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 10:
        raise Invalid.field(name, "Must be a whole number.")
    return int(text)


def decimal(typed: Typed, name: str) -> float:
    """A number with a point or without, in plain digits.

    :raises Invalid: naming the field.
    """
    found = as_decimal(words(typed, name))
    if found is None:
        raise Invalid.field(name, "Must be a number.")
    return found


def as_decimal(text: str) -> float | None:
    """*text* as a number, if it is one in plain digits."""
    text = text.strip()
    is_plain = len(text) <= 20 and re.fullmatch(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)", text)
    return float(text) if is_plain else None


def instant(typed: Typed, name: str, zone: ZoneInfo) -> datetime | None:
    """A time by the clock of *zone*, as a field of type ``datetime-local`` sends it; None where it is empty.

    Of the hour that comes twice in autumn the first one is meant.

    :raises Invalid: naming the field; also for an hour that the clock leaves out in spring.
    """
    text = words(typed, name).strip()
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid.field(name, "Must be a date and time such as 2026-02-19T17:30.") from None
    if not 1900 <= local.year < 9999:
        raise Invalid.field(name, "Must lie between the years 1900 and 9998.")
    if local.tzinfo is not None:
        return local
    aware = local.replace(tzinfo=zone)
    if aware.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) != local:
        raise Invalid.field(name, f"The clock of {zone.key} leaves this time out.")
    return aware


def carried(typed: Typed, name: str) -> datetime:
    """The instant that a form carries in a hidden field, such as when what it is about was changed last.

    :raises Conflict: when it carries none.
    """
    try:
        found = datetime.fromisoformat(typed.get(name, ""))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 1900 <= found.year < 9999:
        raise Conflict("This form cannot be sent as it is. Look at it, and press the button again.")
    return found


def starting_with(typed: Typed, prefix: str) -> dict[str, str]:
    """What stands in the fields whose names begin with *prefix*, by the rest of the name."""
    return {
        name.removeprefix(prefix): value for name, value in typed.items() if name.startswith(prefix)
    }


def check_seen(typed: Typed, present: Mapping[str, str], *, what: str) -> None:
    """Refuse what was typed over something that somebody else changed meanwhile.

    A form carries what was seen in fields ``was.<name>``; shown again, it carries what is there now, so that whoever
    presses the button once more has seen both.

    :param present: how each field is now, as the form shows it.
    :param what: the thing, in words.
    :raises Conflict: with the present texts.
    """
    seen = starting_with(typed, "was.")
    changed = [
        f"{name.replace('_', ' ')} is “{present[name]}” now"
        for name, was in seen.items()
        if name in present
        and present[name] != was.replace("\r\n", "\n")
        and present[name] != words(typed, name)
    ]
    if changed:
        raise Conflict(
            f"Somebody else changed {what} meanwhile: {'; '.join(changed)}. Nothing was saved, and what you typed "
            "stands in the form. Press the button again to save it instead of theirs."
        )


def chosen(values: Iterable[str]) -> list[str]:
    """Ticked boxes, each once, in their order."""
    return list(dict.fromkeys(value for value in values if value))
