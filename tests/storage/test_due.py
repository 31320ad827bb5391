"""Checks are due on a beat of their own, and taken by one worker at a time, on every database."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.storage import due, monitors, pages
from flask_statuspage.storage.due import DueCheck
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.session import current_engine, current_session, database_now

WORKERS = 4
numbers = count()


def watch(
    session: Session,
    how_many: int,
    *,
    interval: int = 60,
    due_at: datetime | None = None,
    region: str = "default",
    kind: str = "http",
) -> list[int]:
    """Monitors due now, or at *due_at*; returns the ids of the region rows."""
    page = pages.default_page(session)
    due_at = due_at or database_now(session)
    rows = [
        Monitor(
            page_id=page.id,
            slug=f"watched-{next(numbers)}",
            name="M",
            kind=kind,
            target="https://example.com",
            interval=interval,
            timeout=10,
            failure_threshold=3,
            recovery_threshold=2,
            outage_status=ComponentStatus.MAJOR_OUTAGE,
            regions=[MonitorRegion(region=region, due_at=due_at)],
        )
        for _ in range(how_many)
    ]
    session.add_all(rows)
    session.commit()
    query = select(MonitorRegion.id).where(MonitorRegion.monitor_id.in_([row.id for row in rows]))
    return list(session.scalars(query))


def claim(
    session: Session, now: datetime, *, limit: int = 100, region: str = "default"
) -> list[int]:
    """Claim and commit; the ids of the region rows."""
    found = [check.region_id for check in due.claim(session, region, now, limit=limit)]
    session.commit()
    return found


def as_taken(checks: list[DueCheck]) -> list[tuple[UUID, datetime, datetime]]:
    """*checks* as they are given back."""
    return [(check.monitor.id, check.due_at, check.next_at) for check in checks]


def dues(session: Session) -> dict[int, datetime]:
    session.rollback()
    query = select(MonitorRegion.id, MonitorRegion.due_at).where(MonitorRegion.due_at.is_not(None))
    return {row.id: row.due_at for row in session.execute(query)}


def seconds(many: float) -> timedelta:
    return timedelta(seconds=many)


def test_no_check_is_claimed_twice(app: Flask) -> None:
    """Workers of one region that look at the same moment share the due checks out."""
    with app.app_context():
        rows = watch(current_session(), 20)
        now = database_now(current_session())
    barrier = threading.Barrier(WORKERS)
    for number in range(12):
        # Between two instants an interval apart each beat has one.
        then = now + seconds(60 * number)

        def work(now: datetime = then) -> list[int]:
            with app.app_context():
                barrier.wait()
                session = current_session()
                return [one for _ in range(8) for one in claim(session, now, limit=3)]

        with ThreadPoolExecutor(WORKERS) as pool:
            shares = [future.result() for future in [pool.submit(work) for _ in range(WORKERS)]]
        with app.app_context():
            shares.append(claim(current_session(), then))
        assert Counter(one for share in shares for one in share) == Counter(rows)


def test_new_monitors_are_due_at_once_and_then_apart(session: Session) -> None:
    """Those made together are asked together once; afterwards each at its own time, at most an interval later."""
    now = database_now(session)
    rows = watch(session, 60, due_at=now)
    assert sorted(claim(session, now)) == sorted(rows)
    after = [(due_at - now).total_seconds() for due_at in dues(session).values()]
    assert 0 < min(after) < 10
    assert 50 < max(after) <= 60
    assert max(Counter(int(one) for one in after).values()) < 12


def test_a_check_keeps_its_rhythm(session: Session) -> None:
    """The next check is due one interval after this one was, however late the claim came."""
    (row,) = watch(session, 1)
    claim(session, database_now(session))
    due_at = dues(session)[row]
    for lag in (20, 0, 59.9, 3):
        assert claim(session, due_at + seconds(lag)) == [row]
        assert dues(session)[row] == due_at + seconds(60)
        due_at += seconds(60)


@pytest.mark.parametrize("interval", [5, 60, 600])
def test_a_long_stop_is_not_followed_by_a_burst(session: Session, interval: int) -> None:
    """What was missed in an hour is not made up for: each is asked at its next time, within one interval."""
    rows = watch(session, 40, interval=interval)
    start = database_now(session)
    claim(session, start)
    before = dues(session)
    now = start + seconds(3600 + 2 * interval)
    # A claim that takes none moves them on all the same, those beyond its limit too.
    due.claim(session, "default", now, limit=1)
    session.commit()
    after = dues(session)
    for row in rows:
        assert now < after[row] <= now + seconds(interval)
        assert (after[row] - before[row]) % seconds(interval) == timedelta(0)
    assert due.due_regions(session, now) == []
    asked = [
        one for step in range(1, 11) for one in claim(session, now + seconds(interval * step / 10))
    ]
    assert sorted(asked) == sorted(rows)


def test_a_stop_of_less_than_an_interval_misses_nothing(session: Session) -> None:
    """What is late by less is asked, though it is late by minutes; what is late by more is not."""
    (slow,) = watch(session, 1, interval=3600)
    (fast,) = watch(session, 1, interval=60)
    start = database_now(session)
    session.execute(update(MonitorRegion).values(due_at=start))
    session.commit()
    now = start + seconds(300)
    assert claim(session, now) == [slow]
    assert start < dues(session)[fast] - seconds(300) <= start + seconds(60)


def test_the_oldest_come_first(session: Session) -> None:
    """Under overload a limit takes what has waited longest, and a short interval is asked once, not for each beat."""
    start = database_now(session)
    old, older, oldest = (
        watch(session, 1, interval=5, due_at=start - seconds(late))[0] for late in (10, 30, 50)
    )
    assert [claim(session, start, limit=1) for _ in range(4)] == [[oldest], [older], [old], []]


def test_a_clock_that_was_ahead_silences_nobody(session: Session) -> None:
    """Due times that no beat would give are brought nearer; all others stay as they are."""
    now = database_now(session)
    lost = watch(session, 3, due_at=now + seconds(90_000))
    (fine,) = watch(session, 1, due_at=now + seconds(59))
    (paused,) = watch(session, 1)
    session.execute(update(MonitorRegion).where(MonitorRegion.id == paused).values(due_at=None))
    session.commit()
    assert due.keep_beat(session, now) == 3
    session.commit()
    after = dues(session)
    assert all(now < after[row] <= now + seconds(60) for row in lost)
    assert after[fine] == now + seconds(59)
    assert paused not in after
    assert due.keep_beat(session, now) == 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_is_on_its_beat_is_not_even_read(session: Session) -> None:
    """Of many rows only those that are astray leave the database, each minute."""
    now = database_now(session)
    watch(session, 20, due_at=now + seconds(59))
    watch(session, 1, due_at=now + seconds(90_000))
    read: list[int] = []

    def note(connection: object, cursor: Any, statement: str, *more: object) -> None:
        if "interval" in statement:
            read.append(cursor.rowcount)

    event.listen(current_engine(), "after_cursor_execute", note)
    try:
        assert due.keep_beat(session, now) == 1
    finally:
        event.remove(current_engine(), "after_cursor_execute", note)
    assert read == [1]


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_what_is_given_back_is_held_in_one_order(app: Flask, session: Session) -> None:
    """Whoever gives back may wait for others who hold some: all of them lock monitors by their ids."""
    watch(session, 40)
    taken = due.claim(session, "default", database_now(session), limit=100)
    session.commit()
    given = as_taken(taken)
    asked: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        if "FOR UPDATE" in statement:
            asked.append(statement)

    event.listen(current_engine(), "before_cursor_execute", note)
    try:
        due.give_back(session, "default", given[::-1])
        session.commit()
    finally:
        event.remove(current_engine(), "before_cursor_execute", note)
    (statement,) = asked
    assert "ORDER BY statuspage_region.monitor_id" in statement


def test_a_heartbeat_is_due_where_its_job_says(session: Session) -> None:
    """Its time is neither brought nearer, as it has a grace, nor passed over after a stop."""
    now = database_now(session)
    (later,) = watch(session, 1, kind="heartbeat", due_at=now + seconds(100))
    (late,) = watch(session, 1, kind="heartbeat", due_at=now - seconds(7200))
    assert due.keep_beat(session, now) == 0
    assert claim(session, now) == [late]
    assert dues(session)[later] == now + seconds(100)


def test_what_was_not_asked_is_given_back(session: Session) -> None:
    """It is due as before and the next one gets it; one that is due at another time by now is left alone."""
    first, second, third = sorted(watch(session, 3))
    now = database_now(session)
    taken = due.claim(session, "default", now, limit=10)
    session.commit()
    session.execute(
        update(MonitorRegion).where(MonitorRegion.id == second).values(due_at=now - seconds(9))
    )
    session.execute(
        update(MonitorRegion).where(MonitorRegion.id == third).values(due_at=now + seconds(99))
    )
    session.commit()
    due.give_back(session, "default", as_taken(taken))
    session.commit()
    were = {check.region_id: check.due_at for check in taken}
    assert dues(session) == {
        **{first: were[first], second: now - seconds(9)},
        third: now + seconds(99),
    }
    assert sorted(claim(session, now)) == [first, second]


def test_a_region_sees_its_own_checks_only(session: Session) -> None:
    """Workers of other regions find nothing due; the scheduler wakes those that have something."""
    now = database_now(session)
    here = watch(session, 2, due_at=now)
    watch(session, 2, region="eu", due_at=now + seconds(5))
    watch(session, 1, region="ap", due_at=now - seconds(2))
    assert due.due_regions(session, now) == ["ap", "default"]
    assert due.due_regions(session, now + seconds(5)) == ["ap", "default", "eu"]
    assert due.lag(session, now + seconds(1.5)) == 3.5
    assert claim(session, now, region="eu") == []
    (first, _) = found = due.claim(session, "default", now, limit=10)
    assert {check.region_id for check in found} == set(here)
    assert (first.monitor.interval, first.monitor.options, first.due_at) == (60, {}, now)


def test_a_claim_and_a_record_do_not_wait_for_each_other(app: Flask) -> None:
    """Whoever records results holds their monitors; others of them are claimed, and the held ones wait their turn."""
    with app.app_context():
        session = current_session()
        if session.get_bind().dialect.name == "sqlite":
            pytest.skip("one writer")
        now = database_now(session)
        held, free = watch(session, 2, due_at=now)
        ids = {row.id: row.monitor_id for row in session.scalars(select(MonitorRegion))}
        session.rollback()
        monitors.locked(session, [ids[held]])

        def other() -> list[int]:
            with app.app_context():
                return claim(current_session(), now)

        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(other).result(10) == [free]
            session.rollback()
            claimed = due.claim(session, "default", now, limit=10)
            assert [check.region_id for check in claimed] == [held]

            def record() -> int:
                with app.app_context():
                    return len(monitors.locked(current_session(), [ids[free]]))

            assert pool.submit(record).result(10) == 1


def test_a_claim_takes_few_statements(session: Session) -> None:
    """As many for one check as for a hundred."""

    def statements(limit: int) -> int:
        sent = []
        engine = current_engine()

        def note(*arguments: object) -> None:
            sent.append(arguments[2])

        event.listen(engine, "before_cursor_execute", note)
        try:
            assert len(claim(session, now, limit=limit)) == limit
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(sent)

    now = database_now(session)
    watch(session, 101, due_at=now)
    session.commit()
    assert statements(1) == statements(100) <= 8


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("known", ["nothing", "none was due", "all were due"])
def test_a_claim_reads_what_it_takes_however_many_are_due(session: Session, known: str) -> None:
    """So does a look for what is due, whatever the database's statistics say."""

    def rows_read() -> int:
        query = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'statuspage_region'"
        return session.scalar(text(query)) or 0

    # What is known is what is said below, and not what the server finds out by itself meanwhile.
    for table in ("statuspage_region", "statuspage_monitor"):
        session.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
    session.commit()
    now = database_now(session)
    watch(session, 2000, due_at=now if known == "all were due" else now + seconds(3000))
    if known != "nothing":
        session.execute(text("ANALYZE statuspage_region"))
        session.execute(text("ANALYZE statuspage_monitor"))
    session.execute(update(MonitorRegion).values(due_at=now))
    session.commit()
    before = rows_read()
    assert due.due_regions(session, now) == ["default"]
    assert rows_read() - before <= 10
    before = rows_read()
    assert len(due.claim(session, "default", now, limit=10)) == 10
    assert rows_read() - before <= 80
