"""One order to one probe, as a worker would give it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask_statuspage.config import Settings
from flask_statuspage.domain.ids import new_id
from flask_statuspage.probing import Finding, Probe, ProbeOrder
from flask_statuspage.storage.base import utc_now

LOOPBACK = Settings(allow_private_targets=True)
STRICT = Settings()


def order(
    probe: Probe,
    target: str,
    *,
    saved: Settings = LOOPBACK,
    timeout: float = 5.0,
    degraded_over_ms: int | None = None,
    **options: Any,
) -> ProbeOrder:
    """The order of a monitor that was saved under *saved*."""
    return ProbeOrder(
        monitor_id=new_id(),
        region="eu",
        kind=probe.kind,
        target=target,
        timeout=timeout,
        degraded_over_ms=degraded_over_ms,
        options=probe.check_options(options, saved),
        asked_at=utc_now(),
    )


def ask(probe: Probe, target: str, *, settings: Settings = LOOPBACK, **options: Any) -> Finding:
    """The finding under *settings*; the options are those of :func:`order`."""
    with probe.open(settings) as asker:
        return asker.ask(order(probe, target, **options))


@contextmanager
def lasting(least: float, most: float) -> Iterator[None]:
    """Require the block to take between so many seconds."""
    started = time.monotonic()
    yield
    assert least <= time.monotonic() - started <= most
