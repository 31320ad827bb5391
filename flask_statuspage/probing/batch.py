"""Ask a batch of orders over a thread pool, each kind's connections kept alive for the whole batch."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from datetime import UTC, datetime

from ..config import Settings
from ..domain.verdict import Verdict
from . import probes
from .probe import Asker, CheckResult, ProbeOrder

logger = logging.getLogger(__name__)


def ask_all(orders: Iterable[ProbeOrder], settings: Settings) -> Iterator[CheckResult]:
    """The results of *orders* as they come in. A probe that raises is a failed check, logged, and stops no other."""
    orders = list(orders)
    with ExitStack() as stack:
        askers = {kind: _opened(stack, kind, settings) for kind in {order.kind for order in orders}}
        pool = stack.enter_context(
            ThreadPoolExecutor(settings.worker_threads, thread_name_prefix="statuspage-probe")
        )
        futures = [pool.submit(_ask, askers[order.kind], order) for order in orders]
        for future in as_completed(futures):
            yield future.result()


def _opened(stack: ExitStack, kind: str, settings: Settings) -> Asker:
    try:
        return stack.enter_context(probes[kind].open(settings))
    except Exception as error:  # a package that was uninstalled, or is broken
        return _NoAsker(error)


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
