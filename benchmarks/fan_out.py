"""What an incident costs its author with few and with many subscriptions, and how fast deliveries are written."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import func, select

from flask_statuspage.storage.outbox import Delivery

from .delivery_site import DeliverySite, Machinery
from .table import Growth, Row

TARGET = 1.5
SIZES = (10, 1_000, 10_000)
PORT = 9


def measure(machinery: Machinery, directory: Path, *, rounds: int) -> Iterator[Row | Growth]:
    """Incidents are opened by ``POST /admin/api/v1/incidents`` as a member does, in turns on sites of all sizes."""
    sites = {}
    try:
        for size in SIZES:
            sites[size] = site = DeliverySite(machinery, directory, STATUSPAGE_TARGET_PORTS=[PORT])
            site.subscribe([f"http://127.0.0.1:{PORT}/hook/{number}" for number in range(size)])
            site.member()
            _opened(site)  # connections are open from now on, and statements compiled
            site.expand()
        yield from _rows(sites, rounds)
    finally:
        for site in sites.values():
            site.close()


def _rows(sites: dict[int, DeliverySite], rounds: int) -> Iterator[Row | Growth]:
    took: dict[int, list[float]] = {size: [] for size in sites}
    pages: list[list[float]] = []
    for number in range(rounds):
        order = sites if number % 2 == 0 else reversed(sites)
        for size in order:
            took[size].append(_opened(sites[size]) * 1000)
            written = sites[size].expand()
            if size == SIZES[-1]:
                pages.append(written)
    middle = {size: statistics.median(times) for size, times in took.items()}
    for size in SIZES[1:]:
        ratios = sorted(many / few for many, few in zip(took[size], took[SIZES[0]], strict=True))
        yield Row(
            what=f"an incident for {size:,} subscriptions",
            ours=f"{middle[size]:.0f} ms",
            beside=f"{middle[SIZES[0]]:.0f} ms for {SIZES[0]}",
            ratio=statistics.median(ratios),
            spread=(ratios[0], ratios[-1]),
            target=TARGET if size == SIZES[-1] else None,
            at_least=False,
            note="from the API's request to its answer",
        )
    yield _written(sites[SIZES[-1]], pages)
    yield Growth("an incident by subscriptions", "ms", tuple(middle.items()))


def _written(site: DeliverySite, pages: Sequence[Sequence[float]]) -> Row:
    whole = statistics.median(sum(page) for page in pages)
    longest = statistics.median(max(page) for page in pages)
    rows = site.ask(lambda session: session.scalar(select(func.count(Delivery.id))))
    if rows % SIZES[-1]:
        raise RuntimeError(f"{rows} deliveries were written for {SIZES[-1]} subscriptions")
    return Row(
        what=f"{SIZES[-1]:,} deliveries written",
        ours=f"{whole:.2f} s, {SIZES[-1] / whole:,.0f} rows/s",
        note=f"in {len(pages[0])} transactions, the longest {longest * 1000:.0f} ms",
    )


def _opened(site: DeliverySite) -> float:
    """Seconds of one incident."""
    begun = time.monotonic()
    site.open_incident()
    return time.monotonic() - begun
