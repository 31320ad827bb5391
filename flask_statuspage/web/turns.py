"""One at a time for each thing, with a limit to how long the others wait for whoever hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class _Turn:
    """A lock while somebody uses it, and when its holder took it (monotonic seconds)."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    began_at: float = field(default_factory=time.monotonic)


class Turns:
    """Who works on what."""

    def __init__(self) -> None:
        self._turns: dict[object, _Turn] = {}
        self._guard = threading.Lock()

    @contextmanager
    def take(self, what: object, patience: float | None = None) -> Iterator[bool]:
        """One at a time for *what*, and whether it is this reader's turn.

        :param patience: seconds after whose beginning nobody waits any more for the one whose turn it is.
        """
        with self._guard:
            turn = self._turns.setdefault(what, _Turn())
            turn.users += 1
        try:
            wait = -1.0
            if patience is not None:
                wait = min(patience, max(0.0, turn.began_at + patience - time.monotonic()))
            is_mine = turn.lock.acquire(timeout=wait)
            try:
                if is_mine:
                    turn.began_at = time.monotonic()
                yield is_mine
            finally:
                if is_mine:
                    turn.lock.release()
        finally:
            with self._guard:
                turn.users -= 1
                if not turn.users:
                    del self._turns[what]
