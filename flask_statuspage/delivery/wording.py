"""An event in the words of a format, in no more bytes than its receivers take.

What is too long is cut in the event before it is worded, so the body stays valid whatever the format is. Cut are only
texts that people wrote, each with a mark at its end, and lists of updates and components. Ids, addresses, times and
statuses are whole or the body is not made at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..domain.events import Event
from ..domain.reader import Reader
from .formats import Format

MARK = "… [cut]"
"""The end of a text that was longer."""

PROSE = frozenset(
    {"body", "description", "error", "group", "message", "name", "note", "reason", "text", "title"}
)
"""The keys of an event's data whose texts may be cut."""

LEAST = 32
"""Characters that every text keeps, with its mark."""


ANYBODY = Reader()


class TooLong(Exception):
    """The event cannot be said in so few bytes.

    :param size: the bytes that were allowed.
    :param least: the bytes that it takes with all cut that may be cut.
    """

    def __init__(self, size: int, least: int) -> None:
        super().__init__(f"The body has at least {least:,} bytes; {size:,} are allowed.")
        self.size = size
        self.least = least


@dataclass(frozen=True, kw_only=True)
class _Limits:
    """How much of the event is told.

    :param text: characters of each text.
    :param updates: entries of each list of updates, which are newest first.
    :param others: entries of each other list of things.
    """

    text: int = LEAST
    updates: int = 1
    others: int = 1


def worded(format: Format, event: Event, *, size: int, reader: Reader = ANYBODY) -> str:
    """The body of *event* in at most *size* bytes of UTF-8.

    Of an event that is too long as much is told as fits, what matters most first: the beginning of each text, all
    components, a paragraph of each text, further updates from the newest to the oldest, then the rest of the texts.

    :raises TooLong: when it does not fit however short.
    """
    body = format.word(event, reader)
    if _bytes(body) <= size:
        return body
    told = _Told(format, event, size, reader)
    told.widen("text", 200)
    told.widen("others", told.most)
    told.widen("text", 1000)
    told.widen("updates", told.most)
    told.widen("text", told.longest)
    return told.body


class _Told:
    """The widest limits so far within which the event fits, and the body that they give."""

    def __init__(self, format: Format, event: Event, size: int, reader: Reader) -> None:
        self._format = format
        self._reader = reader
        self._event = event
        self._size = size
        self.longest, self.most = _extent(event.data)
        self._limits = _Limits()
        self.body = self._render(self._limits)
        if _bytes(self.body) > size:
            raise TooLong(size, _bytes(self.body))

    def widen(self, name: str, goal: int) -> None:
        """Bring the limit called *name* to *goal*, or to within a sixteenth of what fits."""
        low, high = getattr(self._limits, name), min(goal, max(self.longest, self.most))
        if low >= high or self._try(name, high):
            return
        high -= 1
        while high - low > low // 16:
            middle = (low + high + 1) // 2
            if self._try(name, middle):
                low = middle
            else:
                high = middle - 1

    def _try(self, name: str, value: int) -> bool:
        limits = replace(self._limits, **{name: value})
        body = self._render(limits)
        if _bytes(body) > self._size:
            return False
        self._limits, self.body = limits, body
        return True

    def _render(self, limits: _Limits) -> str:
        shorter = replace(self._event, data=_shorter(self._event.data, "", limits))
        return self._format.word(shorter, self._reader)


def _bytes(body: str) -> int:
    # Half a surrogate pair cannot be sent, but whether it can is not asked here.
    return len(body.encode("utf-8", "surrogatepass"))


def _shorter(value: Any, key: str, limits: _Limits) -> Any:
    """*value*, which stands under *key*, within *limits*; it is copied, never changed."""
    if isinstance(value, Mapping):
        return {inner: _shorter(item, inner, limits) for inner, item in value.items()}
    if isinstance(value, list):
        kept = value[: limits.updates if key == "updates" else limits.others]
        shorter = [_shorter(item, key, limits) for item in kept]
        # Of fewer components nothing can tell: a mark in a name would make another component of it.
        if key == "updates" and len(kept) < len(value):
            shorter[-1] = _ended(shorter[-1])
        return shorter
    if isinstance(value, str) and key in PROSE:
        return _ending(value, limits.text) if len(value) > limits.text else value
    return value


def _ended(update: Mapping[str, Any]) -> dict[str, Any]:
    """The last update that is told, marked because there are older ones."""
    body = update["body"].removesuffix(MARK).rstrip()
    return {**update, "body": body + MARK}


def _ending(text: str, length: int) -> str:
    return text[: max(length - len(MARK), 0)].rstrip() + MARK


def _extent(value: Any) -> tuple[int, int]:
    """The length of the longest text in *value*, and of the longest list."""
    if isinstance(value, str):
        return len(value), 0
    if not isinstance(value, Mapping | list):
        return 0, 0
    inner = [_extent(item) for item in (value.values() if isinstance(value, Mapping) else value)]
    longest = max((text for text, _ in inner), default=0)
    entries = len(value) if isinstance(value, list) else 0
    return longest, max([entries, *(most for _, most in inner)])
