"""Titles and bodies that people write: one check for incidents and maintenance, whatever door they come through."""

from __future__ import annotations

from ..domain.markup import MAX_CHARACTERS, has_control, is_storable
from ..errors import Invalid

MAX_TITLE = 200


def check(*, title: str | None = None, body: str | None = None) -> None:
    """:raises Invalid: naming ``title`` or ``body``. None is not there to be checked."""
    for field, text in (("title", title), ("body", body)):
        if text is not None and not isinstance(text, str):
            raise Invalid.field(field, "Must be a text.")
        if text is not None and not is_storable(text):
            raise Invalid.field(field, "Has a character that cannot be stored.")
    if title is not None and not title.strip():
        raise Invalid.field("title", "Must not be empty.")
    if title is not None and has_control(title):
        raise Invalid.field("title", "Must not have line breaks or control characters.")
    if title is not None and len(title) > MAX_TITLE:
        raise Invalid.field("title", f"At most {MAX_TITLE} characters.")
    if body is not None and len(body) > MAX_CHARACTERS:
        raise Invalid.field("body", f"At most {MAX_CHARACTERS} characters.")
