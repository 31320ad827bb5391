"""Where rendered documents are kept: so many of them and so many bytes, those that were made longest ago go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    @property
    def size(self) -> int:
        """In bytes."""


T = TypeVar("T", bound=Sized)

Key = tuple[str | None, str]


class Shelf(Generic[T]):
    """Its readers need no lock; whoever puts something on it must be alone."""

    def __init__(self) -> None:
        self._items: OrderedDict[Key, T] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._items)

    def get(self, key: Key) -> T | None:
        return self._items.get(key)

    def put(self, key: Key, item: T, *, most: int, most_bytes: int) -> None:
        """Keep *item*, unless it alone is too large, and let go of what there is no room for any more.

        :param most: so many items, and *most_bytes* in all, are kept.
        """
        before = self._items.pop(key, None)
        if before is not None:
            self.size -= before.size
        if item.size > most_bytes:
            return
        while self._items and (len(self) >= most or self.size + item.size > most_bytes):
            self.size -= self._items.popitem(last=False)[1].size
        self._items[key] = item
        self.size += item.size
