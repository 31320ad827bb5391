"""Name look-ups that end in time.

``getaddrinfo`` takes no timeout: with a name server that does not answer it blocks for half
a minute. It runs in a thread here, and the caller stops waiting at its deadline.

Threads are made when needed and end when idle. A name that is being looked up already is not
looked up again beside it: otherwise a few hundred calls to one stuck name would take every
thread and delay the calls to all the others. For the same reason the names of one domain get a
share of the threads and no more: whoever owns a domain can make any number of names in it.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

Resolver = Callable[..., Sequence[tuple[Any, ...]]]
"""Called as ``resolver(host, port, type=socket.SOCK_STREAM)``; answers like ``getaddrinfo``."""


def system_resolver(host: str, port: int, *, type: int) -> Sequence[tuple[Any, ...]]:
    """Ask the system. :func:`socket.getaddrinfo` is found at each call: gevent exchanges it."""
    return socket.getaddrinfo(host, port, type=type)


_THREADS = 128
_SHARES = 4
_IDLE_SECONDS = 30.0


_Key = tuple[int, str, int, int]


class _Lookup:
    __slots__ = ("answers", "call", "done", "error", "wanted_until")

    def __init__(self, call: Callable[[], Sequence[tuple[Any, ...]]]) -> None:
        self.call = call
        self.done = threading.Event()
        self.answers: Sequence[tuple[Any, ...]] = ()
        self.error: Exception | None = None
        self.wanted_until = 0.0


class LookupThreads:
    """At most `limit` daemon threads that run look-ups.

    Daemon threads, because a process that ends must not wait for a name server.
    """

    def __init__(self, *, limit: int = _THREADS, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._share = max(1, limit // _SHARES)
        self._queue: list[tuple[_Key, _Lookup]] = []
        self._running: dict[_Key, _Lookup] = {}
        self._busy: Counter[str] = Counter()
        self._threads = 0
        self._idle = 0

    @property
    def threads(self) -> int:
        """How many threads exist now."""
        return self._threads

    def ask(
        self, resolver: Resolver, host: str, port: int, *, kind: int, deadline: float
    ) -> Sequence[tuple[Any, ...]]:
        """Return what `resolver` answers for `host` and `port`.

        `kind` is the socket type and `deadline` an instant of :func:`time.monotonic`. Raises
        :exc:`TimeoutError` at the deadline and :exc:`OSError` when the look-up failed.
        """
        # By identity: two callables that compare equal may still answer differently.
        key = (id(resolver), host, port, kind)
        with self._changed:
            lookup = self._running.get(key)
            if lookup is None:
                if self._idle <= len(self._queue) and self._threads < self._limit:
                    self._start_thread()
                # The closure keeps the resolver alive, so its id stays its own meanwhile.
                lookup = _Lookup(lambda: resolver(host, port, type=kind))
                self._running[key] = lookup
                self._queue.append((key, lookup))
                self._changed.notify()
            lookup.wanted_until = max(lookup.wanted_until, deadline)
        if not lookup.done.wait(max(0.0, deadline - time.monotonic())):
            raise TimeoutError("the name look-up did not end in time")
        if lookup.error is not None:
            # Several callers may share this look-up; each raises an exception of its own.
            raise OSError("the name look-up failed") from lookup.error
        return lookup.answers

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name="statuspage-lookup", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise OSError(errno.ENOMEM, "no thread for a name look-up") from error
        self._threads += 1

    def _work(self) -> None:
        while (item := self._next()) is not None:
            key, lookup = item
            try:
                if self._is_wanted(key, lookup):
                    try:
                        lookup.answers = lookup.call()
                    finally:
                        with self._changed:
                            self._end(key)
            except Exception as error:
                lookup.error = error
            finally:
                lookup.done.set()
            del item, lookup

    def _is_wanted(self, key: _Key, lookup: _Lookup) -> bool:
        """Whether anybody still waits for it. Else it ends in the same step, so that nobody joins it after that."""
        with self._changed:
            if time.monotonic() < lookup.wanted_until:
                return True
            lookup.error = TimeoutError("nobody waits for this look-up")
            self._end(key)
            return False

    def _next(self) -> tuple[_Key, _Lookup] | None:
        """Wait for work; return None when the thread has been idle long enough to end."""
        with self._changed:
            end = time.monotonic() + self._idle_seconds
            while (item := self._pick()) is None:
                left = end - time.monotonic()
                if left <= 0:
                    self._threads -= 1
                    return None
                self._idle += 1
                self._changed.wait(left)
                self._idle -= 1
            return item

    def _pick(self) -> tuple[_Key, _Lookup] | None:
        """Take the first look-up whose domain has room, or that nobody waits for any more."""
        now = time.monotonic()
        for place, (key, lookup) in enumerate(self._queue):
            domain = _domain(key)
            if self._busy.get(domain, 0) < self._share or now >= lookup.wanted_until:
                self._busy[domain] += 1
                return self._queue.pop(place)
        return None

    def _end(self, key: _Key) -> None:
        del self._running[key]
        domain = _domain(key)
        self._busy[domain] -= 1
        if not self._busy[domain]:
            del self._busy[domain]


def _domain(key: _Key) -> str:
    """The end of the name that somebody owns, near enough: two labels, or three below one such as ``co.uk``.

    Owners of ``ab.uk`` and the like, whose names look the same, get a share for each name below; they are few.
    """
    labels = key[1].split(".")
    shared = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if shared else labels[-2:])


_threads = LookupThreads()


def ask(
    resolver: Resolver, host: str, port: int, *, kind: int, deadline: float
) -> Sequence[tuple[Any, ...]]:
    """Do :meth:`LookupThreads.ask` with the threads of this process."""
    return _threads.ask(resolver, host, port, kind=kind, deadline=deadline)


def _start_afresh() -> None:
    # Threads do not survive a fork, and a lock that one of them held stays locked for ever.
    global _threads
    _threads = LookupThreads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh)
