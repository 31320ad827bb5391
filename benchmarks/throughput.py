"""Deliveries a second of two workers, beside a bare ``requests`` pool of two processes."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import bare_pool, delivery_site, receiver
from .delivery_site import DeliverySite, Machinery
from .receiver import Receiver
from .table import Growth, Row

TARGET = 0.6
WORKERS = 2
THREADS = 16
"""Of each worker and each process of the bare pool: the default of STATUSPAGE_WORKER_THREADS."""

AT_ONCE = 8
"""Calls to one endpoint, the default of STATUSPAGE_CALLS_PER_ENDPOINT; the bare pool keeps to it too."""

QUEUE = "statuspage-deliver"
HEADERS = {
    "Content-Type": "application/json",
    "webhook-id": "0198f0a0-0000-7000-8000-000000000000",
    "webhook-timestamp": "1700000000",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    "X-Status-Signature": "0" * 64,
    "User-Agent": "Flask-StatusPage",
}


@dataclass(frozen=True)
class Figures:
    """Of one run: calls a second; CPU for one call in milliseconds, of the senders, PostgreSQL and the receiver."""

    per_second: float
    cpu: float
    database: float
    receiver: float

    def __str__(self) -> str:
        parts = f"{self.cpu:.2f} ms CPU"
        if self.database:
            parts += f" + {self.database:.2f} PostgreSQL"
        return f"{self.per_second:,.0f}/s, {parts}"


def measure(
    machinery: Machinery, directory: Path, *, sizes: Sequence[int], endpoints: int, rounds: int
) -> Iterator[Row | Growth]:
    """Rows for the sizes with *endpoints* endpoints, and the growth between them."""
    called = f"{endpoints} endpoint{'s' if endpoints > 1 else ''}"
    growth: list[tuple[int, float]] = []
    cpu: list[tuple[int, float]] = []
    with receiver.running(endpoints, directory) as target:
        if ceiling := _ceiling(target):
            yield Row(what="the receiver alone", ours=f"{ceiling:,.0f}/s", note="asked by wrk")
        for size in sizes:
            ours, beside = _in_turns(machinery, directory, target, size, rounds)
            ratios = sorted(a.per_second / b.per_second for a, b in zip(ours, beside, strict=True))
            middle = _median(ours)
            growth.append((size, 1000 / middle.per_second))
            cpu.append((size, middle.cpu + middle.database))
            by_cpu = _median(beside).cpu / (middle.cpu + middle.database)
            yield Row(
                what=f"{size:,} webhooks to {called}",
                ours=str(middle),
                beside=str(_median(beside)),
                ratio=statistics.median(ratios),
                spread=(ratios[0], ratios[-1]),
                target=TARGET,
                note=f"{by_cpu:.2f} by CPU with PostgreSQL's, {_median(beside).cpu / middle.cpu:.2f} by the workers'",
            )
    yield Growth(f"time of one delivery to {called}, by deliveries", "ms", tuple(growth))
    yield Growth(f"CPU of one delivery to {called}, by deliveries", "ms", tuple(cpu))


def _in_turns(
    machinery: Machinery, directory: Path, target: Receiver, size: int, rounds: int
) -> tuple[list[Figures], list[Figures]]:
    ours, beside = [], []
    urls = [
        f"http://127.0.0.1:{target.ports[number % len(target.ports)]}/hook/{number}"
        for number in range(size)
    ]
    site = DeliverySite(machinery, directory, STATUSPAGE_TARGET_PORTS=list(target.ports))
    try:
        site.tell()
        body = site.body()
        site.subscribe(urls)
        with (
            site.working(*[QUEUE] * WORKERS) as pids,
            bare_pool.running(
                directory,
                urls,
                body=body,
                headers=HEADERS,
                processes=WORKERS,
                threads=min(THREADS, AT_ONCE * len(target.ports) // WORKERS),
            ) as bare,
        ):
            done = 0
            for number in range(rounds):
                done += size
                turns = [
                    lambda: beside.append(_bare(bare, target, size)),
                    lambda done=done: ours.append(_ours(site, machinery, target, size, done, pids)),
                ]
                for turn in turns if number % 2 == 0 else reversed(turns):
                    turn()
    finally:
        site.close()
    return ours, beside


def _ours(
    site: DeliverySite,
    machinery: Machinery,
    target: Receiver,
    size: int,
    done: int,
    pids: Sequence[int],
) -> Figures:
    """Wake both workers for *size* deliveries that are written already; until all are noted as done."""
    site.wait_until_idle(QUEUE)
    site.tell()
    site.expand()
    target.reset()

    def cpu() -> float:
        return sum(delivery_site.cpu_of_tree(pid) for pid in pids)

    before = (cpu(), machinery.database_cpu(), target.cpu())
    begun = time.monotonic()
    for _ in range(WORKERS):
        site.wake("deliver")
    woken = begun
    while target.count() < size:
        if time.monotonic() - woken > 1:  # as the scheduler does
            site.wake("deliver")
            woken = time.monotonic()
        if time.monotonic() - begun > delivery_site.PATIENCE:
            raise RuntimeError(f"only {target.count()} of {size} deliveries came\n{site.plight()}")
        time.sleep(0.02)
    site.wait_until_done(done)
    seconds = time.monotonic() - begun
    after = (cpu(), machinery.database_cpu(), target.cpu())
    spent = [(b - a) / size * 1000 for a, b in zip(before, after, strict=True)]
    return Figures(size / seconds, *spent)


def _bare(bare: bare_pool.BarePool, target: Receiver, size: int) -> Figures:
    target.reset()
    before = target.cpu()
    seconds, cpu = bare.send()
    if target.count() != size:
        raise RuntimeError(f"{target.count()} of {size} bare calls came")
    return Figures(size / seconds, cpu / size * 1000, 0.0, (target.cpu() - before) / size * 1000)


def _median(rounds: Sequence[Figures]) -> Figures:
    return Figures(
        *(
            statistics.median(getattr(one, name) for one in rounds)
            for name in ("per_second", "cpu", "database", "receiver")
        )
    )


def _ceiling(target: Receiver) -> float | None:
    """What the receiver answers a second when wrk asks it; None without wrk."""
    program = shutil.which("wrk")
    if program is None:
        return None
    command = [program, "-t1", "-c16", "-d1s", f"http://127.0.0.1:{target.ports[0]}/count"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    return float(found[1]) if found else None
