"""What is measured, in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/).

A further measurement is one function here or in :mod:`.site_metrics`, and one line in :mod:`..web.metrics`. Each answer
has a registry of its own: the host's, and the global one, are the host's.

All are gauges. What is counted in the tables becomes less when old rows are deleted, and a counter must never do that;
so what happened is told of the last hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..domain.lag import ChannelLag

if TYPE_CHECKING:
    from prometheus_client.core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, eq=False)
class _Measured:
    """A collector of what was measured already."""

    families: Sequence[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


def text(families: Iterable[Metric]) -> bytes:
    """*families* as they are scraped."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Measured(tuple(families)))
    return generate_latest(registry)


def of_deliveries(lags: Sequence[ChannelLag], unaddressed: float) -> list[Metric]:
    """The deliveries of each channel.

    :param unaddressed: seconds that the oldest event waits whose deliveries are not all written yet.
    """
    from prometheus_client.core import GaugeMetricFamily

    waited = GaugeMetricFamily(
        "statuspage_delivery_lag_seconds",
        "What the messages of the last hour waited before they set out; absent if there were none.",
        labels=("channel", "stat"),
    )
    for lag in lags:
        if lag.count:
            waited.add_metric((lag.channel, "mean"), lag.mean)
            waited.add_metric((lag.channel, "max"), lag.longest)
    events = GaugeMetricFamily(
        "statuspage_events_oldest_waiting_seconds",
        "How long the oldest event waits whose deliveries are not all written yet; 0: there is none.",
        value=unaddressed,
    )
    attempts = GaugeMetricFamily(
        "statuspage_delivery_attempts_last_hour",
        'Attempts of the last hour that went well (outcome "ok"), and that failed, by the class of the failure.',
        labels=("channel", "outcome"),
    )
    finished = GaugeMetricFamily(
        "statuspage_deliveries_finished_last_hour",
        "Deliveries that ended within the last hour: done, given up (dead) or cancelled.",
        labels=("channel", "outcome"),
    )
    for lag in lags:
        for outcome, count in {"ok": 0, **dict(lag.attempts)}.items():
            attempts.add_metric((lag.channel, outcome), count)
        for outcome, count in {**_NONE_FINISHED, **dict(lag.finished)}.items():
            finished.add_metric((lag.channel, outcome), count)
    families: list[Metric] = [waited, attempts, finished, events]
    for name, says, value in _PER_CHANNEL:
        family = GaugeMetricFamily(name, says, labels=("channel",))
        for lag in lags:
            family.add_metric((lag.channel,), value(lag))
        families.append(family)
    return families


_NONE_FINISHED = {"done": 0, "dead": 0, "cancelled": 0}

_PER_CHANNEL: tuple[tuple[str, str, Callable[[ChannelLag], float]], ...] = (
    (
        "statuspage_delivery_target_seconds",
        "Within how many seconds a message should set out.",
        lambda lag: lag.target,
    ),
    (
        "statuspage_delivery_late_ratio",
        "The share of the last hour's messages that set out later than the target.",
        lambda lag: lag.late_ratio,
    ),
    (
        "statuspage_delivery_oldest_waiting_seconds",
        "How long the oldest message waits that could set out now; 0: there is none.",
        lambda lag: lag.waiting,
    ),
    (
        "statuspage_delivery_oldest_pending_seconds",
        "How long ago the oldest delivery that is not finished was written, whatever it waits for; 0: there is none.",
        lambda lag: lag.oldest,
    ),
    (
        "statuspage_deliveries_last_hour",
        "Messages that set out within the last hour.",
        lambda lag: lag.count,
    ),
    (
        "statuspage_deliveries_pending",
        "Deliveries that are not finished, those that wait for a retry among them.",
        lambda lag: lag.pending,
    ),
    (
        "statuspage_deliveries_held",
        "Pending deliveries that wait because their reader had their share for this hour.",
        lambda lag: lag.held,
    ),
)
