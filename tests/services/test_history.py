"""What checks leave behind goes once it is too old, or once its region was removed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.jobs import forgetting, tasks
from flask_statuspage.services import monitoring, monitors
from flask_statuspage.storage import checks, history, rollups
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.history import RemovedRegion
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.rollups import DAY, FINE, HOUR, Rollup
from flask_statuspage.storage.session import current_engine

from . import scenes

UP = Verdict.UP


def never() -> bool:
    return False


def forget(**options: Any) -> int:
    return forgetting.forget(never, budget=30, **options)


def number_of(session: Session, monitor: Monitor) -> int:
    query = select(MonitorRegion.id).where(MonitorRegion.monitor_id == monitor.id)
    return session.scalars(query).one()


def left(session: Session) -> tuple[int, int, int]:
    """Results, rollups and removed regions that there are."""
    session.rollback()
    return tuple(  # type: ignore[return-value]
        session.scalar(select(func.count()).select_from(model))
        for model in (Check, Rollup, RemovedRegion)
    )


def checked(session: Session, monitor: Monitor, **ago: float) -> None:
    results = [scenes.result(monitor, UP, seconds=-timedelta(**ago).total_seconds())]
    monitoring.record(session, results)
    session.commit()


def test_each_kind_goes_at_its_own_age(session: Session, page: Page) -> None:
    """Results go after 30 days, five minutes after 7, hours after 90; days stay for ever."""
    watcher = scenes.monitor(session, page)
    ages = (0, 6.9, 7.1, 29.9, 30.1, 89.9, 90.2, 5000)
    for days in ages:
        checked(session, watcher, days=days)
    # Two of them may lie on one day, by the hour at which the test runs.
    dates = {(utc_now() - timedelta(days=days)).date() for days in ages}
    assert tasks.run("forget") == 4 + 6 + 2
    session.rollback()
    by_span = select(Rollup.span, func.count()).group_by(Rollup.span)
    assert {span: count for span, count in session.execute(by_span)} == {
        FINE: 2,
        HOUR: 6,
        DAY: len(dates),
    }
    assert left(session)[0] == 4
    assert tasks.run("forget") == 0


def test_more_than_a_portion_goes_at_once(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are too old and however many regions there are, one task takes them all if it has the time."""
    monkeypatch.setattr(forgetting, "DELETED_AT_ONCE", 3)
    monkeypatch.setattr(forgetting, "REGIONS_AT_ONCE", 2)
    watched = [scenes.monitor(session, page, name) for name in "abcde"]
    numbers = sorted(number_of(session, one) for one in watched)
    old = datetime.now(UTC) - timedelta(days=40)
    for _ in range(2):
        for number in numbers:
            rows = [(number, old + timedelta(seconds=second), UP) for second in range(7)]
            keys = ("region_id", "at", "outcome")
            rest = {"code": None, "milliseconds": None, "error": None}
            checks.add_all(session, [dict(zip(keys, row, strict=True)) | rest for row in rows])
        session.commit()
        # Wherever it begins, it goes round.
        assert forget(start=numbers[2]) == 35
        assert left(session)[0] == 0


def test_it_ends_in_time(session: Session, page: Page) -> None:
    """Without time nothing is done, and a process that is told to stop begins nothing more."""
    checked(session, scenes.monitor(session, page), days=40)
    assert forgetting.forget(never, budget=0) == 0
    assert forgetting.forget(lambda: True, budget=30) == 0
    assert forget() == 2


@pytest.mark.parametrize("place", ["removed_region", "kept_answer"])
def test_a_portion_that_always_fails_holds_up_no_other(
    session: Session, page: Page, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    """It is logged, and what is too old of the others goes."""
    checked(session, scenes.monitor(session, page), days=40)

    def break_down(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if f"statuspage_{place}" in statement:
            raise RuntimeError("a listener of the host broke")

    event.listen(current_engine(), "before_cursor_execute", break_down)
    try:
        assert forget() == 2
    finally:
        event.remove(current_engine(), "before_cursor_execute", break_down)
    assert "a listener of the host broke" in caplog.text


def test_a_removed_monitor_leaves_nothing(session: Session, page: Page) -> None:
    """Its results and rollups go with the next housekeeping, and those of others stay; its number is not used again."""
    gone, other = scenes.monitor(session, page, "Gone"), scenes.monitor(session, page, "Other")
    for one in (gone, other):
        checked(session, one, minutes=1)
    number = number_of(session, gone)
    row = monitors.get(session, page, "gone", lock=True)
    monitors.remove(session, page, row, actor=None)
    session.commit()
    assert left(session) == (2, 6, 1)
    new = scenes.monitor(session, page, "New")
    assert number_of(session, new) > number
    assert tasks.run("forget") == 4
    assert left(session) == (1, 3, 0)


def test_the_newest_region_leaves_its_number_unused(session: Session, page: Page) -> None:
    """The region made after the newest one was removed has another number: it gets no results of that one."""
    scenes.monitor(session, page, "Stays")
    number = number_of(session, scenes.monitor(session, page, "Newest"))
    monitors.remove(session, page, monitors.get(session, page, "newest", lock=True), actor=None)
    session.commit()
    assert number_of(session, scenes.monitor(session, page, "Next")) > number


def test_a_removed_region_leaves_nothing(session: Session, page: Page) -> None:
    """A monitor that is not asked from a region any more keeps only what the others say."""
    watcher = scenes.monitor(session, page, regions=["eu", "us"])
    results = [scenes.result(watcher, UP, region=region) for region in ("eu", "us")]
    monitoring.record(session, results)
    session.commit()
    row = monitors.get(session, page, watcher.slug, lock=True)
    monitors.change(session, page, row, {"regions": ["us"]}, actor=None)
    session.commit()
    forget()
    assert left(session) == (1, 3, 0)
    session.expire_all()
    (kept,) = monitors.get(session, page, watcher.slug).regions
    assert [one.region for one in checks.newest(session, [kept.id], 10)] == ["us"]


def test_a_removed_region_goes_in_portions(session: Session, page: Page) -> None:
    """One call takes at most as many rows as it is told, of several regions if one has fewer."""
    watcher = scenes.monitor(session, page, regions=["eu", "us"])
    monitoring.record(
        session,
        [
            scenes.result(watcher, UP, region=region, seconds=-second)
            for region in ("eu", "us")
            for second in range(4)
        ],
    )
    monitors.remove(session, page, monitors.get(session, page, watcher.slug, lock=True), actor=None)
    session.commit()
    rows = sum(left(session)[:2])
    counts = []
    while not counts or counts[-1]:
        counts.append(history.delete_removed(session, limit=3))
        session.commit()
    assert sum(counts) == rows
    assert max(counts) == 3
    assert left(session) == (0, 0, 0)


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_nobody_waits_for_it(app: Flask, session: Session, page: Page) -> None:
    """While old results are deleted and not committed yet, new ones of the same regions are recorded."""
    watcher = scenes.monitor(session, page)
    checked(session, watcher, days=40)
    checked(session, watcher, minutes=2)
    number = number_of(session, watcher)
    session.commit()
    before = datetime.now(UTC) - timedelta(days=30)
    assert history.delete_old(session, [number, number + 1], before, limit=10) == 1
    recorded = threading.Event()

    def work(own: Session, on: Page) -> None:
        monitoring.record(own, [scenes.result(watcher, UP)])
        own.commit()
        recorded.set()

    scenes.elsewhere(app, work)
    assert recorded.wait(5)
    session.commit()
    assert left(session)[0] == 2


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_key_finds_what_is_old(session: Session, page: Page) -> None:
    """PostgreSQL reads no table from end to end for a portion, also before it has counted anything."""
    watcher = scenes.monitor(session, page)
    number = number_of(session, watcher)
    old = datetime.now(UTC) - timedelta(days=40)
    rest = {"outcome": UP, "code": None, "milliseconds": None, "error": None}
    for region in range(number, number + 200):
        checks.add_all(
            session,
            [
                {"region_id": region, "at": old + timedelta(hours=hour), **rest}
                for hour in range(100)
            ],
        )
    session.commit()
    query = history._statement("postgresql", "statuspage_check_result", "AND at < :before")
    before = old + timedelta(hours=50)
    given = {"regions": f"{{{number},{number + 7}}}", "before": before, "most": 40}
    plan = session.execute(text(f"EXPLAIN {query.text}"), given)
    told = "\n".join(plan.scalars())
    assert "pk_statuspage_check_result" in told
    assert "Seq Scan" not in told


def test_rollups_are_read_by_regions(session: Session, page: Page) -> None:
    """What is kept of a region is found by its number, span and start."""
    watcher, other = scenes.monitor(session, page), scenes.monitor(session, page, "Other")
    for one in (watcher, other):
        checked(session, one, days=3)
        checked(session, one, days=1)
    number, since = number_of(session, watcher), datetime.now(UTC) - timedelta(days=2)
    ((region_id, start, tally),) = rollups.of_regions(
        session, [number], HOUR, since, since + timedelta(days=400)
    )
    assert (region_id, tally.up) == (number, 1)
    assert start % HOUR == 0
