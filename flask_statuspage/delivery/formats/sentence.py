"""Sentences of a message with what stands in their gaps, as plain text and as HTML.

What people wrote and what is no word at all (a time, an address) can run in another direction than the sentence. It is
isolated there, by Unicode's FSI, LRI and PDI in plain text and by ``dir`` in HTML: an Arabic sentence would turn around
the parts of a date, a Hebrew title those of an English sentence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from ...domain.markup import one_line

_AS_IT_BEGINS, _LEFT_TO_RIGHT, _END = "\u2068", "\u2066", "\u2069"


@dataclass(frozen=True)
class Name:
    """A title, name or reason that somebody wrote, on one line."""

    text: str

    def plain(self, direction: str | None) -> str:
        text = one_line(self.text)
        if direction is None or not _strays(text, direction):
            return text
        return f"{_AS_IT_BEGINS}{text}{_END}"

    def html(self, direction: str) -> str:
        text = one_line(self.text)
        if not _strays(text, direction):
            return escape(text)
        return f'<span dir="auto">{escape(text)}</span>'


@dataclass(frozen=True)
class Figure:
    """A time, a number with its unit, an address: it runs from left to right in every language."""

    text: str

    def plain(self, direction: str | None) -> str:
        text = one_line(self.text)
        return text if direction != "rtl" else f"{_LEFT_TO_RIGHT}{text}{_END}"

    def html(self, direction: str) -> str:
        text = escape(one_line(self.text))
        return text if direction != "rtl" else f'<span dir="ltr">{text}</span>'


@dataclass(frozen=True)
class Names:
    """Several names with what separates them in the sentence's language."""

    names: Sequence[Name]
    separator: str

    def plain(self, direction: str | None) -> str:
        return self.separator.join(name.plain(direction) for name in self.names)

    def html(self, direction: str) -> str:
        return escape(self.separator).join(name.html(direction) for name in self.names)


@dataclass(frozen=True)
class Sentence:
    """:param words: in the reader's language, with gaps as ``str.format`` has them: ``Started {time}``.
    :param gaps: what fills them; plain texts are words of the same language.
    """

    words: str
    gaps: Mapping[str, Name | Names | Figure | Sentence | str] = field(default_factory=dict)

    def plain(self, direction: str | None = None) -> str:
        """:param direction: of the text around it; None: nothing is isolated, as in a subject."""
        return self.words.format_map(
            {
                name: gap if isinstance(gap, str) else gap.plain(direction)
                for name, gap in self.gaps.items()
            }
        )

    def html(self, direction: str) -> str:
        return escape(self.words).format_map(
            {
                name: escape(gap) if isinstance(gap, str) else gap.html(direction)
                for name, gap in self.gaps.items()
            }
        )


def _strays(text: str, direction: str) -> bool:
    """Whether something in *text* has another direction. What has none at its edges could join what is around it."""
    return direction == "rtl" or any(
        unicodedata.bidirectional(mark) in ("R", "AL") for mark in text
    )
