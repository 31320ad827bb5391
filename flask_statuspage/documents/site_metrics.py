"""Components, monitors, queues and pages in Prometheus' text format.

Labels that name things hold what stays for good, their slugs; what people call them stands in ``…_info`` beside. So a
new name begins one new series, and no history is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..domain.measured import Backlog, MeasuredComponent, MeasuredMonitor
from ..domain.status import ComponentStatus
from ..domain.verdict import Verdict

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily, Metric

STATUS_CODE = {status: status.severity - 1 for status in ComponentStatus}
"""The value of ``statuspage_component_status``, from -1 (unknown) over 0 (operational) to 4 (major outage)."""


def of_components(components: Iterable[MeasuredComponent]) -> list[Metric]:
    """The status of each component, and what it is called."""
    status = _gauge(
        "statuspage_component_status",
        "What a component's readers see: -1 unknown, 0 operational, 1 under maintenance, 2 degraded performance, "
        "3 partial outage, 4 major outage.",
        "page",
        "component",
    )
    info = _gauge(
        "statuspage_component_info",
        "What a component is called, and its group; always 1.",
        *("page", "component", "name", "group"),
    )
    for one in components:
        status.add_metric((one.page, one.slug), STATUS_CODE[one.status])
        info.add_metric((one.page, one.slug, one.name, one.group), 1)
    return [status, info]


def of_monitors(monitors: Iterable[MeasuredMonitor]) -> list[Metric]:
    """What is believed of each monitor, and what its regions measured last."""
    one_monitor = ("page", "monitor")
    up = _gauge(
        "statuspage_monitor_up",
        "Whether a monitor's target works, be it slowly: 1 or 0; absent while nobody knows, or it is paused.",
        *one_monitor,
    )
    paused = _gauge("statuspage_monitor_paused", "Whether a monitor is paused.", *one_monitor)
    info = _gauge(
        "statuspage_monitor_info",
        "What a monitor is called, its kind and the slug of its component; always 1.",
        *(*one_monitor, "name", "kind", "component"),
    )
    response = _gauge(
        "statuspage_monitor_response_seconds",
        "How long the latest check of a region took; absent where that failed.",
        *(*one_monitor, "region"),
    )
    checked = _gauge(
        "statuspage_monitor_last_check_timestamp_seconds",
        "When a region made its latest check, as a Unix time; absent before the first one.",
        *(*one_monitor, "region"),
    )
    for one in monitors:
        which = (one.page, one.slug)
        if one.verdict is not Verdict.UNKNOWN and not one.is_paused:
            up.add_metric(which, one.verdict is not Verdict.DOWN)
        paused.add_metric(which, one.is_paused)
        info.add_metric((*which, one.name, one.kind, one.component), 1)
        for region in one.regions:
            where = (*which, region.region)
            if region.milliseconds is not None:
                response.add_metric(where, region.milliseconds / 1000)
            if region.last_at is not None:
                checked.add_metric(where, region.last_at.timestamp())
    return [up, paused, info, response, checked]


def of_checks(backlogs: Iterable[Backlog]) -> list[Metric]:
    """How late the checks of each region are."""
    lag = _gauge(
        "statuspage_checks_lag_seconds",
        "By how much the oldest check of a region that is due is late; 0: none is due.",
        "region",
    )
    due = _gauge("statuspage_checks_due", "Checks of a region that are due and not made.", "region")
    for backlog in backlogs:
        lag.add_metric((backlog.region,), backlog.lag)
        due.add_metric((backlog.region,), backlog.due)
    return [lag, due]


def of_queues(waiting: Mapping[str, int] | None) -> list[Metric]:
    """The queues in Redis.

    :param waiting: the jobs in each; None: Redis does not answer.
    """
    up = _gauge("statuspage_redis_up", "Whether Redis answers the process that was scraped.")
    up.add_metric((), waiting is not None)
    if waiting is None:
        return [up]
    jobs = _gauge(
        "statuspage_queue_jobs",
        "Jobs in a queue that no worker has taken; each stands for any amount of work.",
        "queue",
    )
    for name, count in waiting.items():
        jobs.add_metric((name,), count)
    return [up, jobs]


def of_pages(ages: Mapping[str, float]) -> list[Metric]:
    """The snapshots that the process that was scraped holds.

    :param ages: how many seconds ago each was read, by the page's slug.
    """
    age = _gauge(
        "statuspage_page_snapshot_age_seconds",
        "How long ago the process that was scraped read what it shows of a page; absent while it shows nothing.",
        "page",
    )
    for page, seconds in sorted(ages.items()):
        age.add_metric((page,), seconds)
    return [age]


def of_build(version: str) -> list[Metric]:
    """Which version of this package runs."""
    build = _gauge("statuspage_build_info", "The version of Flask-StatusPage; always 1.", "version")
    build.add_metric((version,), 1)
    return [build]


def _gauge(name: str, says: str, *labels: str) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily  # only who is scraped pays for it

    return GaugeMetricFamily(name, says, labels=labels)
