"""Pydantic's findings in the words of this extension, wherever it checks an input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from ..errors import FieldError

_BRANCHES = ("list[", "dict[")
"""How the parts of a location begin that name a branch of a union, which is no field."""

_WORDS = {
    "missing": "Is missing.",
    "extra_forbidden": "There is no such field.",
    "bool": "Must be true or false.",
    "date": "Must be a date.",
    "datetime": "Must be a time.",
    "dict": "Must be an object.",
    "finite_number": "Must be a finite number.",
    "float": "Must be a number.",
    "greater_than": "Must be more than {gt}.",
    "greater_than_equal": "Must be at least {ge}.",
    "int": "Must be a whole number.",
    "less_than": "Must be less than {lt}.",
    "less_than_equal": "Must be at most {le}.",
    "list": "Must be a list.",
    "model": "Must be an object.",
    "string": "Must be a text.",
    "timezone_aware": "Must have a time zone.",
    "tuple": "Must be a list.",
    "uuid": "Must be a UUID.",
}
"""By the type of the error; that of a value which is of no such type by what comes before ``_type`` or ``_parsing``."""


def field_errors(error: ValidationError, *, within: str = "") -> Iterator[FieldError]:
    """Every wrong field of *error*.

    :param within: the field that was checked; empty: a whole body.
    """
    items = error.errors()
    entered = {_union(item["loc"]) for item in items if not _is_other_branch(item)}
    refused = dict[tuple[str | int, ...], list[str]]()
    for item in items:
        union = _union(item["loc"])
        if union is None or not _is_other_branch(item):
            yield FieldError(_name(item["loc"], within), in_words(item))
        elif union not in entered:  # else it is of the other type, which is all right
            refused.setdefault(union, []).append(in_words(item))
    for union, messages in refused.items():
        message = " or ".join(one.removeprefix("Must be ").rstrip(".") for one in messages)
        yield FieldError(_name(union, within), f"Must be {message}.")


def in_words(item: Any) -> str:
    """What is wrong, of one of the *errors()* of a ``ValidationError``, as a sentence for people."""
    kind, context = item["type"], item.get("ctx", {})
    if kind in ("enum", "literal_error"):
        return f"Must be one of {context['expected'].replace(' or ', ', ').replace(chr(39), '')}."
    if kind.endswith(("too_short", "too_long")):
        return _length(item["input"], context)
    if kind.startswith(("date_", "datetime_")) and "error" in context:
        return f"There is no such time: {context['error']}."
    wanted = kind
    for ending in ("_type", "_attributes_type", "_parsing", "_parsing_size", "_from_float"):
        wanted = wanted.removesuffix(ending)
    if wanted in _WORDS:
        limits = {name: _number(value) for name, value in context.items()}
        return _WORDS[wanted].format(**limits)
    message = item["msg"].removeprefix("Value error, ").replace("Input should", "Must")
    return f"{message.rstrip('.')}."


def _number(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _length(value: object, context: dict[str, Any]) -> str:
    one, many = ("character", "characters") if isinstance(value, str) else ("item", "items")
    if "max_length" in context:
        count = context["max_length"]
        return f"At most {count} {one if count == 1 else many}."
    count = context["min_length"]
    return "Must not be empty." if count == 1 else f"At least {count} {many}."


def _name(location: Iterable[str | int], within: str) -> str:
    parts = [str(part) for part in location if not str(part).startswith(_BRANCHES)]
    return ".".join([within, *parts] if within else parts) or "body"


def _union(location: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """The field before the first branch in *location*; None: there is none."""
    for number, part in enumerate(location):
        if str(part).startswith(_BRANCHES):
            return location[:number]
    return None


def _is_other_branch(item: Any) -> bool:
    """Whether all that is wrong is that the value is not of the branch's type."""
    last = str(item["loc"][-1]) if item["loc"] else ""
    return last.startswith(_BRANCHES) and item["type"].endswith("_type")
