"""Send a batch of parcels over a thread pool, each thread's connections kept alive for its share."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from ..config import Settings
from .channels import channels
from .parcel import Outcome, Parcel

logger = logging.getLogger(__name__)

SKIPPED = None


def send_all(
    parcels: Iterable[Parcel], settings: Settings, *, lease_ends: float
) -> Iterator[tuple[Parcel, Outcome | None]]:
    """Each parcel with its outcome, as they come in.

    :param lease_ends: ``time.monotonic()`` at which the lease runs out. A parcel that could still be on its way then is
        not sent and comes back with None: whoever leases it next sends it.
    """
    by_channel: dict[str, list[Parcel]] = {}
    for parcel in parcels:
        by_channel.setdefault(parcel.channel, []).append(parcel)
    done: queue.SimpleQueue[tuple[Parcel, Outcome | None]] = queue.SimpleQueue()
    left = sum(len(share) for share in by_channel.values())
    with ThreadPoolExecutor(thread_name_prefix="statuspage-send", max_workers=64) as pool:
        for name, share in by_channel.items():
            todo: queue.SimpleQueue[Parcel] = queue.SimpleQueue()
            for parcel in share:
                todo.put(parcel)
            limit = channels[name].parallel or settings.worker_threads
            for _ in range(min(limit, settings.worker_threads, len(share))):
                pool.submit(_work, name, settings, todo, done, lease_ends)
        for _ in range(left):
            yield done.get()


def _work(
    name: str,
    settings: Settings,
    todo: queue.SimpleQueue[Parcel],
    done: queue.SimpleQueue[tuple[Parcel, Outcome | None]],
    lease_ends: float,
) -> None:
    with channels[name].open(settings) as line:
        while True:
            try:
                parcel = todo.get_nowait()
            except queue.Empty:
                return
            if time.monotonic() + parcel.policy.timeout > lease_ends:
                done.put((parcel, SKIPPED))
                continue
            try:
                outcome = line.send(parcel)
            except Exception as error:
                logger.exception("status page: channel %s failed", name)
                outcome = Outcome(error=f"The channel failed: {type(error).__name__}")
            done.put((parcel, outcome))
