"""Whoever claims checks holds those that it takes, and no others."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from flask_statuspage.storage import due, monitor_clock
from flask_statuspage.storage.monitors import MonitorRegion
from flask_statuspage.storage.session import (
    begin_read_committed,
    current_engine,
    current_session,
    database_now,
)

from .test_due import claim, seconds, watch

BOTH = pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)


@BOTH
@pytest.mark.parametrize("others", [0, 1, 200])
@pytest.mark.parametrize("pushdown", ["on", "off"])
def test_what_is_not_due_can_be_made_due_beside_a_claim(
    app: Flask, database: str, session: Session, others: int, pushdown: str
) -> None:
    """The next one is free, however many come after it, also where MariaDB reads whole rows to see when it is due."""
    now = database_now(session)
    taken = watch(session, 3, due_at=now)
    (next_one,) = watch(session, 1, due_at=now + seconds(40))
    watch(session, others, due_at=now + seconds(50))
    session.commit()
    begin_read_committed(session)
    if database == "mariadb":
        switch = f"index_condition_pushdown={pushdown}"
        session.execute(text("SET SESSION optimizer_switch = :switch"), {"switch": switch})
    try:
        found = due.claim(session, "default", now, limit=16)
        assert sorted(check.region_id for check in found) == sorted(taken)

        def wake() -> set[str]:
            with app.app_context():
                other = current_session()
                begin_read_committed(other)
                woken = monitor_clock.make_due(
                    other, {next_one}, now, unless_woken_since=now - seconds(15)
                )
                other.commit()
                return woken

        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(wake).result(30) == {"default"}
    finally:
        if database == "mariadb":
            session.execute(text("SET SESSION optimizer_switch = DEFAULT"))
        session.commit()


@BOTH
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_nobody_comes_back_with_less_than_there_is(
    app: Flask, session: Session, limit: int
) -> None:
    """While another one holds the oldest, those after them are taken, in a few statements."""
    now = database_now(session)
    oldest = watch(session, 150, due_at=now - seconds(9))
    rest = watch(session, 120, due_at=now)
    session.commit()
    held = due.claim(session, "default", now, limit=150)
    assert sorted(check.region_id for check in held) == sorted(oldest)
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        sent.append(statement)

    def other() -> list[int]:
        with app.app_context():
            return claim(current_session(), now, limit=limit)

    event.listen(current_engine(), "before_cursor_execute", note)
    try:
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(other).result(30)
    finally:
        event.remove(current_engine(), "before_cursor_execute", note)
    session.commit()
    assert len(set(found)) == limit
    assert set(found) <= set(rest)
    assert len(sent) <= 14


@BOTH
def test_of_those_that_are_free_the_oldest_come_first(app: Flask, session: Session) -> None:
    """A few of the oldest are held elsewhere: the others of them are taken before all that come later."""
    now = database_now(session)
    rows = [watch(session, 1, due_at=now - seconds(30 - number))[0] for number in range(9)]
    session.commit()
    query = select(MonitorRegion.id).where(MonitorRegion.id.in_([rows[0], rows[2]]))
    session.execute(query.with_for_update())

    def other() -> list[int]:
        with app.app_context():
            return claim(current_session(), now, limit=4)

    with ThreadPoolExecutor(1) as pool:
        first, second = pool.submit(other).result(30)[:2]
    session.commit()
    assert [first, second] == [rows[1], rows[3]]


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_a_claim_on_mariadb_reads_what_it_takes_however_many_are_due(
    app: Flask, session: Session
) -> None:
    """So it does where it passes over what others hold."""

    def rows_read() -> int:
        counts = session.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
        return sum(int(row[1]) for row in counts)

    now = database_now(session)
    watch(session, 2000, due_at=now)
    begin_read_committed(session)
    before = rows_read()
    assert len(due.claim(session, "default", now, limit=10)) == 10
    assert rows_read() - before <= 80
    session.rollback()
    held, done = threading.Event(), threading.Event()

    def other() -> None:
        with app.app_context():
            try:
                assert len(due.claim(current_session(), "default", now, limit=50)) == 50
                held.set()
                assert done.wait(30)
            finally:
                current_session().rollback()

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(other)
        try:
            assert held.wait(30)
            begin_read_committed(session)
            before = rows_read()
            assert len(due.claim(session, "default", now, limit=10)) == 10
            assert rows_read() - before <= 400
        finally:
            done.set()
        working.result(30)
