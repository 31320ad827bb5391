"""Response times and availability over a range of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from flask_statuspage.domain.latency import Histogram
from flask_statuspage.domain.series import GLANCE, RANGES, Window
from flask_statuspage.domain.tally import Tally
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Invalid, NotFound
from flask_statuspage.services import monitoring, monitors, series
from flask_statuspage.storage import checks
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_engine

from . import scenes

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN
NOW = datetime(2026, 3, 1, 12, 7, 30, tzinfo=UTC)


def of(*checks: tuple[float, Tally]) -> list[tuple[int, Tally]]:
    """Rollups by how many seconds ago they began."""
    return [(int(NOW.timestamp()) - int(ago), tally) for ago, tally in checks]


def good(ms: int = 100, count: int = 1) -> Tally:
    histogram = Histogram.of([ms] * count)
    return Tally(
        up=count,
        ms_count=count,
        ms_sum=ms * count,
        ms_min=ms,
        ms_max=ms,
        histogram=histogram,
    )


@pytest.mark.parametrize("name", RANGES)
def test_every_range_has_points_that_meet(name: str) -> None:
    """At most 120 points of one length, on round instants, that end with the one that lasts."""
    window = Window.ending(NOW, name)
    found = window.series([window.region("eu", [], interval=60)])
    (region,) = found.regions
    assert len(region.points) == window.chosen.points <= 120
    assert found.since == region.points[0].at
    assert region.points[-1].at <= NOW < found.until
    assert found.step % window.chosen.span == 0
    apart = {
        (b.at - a.at).total_seconds()
        for a, b in zip(region.points, region.points[1:], strict=False)
    }
    assert apart == {found.step}
    assert int(found.since.timestamp()) % found.step == 0
    length = {"1h": 1 / 24, "24h": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365}[name]
    assert found.until - found.since == timedelta(days=length)
    assert (found.uptime_percent, region.uptime_percent) == (None, None)
    assert region.no_data == int((NOW - found.since).total_seconds())


def test_gaps_are_points_without_values() -> None:
    """Where nothing was asked, or nothing was answered, there is no duration, and none is made up."""
    window = Window.ending(NOW, "1h")
    rows = [
        (window.start, good(50)),
        (window.start + 600, Tally(down=1)),
        (window.start + 900, Tally(unknown=3)),
    ]
    region, total = window.region("eu", rows, interval=60)
    first, gap, failed, unknown = region.points[:4]
    assert (first.checks, first.min, first.avg, first.max, first.p50, first.p99) == (
        1,
        50,
        50,
        50,
        50,
        50,
    )
    assert (gap.checks, gap.avg, gap.p50) == (0, None, None)
    assert (failed.checks, failed.down, failed.avg, failed.p95) == (1, 1, None, None)
    assert (unknown.checks, unknown.avg) == (0, None)
    assert (region.uptime_percent, total.unknown) == (50.0, 3)
    assert region.no_data == 300 + int(NOW.timestamp()) - window.start - 900


def test_a_check_covers_its_interval() -> None:
    """A monitor that is asked every hour has data for all of the hour, also where it began before the range."""
    window = Window.ending(NOW, "24h")
    hourly = [(window.start - 1800 + hour * 3600, good()) for hour in range(25)]
    assert window.region("eu", hourly, interval=3600)[0].no_data == 0
    del hourly[5:8]
    assert window.region("eu", hourly, interval=3600)[0].no_data == 3 * 3600
    assert window.region("eu", hourly[1:], interval=3600)[0].no_data == 3 * 3600 + 1800
    assert sum(point.checks for point in window.region("eu", hourly, interval=3600)[0].points) == 21


def test_points_add_up_their_rollups() -> None:
    """A point has the sums of its rollups, and percentiles of all of its answers."""
    window = Window.ending(NOW, "24h")
    rows = [
        (window.start, good(100, 98)),
        (window.start + 300, good(1000, 2)),
        (window.start + 600, Tally(down=1)),
    ]
    point = window.region("eu", rows, interval=60)[0].points[0]
    assert (point.checks, point.up, point.down, point.min, point.max) == (101, 100, 1, 100, 1000)
    assert point.avg == 118
    region, _ = window.region("eu", rows, interval=60)
    assert (region.p50, region.max) == (100, 1000)
    assert region.p95 == 100
    empty, _ = window.region("eu", [], interval=60)
    assert (empty.p50, empty.p95, empty.max) == (None, None, None)
    assert point.p50 == 100
    assert point.p99 is not None
    assert 900 <= point.p99 <= 1000


def test_a_day_at_a_glance() -> None:
    """The same day in hours: fewer points of the same length of time."""
    window = Window.ending(NOW, "24h", GLANCE)
    region, _ = window.region("eu", [(window.start, good(50)), (window.end, good(70))], interval=60)
    assert (len(region.points), region.max) == (24, 50)
    assert window.series([(region, Tally())]).until - window.series([]).since == timedelta(hours=24)
    assert region.points[-1].at <= NOW < region.points[-1].at + timedelta(hours=1)


def test_what_a_clock_ahead_wrote_is_no_part_of_the_range() -> None:
    """A rollup that begins where the last point ends, or later, is left out, and covers nothing."""
    window = Window.ending(NOW, "1h")
    rows = [(window.end - 300, good()), (window.end, good()), (window.end + 86_400, good())]
    region, total = window.region("eu", rows, interval=60)
    assert (region.points[-1].checks, total.checks) == (1, 1)


def test_a_clock_that_was_set_back_costs_no_series(session: Session, page: Page) -> None:
    """Results from ahead are kept, and shown once their time has come."""
    watcher = scenes.monitor(session, page)
    record(session, watcher, ("default", 0, UP, 5), ("default", -86_400, UP, 5))
    watcher = monitors.get(session, page, watcher.slug)
    for name in ("1h", "24h"):
        assert sums(series.of_monitor(session, watcher, name)) == {"default": (1, 0)}


def record(session: Session, monitor: Monitor, *results: tuple[str, float, Verdict, int]) -> None:
    monitoring.record(
        session,
        [
            replace(scenes.result(monitor, outcome, region=region, seconds=-ago), milliseconds=ms)
            for region, ago, outcome, ms in results
        ],
    )
    session.commit()


def sums(found: Any) -> dict[str, tuple[int, int]]:
    """Checks and failures by region."""
    return {
        region.region: (sum(p.checks for p in region.points), sum(p.down for p in region.points))
        for region in found.regions
    }


def test_a_monitor_by_region(session: Session, page: Page) -> None:
    """Each region has its own points and uptime; that of the monitor is over all checks."""
    watcher = scenes.monitor(session, page, regions=["us", "eu"], quorum=2)
    record(
        session,
        watcher,
        ("eu", 10, UP, 50),
        ("eu", 5, UP, 70),
        ("us", 10, DOWN, 1),
        ("us", 7200, UP, 1),
    )
    watcher = monitors.get(session, page, watcher.slug)
    found = series.of_monitor(session, watcher, "24h")
    assert [(one.region, one.uptime_percent) for one in found.regions] == [
        ("eu", 100.0),
        ("us", 50.0),
    ]
    assert found.uptime_percent == 75.0
    assert sums(found) == {"eu": (2, 0), "us": (2, 1)}
    assert sums(series.of_monitor(session, watcher, "1h")) == {"eu": (2, 0), "us": (1, 1)}
    for name in RANGES:
        if name != "1h":
            assert sums(series.of_monitor(session, watcher, name)) == {"eu": (2, 0), "us": (2, 1)}


def test_a_component_by_region(session: Session, page: Page) -> None:
    """What all monitors of a component saw from a region is one series; other components' do not count."""
    scenes.component(session, page)
    scenes.component(session, page, "Other")
    one = scenes.monitor(session, page, "One", component="api", regions=["eu"])
    two = scenes.monitor(session, page, "Two", component="api", regions=["eu", "us"])
    other = scenes.monitor(session, page, "Three", component="other", regions=["eu"])
    record(session, one, ("eu", 5, UP, 10))
    record(session, two, ("eu", 5, DOWN, 10), ("us", 5, UP, 10))
    record(session, other, ("eu", 5, DOWN, 10))
    found = series.of_component(session, page, "api", "7d")
    assert sums(found) == {"eu": (2, 1), "us": (1, 0)}
    assert found.uptime_percent == 66.66


def test_many_components_at_once(session: Session, page: Page) -> None:
    """Each of many has the series that it has alone, in as many queries as one: regions of one name are not mixed, nor
    are intervals."""
    ids = [scenes.component(session, page, name).id for name in ("API", "Web", "Paper")]
    for name, interval, *regions in (("api", 60, "eu", "us"), ("web", 3600, "eu")):
        for number in (1, 2):
            watcher = scenes.monitor(
                session, page, f"{name} {number}", component=name, regions=regions
            )
            watcher.interval = interval
            results = [(region, ago, UP, 10) for region in regions for ago in (86_900, 7_000, 5)]
            record(session, watcher, *results, (regions[0], 600, DOWN, 9))
    session.expire_all()
    sent: list[Any] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    engine = current_engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        found = series.of_all_watched(session, ids, "24h")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(sent) == 3
    assert set(found) == set(ids)
    for ident in ids:
        alone = series.of_watched(session, ident, "24h")
        assert sums(found[ident]) == sums(alone)
        assert found[ident].uptime_percent == alone.uptime_percent
        for one, other in zip(found[ident].regions, alone.regions, strict=True):
            assert abs(one.no_data - other.no_data) < 60  # the clock goes on
    web, api = found[ids[1]].regions[0], found[ids[0]].regions[0]
    assert web.no_data < api.no_data
    assert found[ids[2]].regions == ()


def test_nothing_watched_is_no_series(session: Session, page: Page) -> None:
    """A component without monitors has no regions; one that does not exist, or a wrong range, is refused."""
    scenes.component(session, page)
    found = series.of_component(session, page, "api", "24h")
    assert (found.regions, found.uptime_percent) == ((), None)
    with pytest.raises(NotFound):
        series.of_component(session, page, "nothing", "24h")
    with pytest.raises(Invalid) as caught:
        series.of_component(session, page, "api", "1 day")
    assert caught.value.errors[0].field == "range"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_queries_do_not_grow(session: Session, page: Page) -> None:
    """Four queries for a component, whatever it has of monitors, regions and history."""
    scenes.component(session, page)
    for number, regions in enumerate((["eu"], ["eu", "us", "ap"])):
        watcher = scenes.monitor(session, page, f"M{number}", component="api", regions=regions)
        record(session, watcher, *((region, ago, UP, 9) for region in regions for ago in (5, 900)))
        session.expire_all()
        sent: list[Any] = []

        def note(*arguments: Any) -> None:
            sent.append(arguments[2])  # noqa: B023

        page_id = page.id
        assert page_id
        engine = current_engine()
        event.listen(engine, "before_cursor_execute", note)
        try:
            series.of_component(session, page, "api", "90d")
        finally:
            event.remove(engine, "before_cursor_execute", note)
        assert len(sent) == 4  # the component, the clock, monitors with regions, rollups


def test_newest_checks_of_some_regions(session: Session, page: Page) -> None:
    """Pages of the results of several regions are in the order of time, whoever asked."""
    watcher = scenes.monitor(session, page, regions=["eu", "us"])
    record(session, watcher, *(("eu" if ago % 3 else "us", ago, UP, ago) for ago in range(9)))
    rows = {row.region: row.id for row in monitors.get(session, page, watcher.slug).regions}
    both, one = list(rows.values()), [rows["us"]]
    assert checks.count(session, both) == 9
    assert checks.count(session, one) == 3

    def shown(ids: list[int], limit: int, offset: int) -> list[tuple[int | None, str]]:
        return [
            (row.milliseconds, row.region) for row in checks.newest(session, ids, limit, offset)
        ]

    assert shown(both, 4, 0) == [(0, "us"), (1, "eu"), (2, "eu"), (3, "us")]
    assert shown(both, 4, 6) == [(6, "us"), (7, "eu"), (8, "eu")]
    assert shown(one, 2, 1) == [(3, "us"), (6, "us")]
