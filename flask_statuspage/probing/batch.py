"""Ask many orders over a thread pool, each kind's connections kept alive as long as it is open."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from types import TracebackType
from uuid import UUID

from ..config import Settings
from ..domain.verdict import Verdict
from ..outgoing import own_failure
from . import probes
from .findings import NO_ANSWER
from .probe import Asker, CheckResult, Finding, ProbeOrder

logger = logging.getLogger(__name__)

LOOK_BACK = 1.0
"""Seconds. As many orders as were answered in them may wait for a thread: so many are asked in the next ones."""

GLANCE = 0.02
"""Seconds between looks at what came meanwhile: to be woken for each result would cost more than the result."""

PATIENCE = 10.0
"""Seconds after its timeout for which a probe is waited for that does not keep to it."""

CANNOT_ASK = "This worker cannot ask this"

_FOUND = tuple(item.name for item in fields(Finding))

_Entry = tuple[Asker, ProbeOrder, float]

_left: dict[tuple[UUID, str], threading.Thread] = {}
"""The threads that were left behind, by monitor and region, which are not asked again as long as theirs hangs."""


@dataclass(eq=False, slots=True)
class _Turn:
    """An order that is being asked. Whoever takes it from those that are, its thread or who gives it up, answers."""

    entry: _Entry
    thread: threading.Thread
    began: float


class Asking:
    """Orders in, results out as they come, one for each order. A probe that raises, or finds nothing that is a finding,
    is a failed check, logged, and stops no other; one that never comes back is one, too, and its thread is left behind;
    one that this process cannot ask at all tells nothing::

    with Asking(settings) as asking:
        asking.add(orders)
        while asking.open:
            results = asking.collect(within=1.0)
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._askers: dict[str, Asker] = {}
        self._orders: SimpleQueue[_Entry | None] = SimpleQueue()
        self._results: SimpleQueue[CheckResult] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._turns: dict[_Turn, bool] = {}
        self._collected: deque[tuple[float, int]] = deque()
        self._open = 0

    def __enter__(self) -> Asking:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.withdraw()
        while self._open:
            self.collect(within=1.0)
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            thread.join()
        self._stack.close()

    @property
    def room(self) -> int:
        """How many more orders make sense: one for each free thread, and as many ahead as are answered in a moment.

        Where nobody answers, nothing waits behind those that hang.
        """
        return max(0, self._settings.worker_threads + self._recently - self._open)

    @property
    def open(self) -> int:
        """How many orders are on their way, their results not collected yet."""
        return self._open

    @property
    def is_stuck(self) -> bool:
        """Whether orders wait for a thread and none becomes free."""
        return not self._orders.empty() and not self._recently

    @property
    def longest(self) -> float:
        """Seconds for which the slowest of those that are being asked has not answered."""
        began = min((turn.began for turn in list(self._turns)), default=None)
        return time.monotonic() - began if began is not None else 0.0

    def add(self, orders: Iterable[ProbeOrder]) -> None:
        for order in orders:
            self._orders.put((self._asker(order.kind), order, time.monotonic()))
            self._open += 1
        self._employ()

    def collect(
        self, *, within: float, enough: int = 1, while_busy: bool = False
    ) -> list[CheckResult]:
        """The results that came by now. Waits at most *within* seconds, and no longer than there is something to come.

        :param enough: so many results end the wait. :param while_busy: so do threads of which half have nothing to do.
        """
        ends = time.monotonic() + within
        self._give_up()
        found = self._come()
        while self._open and len(found) < enough:
            left = ends - time.monotonic()
            idle = self._settings.worker_threads - self._open
            if left <= 0 or (while_busy and found and idle >= self._settings.worker_threads / 2):
                break
            if enough == 1:
                found += self._come(left)
            else:
                time.sleep(min(left, GLANCE))
                found += self._come()
        if found:
            self._collected.append((time.monotonic(), len(found)))
        return found

    def withdraw(self) -> list[ProbeOrder]:
        """Take back what no thread has begun to ask."""
        taken: list[ProbeOrder] = []
        while True:
            try:
                entry = self._orders.get_nowait()
            except Empty:
                return taken
            if entry is not None:
                taken.append(entry[1])
                self._open -= 1

    def _employ(self) -> None:
        while len(self._threads) < min(self._open, self._settings.worker_threads):
            # Daemons, because a process that ends must not wait for one that was left behind.
            thread = threading.Thread(target=self._work, name="statuspage-probe", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                logger.error("status page: no further thread for checks: %s", error)
                if not self._threads:
                    self._answer_none()
                return
            self._threads.append(thread)

    def _give_up(self) -> None:
        """Answer for probes that do not keep to their timeout, and let other threads take the places of theirs."""
        now = time.monotonic()
        for turn in list(self._turns):
            order = turn.entry[1]
            if now - turn.began > order.timeout + PATIENCE and self._turns.pop(turn, False):
                logger.error("status page: probe %s of %s hangs", order.kind, order.monitor_id)
                _left[order.monitor_id, order.region] = turn.thread
                self._threads.remove(turn.thread)
                self._results.put(_late(*turn.entry))
                self._employ()

    def _answer_none(self) -> None:
        """Nobody is there to ask what waits, and somebody waits for it."""
        with suppress(Empty):
            while entry := self._orders.get_nowait():
                self._results.put(_unasked(*entry))

    @property
    def _recently(self) -> int:
        long_ago = time.monotonic() - LOOK_BACK
        while self._collected and self._collected[0][0] < long_ago:
            self._collected.popleft()
        return sum(count for _, count in self._collected)

    def _come(self, patience: float = 0.0) -> list[CheckResult]:
        """What came, or the first to come within *patience* seconds."""
        found = []
        try:
            if patience:
                found.append(self._results.get(timeout=patience))
            while True:
                found.append(self._results.get_nowait())
        except Empty:
            self._open -= len(found)
            return found

    def _work(self) -> None:
        while (entry := self._orders.get()) is not None:
            turn = _Turn(entry, threading.current_thread(), time.monotonic())
            self._turns[turn] = True
            result = _unasked(*entry)
            try:
                result = _ask(*entry)
            finally:
                # Whatever happened, somebody waits for it, unless this thread was given up.
                waited_for = self._turns.pop(turn, False)
                if waited_for:
                    self._results.put(result)
            if not waited_for:
                return

    def _asker(self, kind: str) -> Asker:
        if kind not in self._askers:
            try:
                self._askers[kind] = self._stack.enter_context(probes[kind].open(self._settings))
            except Exception:  # a package that was uninstalled, or is broken
                logger.exception("status page: probe %s cannot be asked here", kind)
                self._askers[kind] = _NoAsker()
        return self._askers[kind]


def ask_all(orders: Iterable[ProbeOrder], settings: Settings) -> Iterable[CheckResult]:
    """The results of *orders* as they come in."""
    with Asking(settings) as asking:
        asking.add(orders)
        while asking.open:
            yield from asking.collect(within=1.0)


class _NoAsker:
    """Stands for a probe that cannot be opened, which is this process's fault and not the targets'."""

    def ask(self, order: ProbeOrder) -> Finding:
        return Finding(outcome=Verdict.UNKNOWN, error=CANNOT_ASK)


def _ask(asker: Asker, order: ProbeOrder, given_out: float) -> CheckResult:
    hanging = _left.get((order.monitor_id, order.region))
    if hanging is not None and hanging.is_alive():
        return _late(asker, order, given_out)  # since an earlier check: one thread for it is enough
    # By the database's clock, from which this machine's may differ.
    at = order.asked_at + timedelta(seconds=time.monotonic() - given_out)
    try:
        return _result(_required(asker.ask(order)), order, at)
    except BaseException as error:  # whatever it was, its thread goes on
        if own := own_failure(error):
            logger.error("status page: %s could not be asked here: %s", order.monitor_id, own)
            return _result(Finding(outcome=Verdict.UNKNOWN, error=CANNOT_ASK), order, at)
        logger.exception("status page: probe %s of %s failed", order.kind, order.monitor_id)
        finding = Finding(outcome=Verdict.DOWN, error=f"The probe failed: {type(error).__name__}")
        return _result(finding, order, at)


def _unasked(_: Asker, order: ProbeOrder, __: float) -> CheckResult:
    return _result(Finding(outcome=Verdict.UNKNOWN, error=CANNOT_ASK), order, order.asked_at)


def _late(_: Asker, order: ProbeOrder, __: float) -> CheckResult:
    return _result(Finding(outcome=Verdict.DOWN, error=NO_ANSWER), order, order.asked_at)


def _result(finding: Finding, order: ProbeOrder, at: datetime) -> CheckResult:
    found = {name: getattr(finding, name) for name in _FOUND}
    return CheckResult(
        **{**found, "at": finding.at or at},
        monitor_id=order.monitor_id,
        region=order.region,
        asked=(order.kind, order.target),
    )


def _required(finding: object) -> Finding:
    """*finding* if it is one that can be recorded, as another package's probe may give it or not.

    :raises TypeError, ValueError:
    """
    if not isinstance(finding, Finding) or not isinstance(finding.outcome, Verdict):
        raise TypeError("A probe gives a Finding, whose outcome is a Verdict.")
    for number in (finding.milliseconds, finding.code):
        if number is None:
            continue
        if not isinstance(number, int):
            raise TypeError("Milliseconds and code are whole numbers.")
        if not 0 <= number < 2**31:
            raise ValueError("Milliseconds and code are not below zero, and fit into 32 bits.")
    if not isinstance(finding.error, str | None):
        raise TypeError("An error is a text.")
    if not isinstance(finding.observed, Mapping | None):
        raise TypeError("What was observed is a mapping.")
    if finding.at is not None and finding.at.utcoffset() is None:
        raise ValueError("The time of a finding is aware.")
    return finding
