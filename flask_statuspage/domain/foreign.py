"""A JSON document that somebody else wrote, read strictly and bounded: what is wrong is named with its place.

Fields may be missing or null where a reader can do without; a value of the wrong type never passes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NoReturn, TypeVar

from ..errors import Invalid

Meaning = TypeVar("Meaning")

MAX_ID = 150
CUT = "…"
"""Ends a text that was longer than what is kept."""

# Case matters in them, but not to every database; see `distinct`.
_ID = re.compile(r"[A-Za-z0-9._:/-]+")
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.]\d{1,9})?)? ?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEARS = range(1970, 2200)
_MAX_INTEGER = 2**31 - 1

# What no title may have (see markup.has_control), and halves of surrogate pairs, which no database keeps.
_LINE_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
_TEXT_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HALF = re.compile("[\ud800-\udfff]")


def parsed(body: bytes) -> Any:
    """The JSON document in *body*, UTF-8 with or without its mark; ``NaN`` and its like are none.

    :raises ValueError: also where it is nested too deeply.
    """
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_number)
    except RecursionError:
        raise ValueError("It is nested too deeply.") from None


@dataclass(frozen=True)
class Node:
    """An object in a document and the path to it, such as ``incidents[3]``. Every reader raises
    :exc:`~flask_statuspage.errors.Invalid` naming the path of what is wrong."""

    value: Mapping[str, Any]
    path: str = ""

    @classmethod
    def root(cls, document: object, path: str = "", *, name: str) -> Node:
        """The whole of *document*, which the messages call *name*."""
        if not isinstance(document, dict):
            raise Invalid.field(name, "Must be an object.")
        return cls(document, path)

    def fail(self, name: str, message: str) -> NoReturn:
        raise Invalid.field(f"{self.path}.{name}" if self.path else name, message)

    def rows(self, name: str, *, at_most: int, required: bool = False) -> list[Node]:
        """The objects of a list."""
        value = self.value.get(name)
        if value is None and not required:
            return []
        if not isinstance(value, list):
            self.fail(name, "Must be a list." if name in self.value else "Is missing.")
        if len(value) > at_most:
            self.fail(name, f"Has {len(value)} entries; at most {at_most} are read.")
        for number, item in enumerate(value):
            if not isinstance(item, dict):
                self.fail(f"{name}[{number}]", "Must be an object.")
        path = f"{self.path}.{name}" if self.path else name
        return [Node(item, f"{path}[{number}]") for number, item in enumerate(value)]

    def text(self, name: str) -> str | None:
        """A text as it stands there."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, str):
            self.fail(name, "Must be a text.")
        return value

    def line(self, name: str, *, at_most: int) -> str:
        """A name: one line, not empty, cut to *at_most* characters."""
        text = self.text(name)
        line = " ".join(_HALF.sub("\ufffd", _LINE_CONTROL.sub(" ", text or "")).split())
        if not line:
            self.fail(name, "Is missing." if text is None else "Must not be empty.")
        return _cut(line, at_most)

    def body(self, name: str, *, at_most: int) -> str:
        """A text of many lines without control characters, cut to *at_most* characters; may be empty."""
        text = (self.text(name) or "").replace("\r\n", "\n").replace("\r", "\n")
        return _cut(_HALF.sub("\ufffd", _TEXT_CONTROL.sub("", text)).strip(), at_most)

    def id(self, name: str = "id") -> str:
        """An identifier."""
        found = self.optional_id(name)
        if found is None:
            self.fail(name, "Is missing.")
        return found

    def optional_id(self, name: str) -> str | None:
        value = self.value.get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_INTEGER:
            return str(value)
        if not isinstance(value, str) or len(value) > MAX_ID or not _ID.fullmatch(value):
            self.fail(name, "Must be an identifier of letters, digits and any of . _ : / -")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.value.get(name)
        if value is not None and not isinstance(value, bool):
            self.fail(name, "Must be true or false.")
        return value

    def integer(self, name: str) -> int | None:
        value = self.value.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MAX_INTEGER:
            self.fail(name, "Must be a whole number of 32 bits.")
        return value

    def instant(self, name: str) -> datetime | None:
        """A time in UTC; one without a zone is taken for UTC."""
        text = self.text(name)
        if text is None:
            return None
        try:
            if not _INSTANT.fullmatch(text):
                raise ValueError
            moment = datetime.fromisoformat(text.upper().replace(" ", "T", 1).replace(" ", ""))
            moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(name, "Must be a time such as '2026-02-19T17:30:00Z'.")
        if moment.year not in _YEARS:
            self.fail(name, f"Must lie between the years {_YEARS[0]} and {_YEARS[-1]}.")
        return moment

    def day(self, name: str) -> date | None:
        """A date; of a time its date as written."""
        text = self.text(name)
        if text is None:
            return None
        try:
            if not _DAY.fullmatch(text[:10]):
                raise ValueError
            day = date.fromisoformat(text[:10])
        except ValueError:
            self.fail(name, "Must be a date such as '2026-02-19'.")
        if day.year not in _YEARS:
            self.fail(name, f"Must lie between the years {_YEARS[0]} and {_YEARS[-1]}.")
        return day

    def word(self, name: str, meanings: Mapping[str, Meaning]) -> Meaning | None:
        """What a word of theirs means here; None where there is none."""
        text = self.text(name)
        if not text:
            return None
        if text not in meanings:
            self.fail(name, f"Must be one of {', '.join(meanings)}.")
        return meanings[text]


def distinct(nodes: list[Node]) -> list[Node]:
    """*nodes*, of which no two may have one ``id``, not even but for the case of its letters."""
    seen: set[str] = set()
    for node in nodes:
        key = node.id().lower()
        if key in seen:
            node.fail("id", f"{node.id()!r} stands there twice.")
        seen.add(key)
    return nodes


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _cut(text: str, at_most: int) -> str:
    return text if len(text) <= at_most else text[: at_most - len(CUT)].rstrip() + CUT
