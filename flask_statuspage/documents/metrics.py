"""What is measured, in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/).

A further measurement is one function here, and one line in :mod:`..web.metrics`. Each answer
has a registry of its own: the host's, and the global one, are the host's.
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
    families: list[Metric] = [waited, events]
    for name, says, value in _PER_CHANNEL:
        family = GaugeMetricFamily(name, says, labels=("channel",))
        for lag in lags:
            family.add_metric((lag.channel,), value(lag))
        families.append(family)
    return families


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
