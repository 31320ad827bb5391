"""A message for people before it is laid out: its parts in their order, each worded in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.markup import has_control, one_line
from ...domain.status import ComponentStatus
from .sentence import Sentence


@dataclass(frozen=True)
class Lines:
    """Sentences of one paragraph, each on its line."""

    sentences: Sequence[Sentence]


@dataclass(frozen=True)
class Services:
    """Components, each with its status in words and, where colours can be, in colour."""

    sentences: Sequence[tuple[Sentence, ComponentStatus]]


@dataclass(frozen=True)
class Prose:
    """Markdown that a member wrote."""

    text: str


@dataclass(frozen=True)
class Link:
    """Where to go, and what is there."""

    label: Sentence
    url: str


@dataclass(frozen=True)
class Entries:
    """A list of things that each lead somewhere, or nowhere."""

    entries: Sequence[tuple[Sentence, str | None]]


@dataclass(frozen=True)
class Code:
    """What is typed as it stands."""

    text: str


Part = Lines | Services | Prose | Link | Entries | Code


@dataclass(frozen=True, kw_only=True)
class Letter:
    """
    :param headline: what there is to tell, in one line.
    :param tone: as how bad the news is shown.
    :param parts: all else.
    """

    headline: Sentence
    tone: ComponentStatus
    parts: Sequence[Part]


def plain(parts: Sequence[Part], direction: str) -> str:
    """*parts* as plain text, an empty line between them."""
    return "\n\n".join(text for part in parts if (text := _plain(part, direction)))


def _plain(part: Part, direction: str) -> str:
    if isinstance(part, Lines):
        return "\n".join(sentence.plain(direction) for sentence in part.sentences)
    if isinstance(part, Services):
        return "\n".join(sentence.plain(direction) for sentence, _ in part.sentences)
    if isinstance(part, Prose):
        return _as_typed(part.text)
    if isinstance(part, Link):
        return f"{part.label.plain(direction)}\n{one_line(part.url)}"
    if isinstance(part, Entries):
        return "\n".join(
            f"- {sentence.plain(direction)}" + (f"\n  {one_line(url)}" if url else "")
            for sentence, url in part.entries
        )
    return one_line(part.text)


def _as_typed(text: str) -> str:
    """Line by line as it was written, but for what terminals and mail programs would obey."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n")
    kept = (
        "".join(mark for mark in line if mark == "\t" or not has_control(mark)) for line in lines
    )
    return "\n".join(line.rstrip() for line in kept)
