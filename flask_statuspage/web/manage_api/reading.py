"""What stands in paths and queries, read in one way by all resources and described by what reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import request
from pydantic import TypeAdapter, ValidationError

from ...documents.document import Parameter, whole_number
from ...domain.wrong_fields import in_words
from ...errors import Invalid
from ..storable import UNSTORABLE, is_storable
from .fields import Instant

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


def asked(parameter: Parameter) -> Any:
    """What the query says, read; the default, or None, where it says nothing.

    :raises Invalid: naming the parameter, also where it is empty, or is not there and must be.
    """
    text = request.args.get(parameter.name)
    if text is None and parameter.required:
        raise Invalid.field(parameter.name, "Is missing.")
    return parameter.schema.get("default") if text is None else parameter.read(text)


def choice(
    name: str,
    allowed: Sequence[str],
    says: str,
    *,
    required: bool = False,
    default: str | None = None,
) -> Parameter:
    """One of *allowed*."""

    def read(text: str) -> str:
        if text not in allowed:
            raise Invalid.field(name, f"Must be one of {', '.join(allowed)}.")
        return text

    schema: dict[str, Any] = {"type": "string", "enum": [str(word) for word in allowed]}
    if default is not None:
        schema["default"] = default
    return Parameter(name=name, read=read, says=says, schema=schema, required=required)


def whole(name: str, default: int, most: int, says: str) -> Parameter:
    """A whole number from 1 to *most*."""

    def read(text: str) -> int:
        return whole_number(name, text, most)

    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter(name=name, read=read, says=says, schema=schema)


def identifier(name: str, says: str) -> Parameter:
    """A UUID."""

    def read(text: str) -> UUID:
        try:
            return UUID(text)
        except ValueError:
            raise Invalid.field(name, "Must be a UUID.") from None

    return Parameter(name=name, read=read, says=says, schema={"type": "string", "format": "uuid"})


def words(name: str, says: str) -> Parameter:
    """Any text that can be stored, not spaces alone."""

    def read(text: str) -> str:
        if not text.strip():
            raise Invalid.field(name, "Must not be empty.")
        if not is_storable(text):
            raise Invalid.field(name, UNSTORABLE)
        return text

    return Parameter(name=name, read=read, says=says, schema={"type": "string", "minLength": 1})


def sought(name: str, says: str) -> Parameter:
    """A text to look for: 1 to 200 characters, not spaces alone."""

    def read(text: str) -> str:
        if not text.strip() or len(text) > 200 or not is_storable(text):
            raise Invalid.field(name, "Must have 1 to 200 characters, not spaces alone.")
        return text

    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return Parameter(name=name, read=read, says=says, schema=schema)


def truth(name: str, says: str) -> Parameter:
    """``true`` or ``false``."""

    def read(text: str) -> bool:
        if text not in ("true", "false"):
            raise Invalid.field(name, "Must be true or false.")
        return text == "true"

    return Parameter(name=name, read=read, says=says, schema={"type": "boolean"})


def idents(name: str, says: str) -> Parameter:
    """Slugs or ids with commas between them."""

    def read(text: str) -> list[str]:
        found = [ident.strip() for ident in text.split(",")]
        if not is_storable(text) or not all(found):
            raise Invalid.field(name, "Must be slugs or ids with commas between them.")
        return found

    return Parameter(name=name, read=read, says=says, schema={"type": "string"})


def instant(name: str, says: str) -> Parameter:
    """A time as RFC 3339 writes it."""

    def read(text: str) -> datetime:
        try:
            return _INSTANT.validate_python(text)
        except ValidationError as error:
            raise Invalid.field(name, in_words(error.errors()[0])) from error

    schema = {"type": "string", "format": "date-time"}
    return Parameter(name=name, read=read, says=says, schema=schema)
