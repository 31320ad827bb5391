"""Measure what checks cost: ``python -m benchmarks.monitors``. Prints one table; nothing in it is a test."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.servers import process

from . import bare_pool, delivery_site, servers
from .delivery_site import Machinery
from .monitor_site import INTERVAL, QUEUE, MonitorSite
from .reads import machine
from .servers import Server, cpu_of_tree
from .table import Growth, Row, missing, text

SIZES = (3_000, 10_000, 30_000)
QUICK_SIZES = (300, 1_000, 3_000)
WORKERS = 2
WARM_UP = 10
GRACE = 5
"""Seconds after the window in which what was due in it may still be asked."""

TARGET_CPU = 1.6
TARGET_LAG = 2.0
TARGET_MB = 100
STOPPED = timedelta(hours=1)
RAW_ROWS = 1_000_000


@dataclass(frozen=True)
class Plan:
    """:param seconds: of one measurement; whole intervals are taken."""

    sizes: tuple[int, ...]
    seconds: int
    threads: int
    workers: int
    quick: bool


def measure(plan: Plan, machinery: Machinery, directory: Path) -> Iterator[Row | Growth]:
    page = directory / "target"
    page.mkdir()
    (page / "index.html").write_text("ok\n" * 100)
    cpu: list[tuple[int, float]] = []
    lags: list[tuple[int, float]] = []
    with servers.nginx([page], directory) as (target,):
        for size in plan.sizes:
            site = MonitorSite(
                machinery,
                directory,
                port=target.port,
                count=size,
                STATUSPAGE_WORKER_THREADS=plan.threads,
            )
            try:
                rows, spent, lag = _checks(plan, machinery, directory, site, target)
                cpu.append((size, spent))
                lags.append((size, lag * 1000))
                yield from rows
                yield from _stop(plan, site)
                if size == plan.sizes[-1]:
                    yield _raw(site, quick=plan.quick)
            finally:
                site.close()
    yield Growth("CPU of one check with PostgreSQL's, by monitors", "ms", tuple(cpu))
    yield Growth("lag p99, by monitors", "ms", tuple(lags))


def _checks(
    plan: Plan, machinery: Machinery, directory: Path, site: MonitorSite, target: Server
) -> tuple[list[Row], float, float]:
    """The rows of one number of monitors, CPU milliseconds of a check, seconds of its lag's p99."""
    bare = _bare(directory, site.urls[:2_000], threads=plan.threads)
    site.spread()
    with site.working(*[QUEUE] * plan.workers, scheduler=True) as pids:
        # The first few seconds are those of starting.
        start = site.now() + timedelta(seconds=WARM_UP)
        site.wait_until(start)
        intervals = max(1, round(plan.seconds / INTERVAL))
        end = start + timedelta(seconds=intervals * INTERVAL)
        before = _cpu(pids, machinery, target)
        site.wait_until(end)
        spent = [b - a for a, b in zip(before, _cpu(pids, machinery, target), strict=True)]
        site.wait_until(end + timedelta(seconds=GRACE))
    checked = site.checked(start, end)
    workers, scheduler, database, nginx = (one / max(1, checked.made) * 1000 for one in spent)
    seconds = (end - start).total_seconds()
    p50, p99 = checked.lag(0.5), checked.lag(0.99)
    each = workers + scheduler + database
    rows = [
        Row(
            what=f"{site.count:,} monitors at {INTERVAL} s",
            ours=f"{checked.made / seconds:,.0f}/s of {checked.wanted / seconds:,.0f}/s, {each:.2f} ms CPU",
            beside=f"{bare:.2f} ms CPU",
            ratio=each,
            target=TARGET_CPU,
            at_least=False,
            unit="ms",
            note=f"workers {workers:.2f}, PostgreSQL {database:.2f}, scheduler {scheduler:.2f}, nginx {nginx:.2f}; "
            f"{each / bare:.1f} x a bare GET; load {os.getloadavg()[0]:.1f}",
        ),
        Row(
            what=f"lag with {site.count:,} monitors",
            ours=f"p50 {p50:.2f} s, p99 {p99:.2f} s",
            ratio=p99,
            target=TARGET_LAG,
            at_least=False,
            unit="s",
            note=f"{checked.missed} missed, {checked.failed} failed, longest gap {site.widest_gap():.1f} s",
        ),
    ]
    return rows, each, p99


def _stop(plan: Plan, site: MonitorSite) -> Iterator[Row]:
    """Everything was still for an hour; what the first minute is like."""
    site.spread(ago=STOPPED)
    with site.working(*[QUEUE] * plan.workers, scheduler=True):
        start = site.now()
        site.wait_until(start + timedelta(seconds=INTERVAL + GRACE))
    loads = site.per_second(start, INTERVAL)
    usual = site.count / INTERVAL
    yield Row(
        what=f"the minute after an hour's stop, {site.count:,} monitors",
        ours=f"{max(loads):,}/s at most",
        beside=f"{usual:,.0f}/s",
        ratio=max(loads) / usual,
        note=f"first seconds: {', '.join(map(str, loads[:8]))}; in all {sum(loads):,} of {site.count:,}",
    )


def _raw(site: MonitorSite, *, quick: bool) -> Row:
    megabytes = site.fill(RAW_ROWS // 10 if quick else RAW_ROWS)
    return Row(
        what="a million raw checks on disk",
        ours=f"{megabytes:.0f} MB",
        ratio=megabytes,
        target=TARGET_MB,
        at_least=False,
        unit="MB",
        note="with indexes",
    )


def _bare(directory: Path, urls: Sequence[str], *, threads: int) -> float:
    """CPU milliseconds of one GET by ``requests`` sessions in threads, which write nothing down."""
    with bare_pool.running(
        directory, urls, method="GET", body="", headers={}, processes=WORKERS, threads=threads
    ) as bare:
        bare.send()
        return min(bare.send()[1] for _ in range(3)) / len(urls) * 1000


def _cpu(pids: Sequence[int], machinery: Machinery, target: Server) -> tuple[float, ...]:
    """Seconds of the workers, the scheduler, PostgreSQL and the server that is asked."""
    *workers, scheduler = pids
    return (
        sum(map(cpu_of_tree, workers)),
        cpu_of_tree(scheduler),
        machinery.database_cpu(),
        target.cpu(),
    )


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    # Whoever stops this stops its servers and workers too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    # Children work in folders of their own, and find this package all the same.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(servers.ROOT), *sys.path]))
    plan = Plan(
        tuple(sorted(options.size or (QUICK_SIZES if options.quick else SIZES))),
        options.seconds or (INTERVAL if options.quick else 2 * INTERVAL),
        options.threads,
        options.workers,
        options.quick,
    )
    found: list[Row | Growth] = [machine("before")]
    try:
        if servers.nginx_program() is None:
            raise process.Absent("nginx (Debian: apt install nginx-light)")
        with delivery_site.machinery() as machinery, process.scratch() as directory:
            for row in measure(plan, machinery, directory):
                print(row, file=sys.stderr, flush=True)
                found.append(row)
    except process.Absent as absent:
        found.append(missing("monitors", str(absent)))
    print(text([*found, machine("after")]))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitors", description=__doc__)
    parser.add_argument(
        "--size",
        action="append",
        type=int,
        metavar="N",
        help="so many monitors; may be repeated (default: 3000, 10000, 30000)",
    )
    parser.add_argument(
        "--seconds", type=int, metavar="N", help="of one measurement (default: 120)"
    )
    parser.add_argument("--threads", type=int, default=16, help="of a worker (default: 16)")
    parser.add_argument("--workers", type=int, default=WORKERS, help="of the region (default: 2)")
    parser.add_argument("--quick", action="store_true", help="fewer monitors, a minute each")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
