"""Which texts every database can keep."""

from __future__ import annotations

UNSTORABLE = "Has a character that cannot be stored."


def is_storable(text: str) -> bool:
    """Whether *text* has neither NUL nor halves of surrogate pairs."""
    return "\x00" not in text and not any("\ud800" <= mark <= "\udfff" for mark in text)
