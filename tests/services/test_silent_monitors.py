"""Monitors of which nothing is heard any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.jobs.schedule import LEASE_SECONDS, Scheduler
from flask_statuspage.probing import probes
from flask_statuspage.services import monitoring, monitors, silent_monitors
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.leases import Lease
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.pages import Page

from . import scenes
from .scenes import result
from .watching import age, record, verdict_of

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LONG = 3 * 60 + 10 + 60
"""Seconds after which a monitor that is asked every minute, with a timeout of 10 s, is silent."""


def forget(session: Session, *, led_for: float = 10**6) -> int:
    since = utc_now() - timedelta(seconds=led_for)
    count = silent_monitors.forget(session, since, limit=100)
    session.commit()
    return count


def silent(session: Session, page: Page, outcome: Verdict = UP, **options: object) -> Monitor:
    """A monitor of the component API that spoke last when it is just too long ago."""
    scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api", **options)
    record(session, result(watcher, outcome))
    age(session, watcher, LONG + 2)
    return watcher


@pytest.mark.parametrize("outcome", [UP, DEGRADED])
def test_silence_is_not_health(app: Flask, session: Session, page: Page, outcome: Verdict) -> None:
    """What was well is not known any more, nobody is alerted, and the next result tells how it is."""
    hook = scenes.webhook(session, page, events=["monitor.down", "monitor.recovered"])
    watcher = silent(session, page, outcome)
    age(session, watcher, -4)
    assert forget(session) == 0
    age(session, watcher, 4)
    assert forget(session) == 1
    assert verdict_of(session, watcher) is UNKNOWN
    api = monitors.get(session, page, "m").component_id
    shown = scenes.history(session, session.get(scenes.Component, api))
    assert shown[-1].status is ComponentStatus.UNKNOWN
    assert forget(session) == 0
    assert scenes.told(session, hook) == []
    record(session, result(watcher, UP))
    assert verdict_of(session, watcher) is UP


@SQLITE
def test_after_silence_a_failure_is_not_green(session: Session, page: Page) -> None:
    """One failure after it is too few to be down, and no reason to be up."""
    watcher = silent(session, page, failure_threshold=2)
    forget(session)
    record(session, result(watcher, DOWN))
    assert verdict_of(session, watcher) is UNKNOWN
    record(session, result(watcher, DOWN, seconds=1))
    assert verdict_of(session, watcher) is DOWN


@SQLITE
def test_one_that_fails_holds_up_no_other(
    session: Session, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and tried again with the next look; the others are unknown at once."""
    rows = []
    for name in ("Bad", "Good"):
        scenes.component(session, page, name)
        rows.append(scenes.monitor(session, page, name, component=name.lower()))
        record(session, result(rows[-1], UP))
        age(session, rows[-1], LONG + 2)
    bad, good = rows
    bad_id = bad.id

    def refuse(mapper: object, connection: object, row: Monitor) -> None:
        if row.id == bad_id:
            raise RuntimeError("a listener of the host broke")

    event.listen(Monitor, "before_update", refuse)
    try:
        assert forget(session) == 1
    finally:
        event.remove(Monitor, "before_update", refuse)
    assert (verdict_of(session, bad), verdict_of(session, good)) == (UP, UNKNOWN)
    assert "monitor bad is silent" in caplog.text
    assert forget(session) == 1
    assert verdict_of(session, bad) is UNKNOWN


@SQLITE
def test_what_is_down_stays_down(session: Session, page: Page) -> None:
    """An outage does not end because nobody looks."""
    watcher = silent(session, page, DOWN)
    assert forget(session) == 0
    assert verdict_of(session, watcher) is DOWN


@SQLITE
def test_the_site_must_have_been_looking(session: Session, page: Page) -> None:
    """A scheduler that leads for a shorter time than the silence must last proves nothing."""
    watcher = silent(session, page)
    assert forget(session, led_for=LONG - 3) == 0
    assert forget(session, led_for=LONG + 3) == 1
    assert verdict_of(session, watcher) is UNKNOWN


@SQLITE
def test_abstaining_is_silence(session: Session, page: Page) -> None:
    """A region that only says that it could not find out has not voted, however often it says so."""
    watcher = silent(session, page)
    record(session, result(watcher, UP))
    record(session, result(watcher, UNKNOWN, seconds=1))
    assert forget(session) == 0
    age(session, watcher, LONG + 3)
    record(session, result(watcher, UNKNOWN))
    assert forget(session) == 1


@SQLITE
def test_one_region_that_votes_is_enough(session: Session, page: Page) -> None:
    """Only when all are silent nothing is known."""
    watcher = silent(session, page, regions=["default", "eu"])
    record(session, result(watcher, UP, region="eu"))
    assert forget(session) == 0
    age(session, watcher, LONG + 3, regions=["eu"])
    assert forget(session) == 1


@SQLITE
def test_who_may_be_silent(session: Session, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passive kinds are left alone, and so are paused monitors."""
    silent(session, page)
    with monkeypatch.context() as patched:
        patched.setattr(type(probes["http"]), "passive", True)
        assert forget(session) == 0
    monitors.pause(session, page, monitors.get(session, page, "m", lock=True), actor=None)
    session.commit()
    assert forget(session) == 0


def test_each_monitor_by_its_own_interval(session: Session, page: Page) -> None:
    """One that is asked once an hour is silent later than one that is asked every five seconds."""
    rows = {}
    for interval, timeout in ((5, 0.5), (60, 10.0), (3600, 30.0)):
        rows[interval] = scenes.monitor(
            session, page, f"Every {interval}", interval=interval, timeout=timeout
        )
        record(session, result(rows[interval], UP))
        age(session, rows[interval], 3 * interval + timeout + 60 - 2)
    assert forget(session) == 0
    for interval, row in rows.items():
        age(session, row, 4)
        assert forget(session) == 1, interval
        assert verdict_of(session, row) is UNKNOWN


def test_a_result_that_comes_at_the_same_time(app: Flask, session: Session, page: Page) -> None:
    """Whoever is first: in the end the monitor is as its result says."""
    watcher = silent(session, page)
    since = utc_now() - timedelta(days=1)
    late = result(watcher, UP)
    done = scenes.at_once(
        app,
        lambda other, its: monitoring.record(other, [late]),
        lambda other, its: silent_monitors.forget(other, since, limit=10),
    )
    assert not [one for one in done if isinstance(one, Exception)]
    assert verdict_of(session, watcher) is UP


@SQLITE
def test_the_leader_counts_since_when_it_leads(session: Session, page: Page) -> None:
    """A scheduler forgets the silent by itself, without any worker, once it leads for long enough; a gap in its
    leadership starts the count anew."""
    verdict = select(Monitor.verdict).where(Monitor.id == silent(session, page).id)
    scheduler = Scheduler(lambda task: None)

    def after_a_tick() -> Verdict | None:
        scheduler._silence_at = 0.0
        scheduler.tick()
        return session.scalar(verdict)

    assert after_a_tick() is UP
    assert scheduler._leads_since is not None
    long_ago = utc_now() - timedelta(seconds=LONG + 10)
    scheduler._leads_since = long_ago
    # As if the process had been stopped for longer than its lease lasts.
    gap: datetime = utc_now() - timedelta(seconds=2 * LEASE_SECONDS)
    session.execute(update(Lease).values(until=gap))
    session.commit()
    scheduler._renewed, scheduler._renew_at = gap, 0.0
    assert after_a_tick() is UP
    assert scheduler._leads_since > long_ago
    scheduler._leads_since = long_ago
    assert after_a_tick() is UNKNOWN
    scheduler.stop()


@SQLITE
def test_a_clock_that_was_set_back_takes_nothing_from_who_leads(
    session: Session, page: Page
) -> None:
    """What was noted while the database's clock was ahead counts as now; from then on the time is counted as ever."""
    verdict = select(Monitor.verdict).where(Monitor.id == silent(session, page).id)
    scheduler = Scheduler(lambda task: None)
    assert scheduler.tick()
    ahead = utc_now() + timedelta(hours=2)
    session.execute(update(Lease).values(until=ahead + timedelta(seconds=LEASE_SECONDS)))
    session.commit()
    scheduler._leads_since = scheduler._renewed = ahead
    scheduler._renew_at = 0.0
    assert scheduler.tick()
    since = scheduler._leads_since
    assert since <= utc_now() + timedelta(seconds=1)
    scheduler._renew_at = scheduler._silence_at = 0.0
    assert scheduler.tick()
    assert scheduler._leads_since == since
    # A clock that goes back a little, as clocks do that are kept right, leaves what was before that.
    long_ago = utc_now() - timedelta(seconds=LONG + 10)
    scheduler._leads_since, scheduler._renewed = long_ago, utc_now() + timedelta(seconds=2)
    scheduler._renew_at = scheduler._silence_at = 0.0
    assert session.scalar(verdict) is UP
    assert scheduler.tick()
    assert session.scalar(verdict) is UNKNOWN
    scheduler.stop()
