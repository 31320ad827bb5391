"""Checks by a worker: together where targets are fast, lost where nothing fails."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pymysql
import pytest
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.jobs import checking
from flask_statuspage.probing import CheckResult
from flask_statuspage.storage import pages
from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.session import current_engine, current_session, database_now, is_away
from tests.servers.http import Answer, Target
from tests.servers.postgresql import PostgresqlServer
from tests.story.site import Site, eventually, running_site


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    config = {"SQLALCHEMY_DATABASE_URI": database_url, "STATUSPAGE_WORKER_THREADS": 4}
    with running_site(tmp_path, **config) as site:
        yield site


def watch(session: Session, urls: list[str], *, timeout: float = 5.0) -> None:
    """A monitor for each URL, due now, the first ones longest; their slugs are their numbers.

    The beat of one may come at any moment, even of a day's: then it is asked again.
    """
    page, now = pages.default_page(session), database_now(session)
    rows = [
        Monitor(
            page_id=page.id,
            slug=f"m-{number}",
            name="M",
            kind="http",
            target=url,
            interval=86_400,
            timeout=timeout,
            failure_threshold=3,
            recovery_threshold=2,
            outage_status=ComponentStatus.MAJOR_OUTAGE,
            regions=[
                MonitorRegion(region="default", due_at=now - timedelta(seconds=30 - number / 100))
            ],
        )
        for number, url in enumerate(urls)
    ]
    session.add_all(rows)
    session.commit()


def outcomes(session: Session) -> dict[str, str]:
    """The outcome of each monitor that has a result, by its slug."""
    session.rollback()
    rows = session.execute(
        select(Monitor.slug, Check.outcome)
        .join(MonitorRegion, MonitorRegion.monitor_id == Monitor.id)
        .join(Check, Check.region_id == MonitorRegion.id)
    ).all()
    return {slug: outcome.value for slug, outcome in rows}


def still_due(session: Session) -> set[str]:
    session.rollback()
    query = (
        select(Monitor.slug)
        .join(Monitor.regions)
        .where(MonitorRegion.due_at <= database_now(session))
    )
    return set(session.scalars(query))


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
def test_fast_targets_are_recorded_together(site: Site, target: Target) -> None:
    """Two hundred checks by four threads take a few transactions, not one each."""
    with site.app.app_context():
        session, many = current_session(), 200
        watch(session, [target.url] * many)
        commits = []

        def note(connection: Connection) -> None:
            commits.append(connection)

        event.listen(current_engine(), "commit", note)
        assert checking.check_due("default", lambda: False) >= many
        event.remove(current_engine(), "commit", note)
        assert outcomes(session) == {f"m-{number}": "up" for number in range(many)}
        assert still_due(session) == set()
        assert len(commits) < many / 3
    assert len(target.requests) >= many


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_waits_behind_hanging_targets_goes_to_others(site: Site, target: Target) -> None:
    """When all threads hang, what was claimed ahead is due again; a stop loses neither answers nor checks."""
    hanging = target.set("/hang", Answer(hang=True))
    urls = [target.url] * 40 + [hanging] * 4 + [target.url] * 10
    stopping, asked = threading.Event(), []
    with site.app.app_context():
        watch(current_session(), urls, timeout=8)

    def work() -> None:
        with site.app.app_context():
            asked.append(checking.check_due("default", stopping.is_set))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        eventually(lambda: target.count("/hang") == 4, within=30, what="all threads hang")
        with site.app.app_context():
            session = current_session()
            eventually(lambda: still_due(session), within=7, what="the rest is given back")
    finally:
        stopping.set()
        worker.join()
    with site.app.app_context():
        done, left = outcomes(current_session()), still_due(current_session())
    assert {slug for slug, outcome in done.items() if outcome == "down"} == {
        f"m-{number}" for number in range(40, 44)
    }
    assert done.keys() | left == {f"m-{number}" for number in range(len(urls))}
    assert len(left) > 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_stop_waits_for_answers_only(site: Site, target: Target) -> None:
    """A worker that is told to stop claims nothing more, and records what is on its way."""
    with site.app.app_context():
        session = current_session()
        watch(session, [target.set("/slow", Answer(delay=0.5))] * 12)
        began = time.monotonic()
        assert checking.check_due("default", lambda: bool(target.requests)) == 4
        assert time.monotonic() - began < 3
        assert len(outcomes(session)) == 4
        assert len(still_due(session)) == 8


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_results_wait_for_the_database(
    tmp_path: Path,
    database_url: str,
    target: Target,
    postgresql_server: PostgresqlServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is away when the answers come: they are recorded when it is back, and nothing is raised. So are failures,
    which are to be doubted first."""
    config = {
        "SQLALCHEMY_DATABASE_URI": database_url,
        "STATUSPAGE_REFERENCE_TARGETS": target.set("/reference", Answer()),
        "STATUSPAGE_ALLOW_HTTP_TARGETS": True,
        "STATUSPAGE_ALLOW_PRIVATE_TARGETS": True,
    }
    urls = [
        target.set("/slow", Answer(delay=3)),
        target.set("/bad", Answer(delay=3, status=500)),
    ]

    def restart() -> None:
        target.wait_for(lambda request: len(target.requests) == 2)
        postgresql_server.stop()
        try:
            eventually(
                lambda: "cannot be recorded yet" in caplog.text,
                within=30,
                what="the answers are there",
            )
        finally:
            postgresql_server.start()

    with running_site(tmp_path, **config) as site:
        with site.app.app_context():
            watch(current_session(), urls, timeout=20)
        meddler = threading.Thread(target=restart)
        meddler.start()
        try:
            with site.app.app_context():
                assert checking.check_due("default", lambda: False) == 2
        finally:
            meddler.join()
        with site.app.app_context():
            assert outcomes(current_session()) == {"m-0": "up", "m-1": "down"}
    assert "cannot be recorded yet" in caplog.text


def results_of(session: Session) -> list[CheckResult]:
    """A good result of each monitor."""
    query, now = select(Monitor.id).order_by(Monitor.slug), database_now(session)
    found = [
        CheckResult(
            outcome=Verdict.UP, milliseconds=5, monitor_id=monitor_id, region="default", at=now
        )
        for monitor_id in session.scalars(query).all()
    ]
    session.rollback()
    return found


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_result_that_is_refused_costs_no_other(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """The database does not take one of many: it is logged, the others count in a few transactions."""
    with site.app.app_context():
        session, many, commits = current_session(), 40, []
        watch(session, ["http://127.0.0.1:9/"] * many)
        session.execute(
            text(
                "ALTER TABLE statuspage_check_result ADD CONSTRAINT odd CHECK (milliseconds <> 666)"
            )
        )
        session.commit()
        results = results_of(session)
        results[7] = replace(results[7], milliseconds=666)

        def note(connection: Connection) -> None:
            commits.append(connection)

        event.listen(current_engine(), "commit", note)
        record = checking.Record()
        record.add(results)
        record.close()
        event.remove(current_engine(), "commit", note)
        assert len(outcomes(session)) == many - 1
        assert len(commits) < 10
    assert caplog.text.count("could not be recorded") == 1


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
def test_what_a_column_cannot_hold_costs_no_result(site: Site) -> None:
    """Numbers beyond it, and characters that are none, as a probe of another package may find."""
    with site.app.app_context():
        session = current_session()
        watch(session, ["http://127.0.0.1:9/"] * 3)
        results = results_of(session)
        results[0] = replace(results[0], milliseconds=2**40, code=2**40)
        results[1] = replace(results[1], milliseconds=-1, code=-(2**40))
        results[2] = replace(
            results[2], outcome=Verdict.DOWN, error="a\0b\ud800c", observed={"a\0": ["\udfff", 1]}
        )
        record = checking.Record()
        record.add(results)
        assert outcomes(session) == {"m-0": "up", "m-1": "up", "m-2": "down"}
        rows = session.execute(select(Check.milliseconds, Check.code, Check.error)).all()
        assert set(rows) == {(2**31 - 1, None, None), (0, None, None), (5, None, "ab?c")}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_after_an_outage_results_come_in_portions(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many results that waited are not one long transaction, which would hold all their monitors."""
    monkeypatch.setattr(checking, "PORTION", 4)
    commits: list[Connection] = []
    with site.app.app_context():
        session = current_session()
        watch(session, ["http://127.0.0.1:9/"] * 10)
        results = results_of(session)

        def note(connection: Connection) -> None:
            commits.append(connection)

        event.listen(current_engine(), "commit", note)
        checking.Record().add(results)
        event.remove(current_engine(), "commit", note)
        assert len(outcomes(session)) == 10
    assert len(commits) == 3


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (pymysql.err.OperationalError(4025, "CONSTRAINT failed"), False),
        (pymysql.err.OperationalError(1366, "Incorrect string value"), False),
        (pymysql.err.OperationalError(2003, "Can't connect"), True),
        (pymysql.err.OperationalError(1213, "Deadlock found"), True),
        (sqlite3.OperationalError("database is locked"), True),
        (sqlite3.OperationalError("no such table: statuspage_page"), False),
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.errors.AdminShutdown("terminating connection"), True),
        (psycopg.errors.NumericValueOutOfRange("integer out of range"), False),
    ],
)
def test_only_a_database_that_cannot_be_had_is_away(cause: Exception, expected: bool) -> None:
    """What it refuses is refused again, however its driver calls the error."""
    names = [one.__name__ for one in type(cause).__mro__]
    kind = OperationalError if "OperationalError" in names else DataError
    assert is_away(kind("SELECT 1", {}, cause)) is expected


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_asked_is_recorded_whatever_happens_to_the_task(
    site: Site, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in the task itself, here of the clock that it stops by, loses no result that is on its way."""
    with site.app.app_context():
        watch(current_session(), [target.set("/slow", Answer(delay=2.0)), target.url])

        def stopping() -> bool:
            if len(target.requests) == 2:
                raise ZeroDivisionError
            return False

        with pytest.raises(ZeroDivisionError):
            checking.check_due("default", stopping)
        assert current_session().scalar(select(func.count()).select_from(Check)) == 2
