"""Notices that are repeated while a monitor stays down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.jobs import tasks
from flask_statuspage.jobs.schedule import due_tasks
from flask_statuspage.services import escalations, maintenances, monitors
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.pages import Page

from . import scenes
from .scenes import result
from .watching import record

UP, DEGRADED, DOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def state(session: Session, row: Monitor) -> tuple[int, float | None]:
    """The level, and in how many seconds the next notice is due."""
    query = select(Monitor.notification_level, Monitor.escalates_at).where(Monitor.id == row.id)
    level, at = session.execute(query).one()
    session.commit()
    return level, round((at - utc_now()).total_seconds(), -1) if at else None


def pass_time(session: Session, row: Monitor, seconds: float) -> None:
    """Let the next notice be due so much earlier."""
    at = session.scalar(select(Monitor.escalates_at).where(Monitor.id == row.id))
    if at is not None:
        earlier = at - timedelta(seconds=seconds)
        session.execute(update(Monitor).where(Monitor.id == row.id).values(escalates_at=earlier))
    session.commit()


def levels(session: Session) -> list[int]:
    told = scenes.events(session, "monitor.down")
    return [event.data["monitor"]["notification_level"] for event in told]


def advance(session: Session) -> int:
    found = escalations.due(session, utc_now(), limit=10)
    done = sum(escalations.advance(session, ident, utc_now()) for ident in found)
    session.commit()
    return done


def escalating(session: Session, page: Page, *pauses: int, **options: object) -> Monitor:
    """A monitor that has just gone down, with its component."""
    scenes.component(session, page)
    watcher = scenes.monitor(
        session, page, component="api", escalation_intervals=list(pauses), **options
    )
    record(session, result(watcher, UP, seconds=-5))
    record(session, result(watcher, DOWN, error="Answered 500"))
    return watcher


@SQLITE
def test_each_interval_brings_the_next_level(app: Flask, session: Session, page: Page) -> None:
    """Level by level with the latest check, nothing beyond the list, and host code hears of the change only once."""
    watcher = escalating(session, page, 60, 300)
    assert state(session, watcher) == (1, 60)
    assert due_tasks(session) == ["probe:default"]
    with scenes.listening(app) as heard:
        pass_time(session, watcher, 61)
        assert "timetable" in due_tasks(session)
        assert tasks.run("timetable") == 1
        assert state(session, watcher) == (2, 300)
        assert tasks.run("timetable") == 0
        pass_time(session, watcher, 301)
        assert tasks.run("timetable") == 1
        assert state(session, watcher) == (3, None)
        assert "timetable" not in due_tasks(session)
    assert heard == []
    assert levels(session) == [1, 2, 3]
    told = scenes.events(session, "monitor.down")[2].data["monitor"]
    assert (told["previous"], told["verdict"]) == ("down", "down")
    assert told["check"]["error"] == "Answered 500"


@SQLITE
def test_subscribers_get_every_level(session: Session, page: Page) -> None:
    """A repeated notice is an event of its own, with deliveries of its own."""
    hook = scenes.webhook(session, page, events=["monitor.down"])
    watcher = escalating(session, page, 60)
    pass_time(session, watcher, 61)
    advance(session)
    assert scenes.told(session, hook) == ["monitor.down", "monitor.down"]


@SQLITE
@pytest.mark.parametrize("outcome", [UP, DEGRADED])
def test_a_recovery_ends_it(session: Session, page: Page, outcome: Verdict) -> None:
    """The count starts anew, and the recovery is told as a first notice."""
    watcher = escalating(session, page, 60)
    pass_time(session, watcher, 61)
    advance(session)
    record(session, result(watcher, outcome, seconds=1))
    assert state(session, watcher) == (0, None)
    (told,) = scenes.events(session, "monitor.recovered")
    assert told.data["monitor"]["notification_level"] == 1
    record(session, result(watcher, DOWN, seconds=2))
    assert state(session, watcher) == (1, 60)
    assert levels(session) == [1, 2, 1]


@SQLITE
def test_without_intervals_the_news_is_told_once(session: Session, page: Page) -> None:
    """None is the default."""
    watcher = escalating(session, page)
    assert state(session, watcher) == (1, None)


@SQLITE
def test_a_late_one_is_sent_once(session: Session, page: Page) -> None:
    """After an hour without a scheduler there is one notice, and the next one counts from then."""
    watcher = escalating(session, page, 60, 60, 60)
    pass_time(session, watcher, 3600)
    assert advance(session) == 1
    assert advance(session) == 0
    assert state(session, watcher) == (2, 60)


@SQLITE
def test_a_paused_monitor_says_nothing(session: Session, page: Page) -> None:
    """A pause ends it as a recovery does."""
    watcher = escalating(session, page, 60)
    monitors.pause(session, page, monitors.get(session, page, "m", lock=True), actor=None)
    session.commit()
    assert state(session, watcher) == (0, None)


@SQLITE
def test_maintenance_and_a_parent_hold_it_back(session: Session, page: Page) -> None:
    """It waits, and goes on at the same level when that is over and the monitor is still down."""
    gateway = scenes.monitor(session, page, "Gateway")
    record(session, result(gateway, UP, seconds=1))
    watcher = escalating(session, page, 60, depends_on="gateway")
    assert state(session, watcher) == (1, 60)
    record(session, result(gateway, DOWN, seconds=2))
    pass_time(session, watcher, 61)
    assert advance(session) == 0
    assert state(session, watcher) == (1, 60)
    record(session, result(gateway, UP, seconds=3))

    end = utc_now() + timedelta(hours=1)
    row = maintenances.schedule(session, page, title="Work", scheduled_end=end, affected=["api"])
    session.commit()
    pass_time(session, watcher, 61)
    assert advance(session) == 0
    assert state(session, watcher) == (1, 60)
    maintenances.complete(session, page, row.id)
    session.commit()
    pass_time(session, watcher, 61)
    assert advance(session) == 1
    assert levels(session) == [1, 1, 2]  # the gateway's, the monitor's two


@SQLITE
def test_a_list_made_shorter_ends_it(session: Session, page: Page) -> None:
    """Nothing is sent for an interval that is gone."""
    watcher = escalating(session, page, 60, 60)
    monitor = monitors.get(session, page, "m", lock=True)
    monitors.change(session, page, monitor, {"escalation_intervals": []}, actor=None)
    session.commit()
    pass_time(session, watcher, 61)
    assert advance(session) == 0
    assert state(session, watcher) == (1, None)


@SQLITE
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [300], 300),
        ([3600], [120], 110),
        ([60], [600, 60], 590),
        ([60], [], None),
    ],
)
def test_other_intervals_are_taken_up_while_it_is_down(
    session: Session, page: Page, before: list[int], after: list[int], expected: int | None
) -> None:
    """The next notice follows the latest one by the new interval, or comes where none was to come any more."""
    watcher = escalating(session, page, *before)
    pass_time(session, watcher, 10)
    monitor = monitors.get(session, page, "m", lock=True)
    monitors.change(session, page, monitor, {"escalation_intervals": after}, actor=None)
    session.commit()
    assert state(session, watcher) == (1, expected)


@SQLITE
def test_one_that_fails_is_tried_again_later_and_stops_no_other(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that raises leaves its level and comes again in a minute."""
    watcher = escalating(session, page, 60)
    other = scenes.monitor(session, page, "Other", escalation_intervals=[60])
    record(session, result(other, DOWN))
    for row in (watcher, other):
        pass_time(session, row, 61)
    real = escalations.advance

    def refuse(session: Session, monitor_id: object, now: object) -> int:
        if monitor_id == watcher.id:
            raise RuntimeError("broken")
        return real(session, monitor_id, now)

    monkeypatch.setattr(escalations, "advance", refuse)
    assert tasks.run("timetable") == 1
    assert (state(session, watcher), state(session, other)) == ((1, 60), (2, None))


def test_two_schedulers_send_a_level_once(app: Flask, session: Session, page: Page) -> None:
    """Whoever comes second finds nothing due any more."""
    watcher = escalating(session, page, 60, 60)
    pass_time(session, watcher, 61)
    now = utc_now()
    ident = watcher.id
    works = [lambda other, its: escalations.advance(other, ident, now)] * 4
    assert sorted(scenes.at_once(app, *works)) == [0, 0, 0, 1]
    assert levels(session) == [1, 2]
