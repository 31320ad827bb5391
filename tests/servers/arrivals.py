"""What reached a server: kept in order, and waited for without sleeping."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Arrivals(Generic[T]):
    """A list that server threads append to and a test reads."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._changed = threading.Condition()

    def add(self, item: T) -> None:
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def so_far(self) -> list[T]:
        with self._changed:
            return list(self._items)

    def clear(self) -> None:
        with self._changed:
            self._items.clear()

    def wait_for(self, predicate: Callable[[T], object], timeout: float) -> T:
        """Return the first item, past or future, that `predicate` accepts.

        Raises `TimeoutError`, naming what did arrive, when there is none within `timeout` seconds.
        """

        def accepted() -> list[T]:
            return [item for item in self._items if predicate(item)]

        with self._changed:
            if not self._changed.wait_for(accepted, timeout):
                raise TimeoutError(f"not within {timeout} s; {len(self._items)} came: {self}")
            return accepted()[0]

    def __str__(self) -> str:
        return ", ".join(repr(item)[:200] for item in self._items) or "nothing"
