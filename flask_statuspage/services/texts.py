"""Titles and bodies that people write: one check for incidents and maintenance, whatever door they come through."""

from __future__ import annotations

from ..domain.markup import MAX_CHARACTERS, has_control, is_storable
from ..errors import Invalid, Problems

MAX_TITLE = 200


def check(*, title: str | None = None, body: str | None = None) -> None:
    """:raises Invalid: naming ``title``, ``body`` or both. None is not there to be checked."""
    problems = Problems()
    if title is not None:
        with problems.gathered():
            _check_text("title", title)
            if not title.strip():
                raise Invalid.field("title", "Must not be empty.")
            if has_control(title):
                raise Invalid.field("title", "Must not have line breaks or control characters.")
            if len(title) > MAX_TITLE:
                raise Invalid.field("title", f"At most {MAX_TITLE} characters.")
    if body is not None:
        with problems.gathered():
            _check_text("body", body)
            if len(body) > MAX_CHARACTERS:
                raise Invalid.field("body", f"At most {MAX_CHARACTERS} characters.")
    problems.tell()


def _check_text(field: str, text: object) -> None:
    if not isinstance(text, str):
        raise Invalid.field(field, "Must be a text.")
    if not is_storable(text):
        raise Invalid.field(field, "Has a character that cannot be stored.")
