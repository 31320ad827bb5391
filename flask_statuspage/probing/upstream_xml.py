"""RSS 2.0 and Atom (RFC 4287) as entries of plain text.

The parser refuses every document type: without one there are no entities to expand and nothing to fetch. What is kept
is limited in depth, in number and in length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import NoReturn
from xml.parsers import expat

MAX_DEPTH = 100
MAX_ELEMENTS = 100_000
MAX_ENTRIES = 500
MAX_CHARACTERS = 20_000
"""Of one element of an entry; what follows is dropped."""

MAX_CHARACTERS_IN_ALL = 1_000_000
"""Of a feed; of each element that follows only the first :data:`FEW` are kept, enough for titles, ids and dates."""

FEW = 500
MAX_DATE = 100

_ATOM = "http://www.w3.org/2005/Atom"
_ENTRIES = {"item", "entry"}
_BLOCKS = {"p", "br", "div", "li", "ul", "ol", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
# Possessive: where no tag ends, nothing is looked at again.
_TAG = re.compile("</?([A-Za-z][A-Za-z0-9]*+)[^<>]*+>")


@dataclass
class Element:
    """The children of a feed or an entry by their names, as plain text; ``links`` are the addresses of its links."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)

    def text(self, *names: str) -> str:
        """The first of these that is there and not empty, else an empty text."""
        found = (text for name in names for text in self.texts.get(name, ()) if text.strip())
        return next(found, "").strip()


@dataclass
class Feed(Element):
    """A feed with the newest :data:`MAX_ENTRIES` entries in its own order."""

    entries: list[Element] = field(default_factory=list)


def read(body: bytes) -> Feed:
    """The feed in *body*.

    :raises ValueError: where it is none, or has a document type.
    """
    builder = _Builder()
    try:
        builder.parser.Parse(body, True)
    except (expat.ExpatError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise ValueError("It is not XML that can be read.") from error
    if builder.feed is None:
        raise ValueError("It is no feed.")
    return builder.feed


def plain(html: str) -> str:
    """The text of *html*, one line for each of its blocks. A pattern and no parser: those can be made to take long."""
    text = _TAG.sub(lambda tag: "\n" if (tag[1] or "").lower() in _BLOCKS else "", html)
    lines = (" ".join(line.split()) for line in unescape(text).split("\n"))
    return "\n".join(filter(None, lines))


def moment(text: str) -> datetime | None:
    """A time as RSS or Atom writes it, in UTC; None where it cannot be read."""
    text = text.strip()
    if len(text) > MAX_DATE:
        return None
    for reader in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = reader(text)
            return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


class _Builder:
    def __init__(self) -> None:
        self.feed: Feed | None = None
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.EntityDeclHandler = _refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self._path: list[str] = []
        self._within: Element | None = None  # the feed, or the entry that is open
        self._pieces: list[str] = []
        self._room = 0
        self._left = MAX_CHARACTERS_IN_ALL
        self._count = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if not self._path:
            if (namespace, local) != (_ATOM, "feed") and local != "rss":
                raise ValueError("It is no feed.")
            self.feed = Feed()
        self._count += 1
        if len(self._path) >= MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise ValueError("It has too many elements, or too deep ones.")
        self._path.append(local)
        depth = len(self._path) - self._base
        if depth == 0:
            self._within = self.feed
        elif depth == 1 and local in _ENTRIES:
            self._within = self._entry()
        elif self._within is not None and self._is_child(depth):
            self._begin(namespace, local, attributes)
        elif self._within is not None and local in _BLOCKS:
            self._pieces.append("\n")  # XHTML within an Atom entry

    @property
    def _base(self) -> int:
        """The depth of the element that holds the entries: Atom's ``feed``, or ``channel`` in RSS."""
        return 1 if self._path[0] == "feed" else 2

    def _is_child(self, depth: int) -> bool:
        return depth == (1 if self._within is self.feed else 2)

    def _entry(self) -> Element | None:
        assert self.feed is not None  # begun with the root
        if len(self.feed.entries) >= MAX_ENTRIES:
            return None
        self.feed.entries.append(Element())
        return self.feed.entries[-1]

    def _begin(self, namespace: str, local: str, attributes: dict[str, str]) -> None:
        assert self._within is not None
        self._pieces, self._room = [], MAX_CHARACTERS if self._left > 0 else FEW
        if local == "link" and attributes.get("rel", "alternate") == "alternate":
            self._within.links.append(_attribute(attributes, "href"))
        if local == "category" and (term := _attribute(attributes, "term")):
            self._within.texts.setdefault(local, []).append(term)

    def _characters(self, text: str) -> None:
        if self._room > 0:
            self._pieces.append(text[: self._room])
            self._room -= len(text)
            self._left -= len(text)

    def _end(self, name: str) -> None:
        local = self._path[-1]
        depth = len(self._path) - self._base
        if depth == 1 and local in _ENTRIES:
            self._within = self.feed
        elif self._within is not None and depth > 0 and self._is_child(depth):
            text = "".join(self._pieces)
            self._within.texts.setdefault(local, []).append(text)
            if local == "link" and text.strip():
                self._within.links.append(text.strip())
            self._room = 0
        self._path.pop()


def _attribute(attributes: dict[str, str], name: str) -> str:
    """Its text; none where it is too long, since a part of an address would be another one."""
    text = attributes.get(name, "")
    return text if len(text) <= FEW else ""


def _refuse(*_: object) -> NoReturn:
    raise ValueError("It has a document type.")
