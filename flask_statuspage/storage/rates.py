"""How often something was done this minute: in Redis where there is one, else in this process.

A minute is one of the clock's, so that all processes mean the same one. A row in the database for each request would
cost more than most requests do.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

logger = logging.getLogger(__name__)

WINDOW = 60
"""Seconds."""
MOST_NAMES = 10_000
"""How many names one process keeps; those beyond share one count."""
MOST_KNOWN = 1000
REST_SECONDS = 5.0
"""After a failure Redis is left alone for so long, so that a dead one does not slow every request."""


@dataclass(frozen=True)
class Rate:
    """What was counted under one name in this minute.

    :param limit: how often it may be. :param used: how often it was, with this time. :param resets: seconds until the
        count begins anew.
    """

    limit: int
    used: int
    resets: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.limit


class Known:
    """The newest few texts that were well, by their digests."""

    def __init__(self) -> None:
        self._digests: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, text: str) -> bool:
        return _digest(text) in self._digests

    def add(self, text: str) -> None:
        digest = _digest(text)
        with self._lock:
            self._digests[digest] = None
            self._digests.move_to_end(digest)
            if len(self._digests) > MOST_KNOWN:
                self._digests.popitem(last=False)


class Rates:
    """The counts of one app.

    ``known`` are the keys that opened something in this process: many clients may be behind one address, and one that
    is wrong about its key must not stop the others.

    :param redis_url: where all processes count together; None: each for itself.
    :param clock: seconds since the epoch.
    """

    def __init__(self, redis_url: str | None, *, clock: Callable[[], float] = time.time) -> None:
        self._redis_url = redis_url
        self._redis: Redis | None = None
        self._rests_until = 0.0
        self.known = Known()
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def count(self, name: str, limit: int) -> Rate:
        """Count once under *name*, over all processes if they can."""
        minute, passed = divmod(self._clock(), WINDOW)
        used = self._count_together(name, int(minute))
        if used is None:
            used = self._count_here(name, int(minute), 1)
        return Rate(limit, used, ceil(WINDOW - passed))

    def count_here(self, name: str, limit: int, *, times: int = 1) -> Rate:
        """The same in this process alone. :param times: 0 only looks."""
        minute, passed = divmod(self._clock(), WINDOW)
        return Rate(limit, self._count_here(name, int(minute), times), ceil(WINDOW - passed))

    def _count_here(self, name: str, minute: int, times: int) -> int:
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._counts.clear()
            if name not in self._counts and len(self._counts) >= MOST_NAMES:
                name = ""
            used = self._counts.get(name, 0) + times
            if times:
                self._counts[name] = used
            return used

    def _count_together(self, name: str, minute: int) -> int | None:
        """None where there is no Redis, or none that answers."""
        if self._redis_url is None or time.monotonic() < self._rests_until:
            return None
        from redis import Redis  # only who has a Redis pays for its client
        from redis.exceptions import RedisError

        if self._redis is None:
            self._redis = Redis.from_url(
                self._redis_url, socket_connect_timeout=0.5, socket_timeout=0.5
            )
        key = f"statuspage-rate:{name}:{minute}"
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, 2 * WINDOW)
                return int(pipeline.execute()[0])
        except RedisError as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            logger.warning("status page: Redis did not count, this process does: %s", error)
            return None


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
