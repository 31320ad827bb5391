"""Pydantic's findings in the words of this extension, wherever it checks an input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from ..errors import FieldError

_MESSAGES = {"missing": "Is missing.", "extra_forbidden": "There is no such field."}


def field_errors(error: ValidationError, *, within: str = "") -> Iterator[FieldError]:
    """Every wrong field of *error*.

    :param within: the field that was checked; empty: a whole body.
    """
    for item in error.errors():
        yield _field_error(item, within)


def _field_error(item: Any, within: str) -> FieldError:
    """The location may name a union's branch, which is no field."""
    location = [str(part) for part in item["loc"] if not str(part).startswith(("list[", "dict["))]
    field = ".".join([within, *location] if within else location) or "body"
    if item["type"] in ("too_long", "string_too_long") and isinstance(item["input"], str):
        return FieldError(field, f"At most {item['ctx']['max_length']} characters.")
    message = item["msg"].removeprefix("Value error, ").rstrip(".") + "."
    return FieldError(field, _MESSAGES.get(item["type"], message))
