"""What the database knows that probes need: they cannot look it up while they ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from ..domain.latency import Histogram
from ..probing.heartbeat import HeartbeatProbe
from ..probing.traffic import WINDOWS, TrafficOptions, TrafficProbe
from ..storage import traffic
from ..storage.due import DueCheck
from ..storage.monitors import Monitor, MonitorRegion

Known = dict[UUID, Mapping[str, Any]]
"""By the monitor's id, by the words of its kind."""


def known_of(
    session: Session, regions: Collection[MonitorRegion | DueCheck], now: datetime
) -> Known:
    """What is known for the next questions, in one query at most for all of a kind.

    Heartbeats: ``begun``. Traffic: ``requests`` and ``errors`` in the window, ``p95`` in milliseconds or None.
    """
    found: Known = {
        row.monitor.id: {"begun": row.begun_at is not None}
        for row in regions
        if row.monitor.kind == HeartbeatProbe.kind
    }
    watching = [row.monitor for row in regions if row.monitor.kind == TrafficProbe.kind]
    return found | _counted(session, watching, now)


def _counted(session: Session, monitors: Collection[Monitor | Row[Any]], now: datetime) -> Known:
    if not monitors:
        return {}
    windows = {
        monitor.id: TrafficOptions.model_validate(monitor.options).window for monitor in monitors
    }
    longest = min(max(windows.values()), WINDOWS[1])
    by_name = defaultdict(list)
    for row in traffic.since(session, {one.target for one in monitors}, _begin(now, longest)):
        by_name[row.name].append(row)
    told: dict[tuple[str, int], Mapping[str, Any]] = {}
    found: Known = {}
    for monitor in monitors:
        key = monitor.target, windows[monitor.id]
        if key not in told:
            begins = _begin(now, key[1])
            told[key] = _summed(row for row in by_name[key[0]] if row.at >= begins)
        found[monitor.id] = told[key]
    return found


def _begin(now: datetime, window: int) -> datetime:
    """Also the bucket in whose midst the window begins: it is never shorter than it says."""
    return now - timedelta(seconds=window + traffic.SECONDS)


def _summed(rows: Iterable[Any]) -> Mapping[str, Any]:
    requests, errors, took = 0, 0, Histogram({})
    for row in rows:
        requests, errors = requests + row.requests, errors + row.errors
        took.merge(Histogram.read(row.histogram))
    return {"requests": requests, "errors": errors, "p95": took.percentile(0.95)}
