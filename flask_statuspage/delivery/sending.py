"""Send parcels over threads, as they come, so that no endpoint holds up another.

Each endpoint has a queue and a share of calls that it may have in flight; the endpoints take turns. One that has not
answered here yet gets two calls at first: whoever hangs then holds two threads, not all. And a call that takes
longer than a second no longer counts as one of the threads: another one takes its place.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field

from ..config import Settings
from ..domain.pace import BREAK_AFTER, SLOW
from .channels import Line, channels
from .parcel import Failure, Outcome, Parcel

logger = logging.getLogger(__name__)

STUCK_AFTER = 1.0
"""Seconds after which a call no longer counts as one of the threads."""

MOST_STUCK = 64
"""Threads beside the configured ones, for calls that are stuck."""

AT_FIRST = 2
"""Calls at once until an endpoint has answered: one that hangs alone must not hold up those behind it."""

CLAIM = 100
"""Parcels that are asked for at once."""

MOST_WAITING = 2000

CROWD = 6
"""An endpoint for which so many times its calls at once wait here is crowded: others come first."""


@dataclass(eq=False)
class _Queue:
    """The parcels that wait for one endpoint.

    :ivar most: calls at once, once one was answered fast (``proved``).
    :ivar timeouts: in a row.
    """

    name: str
    most: int
    proved: bool = False
    in_flight: int = 0
    timeouts: int = 0
    is_ready: bool = False
    waiting: deque[Parcel] = field(default_factory=deque)

    @property
    def at_once(self) -> int:
        if self.timeouts >= BREAK_AFTER:
            return 1
        return self.most if self.proved else min(self.most, AT_FIRST)

    @property
    def is_crowded(self) -> bool:
        return len(self.waiting) >= CROWD * self.at_once

    @property
    def may_send(self) -> bool:
        return bool(self.waiting) and self.in_flight < self.at_once


class Sending:
    """Parcels on their way. One thread adds and collects, and at last calls :meth:`close`.

    :param share: calls that one endpoint may have in flight here.
    :param context: what each thread is to stand in: the app's context, for channels that send by the host's own means.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        share: int,
        context: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._settings = settings
        self._share = share
        self._context = context
        self._changed = threading.Condition()
        self._queues: dict[str, _Queue] = {}
        self._ready: deque[_Queue] = deque()
        self._done: queue.SimpleQueue[tuple[Parcel, Outcome | None]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._working = 0
        self._idle = 0
        self._began: dict[int, float] = {}
        self._closing = False
        self.open = 0
        """How many parcels were added and not collected yet."""

    def close(self) -> list[tuple[Parcel, Outcome | None]]:
        """Wait for the calls in flight; returns all that was not collected yet, what was not sent with None."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for item in self._queues.values():
            self._unqueue(item)
        return self._collected()

    @property
    def room(self) -> int:
        """How many more parcels should be added now."""
        with self._changed:
            waiting = [item for item in self._queues.values() if item.waiting]
            total = sum(len(item.waiting) for item in waiting)
            # What waits for an endpoint that has all its calls in flight gives no thread anything to do.
            useful = sum(len(item.waiting) for item in waiting if item.may_send)
        enough = useful >= 2 * self._settings.worker_threads or total >= MOST_WAITING
        return 0 if enough else CLAIM

    @property
    def crowded(self) -> frozenset[str]:
        """The endpoints for which enough parcels wait here."""
        with self._changed:
            return frozenset(name for name, item in self._queues.items() if item.is_crowded)

    @property
    def stuck(self) -> int:
        """How many calls take longer than a second by now."""
        before = time.monotonic() - STUCK_AFTER
        with self._changed:
            return sum(began < before for began in self._began.values())

    def add(self, parcels: Iterable[Parcel], limits: Mapping[str, int] | None = None) -> None:
        """Send *parcels*, those for one endpoint in their order.

        :param limits: calls at once of endpoints that gave trouble.
        """
        with self._changed:
            for parcel in parcels:
                item = self._queues.get(parcel.endpoint)
                if item is None:
                    most = channels[parcel.channel].parallel or self._share
                    item = self._queues[parcel.endpoint] = _Queue(parcel.endpoint, most)
                if limits and parcel.endpoint in limits:
                    item.most = min(item.most, limits[parcel.endpoint])
                item.waiting.append(parcel)
                self.open += 1
                self._offer(item)
        self._employ()

    def collect(self, *, within: float) -> list[tuple[Parcel, Outcome | None]]:
        """What came back by now; waits at most *within* seconds for a first one.

        A parcel that could still be on its way when its lease runs out is not sent and comes back with None: whoever
        leases it next sends it.
        """
        self._employ()
        try:
            first = self._done.get(timeout=within)
        except queue.Empty:
            return []
        self.open -= 1
        return [first, *self._collected()]

    def _collected(self) -> list[tuple[Parcel, Outcome | None]]:
        results = []
        try:
            while True:
                results.append(self._done.get_nowait())
        except queue.Empty:
            self.open -= len(results)
            return results

    def _unqueue(self, item: _Queue) -> None:
        """Let all that waits for one endpoint be collected unsent."""
        while item.waiting:
            self._done.put((item.waiting.popleft(), None))
        if item.is_ready:
            item.is_ready = False
            self._ready.remove(item)

    def _offer(self, item: _Queue) -> None:
        if item.may_send and not item.is_ready:
            item.is_ready = True
            self._ready.append(item)
            self._changed.notify()

    def _employ(self) -> None:
        """Start threads while there is something to send and nobody idle."""
        stuck = min(self.stuck, MOST_STUCK)
        with self._changed:
            places = self._settings.worker_threads + stuck - self._working
            wanted = sum(item.at_once - item.in_flight for item in self._ready) - self._idle
            for _ in range(min(places, wanted)):
                thread = threading.Thread(target=self._work, name="statuspage-send", daemon=True)
                try:
                    thread.start()  # it waits for the lock that is held here
                except RuntimeError:
                    if not self._working:
                        raise
                    logger.warning("status page: no further thread could be started")
                    return
                self._threads.append(thread)
                self._working += 1

    def _work(self) -> None:
        me = threading.get_ident()
        with self._context(), ExitStack() as stack:
            lines: dict[str, Line] = {}
            while (taken := self._take(me)) is not None:
                item, parcel = taken
                self._give(me, item, parcel, self._send(parcel, lines, stack))

    def _take(self, me: int) -> tuple[_Queue, Parcel] | None:
        """The next parcel whose endpoint has its turn; None: this thread is not needed any more."""
        with self._changed:
            self._idle += 1
            try:
                while not self._ready:
                    if self._closing:
                        self._working -= 1
                        return None
                    self._changed.wait()
                if self._closing:
                    self._working -= 1
                    return None
            finally:
                self._idle -= 1
            item = self._ready.popleft()
            item.is_ready = False
            parcel = item.waiting.popleft()
            item.in_flight += 1
            self._began[me] = time.monotonic()
            self._offer(item)
            return item, parcel

    def _give(self, me: int, item: _Queue, parcel: Parcel, outcome: Outcome | None) -> None:
        with self._changed:
            del self._began[me]
            item.in_flight -= 1
            if outcome is not None:
                took = outcome.milliseconds or 0
                timed_out = outcome.kind is Failure.TIMEOUT
                item.proved = not timed_out and took < SLOW
                item.timeouts = item.timeouts + 1 if timed_out else 0
                if item.timeouts >= BREAK_AFTER:
                    self._unqueue(item)  # the endpoint is left alone for a while
            self._offer(item)
        self._done.put((parcel, outcome))

    def _send(self, parcel: Parcel, lines: dict[str, Line], stack: ExitStack) -> Outcome | None:
        if time.monotonic() + parcel.policy.timeout > parcel.lease_ends:
            return None
        try:
            if parcel.channel not in lines:
                opened = channels[parcel.channel].open(self._settings)
                lines[parcel.channel] = stack.enter_context(opened)
            return lines[parcel.channel].send(parcel)
        except BaseException as error:  # whatever it was, the parcel may have been sent
            logger.exception("status page: channel %s failed", parcel.channel)
            return Outcome(
                error=f"The channel failed: {type(error).__name__}", kind=Failure.CHANNEL
            )
