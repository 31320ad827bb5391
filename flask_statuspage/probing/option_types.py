"""Types of options that several kinds share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from ..domain.markup import is_storable


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("Must be printable characters in one line")
    return text


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("Has a character that cannot be stored")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Which every database can keep."""

Printable = Annotated[str, AfterValidator(_printable)]
"""Without control characters, which databases and logs take badly."""
