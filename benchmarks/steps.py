"""What one delivery costs in the worker, step by step: CPU, and statements of the database. Measured in one process."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from flask_statuspage.delivery.channels.webhook import WebhookLine
from flask_statuspage.jobs import tasks
from flask_statuspage.outgoing.client import Client
from flask_statuspage.services import deliveries, outcomes
from flask_statuspage.storage import claims
from flask_statuspage.storage.session import current_engine

from . import receiver
from .delivery_site import DeliverySite, Machinery
from .table import Growth, Row

STEPS: dict[str, tuple[Any, str]] = {
    "lease and read": (claims, "claim"),
    "claim": (deliveries, "claim"),
    "client": (Client, "send"),
    "send": (WebhookLine, "send"),
    "note": (outcomes, "note_all"),
}
"""What is measured: ``claim`` contains ``lease and read``, and ``send`` contains ``client``."""


@dataclass(frozen=True)
class Costs:
    """Of one run: statements, the rows that they were given as lists, and CPU milliseconds by step."""

    statements: int
    rows: int
    cpu: dict[str, float]
    whole: float


def measure(
    machinery: Machinery, directory: Path, *, sizes: Sequence[int]
) -> Iterator[Row | Growth]:
    found: list[tuple[int, Costs]] = []
    with receiver.running(16, directory) as target:
        for size in sizes:
            found.append((size, costs := _costs(machinery, directory, target, size)))
            each = {name: spent / size for name, spent in costs.cpu.items()}
            steps = {
                "lease and read": each["lease and read"],
                "make ready": each["claim"] - each["lease and read"],
                "sign and judge": each["send"] - each["client"],
                "HTTP client": each["client"],
                "note": each["note"],
            }
            steps["threads, commits and the rest"] = costs.whole / size - sum(steps.values())
            yield Row(
                what=f"CPU of one of {size:,} deliveries",
                ours=f"{costs.whole / size:.2f} ms",
                note=", ".join(f"{name} {spent:.2f}" for name, spent in steps.items()),
            )
            yield Row(
                what=f"statements for {size:,} deliveries",
                ours=f"{costs.statements:,} with {costs.rows:,} rows in lists",
                note=f"{costs.statements / size:.2f} for one, and {costs.rows / size:.2f} rows",
            )
    yield Growth(
        "statements of one delivery, by deliveries",
        "",
        tuple((size, costs.statements / size) for size, costs in found),
    )


def _costs(machinery: Machinery, directory: Path, target: receiver.Receiver, size: int) -> Costs:
    site = DeliverySite(machinery, directory, STATUSPAGE_TARGET_PORTS=list(target.ports))
    ports = target.ports
    urls = [
        f"http://127.0.0.1:{ports[number % len(ports)]}/hook/{number}" for number in range(size)
    ]
    target.reset()
    try:
        site.subscribe(urls)
        site.tell()
        site.expand()
        counted = {"statements": 0, "rows": 0}

        def count(*arguments: Any) -> None:
            counted["statements"] += 1
            if arguments[-1]:
                counted["rows"] += len(arguments[3])

        with site.app.app_context(), _timed() as cpu:
            engine = current_engine()
            event.listen(engine, "before_cursor_execute", count)
            before = time.process_time()
            while target.count() < size:
                tasks.run("deliver")
            whole = time.process_time() - before
            event.remove(engine, "before_cursor_execute", count)
    finally:
        site.close()
    return Costs(counted["statements"], counted["rows"], dict(cpu), whole * 1000)


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """CPU milliseconds of the threads that took each step."""
    spent: dict[str, float] = defaultdict(float)
    lock = threading.Lock()

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            before = time.thread_time()
            try:
                return function(*arguments, **options)
            finally:
                with lock:
                    spent[name] += (time.thread_time() - before) * 1000

        return step

    with ExitStack() as stack:
        for name, (owner, attribute) in STEPS.items():
            stack.enter_context(
                patch.object(owner, attribute, timed(name, getattr(owner, attribute)))
            )
        yield spent
