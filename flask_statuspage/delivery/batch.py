"""Send a batch of parcels over a thread pool, each thread's connections kept alive for its share."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from ..config import Settings
from .channels import Line, channels
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
    try:
        with channels[name].open(settings) as line:
            for parcel in _taken(todo):
                done.put((parcel, _send(line, parcel, lease_ends)))
    except Exception as error:
        # No line at all. Every parcel must come back, or the batch would wait for it for ever.
        logger.exception("status page: channel %s could not be opened", name)
        for parcel in _taken(todo):
            done.put((parcel, _failure(error)))


def _taken(todo: queue.SimpleQueue[Parcel]) -> Iterator[Parcel]:
    while True:
        try:
            parcel = todo.get_nowait()
        except queue.Empty:
            return
        yield parcel


def _send(line: Line, parcel: Parcel, lease_ends: float) -> Outcome | None:
    if time.monotonic() + parcel.policy.timeout > lease_ends:
        return SKIPPED
    try:
        return line.send(parcel)
    except Exception as error:
        logger.exception("status page: channel %s failed", parcel.channel)
        return _failure(error)


def _failure(error: Exception) -> Outcome:
    return Outcome(error=f"The channel failed: {type(error).__name__}")
