"""What windows see of the counts of many processes, and that merging these changes nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, event, func, select
from sqlalchemy.orm import Session, selectinload

from flask_statuspage.domain.ids import new_id
from flask_statuspage.jobs import tasks
from flask_statuspage.services import known, monitors
from flask_statuspage.storage import races, traffic
from flask_statuspage.storage.monitors import MonitorRegion
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_engine, database_now
from flask_statuspage.storage.traffic import Traffic

from . import scenes

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty(session: Session) -> Iterator[None]:
    yield
    session.rollback()
    session.execute(delete(Traffic))
    session.commit()


def count(
    at: datetime, *, name: str = "shop", requests: int = 1, errors: int = 0, took: str = "5"
) -> dict[str, Any]:
    """What one process counted in ten seconds."""
    values = {"requests": requests, "errors": errors, "histogram": took}
    return {"id": new_id(), "name": name, "at": at, **values}


def watch(session: Session, page: Page, name: str, window: int) -> UUID:
    monitor = monitors.create(
        session,
        page,
        name=f"{name} {window}",
        kind="traffic",
        target=name,
        options={"window": window},
        by_code=True,
    )
    session.commit()
    return monitor.id


def seen(session: Session, now: datetime) -> dict[UUID, Any]:
    regions = session.scalars(
        select(MonitorRegion).options(selectinload(MonitorRegion.monitor))
    ).all()
    return dict(known.known_of(session, regions, now))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("after", [0, 1, 5, 9.5])
def test_a_window_is_as_long_as_it_says(session: Session, page: Page, after: float) -> None:
    """Whenever in ten seconds it is asked: all of the last 30 s counts, and nothing much older."""
    shop = watch(session, page, "shop", 30)
    now = NOON + timedelta(seconds=after)
    begins = now - timedelta(seconds=30)
    buckets = [NOON - timedelta(seconds=seconds) for seconds in range(0, 70, 10)]
    traffic.add_all(session, [count(at) for at in buckets])
    touched = [at for at in buckets if at + timedelta(seconds=traffic.SECONDS) > begins]
    assert len(touched) <= seen(session, now)[shop]["requests"] <= len(touched) + 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_each_name_is_added_up_once(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty monitors of one blueprint and one window cost as much as one; each name has its own counts."""
    traffic.add_all(
        session, [count(NOON, requests=7), count(NOON, name="other", requests=2, errors=1)]
    )
    many = [watch(session, page, "shop", 300) for _ in range(40)]
    other = watch(session, page, "other", 60)
    read: list[str] = []
    original = known.Histogram.read

    def reading(text: str) -> Any:
        read.append(text)
        return original(text)

    monkeypatch.setattr(known.Histogram, "read", reading)
    found = seen(session, NOON)
    assert {found[one]["requests"] for one in many} == {7}
    assert (found[other]["requests"], found[other]["errors"]) == (2, 1)
    assert len(read) == 2


def test_merging_changes_no_window_and_leaves_a_row_for_each_instant(
    session: Session, page: Page
) -> None:
    """What sixteen processes counted is one row by name and instant; a window says what it said before."""
    shop, longer = watch(session, page, "shop", 60), watch(session, page, "shop", 3600)
    now = database_now(session)
    first = now.replace(microsecond=0) - timedelta(minutes=30)
    instants = [first + timedelta(seconds=10 * number) for number in range(12)]
    rows = [
        count(at, requests=3, errors=process % 2, took=f"{process}*2 90")
        for at in instants
        for process in range(16)
    ]
    fresh = [count(now - timedelta(seconds=20)) for _ in range(3)]
    traffic.add_all(session, [*rows, *fresh, count(instants[0], name="other")])
    session.commit()
    ends = instants[-1]
    before = seen(session, ends), seen(session, now)
    tasks.run("housekeep")
    session.rollback()
    assert (seen(session, ends), seen(session, now)) == before
    assert before[1][longer]["requests"] == 12 * 16 * 3 + 3
    assert before[0][shop]["errors"] > 0
    read = traffic.since(session, ["shop"], first)
    assert len(read) == 12 + 3
    # An answer that was lost: what is sent again, however late, counts once.
    traffic.add_all(session, [*rows, *fresh])
    session.commit()
    assert (seen(session, ends), seen(session, now)) == before


def test_many_merge_while_others_write(app: Flask, session: Session, page: Page) -> None:
    """Two that merge at once and processes that bring what they could not write before: all counts once."""
    session.commit()
    instants = [NOON + timedelta(seconds=10 * number) for number in range(5)]
    traffic.add_all(session, [count(at) for at in instants for _ in range(8)])
    session.commit()
    ends = NOON + timedelta(hours=1)

    def merge(other: Session, its_page: Page) -> None:
        for _ in range(5):
            races.committed(other, lambda one: traffic.merge(one, NOON, ends, limit=100))

    def write(other: Session, its_page: Page) -> None:
        for _ in range(5):
            rows = [count(at) for at in instants]
            for _ in range(2):  # the answer was lost
                races.committed(other, lambda one, rows=rows: traffic.add_all(one, rows))

    work: list[Callable[[Session, Page], None]] = [merge, write, merge, write]
    assert scenes.at_once(app, *work) == [None] * 4
    session.rollback()
    traffic.merge(session, NOON, ends, limit=100)
    session.commit()
    assert session.scalar(select(func.sum(Traffic.requests))) == 5 * 8 + 2 * 5 * 5
    assert len(traffic.since(session, ["shop"], NOON)) == 5
    (merged, *_) = traffic.since(session, ["shop"], NOON)
    assert merged.histogram == "5*18"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_merging_is_done_in_portions(session: Session) -> None:
    """A long outage of the housekeeping is caught up with step by step, the oldest first."""
    instants = [NOON + timedelta(seconds=10 * number) for number in range(5)]
    traffic.add_all(session, [count(at) for at in instants for _ in range(2)])
    statements: list[str] = []
    event.listen(
        current_engine(), "before_cursor_execute", lambda *args: statements.append(args[2])
    )
    done = [traffic.merge(session, NOON, NOON + timedelta(hours=1), limit=2) for _ in range(4)]
    assert done == [2, 2, 1, 0]
    assert len(statements) < 25
