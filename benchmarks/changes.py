"""Reads around a change: how often a process rebuilds, and how long its readers wait, with sixteen of them."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask_statuspage.storage.session import current_engine

from . import seed, servers, site
from .load import CONNECTIONS, Plan
from .readers import Read, Readers
from .table import Growth, Row

SIZES = (10, 100, 1000)
P99_RATIO = 3.0
AFTER_SECONDS = 1.0
"""The time after a change in which all processes notice it; as long is measured as warm before the next one."""

PATHS = (f"{site.PREFIX}/api/v2/summary.json", f"{site.PREFIX}/")


@dataclass(frozen=True)
class Outcome:
    """Milliseconds, and the rebuilds of each change in each process."""

    warm: float
    after: float
    worst: float
    rebuilds: list[int]


def measure(plan: Plan, directory: Path) -> Iterator[Row | Growth]:
    changes = 4 if plan.quick else 10
    found = {}
    for size in SIZES:
        found[size] = _outcome(directory, size, workers=1, changes=changes)
        yield from _rows(f"{size:,} components, 1 process", found[size])
    two = _outcome(directory, 100, workers=2, changes=changes)
    yield from _rows("100 components, 2 processes", two)
    worst = tuple((size, outcome.worst) for size, outcome in found.items())
    yield Growth("longest wait after a change by components", "ms", worst)


def _rows(what: str, outcome: Outcome) -> Iterator[Row]:
    yield Row(
        what=f"rebuilds a change, {what}",
        ours=f"{min(outcome.rebuilds)} to {max(outcome.rebuilds)} in a process",
        ratio=max(outcome.rebuilds),
        target=1,
        at_least=False,
        unit="rebuilds",
        note=f"one in {outcome.rebuilds.count(1)} of {len(outcome.rebuilds)} changes by processes",
    )
    yield Row(
        what=f"p99 after a change, {what}",
        ours=f"{outcome.after:.1f} ms",
        beside=f"{outcome.warm:.1f} ms warm",
        ratio=outcome.after / outcome.warm,
        target=P99_RATIO,
        at_least=False,
        note=f"the longest wait {outcome.worst:.0f} ms",
    )


def _outcome(directory: Path, size: int, *, workers: int, changes: int) -> Outcome:
    name = f"changes-{size}-{workers}"
    url = f"sqlite:///{directory / name}.db"
    app = site.migrated(url)
    with app.app_context(), current_engine().begin() as connection:
        seed.fill(connection, seed.default_page(connection), components=size)
    site.close(app)
    noted = directory / f"{name}.rebuilds"
    noted.touch()
    call = f"benchmarks.site:served({url!r}, rebuilds={str(noted)!r})"
    threads = CONNECTIONS // workers + 2
    warm: list[float] = []
    after: list[float] = []
    commits = []
    with servers.gunicorn(call, directory, workers=workers, threads=threads) as server:
        readers = Readers(server.port, PATHS, CONNECTIONS, processes=workers)
        try:
            readers.read(2 * AFTER_SECONDS)
            for _ in range(changes):
                begun = time.monotonic()
                commits.append(begun)
                _, reads = readers.change_and_read(2 * AFTER_SECONDS)
                after += _within(reads, begun, begun + AFTER_SECONDS)
                warm += _within(reads, begun + AFTER_SECONDS, begun + 2 * AFTER_SECONDS)
        finally:
            readers.close()
    return Outcome(_p99(warm), _p99(after), max(after), _rebuilds(noted, commits, workers))


def _within(reads: list[Read], since: float, until: float) -> list[float]:
    return [read.milliseconds for read in reads if since <= read.begun < until]


def _p99(milliseconds: list[float]) -> float:
    return statistics.quantiles(milliseconds, n=100)[98]


def _rebuilds(noted: Path, commits: list[float], workers: int) -> list[int]:
    """How many rebuilds each process made between one change and the next."""
    lines = [line.split() for line in noted.read_text().splitlines()]
    processes = sorted({pid for pid, _ in lines})
    counted: Counter[tuple[int, str]] = Counter()
    for pid, moment in lines:
        number = sum(commit <= float(moment) for commit in commits) - 1
        counted[number, pid] += 1
    if len(processes) != workers:
        raise RuntimeError(f"{len(processes)} processes served pages instead of {workers}")
    return [counted[number, pid] for number in range(len(commits)) for pid in processes]
