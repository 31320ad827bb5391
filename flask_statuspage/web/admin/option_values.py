"""The options of a monitor as texts in fields, and back. What no field can show is not changed by saving the others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...errors import FieldError, Invalid, Problems
from ...services.monitor_options import MASK
from . import reading
from .option_shapes import Control, Shape

TICKED = "yes"
CLEAR = "clear."
"""Before the name of a box that takes a secret away."""

PLAIN = frozenset({Control.NUMBER, Control.LINE, Control.TEXT, Control.CHOICE})
"""What is typed as it is where it is a secret; all else is JSON then."""

NOTHING: Any = object()
"""Stands for an option that is not given."""


def text_of(shape: Shape, value: Any) -> str:
    """What stands in the field of *shape*; nothing where it is a secret."""
    if shape.is_secret or value is None:
        return ""
    match shape.control:
        case Control.TICK:
            return TICKED if value else ""
        case Control.LINES if isinstance(value, list):
            text = "\n".join(map(str, value))
        case Control.PAIRS if isinstance(value, Mapping):
            text = "\n".join(f"{name}: {one}" for name, one in value.items())
        case Control.NUMBER | Control.LINE | Control.TEXT | Control.CHOICE:
            text = str(value)
        case _:
            text = json.dumps(value, indent=2, ensure_ascii=False)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def texts(shapes: Iterable[Shape], options: Mapping[str, Any]) -> dict[str, str]:
    """What stands in all fields, by their names."""
    found = {}
    for shape in every(shapes):
        if shape.control is not Control.GROUP:
            found[shape.name] = text_of(shape, stored_at(options, shape))
    return found


def every(shapes: Iterable[Shape]) -> Iterator[Shape]:
    """*shapes* with their parts."""
    for shape in shapes:
        yield shape
        yield from every(shape.parts)


def stored_at(options: Any, shape: Shape) -> Any:
    """What *options* have for *shape*; None where they have nothing."""
    for name in shape.path:
        options = options.get(name) if isinstance(options, Mapping) else None
    return options


def is_set(options: Mapping[str, Any], shape: Shape) -> bool:
    """Whether *shape* is a secret that is kept."""
    return shape.is_secret and stored_at(options, shape) == MASK


def read(
    shapes: Iterable[Shape], typed: reading.Typed, options: Mapping[str, Any]
) -> dict[str, Any]:
    """The options that were typed, as the manage API would get them.

    :param options: those that are kept, secrets masked, or the defaults of a new monitor.
    :raises Invalid: naming each field that cannot be read.
    """
    found, problems = dict(options), Problems()
    for shape in shapes:
        with problems.gathered():
            value = _read(shape, typed, stored_at(options, shape))
            if not shape.path:
                return _whole({} if value is NOTHING else value)
            found.pop(shape.path[0], None)
            if value is not NOTHING:
                found[shape.path[0]] = value
    problems.tell()
    return found


def _whole(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid.field("options", "Must be an object of JSON.")
    return dict(value)


def _read(shape: Shape, typed: reading.Typed, stored: Any) -> Any:
    if shape.control is Control.GROUP and not shape.is_secret:
        return _group(shape, typed, stored)
    if shape.control is Control.TICK and not shape.is_secret:
        is_on = shape.name in typed
        return None if stored is None and shape.nullable and not is_on else is_on
    text = reading.words(typed, shape.name)
    if shape.is_secret and not text:
        is_kept = stored == MASK and f"{CLEAR}{shape.name}" not in typed
        return MASK if is_kept else None if shape.nullable else NOTHING
    if not shape.is_secret and stored is not None and text == text_of(shape, stored):
        return stored
    return _parsed(shape, text, stored)


def _parsed(shape: Shape, text: str, stored: Any) -> Any:
    if not text.strip() and not shape.is_secret:
        return _emptied(shape)
    if shape.is_secret and shape.control not in PLAIN:
        return _json(shape, text)
    match shape.control:
        case Control.CHOICE:
            return next((one for one in shape.choices if str(one) == text), text)
        case Control.NUMBER | Control.LINE:
            return _scalar(shape, text)
        case Control.LINES:
            return [_scalar(shape, line.strip()) for line in text.split("\n") if line.strip()]
        case Control.PAIRS:
            return _pairs(shape, text, stored if isinstance(stored, Mapping) else {})
        case Control.TEXT:
            return text
    return _json(shape, text)


def _json(shape: Shape, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid.field(shape.name, "Must be JSON.") from None


def _emptied(shape: Shape) -> Any:
    """What an empty field says."""
    if shape.nullable:
        return None
    empty = {Control.LINES: list, Control.PAIRS: dict, Control.TEXT: str, Control.LINE: str}
    is_text = shape.control not in (Control.TEXT, Control.LINE) or "string" in shape.types
    # Of a number, of a choice and of JSON it says nothing: they are as usual then.
    return empty[shape.control]() if shape.control in empty and is_text else NOTHING


def _scalar(shape: Shape, text: str) -> Any:
    """*text* as a number where it is one and may be one, else as it stands: the kind says what is wrong with it."""
    digits = text.strip().removeprefix("-")
    if "integer" in shape.types and digits.isascii() and digits.isdigit() and len(digits) < 19:
        return int(text)
    if "number" in shape.types:
        if (number := reading.as_decimal(text)) is not None:
            return number
        if (
            "string" not in shape.types
        ):  # the kind would take "inf" and "1_0", and JSON has no such number
            raise Invalid.field(shape.name, "Must be a number.")
    return text


def _pairs(shape: Shape, text: str, stored: Mapping[str, Any]) -> dict[str, Any]:
    """A name and a value a line. A secret without a value stays; there is none that begins without."""
    found: dict[str, Any] = {}
    for number, line in enumerate(text.split("\n"), 1):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not name and not colon:
            continue
        if not name or not colon:
            message = f"Line {number}: must be a name, a colon and a value."
            raise Invalid.field(shape.name, message)
        if name in found:
            raise Invalid.field(shape.name, f"Line {number}: {name!r} stands twice.")
        is_kept = not value and stored.get(name) == MASK
        if not value and shape.hides(name) and name not in stored:
            message = f"Line {number}: type the value of {name!r}, which is a secret."
            raise Invalid.field(shape.name, message)
        found[name] = MASK if is_kept else _scalar(shape, value)
    return found


def _group(shape: Shape, typed: reading.Typed, stored: Any) -> Any:
    """The parts that were filled in; null where that may be and nothing was, or nothing was chosen of what must be."""
    decisive = [part for part in shape.parts if part.control is Control.CHOICE]
    if shape.nullable and any(
        part.required and not reading.words(typed, part.name) for part in decisive
    ):
        return None
    before = stored if isinstance(stored, Mapping) else {}
    # A secret was for what was chosen beside it: a password stays no token.
    is_same = all(
        reading.words(typed, part.name) == text_of(part, before.get(part.path[-1]))
        for part in decisive
    )
    found, errors, is_filled = {}, list[FieldError](), False
    for part in shape.parts:
        kept = before.get(part.path[-1]) if is_same or not part.is_secret else None
        try:
            value = _read(part, typed, kept)
        except Invalid as error:
            errors += error.errors
            continue
        if value is NOTHING or (value is None and part.nullable):
            continue
        is_filled |= text_of(part, value) != text_of(part, part.default) or part.is_secret
        found[part.path[-1]] = value
    if errors:
        raise Invalid(*errors)
    return None if shape.nullable and not is_filled else found
