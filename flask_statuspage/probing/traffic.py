"""The site's own requests to a blueprint, judged by what was counted in a window: ``statuspage.watch``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from pydantic import Field

from ..config import Settings
from ..domain.verdict import Thresholds, Verdict
from .probe import Finding, Probe, ProbeOptions, ProbeOrder

KIND = "traffic"

WINDOWS = (30, 3600)
"""Shortest and longest window, in seconds."""

Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class TrafficOptions(ProbeOptions):
    """:param window: seconds whose requests are judged together.
    :param down_share: share of requests that failed, from 0 to 1, from which it is down; *degraded_share* likewise.
    :param min_requests: with fewer of them in the window nothing is said.
    """

    window: Annotated[int, Field(strict=True, ge=WINDOWS[0], le=WINDOWS[1])] = 300
    down_share: Share = 0.5
    degraded_share: Share = 0.05
    min_requests: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 10


class TrafficProbe(Probe):
    kind = KIND
    Options = TrafficOptions
    thresholds = Thresholds(failure=2, recovery=2)  # the window smooths already
    declared = True

    @contextmanager
    def open(self, settings: Settings) -> Iterator[TrafficAsker]:
        yield TrafficAsker()


class TrafficAsker:
    """Asks nobody: ``order.known`` has ``requests``, ``errors`` and ``p95``, in milliseconds or None."""

    def ask(self, order: ProbeOrder) -> Finding:
        options = TrafficOptions.model_validate(dict(order.options))
        requests, errors = order.known.get("requests", 0), order.known.get("errors", 0)
        if requests < options.min_requests:
            return Finding(outcome=Verdict.UNKNOWN, error="Too few requests to tell")
        slowest: int | None = order.known.get("p95")
        share, limit = errors / requests, order.degraded_over_ms
        outcome, error = Verdict.UP, None
        if share >= options.down_share:
            outcome, error = Verdict.DOWN, f"{_percent(share)} of requests failed"
        elif share >= options.degraded_share:
            outcome, error = Verdict.DEGRADED, f"{_percent(share)} of requests failed"
        elif limit is not None and slowest is not None and slowest > limit:
            outcome, error = Verdict.DEGRADED, f"One in 20 requests is slower than {limit} ms"
        return Finding(outcome=outcome, milliseconds=slowest, error=error)


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.01 else "Less than 1 %"
