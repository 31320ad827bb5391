"""How long healthy endpoints wait for their news while others hang, beside the same without any that hangs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.storage.outbox import Delivery

from . import receiver
from .delivery_site import PATIENCE, DeliverySite, Machinery
from .receiver import Receiver
from .table import Growth, Row

TARGET = 1.5
ENDPOINTS = 40
HANGING = 2
"""Endpoints that never answer: five in a hundred."""

EVERY = 0.4
"""Seconds from one event of the steady load to the next."""

BURST_SUBSCRIPTIONS = (200, 400, 800)
QUEUES = ("statuspage-deliver", "statuspage-deliver", "statuspage-deliver-slow")
RATE = {"rate": 6000}
"""More than the steady load: otherwise it would be the rate that is measured."""


@dataclass(frozen=True)
class Latencies:
    """Milliseconds from the commit to the receiver, of all deliveries to healthy endpoints."""

    p50: float
    p99: float
    worst: float

    def __str__(self) -> str:
        return f"p50 {self.p50:,.0f} p99 {self.p99:,.0f} ms, longest {self.worst:,.0f}"


def measure(
    machinery: Machinery, directory: Path, *, seconds: float, rounds: int
) -> Iterator[Row | Growth]:
    with receiver.running(ENDPOINTS, directory) as target:
        events = round(seconds / EVERY)
        yield _row(
            f"healthy p99 of {events} events to {ENDPOINTS} endpoints, one each {EVERY:g} s",
            [_pair(machinery, directory, target, ENDPOINTS, events) for _ in range(rounds)],
        )
        growth = []
        for size in BURST_SUBSCRIPTIONS:
            pairs = [_pair(machinery, directory, target, size, 1) for _ in range(rounds)]
            yield _row(f"healthy p99 of a burst of {size} to {ENDPOINTS} endpoints", pairs)
            growth.append((size, statistics.median(hung.p99 for hung, _ in pairs)))
        yield Growth("healthy p99 of a burst while some hang, by its size", "ms", tuple(growth))


def _row(what: str, pairs: Sequence[tuple[Latencies, Latencies]]) -> Row:
    ratios = sorted(hung.p99 / calm.p99 for hung, calm in pairs)
    return Row(
        what=what,
        ours=str(_median([hung for hung, _ in pairs])),
        beside=str(_median([calm for _, calm in pairs])),
        ratio=statistics.median(ratios),
        spread=(ratios[0], ratios[-1]),
        target=TARGET,
        at_least=False,
        note=f"{HANGING} of the endpoints hang; beside: none does",
    )


def _median(of: Sequence[Latencies]) -> Latencies:
    return Latencies(
        *(statistics.median(getattr(one, name) for one in of) for name in ("p50", "p99", "worst"))
    )


def _pair(
    machinery: Machinery, directory: Path, target: Receiver, subscriptions: int, events: int
) -> tuple[Latencies, Latencies]:
    """With some that hang, and without; sites of their own, for what is known of an endpoint outlives a round."""
    calm = _latencies(machinery, directory, target, subscriptions, events, ())
    hung = _latencies(machinery, directory, target, subscriptions, events, target.ports[-HANGING:])
    return hung, calm


def _latencies(
    machinery: Machinery,
    directory: Path,
    target: Receiver,
    subscriptions: int,
    events: int,
    hanging: Sequence[int],
) -> Latencies:
    site = DeliverySite(machinery, directory, STATUSPAGE_TARGET_PORTS=list(target.ports))
    healthy = target.ports[:-HANGING]
    try:
        site.subscribe(
            [
                f"http://127.0.0.1:{target.ports[number % len(target.ports)]}/hook/{number}"
                for number in range(subscriptions)
            ],
            policy=RATE,
        )
        target.reset(hanging=hanging)
        committed: dict[UUID, float] = {}
        with site.working(*QUEUES, scheduler=True):
            due = time.monotonic()
            for number in range(events):
                event_id, at = site.tell(title=f"Cranes stand still for the {number + 1}th time")
                committed[event_id] = at
                site.expand()
                site.wake("deliver")  # as a commit does
                due += EVERY
                time.sleep(max(0.0, due - time.monotonic()) if number + 1 < events else 0.0)
            expected = _expected(site, healthy)
            arrivals = _arrivals(target, expected)
            target.reset()  # nobody hangs any more, so that the workers can end
        return _measured(expected, committed, arrivals)
    finally:
        target.reset()
        site.close()


def _expected(site: DeliverySite, healthy: Sequence[int]) -> dict[str, UUID]:
    """The event of each delivery to a healthy endpoint."""
    names = [f"127.0.0.1:{port}" for port in healthy]
    query = select(Delivery.id, Delivery.event_id).where(Delivery.endpoint.in_(names))

    def look(session: Session) -> dict[str, UUID]:
        return {str(row[0]): row[1] for row in session.execute(query)}

    found: dict[str, UUID] = site.ask(look)
    return found


def _arrivals(target: Receiver, expected: dict[str, UUID]) -> dict[str, float]:
    """When each was received first, once all were."""
    ends = time.monotonic() + PATIENCE
    while True:
        first: dict[str, float] = {}
        for ident, at in target.arrivals():
            first.setdefault(ident, at)
        if first.keys() >= expected.keys():
            return first
        if time.monotonic() > ends:
            raise RuntimeError(f"{len(expected.keys() - first.keys())} deliveries did not come")
        time.sleep(0.25)


def _measured(
    expected: dict[str, UUID], committed: dict[UUID, float], arrivals: dict[str, float]
) -> Latencies:
    took = sorted((arrivals[ident] - committed[of]) * 1000 for ident, of in expected.items())
    cuts = statistics.quantiles(took, n=100)
    return Latencies(cuts[49], cuts[98], took[-1])
