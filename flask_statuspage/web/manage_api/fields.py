"""What the fields of bodies may hold. Unknown fields are refused by name, so that a typing error is not a silent no.

Each resource declares its bodies beside its routes.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from ...domain.markup import MAX_CHARACTERS, has_control
from ...domain.status import ComponentStatus
from ..storable import UNSTORABLE, is_storable

MAX_NAMED = 1000
"""Components or events in one list: databases take so many parameters in one statement, not any number."""


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError(UNSTORABLE)
    return text


def _one_line(text: str) -> str:
    """URLs stand in the headers of mails."""
    if any(mark.isspace() or not mark.isprintable() for mark in text):
        raise ValueError("Must not have spaces, line breaks or control characters")
    return text


_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.]\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _written(value: object) -> object:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("Must be a time as RFC 3339 writes it, such as '2026-02-19T17:30:00Z'")
    return value


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _written_day(value: object) -> object:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("Must be a date such as '2026-02-19'")
    return value


def _usual(moment: datetime) -> datetime:
    """Refuse years that a database or another zone cannot express."""
    if not 1900 <= moment.year < 9999:
        raise ValueError("Must lie between the years 1900 and 9998")
    return moment


Text = Annotated[str, AfterValidator(_storable)]


def _titled(text: str) -> str:
    if has_control(text):
        raise ValueError("Must not have line breaks or control characters")
    return text


Title = Annotated[
    str,
    # Before the check, so that spaces alone are no title.
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_storable),
    AfterValidator(_titled),
]
Word = Annotated[Text, StringConstraints(min_length=1, max_length=80)]
Prose = Annotated[Text, StringConstraints(max_length=MAX_CHARACTERS)]
Url = Annotated[Text, StringConstraints(max_length=500), AfterValidator(_one_line)]
Instant = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_usual)]
Day = Annotated[date, BeforeValidator(_written_day)]
Flag = Annotated[bool, Field(strict=True)]
Position = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Whole = Annotated[int, Field(strict=True, ge=-(2**31), le=2**31 - 1)]
Named = Annotated[list[Text], Field(max_length=MAX_NAMED)]
Affected = Named | Annotated[dict[Text, ComponentStatus], Field(max_length=MAX_NAMED)]


Visibility = Literal["published", "draft"]


class Body(BaseModel):
    """Base of all bodies."""

    # Built when the first body comes: a web process that never gets one need not pay at its start.
    model_config = ConfigDict(extra="forbid", defer_build=True)


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema["properties"].values():
        field.pop("default", None)


class Change(Body):
    """Base of the bodies that change a thing. What is not sent stays, so no default of theirs is described."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)
