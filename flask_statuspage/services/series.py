"""Response times and availability over a range of time, per region, from rollups only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.series import DEFAULT, GLANCE, RANGES, Series, Window
from ..domain.tally import Tally
from ..errors import Invalid
from ..storage import monitors, rollups
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.session import database_now
from . import components

Rows = list[tuple[int, Tally]]
Key = TypeVar("Key", bound=Hashable)


def of_monitor(session: Session, monitor: Monitor, name: str) -> Series:
    """What the regions of *monitor*, which are loaded, saw; each with at most 120 points, gaps among them.

    :param name: one of :data:`~..domain.series.RANGES`.
    :raises Invalid: naming ``range``.
    """
    return _of(session, [monitor], name)


def of_component(session: Session, page: Page, component: str, name: str) -> Series:
    """The same of all monitors of a component, its slug or id: what two of them saw from one region is added up.

    :raises NotFound: without such a component.
    :raises Invalid: naming ``range``.
    """
    row = components.get(session, page, component)
    return of_watched(session, row.id, name)


def of_watched(session: Session, component_id: UUID, name: str) -> Series:
    """The same of a component that is there.

    :raises Invalid: naming ``range``.
    """
    return _of(session, monitors.on_components(session, [component_id]), name)


def of_all_watched(
    session: Session, component_ids: Collection[UUID], name: str
) -> dict[UUID, Series]:
    """The same of many components that are there, by their ids, in three queries."""
    watching: dict[UUID, list[Monitor]] = {component_id: [] for component_id in component_ids}
    for monitor in monitors.on_components(session, component_ids):
        if monitor.component_id is not None:
            watching[monitor.component_id].append(monitor)
    return _within(session, watching, Window.ending(database_now(session), name))


def glance(session: Session, component_id: UUID, now: datetime) -> Series:
    """The last day of a component hour by hour, in two queries.

    :param now: aware; the end of that day.
    """
    window = Window.ending(now, DEFAULT, GLANCE)
    watching = monitors.on_components(session, [component_id])
    return _within(session, {component_id: watching}, window)[component_id]


def glances(session: Session, watching: Collection[Monitor], now: datetime) -> dict[UUID, Series]:
    """The last day of each of those monitors, whose regions are loaded, hour by hour, by their ids; in one query.

    :param now: aware; the end of that day.
    """
    window = Window.ending(now, DEFAULT, GLANCE)
    return _within(session, {monitor.id: [monitor] for monitor in watching}, window)


def _of(session: Session, watching: Iterable[Monitor], name: str) -> Series:
    if name not in RANGES:
        raise Invalid.field("range", f"Must be one of {', '.join(RANGES)}.")
    return _within(session, {None: watching}, Window.ending(database_now(session), name))[None]


def _within(
    session: Session, watching: Mapping[Key, Iterable[Monitor]], window: Window
) -> dict[Key, Series]:
    """What the monitors of each key saw, in one query for all of them."""
    intervals: dict[Key, dict[str, int]] = {key: {} for key in watching}
    place: dict[int, tuple[Key, str]] = {}
    for key, some in watching.items():
        interval = intervals[key]
        for monitor in some:
            for region in monitor.regions:
                place[region.id] = key, region.region
                interval[region.region] = min(
                    monitor.interval, interval.get(region.region, monitor.interval)
                )
    rows: dict[tuple[Key, str], Rows] = defaultdict(list)
    span = window.chosen.span
    # A check from just before the window covers its beginning.
    lengths = [seconds for interval in intervals.values() for seconds in interval.values()]
    before = max((seconds for seconds in lengths if seconds > span), default=0)
    since = datetime.fromtimestamp((window.start - before) // span * span, UTC)
    until = datetime.fromtimestamp(window.end, UTC)
    for region_id, start, tally in rollups.of_regions(session, list(place), span, since, until):
        rows[place[region_id]].append((start, tally))
    return {
        key: window.series(
            window.region(region, rows[key, region], interval=interval[region])
            for region in sorted(interval)
        )
        for key, interval in intervals.items()
    }
