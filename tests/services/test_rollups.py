"""What many checks amount to, written with them: late ones, doubles, clocks that stepped, maintenance."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import chain, count

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from flask_statuspage.domain.latency import Histogram
from flask_statuspage.domain.tally import Tally
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import CheckResult
from flask_statuspage.services import maintenances, monitoring
from flask_statuspage.storage import rollups
from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.races import committed
from flask_statuspage.storage.rollups import DAY, FINE, HOUR, Rollup
from flask_statuspage.storage.session import current_engine, current_session

from . import scenes

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def at(
    monitor: Monitor,
    instant: datetime,
    outcome: Verdict = UP,
    ms: int | None = 100,
    *,
    region: str = "default",
) -> CheckResult:
    return CheckResult(
        monitor_id=monitor.id, region=region, at=instant, outcome=outcome, milliseconds=ms
    )


def record(session: Session, *results: CheckResult) -> None:
    monitoring.record(session, results)
    session.commit()


def kept(session: Session, span: int) -> dict[datetime, Rollup]:
    """The rollups of that span by their start; there is one region."""
    query = select(Rollup).where(Rollup.span == span).execution_options(populate_existing=True)
    return {row.at: row for row in session.scalars(query)}


def counts(row: Rollup) -> tuple[int, int, int, int]:
    return row.up, row.degraded, row.down, row.unknown


def test_a_check_counts_in_its_five_minutes_hour_and_day(session: Session, page: Page) -> None:
    """Each span has the counts, and the durations of the checks that were answered."""
    watcher = scenes.monitor(session, page)
    first = MIDNIGHT + timedelta(hours=2, minutes=7)
    record(
        session,
        at(watcher, first, UP, 100),
        at(watcher, first + timedelta(minutes=1), DEGRADED, 900),
        at(watcher, first + timedelta(minutes=2), DOWN, 10_000),
    )
    record(session, at(watcher, first + timedelta(minutes=20), UNKNOWN, 3))
    fine = kept(session, FINE)
    assert {start: counts(row) for start, row in fine.items()} == {
        MIDNIGHT + timedelta(hours=2, minutes=5): (1, 1, 1, 0),
        MIDNIGHT + timedelta(hours=2, minutes=25): (0, 0, 0, 1),
    }
    for span, start in ((HOUR, MIDNIGHT + timedelta(hours=2)), (DAY, MIDNIGHT)):
        ((found, row),) = kept(session, span).items()
        assert (found, counts(row)) == (start, (1, 1, 1, 1))
        assert (row.ms_count, row.ms_sum, row.ms_min, row.ms_max) == (2, 1000, 100, 900)
        assert Histogram.read(row.histogram) == Histogram.of([100, 900])


def test_without_a_duration_there_is_none(session: Session, page: Page) -> None:
    """A check without milliseconds counts by its outcome only; its least and greatest are not known."""
    record(session, at(scenes.monitor(session, page), MIDNIGHT, UP, None))
    (row,) = kept(session, DAY).values()
    assert (row.up, row.ms_count, row.ms_min, row.ms_max, row.histogram) == (1, 0, None, None, "")


def test_late_and_unordered_results_count_where_they_belong(session: Session, page: Page) -> None:
    """An hour late, out of order, from before a clock was set back or after it was ahead: each in its own span."""
    watcher = scenes.monitor(session, page)
    noon = MIDNIGHT + timedelta(hours=12)
    minutes = (30, 31, -30, 90, 29, 32)  # late by an hour, early by an hour, set back, and on
    for number, minute in enumerate(minutes):
        record(session, at(watcher, noon + timedelta(minutes=minute), (UP, DOWN)[number % 2]))
    record(session, *(at(watcher, noon + timedelta(minutes=10 - step)) for step in range(10)))
    hours = {start.hour: counts(row) for start, row in kept(session, HOUR).items()}
    assert hours == {11: (1, 0, 0, 0), 12: (2 + 10, 0, 2, 0), 13: (0, 0, 1, 0)}
    ((start, day),) = kept(session, DAY).items()
    assert (start, counts(day)) == (MIDNIGHT, (13, 0, 3, 0))
    assert session.scalar(select(func.count(Check.at))) == len(minutes) + 10


def test_results_of_one_instant_are_all_kept(session: Session, page: Page) -> None:
    """Two results of one region with the very same instant count twice, in one batch or in two, beside others."""
    watcher = scenes.monitor(session, page, regions=["eu", "us"])
    moment = timedelta(microseconds=1)
    twice = [at(watcher, MIDNIGHT, region="eu", ms=1), at(watcher, MIDNIGHT, region="eu", ms=2)]
    record(session, *twice, at(watcher, MIDNIGHT, region="us", ms=3))
    record(
        session,
        at(watcher, MIDNIGHT, region="eu", ms=4),
        at(watcher, MIDNIGHT + 3 * moment, region="eu", ms=5),
    )
    query = select(Check.at, Check.milliseconds).order_by(Check.at, Check.milliseconds)
    assert [((found - MIDNIGHT) // moment, ms) for found, ms in session.execute(query)] == [
        (0, 1),
        (0, 3),
        (1, 2),
        (2, 4),
        (3, 5),
    ]
    assert sum(row.up for row in session.scalars(select(Rollup).where(Rollup.span == DAY))) == 5


def test_maintenance_is_noted_and_does_not_count(session: Session, page: Page) -> None:
    """Checks made while the component was under maintenance are counted apart, by when they were made."""
    scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    now = datetime.now(UTC)
    window = maintenances.schedule(
        session,
        page,
        title="Work",
        affected=["api"],
        scheduled_start=now + timedelta(hours=1),
        scheduled_end=now + timedelta(hours=2),
    )
    maintenances.start(session, page, window.id)
    session.commit()
    began = session.scalars(select(type(window)).execution_options(populate_existing=True)).one()
    assert began.started_at is not None
    record(
        session,
        at(watcher, began.started_at - timedelta(seconds=1), DOWN),
        at(watcher, began.started_at, DOWN),
        at(watcher, began.started_at + timedelta(seconds=1), UP),
        at(watcher, began.started_at + timedelta(seconds=2), UNKNOWN),
    )
    total = Tally()
    for row in kept(session, DAY).values():
        total.merge(
            Tally(row.up, row.degraded, row.down, row.unknown, row.maintained, row.maintained_down)
        )
    assert (total.checks, total.maintained, total.maintained_down) == (3, 2, 1)
    assert total.uptime_percent == 0.0


def test_two_workers_lose_nothing(app: Flask, session: Session, page: Page) -> None:
    """Batches about the same monitors at the same time add up, also in rows that none of them has seen."""
    watched = [scenes.monitor(session, page, name) for name in "abcdef"]
    results = [
        at(one, MIDNIGHT + timedelta(seconds=second)) for second in range(12) for one in watched
    ]
    barrier = threading.Barrier(4)

    def work(part: int) -> None:
        with app.app_context():
            current_session().scalar(select(func.count(Check.at)))  # as a request may have done
            barrier.wait()
            for step in range(part, len(results), 8):
                some = [results[step], results[step + 4]]
                monitoring_of = lambda own: monitoring.record(own, some)  # noqa: E731, B023
                committed(current_session(), monitoring_of)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, part) for part in range(4)]:
            done.result()
    session.rollback()
    rows = session.scalars(select(Rollup).where(Rollup.span == FINE)).all()
    assert [row.up for row in rows] == [12] * 6
    assert [len(Histogram.read(row.histogram)) for row in rows] == [12] * 6


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_statements_do_not_grow_with_the_batch(session: Session, page: Page) -> None:
    """A batch of one and one of 20 take the same number of statements."""
    scenes.component(session, page)
    watched = [scenes.monitor(session, page, f"M{number}", component="api") for number in range(20)]
    record(session, *(at(one, MIDNIGHT) for one in watched))
    taken = []
    for size, minute in ((1, 1), (20, 2)):
        sent: list[str] = []

        def note(*arguments: object) -> None:
            sent.append(str(arguments[2]))  # noqa: B023

        engine = current_engine()
        event.listen(engine, "before_cursor_execute", note)
        try:
            record(
                session, *(at(one, MIDNIGHT + timedelta(minutes=minute)) for one in watched[:size])
            )
        finally:
            event.remove(engine, "before_cursor_execute", note)
        taken.append(
            len(
                [
                    one
                    for one in sent
                    if "rollup" in one or "check_result" in one or "maintenance" in one
                ]
            )
        )
    assert taken[0] == taken[1] == 4


instants = st.integers(0, 3 * 86_400)
outcomes = st.sampled_from([UP, DEGRADED, DOWN, UNKNOWN])
milliseconds = st.none() | st.integers(0, 120_000)
# One region has one result of an instant: a second one is the same result once more, and counts once.
results = st.lists(
    st.tuples(instants, outcomes, milliseconds), max_size=40, unique_by=lambda result: result[0]
)
batches = st.tuples(results, st.integers(1, 8)).map(
    lambda drawn: [drawn[0][i : i + drawn[1]] for i in range(0, len(drawn[0]), drawn[1])]
)
names = (f"p{number}" for number in count())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=batches)
def test_however_results_come_the_sums_are_theirs(
    session: Session, page: Page, batches: list[list[tuple[int, Verdict, int | None]]]
) -> None:
    """In whatever order and batches results are recorded, each rollup is the tally of its own results."""
    watcher = scenes.monitor(session, page, next(names))
    region = select(MonitorRegion.id).where(MonitorRegion.monitor_id == watcher.id)
    number = session.scalars(region).one()
    for batch in batches:
        record(
            session,
            *(
                at(watcher, MIDNIGHT + timedelta(seconds=second), outcome, ms)
                for second, outcome, ms in batch
            ),
        )
    for span in (FINE, HOUR, DAY):
        wanted: dict[int, Tally] = {}
        for second, outcome, ms in chain(*batches):
            start = int(MIDNIGHT.timestamp()) + second // span * span
            wanted.setdefault(start, Tally()).add(outcome, ms)
        found = rollups.of_regions(
            session, [number], span, MIDNIGHT, MIDNIGHT + timedelta(days=400)
        )
        assert {start: tally for _, start, tally in found} == wanted
