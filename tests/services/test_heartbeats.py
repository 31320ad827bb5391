"""Heartbeats: early, late, double, in a burst, begun and not ended, failed; and who may know where to send them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Conflict, Invalid
from flask_statuspage.services import heartbeats, monitoring, monitors
from flask_statuspage.services.heartbeats import Word
from flask_statuspage.storage import due
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import database_now
from flask_statuspage.storage.team import AuditEntry

from . import scenes

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN


@pytest.fixture
def job(session: Session, page: Page) -> Monitor:
    """A nightly job: every hour, a minute of grace."""
    row = monitors.create(session, page, name="Backup", kind="heartbeat", interval=3600)
    session.commit()
    return row


def say(session: Session, job: Monitor, word: Word = Word.DONE) -> bool:
    assert job.token is not None
    known = heartbeats.take(session, job.token, word)
    session.commit()
    return known


def region(session: Session, job: Monitor) -> MonitorRegion:
    query = select(MonitorRegion).where(MonitorRegion.monitor_id == job.id)
    query = query.order_by(MonitorRegion.region)
    return session.scalars(query.execution_options(populate_existing=True)).first()


def verdict(session: Session, job: Monitor) -> Verdict:
    return session.execute(select(Monitor.verdict).where(Monitor.id == job.id)).scalar_one()


def checks(session: Session) -> list[Check]:
    return list(session.scalars(select(Check).order_by(Check.at)))


def shift(session: Session, job: Monitor, by: timedelta) -> None:
    """Let all that is remembered of the job be as long ago as *by*."""
    row = region(session, job)
    for name in ("due_at", "begun_at", "last_at"):
        if (instant := getattr(row, name)) is not None:
            setattr(row, name, instant - by)
    session.commit()


def overdue(session: Session, now: datetime) -> list[str | None]:
    """What the worker finds at *now*: the errors that it records."""
    orders = monitoring.claim_due(session, "default", now, limit=10)
    session.commit()
    results = [monitoring.ask(order) for order in orders]
    monitoring.record(session, results)
    session.commit()
    return [result.error for result in results]


def test_nothing_is_due_before_the_first_heartbeat(session: Session, job: Monitor) -> None:
    """A job that is not set up yet is unknown, not late, however long that takes."""
    assert region(session, job).due_at is None
    assert overdue(session, utc_now() + timedelta(days=400)) == []
    assert verdict(session, job) is UNKNOWN


def test_a_heartbeat_counts_at_once_and_silence_after_interval_and_grace(
    session: Session, job: Monitor
) -> None:
    """It is up with the first one, and down once the next one is later than interval and grace."""
    assert say(session, job)
    assert verdict(session, job) is UP
    row = region(session, job)
    assert row.due_at - row.last_at == timedelta(seconds=3660)

    assert overdue(session, row.last_at + timedelta(seconds=3659)) == []
    due_at = row.due_at
    assert overdue(session, due_at + timedelta(seconds=1)) == ["No heartbeat in time"]
    assert verdict(session, job) is DOWN
    assert checks(session)[-1].at == due_at
    # It goes on being late, once an interval, from then on by the monitor's own beat.
    following = region(session, job).due_at
    assert due_at + timedelta(seconds=1) < following <= due_at + timedelta(seconds=3601)
    assert overdue(session, following) == ["No heartbeat in time"]
    assert region(session, job).due_at == following + timedelta(seconds=3600)


def test_a_late_heartbeat_recovers(session: Session, job: Monitor) -> None:
    """The one that comes after all ends it at once, and the next one is due from then on."""
    say(session, job)
    shift(session, job, timedelta(hours=2))
    assert overdue(session, database_now(session)) == ["No heartbeat in time"]
    say(session, job)
    assert verdict(session, job) is UP
    row = region(session, job)
    assert row.due_at - row.last_at == timedelta(seconds=3660)


def test_a_heartbeat_that_comes_while_it_is_missed_wins(session: Session, job: Monitor) -> None:
    """Between the worker's claim and its result a late one came: the job lives."""
    say(session, job)
    shift(session, job, timedelta(hours=2))
    (order,) = monitoring.claim_due(session, "default", database_now(session), limit=10)
    session.commit()
    say(session, job)
    monitoring.record(session, [monitoring.ask(order)])
    session.commit()
    assert verdict(session, job) is UP
    assert region(session, job).due_at > database_now(session) + timedelta(seconds=3600)


def test_a_heartbeat_counts_though_its_silence_is_given_back(session: Session, page: Page) -> None:
    """A worker takes the silence, the job reports, the worker stops before it has looked: the job lives."""
    job = monitors.create(session, page, name="Job", kind="heartbeat", options={"grace": 300})
    session.commit()
    say(session, job)
    shift(session, job, region(session, job).due_at - database_now(session) + timedelta(seconds=1))
    orders = monitoring.claim_due(session, "default", database_now(session), limit=10)
    session.commit()
    say(session, job)
    due_at = region(session, job).due_at
    session.commit()
    taken = [(one.monitor_id, one.due_at, one.next_at) for one in orders]
    assert len(taken) == 1
    due.give_back(session, "default", taken)
    session.commit()
    assert region(session, job).due_at == due_at
    assert [overdue(session, database_now(session) + timedelta(seconds=n)) for n in (0, 61)] == [
        [],
        [],
    ]
    assert verdict(session, job) is UP


def test_an_early_heartbeat_moves_the_due_time(session: Session, job: Monitor) -> None:
    """One that comes before it is expected counts like any other."""
    say(session, job)
    shift(session, job, timedelta(minutes=10))
    before = region(session, job).due_at
    say(session, job)
    assert region(session, job).due_at > before + timedelta(minutes=9)
    assert [check.outcome for check in checks(session)] == [UP, UP]


def test_a_burst_counts_once_a_second(
    app: Flask, session: Session, job: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many say the same within a second, one result is written; a failure in between is not lost."""
    now, looks = database_now(session), count()
    session.commit()
    # A millisecond passes from look to look, however long the machine takes for what it is told at once.
    monkeypatch.setattr(
        heartbeats, "database_now", lambda asked: now + timedelta(milliseconds=next(looks))
    )
    token = job.token
    works = [lambda other, its_page: heartbeats.take(other, token, Word.DONE)] * 8
    assert scenes.at_once(app, *works) == [True] * 8
    assert session.scalar(select(func.count(Check.at))) == 1
    assert say(session, job, Word.FAIL)
    assert say(session, job, Word.FAIL)
    assert [check.outcome for check in checks(session)] == [UP, DOWN]
    now += timedelta(seconds=1)
    assert say(session, job, Word.FAIL)
    assert [check.outcome for check in checks(session)] == [UP, DOWN, DOWN]
    say(session, job)
    assert verdict(session, job) is UP


def test_a_reported_failure_is_one(session: Session, job: Monitor) -> None:
    """/fail is down at once, in words that everybody may read, and the next heartbeat is due as usual."""
    say(session, job, Word.FAIL)
    assert verdict(session, job) is DOWN
    row = region(session, job)
    assert (row.last_error, row.due_at - row.last_at) == (
        *("Reported a failure", timedelta(seconds=3660)),
    )


def test_duration_is_measured_from_the_start(session: Session, job: Monitor) -> None:
    """The result says how long it took since /start; without one it does not say."""
    say(session, job, Word.START)
    assert checks(session) == []
    shift(session, job, timedelta(seconds=90))
    say(session, job)
    assert 90_000 <= checks(session)[0].milliseconds < 120_000
    assert region(session, job).begun_at is None
    shift(session, job, timedelta(seconds=90))
    say(session, job)
    assert checks(session)[1].milliseconds is None


def test_slower_than_it_should_be_is_degraded(session: Session, page: Page, job: Monitor) -> None:
    """degraded_over_ms is about the time since /start."""
    row = monitors.get(session, page, "backup", lock=True)
    monitors.change(session, page, row, {"degraded_over_ms": 1000}, actor=None)
    say(session, job, Word.START)
    shift(session, job, timedelta(seconds=2))
    say(session, job)
    assert checks(session)[0].outcome is DEGRADED


def test_begun_and_not_done_in_time_is_down(session: Session, page: Page) -> None:
    """With max_duration a start that has no end is a failure, also where it is begun again and again."""
    options = {"max_duration": 120}
    job = monitors.create(
        session, page, name="Job", kind="heartbeat", interval=86_400, options=options
    )
    session.commit()
    say(session, job)
    say(session, job, Word.START)
    row = region(session, job)
    assert row.due_at == row.begun_at + timedelta(seconds=120)
    shift(session, job, timedelta(seconds=70))
    say(session, job, Word.START)
    due_at = region(session, job).due_at
    assert due_at < database_now(session) + timedelta(seconds=60)
    assert overdue(session, due_at) == ["Began, but was not done in time"]
    assert verdict(session, job) is DOWN

    shift(session, job, timedelta(seconds=130))
    say(session, job)
    assert verdict(session, job) is DEGRADED  # done at last, but too late
    say(session, job, Word.START)
    say(session, job)
    assert verdict(session, job) is UP


def test_a_start_alone_does_not_keep_it_alive(session: Session, job: Monitor) -> None:
    """Without max_duration, starts move nothing: a job that never ends is late."""
    say(session, job, Word.START)
    due_at = region(session, job).due_at
    assert due_at is not None
    shift(session, job, timedelta(minutes=30))
    say(session, job, Word.START)
    assert region(session, job).due_at == due_at - timedelta(minutes=30)


def test_a_paused_one_counts_nothing(session: Session, page: Page, job: Monitor) -> None:
    """Jobs go on reporting while it is paused; nothing comes of it, and after it the next one is waited for."""
    say(session, job)
    row = monitors.get(session, page, "backup", lock=True)
    monitors.pause(session, page, row, actor=None)
    session.commit()
    assert say(session, job, Word.FAIL)
    assert [check.outcome for check in checks(session)] == [UP]
    monitors.resume(session, page, monitors.get(session, page, "backup", lock=True), actor=None)
    session.commit()
    assert region(session, job).due_at is None
    assert overdue(session, utc_now() + timedelta(days=2)) == []
    say(session, job)
    assert verdict(session, job) is UP


def test_unknown_tokens_lead_nowhere(session: Session, job: Monitor) -> None:
    """Only the very token does; not in another case, not a part of it, not what no database could hold."""
    token = job.token
    for wrong in (token.swapcase(), token[:-1], token + "x", "", "%", "\x00" * 32, "A" * 32):
        assert not heartbeats.take(session, wrong, Word.DONE)
    assert checks(session) == []


def test_another_token(session: Session, page: Page, job: Monitor) -> None:
    """After rotating the old URL leads nowhere; the audit tells of it without either token."""
    old = job.token
    row = monitors.get(session, page, "backup", lock=True)
    heartbeats.rotate(session, page, row, actor="ann")
    session.commit()
    new = session.scalar(select(Monitor.token))
    assert new != old
    assert not heartbeats.take(session, old, Word.DONE)
    assert heartbeats.take(session, new, Word.DONE)
    told = [(one.action, one.before, one.after) for one in session.scalars(select(AuditEntry))]
    assert old not in str(told)
    assert new not in str(told)
    assert "rotate_token" in [action for action, _, _ in told]
    other = scenes.monitor(session, page)
    with pytest.raises(Conflict, match="is no heartbeat"):
        heartbeats.rotate(session, page, other, actor=None)


def test_another_kind_and_back(session: Session, page: Page, job: Monitor) -> None:
    """Who ceases to be a heartbeat loses its token and is asked; who becomes one waits for the first one."""
    say(session, job)
    row = monitors.get(session, page, "backup", lock=True)
    other = {"kind": "http", "target": "http://127.0.0.1:9/", "options": {}}
    monitors.change(session, page, row, other, actor=None)
    session.commit()
    assert row.token is None
    assert region(session, job).due_at <= utc_now()
    row = monitors.get(session, page, "backup", lock=True)
    back = {"kind": "heartbeat", "target": "", "options": {}}
    monitors.change(session, page, row, back, actor=None)
    session.commit()
    assert row.token is not None
    assert region(session, job).due_at is None


def test_a_shorter_interval_counts_from_the_latest(
    session: Session, page: Page, job: Monitor
) -> None:
    """Another interval or grace moves what is due now, not only what comes after it."""
    say(session, job)
    row = monitors.get(session, page, "backup", lock=True)
    monitors.change(session, page, row, {"interval": 60, "options": {"grace": 5}}, actor=None)
    session.commit()
    found = region(session, job)
    assert found.due_at - found.last_at == timedelta(seconds=65)


def test_one_region_is_used(session: Session, page: Page) -> None:
    """Of several the first by name notices what is missing; the others say nothing."""
    job = monitors.create(
        session, page, name="Job", kind="heartbeat", interval=60, regions=["us", "ap"]
    )
    session.commit()
    say(session, job)
    due = {row.region: row.due_at for row in monitors.get(session, page, "job").regions}
    assert due["us"] is None
    assert due["ap"] is not None
    assert verdict(session, job) is UP


@pytest.mark.parametrize("word", [Word.DONE, Word.START, Word.FAIL])
@pytest.mark.parametrize("regions", [["ap", "default"], ["ap"]])
def test_another_region_goes_on_waiting(
    session: Session, page: Page, job: Monitor, regions: list[str], word: Word
) -> None:
    """Whichever region notices from now on knows what the former one knew: silence is told as it would have been."""
    say(session, job, word)
    before = region(session, job)
    names = ("due_at", "last_at", "last_outcome", "begun_at", "verdict", "down")
    knew = {name: getattr(before, name) for name in names}
    assert knew["due_at"] is not None
    row = monitors.get(session, page, "backup", lock=True)
    monitors.change(session, page, row, {"regions": regions}, actor=None)
    session.commit()
    used = region(session, job)
    assert used.region == "ap"
    assert {name: getattr(used, name) for name in names} == knew
    for other in monitors.get(session, page, "backup").regions:
        if other is not used:
            assert (other.due_at, other.last_at, other.verdict) == (None, None, UNKNOWN)
    late = knew["due_at"] + timedelta(seconds=1)
    orders = monitoring.claim_due(session, "ap", late, limit=10)
    session.commit()
    monitoring.record(session, [monitoring.ask(order) for order in orders])
    session.commit()
    assert verdict(session, job) is DOWN
    say(session, job)
    assert verdict(session, job) is UP


def test_a_change_while_the_first_run_goes_on(session: Session, page: Page, job: Monitor) -> None:
    """A job that began and never ended before stays awaited when a member renames its monitor."""
    say(session, job, Word.START)
    due_at = region(session, job).due_at
    row = monitors.get(session, page, "backup", lock=True)
    monitors.change(session, page, row, {"name": "Nightly"}, actor=None)
    session.commit()
    assert due_at is not None
    assert region(session, job).due_at == due_at


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"target": "https://example.com"}, "target"),
        ({"interval": 4, "options": {}}, None),
        ({"interval": 31 * 86_400 + 1}, "interval"),
        ({"options": {"grace": -1}}, "options.grace"),
        ({"options": {"grace": 86_401}}, "options.grace"),
        ({"options": {"grace": "60"}}, "options.grace"),
        ({"options": {"max_duration": 0}}, "options.max_duration"),
        ({"options": {"method": "GET"}}, "options.method"),
    ],
)
def test_wrong_fields(
    session: Session, page: Page, values: dict[str, object], field: str | None
) -> None:
    """Each is named; an interval that STATUSPAGE_MIN_CHECK_INTERVAL allows is fine."""
    given = {"name": "Job", "kind": "heartbeat", "interval": 60, **values}
    if field is None:
        monitors.create(session, page, **given)
        return
    with pytest.raises(Invalid) as caught:
        monitors.create(session, page, **given)
    assert [error.field for error in caught.value.errors] == [field]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_asked_out_of_turn_it_says_nothing(session: Session, job: Monitor) -> None:
    """Who wants to check it now is told that it reports by itself."""
    order = monitoring.order_for(job, "default", utc_now(), {})
    result = monitoring.ask(order)
    assert (result.outcome, result.error) == (UNKNOWN, "It reports by itself")
