"""What it takes the database to record a batch of results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.orm import Session

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.jobs import tasks
from flask_statuspage.probing import CheckResult
from flask_statuspage.services import monitoring
from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.rollups import DAY, Rollup
from flask_statuspage.storage.session import current_engine

from . import scenes
from .scenes import result
from .watching import record, verdict_of

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        sent.append(statement)

    event.listen(current_engine(), "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(current_engine(), "before_cursor_execute", note)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_statements_do_not_grow_with_the_batch(session: Session, page: Page) -> None:
    """Two hundred monitors in many states, none of which turns, take as few statements as ten."""
    scenes.component(session, page)
    rows = [
        scenes.monitor(session, page, f"M{number}", component="api", failure_threshold=3)
        for number in range(200)
    ]
    ids = [(row.id, row.slug) for row in rows]
    assert len(ids) == 200
    # Different neighbours have different columns to change.
    states = [UP, DOWN, UNKNOWN, UP, DEGRADED, UP, UNKNOWN, DOWN]
    record(session, *(result(row, UP, seconds=-9) for row in rows))
    record(
        session,
        *(result(row, states[n % 8], seconds=-8) for n, row in enumerate(rows)),
    )
    counts = []
    for number, many in enumerate((10, 200)):
        batch = [
            result(row, states[(n + 1) % 8], seconds=number) for n, row in enumerate(rows[:many])
        ]
        session.expire_all()
        session.rollback()
        with statements() as sent:
            monitoring.record(session, batch)
            session.commit()
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 10, sent


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_batches_of_new_monitors_do_not_wait_for_each_other(
    app: Flask, session: Session, page: Page
) -> None:
    """No batch is ended for the sake of another one that writes between the same rows of results."""
    rows = [scenes.monitor(session, page, f"M{number}") for number in range(36)]
    batches = [[result(row, UP) for row in rows[number::9]] for number in range(9)]
    session.commit()
    lost: list[BaseException] = []

    def note(context: ExceptionContext) -> None:
        lost.append(context.original_exception)

    def batch(its_results: list[CheckResult]) -> Callable[[Session, Page], None]:
        def work(other: Session, its_page: Page) -> None:
            other.rollback()  # as in a worker, the batch begins the transaction
            monitoring.record(other, its_results)

        return work

    event.listen(current_engine(), "handle_error", note)
    try:
        done = scenes.at_once(app, *map(batch, batches))
    finally:
        event.remove(current_engine(), "handle_error", note)
    assert done == [None] * 9
    assert lost == []
    assert {verdict_of(session, row) for row in rows} == {UP}


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_housekeeping_locks_no_gaps(app: Flask, session: Session, page: Page) -> None:
    """Due times are brought nearer in a transaction that sees what is committed by then."""
    scenes.monitor(session, page)
    levels: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        if "due_at" in statement:
            levels.append(connection.get_isolation_level())  # type: ignore[attr-defined]

    event.listen(current_engine(), "before_cursor_execute", note)
    try:
        tasks.run("housekeep")
    finally:
        event.remove(current_engine(), "before_cursor_execute", note)
    assert levels
    assert set(levels) == {"READ COMMITTED"}


def test_a_batch_that_comes_twice_counts_once(session: Session, page: Page) -> None:
    """Where the database commits and its word is lost, the same results come again."""
    rows = [scenes.monitor(session, page, name, failure_threshold=2) for name in ("One", "Two")]
    batch = [result(rows[0], UP), result(rows[1], DOWN)]
    record(session, *batch)
    record(session, *batch)
    assert session.scalar(select(func.count(Check.at))) == 2
    fine = select(func.sum(Rollup.up + Rollup.down)).where(Rollup.span == DAY)
    assert session.scalar(fine) == 2
    record(session, replace(batch[0], milliseconds=7))
    assert session.scalar(select(func.count(Check.at))) == 3


def test_of_a_batch_that_comes_twice_every_result_counts_once(session: Session, page: Page) -> None:
    """Also those that are not the latest of their region, and such as came beside others."""
    row = scenes.monitor(session, page, failure_threshold=9)
    batch = [result(row, (UP, DOWN)[n % 2], seconds=n - 10) for n in range(6)]
    record(session, *batch[:4])
    record(session, *batch)
    record(session, *batch[::-1])
    assert session.scalar(select(func.count(Check.at))) == 6
    counted = select(func.sum(Rollup.up), func.sum(Rollup.down)).where(Rollup.span == DAY)
    assert session.execute(counted).one() == (3, 3)
    # Another answer of the same moment is no double.
    record(session, replace(batch[1], error="Refused"))
    assert session.scalar(select(func.count(Check.at))) == 7


def test_results_that_are_new_are_not_looked_up(session: Session, page: Page) -> None:
    """Whether they are stored is asked only of what is not later than the latest."""
    row = scenes.monitor(session, page)
    record(session, result(row, UP, seconds=-9))
    with statements() as sent:
        record(session, result(row, UP))
    assert not any("FROM statuspage_check_result" in statement for statement in sent)
