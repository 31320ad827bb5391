"""Ask many orders over a thread pool, each kind's connections kept alive as long as it is open."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType

from ..config import Settings
from ..domain.verdict import Verdict
from . import probes
from .probe import Asker, CheckResult, ProbeOrder

logger = logging.getLogger(__name__)


class Asking:
    """Orders in, results out as they come. A probe that raises is a failed check, logged, and stops no other::

    with Asking(settings) as asking:
        asking.add(orders)
        while asking.open:
            results = asking.collect(within=1.0)
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._askers: dict[str, Asker] = {}
        self._open: set[Future[CheckResult]] = set()

    def __enter__(self) -> Asking:
        self._pool = self._stack.enter_context(
            ThreadPoolExecutor(self._settings.worker_threads, thread_name_prefix="statuspage-probe")
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def room(self) -> int:
        """How many orders could be asked at once without waiting for a thread."""
        return self._settings.worker_threads - len(self._open)

    @property
    def open(self) -> int:
        """How many orders are on their way."""
        return len(self._open)

    def add(self, orders: Iterable[ProbeOrder]) -> None:
        for order in orders:
            asker = self._asker(order.kind)
            self._open.add(self._pool.submit(_ask, asker, order))

    def collect(self, *, within: float) -> list[CheckResult]:
        """The results that came by now; waits at most *within* seconds for a first one."""
        done, self._open = wait(self._open, timeout=within, return_when=FIRST_COMPLETED)
        return [future.result() for future in done]

    def _asker(self, kind: str) -> Asker:
        if kind not in self._askers:
            try:
                self._askers[kind] = self._stack.enter_context(probes[kind].open(self._settings))
            except Exception as error:  # a package that was uninstalled, or is broken
                self._askers[kind] = _NoAsker(error)
        return self._askers[kind]


def ask_all(orders: Iterable[ProbeOrder], settings: Settings) -> Iterable[CheckResult]:
    """The results of *orders* as they come in."""
    with Asking(settings) as asking:
        asking.add(orders)
        while asking.open:
            yield from asking.collect(within=1.0)


class _NoAsker:
    """Stands for a probe that cannot be opened: its own orders fail, each with that error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def ask(self, order: ProbeOrder) -> CheckResult:
        raise self._error


def _ask(asker: Asker, order: ProbeOrder) -> CheckResult:
    at = datetime.now(UTC)
    try:
        return asker.ask(order)
    except Exception as error:
        logger.exception("status page: probe %s of %s failed", order.kind, order.monitor_id)
        return CheckResult(
            monitor_id=order.monitor_id,
            region=order.region,
            outcome=Verdict.DOWN,
            at=at,
            error=f"The probe failed: {type(error).__name__}",
        )
