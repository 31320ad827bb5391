from __future__ import annotations

import json
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, update

from flask_statuspage import signals
from flask_statuspage.domain.events import Event
from flask_statuspage.jobs import embedded, tasks
from flask_statuspage.jobs.embedded import Runner
from flask_statuspage.jobs.queue import RedisTrigger, queue_of, queues_for
from flask_statuspage.jobs.schedule import Scheduler, due_tasks
from flask_statuspage.services import maintenances
from flask_statuspage.storage.leases import Lease
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_engine, current_session
from tests.servers.http import Answer, Receiver, Target
from tests.servers.redis import RedisServer
from tests.story.site import Site, eventually, running_site


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    with running_site(tmp_path, SQLALCHEMY_DATABASE_URI=database_url) as site:
        yield site


def _monitor(site: Site, target: Target, **values: object) -> None:
    url = target.set("/health", Answer(status=200))
    # So rare that its own beat is not met between two looks.
    body = {"name": "Health", "target": url, "interval": 86_400, "timeout": 2, **values}
    site.api("POST", "monitors", body)


def _due(site: Site) -> list[str]:
    with site.app.app_context():
        return due_tasks(current_session())


def test_of_two_schedulers_one_leads(site: Site, target: Target) -> None:
    """Only the leader wakes anybody; the other one takes over when the leader says goodbye."""
    _monitor(site, target)
    woken: list[tuple[str, str]] = []
    with site.app.app_context():
        first = Scheduler(lambda task: woken.append(("first", task)))
        second = Scheduler(lambda task: woken.append(("second", task)))
        assert [first.tick(), second.tick()] == [True, False]
        assert woken == [("first", "probe:default"), ("first", "housekeep"), ("first", "forget")]
        first.stop()
        assert second.tick()
        assert ("second", "probe:default") in woken
        second.stop()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_leader_that_dies_is_followed_when_its_lease_runs_out(site: Site) -> None:
    """Nobody has to say goodbye: the lease ends by the database's clock."""
    with site.app.app_context():
        dead, heir = Scheduler(lambda task: None), Scheduler(lambda task: None)
        assert dead.tick()
        assert not heir.tick()
        session = current_session()
        session.execute(update(Lease).values(until=datetime.now(UTC) - timedelta(seconds=1)))
        session.commit()
        assert heir.tick()
        heir.stop()


def test_due_tasks_are_those_with_work(site: Site, target: Target, receiver: Receiver) -> None:
    """Nothing is due at first; a new monitor and a pending delivery make their tasks due, doing them ends it."""
    assert _due(site) == []
    _monitor(site, target)
    answer = site.api(
        "POST", "subscriptions", {"channel": "webhook", "address": f"{receiver.url}/hook"}
    )
    site.api("POST", f"subscriptions/{answer['id']}/test")
    assert _due(site) == ["probe:default", "deliver"]
    with site.app.app_context():
        assert tasks.run("probe:default") == 1
        assert tasks.run("deliver") == 1
    assert _due(site) == []
    assert [got.path for got in receiver.requests] == ["/hook"]
    assert target.count("/health") == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_commit_wakes_the_embedded_runner_at_once(
    site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change in the runner's process is delivered without waiting for the next tick."""
    monkeypatch.setattr(embedded, "TICK_SECONDS", 3600)
    answer = site.api(
        "POST", "subscriptions", {"channel": "webhook", "address": f"{receiver.url}/hook"}
    )
    runner = Runner(site.app)
    runner.start()
    try:
        site.api("POST", f"subscriptions/{answer['id']}/test")
        receiver.wait_for(lambda got: got.path == "/hook", timeout=30)
    finally:
        runner.stop()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_task_that_fails_does_not_end_the_runner(
    site: Site, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """An unknown task is logged; the next delivery goes out all the same."""
    answer = site.api(
        "POST", "subscriptions", {"channel": "webhook", "address": f"{receiver.url}/hook"}
    )
    with ExitStack() as stack:
        runner = Runner(site.app)
        runner.start()
        stack.callback(runner.stop)
        runner.wake("no such task")
        eventually(lambda: "no such task" in caplog.text, within=30, what="log entry")
        site.api("POST", f"subscriptions/{answer['id']}/test")
        receiver.wait_for(lambda got: got.path == "/hook", timeout=30)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_receiver_that_exits_does_not_end_the_runner(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """What ends a process ends no task of a process that has others: it is logged, and the task runs again."""
    heard: list[str] = []

    def leave(sender: Flask, event: Event) -> None:
        heard.append(event.data["maintenance"]["title"])
        sys.exit(3)

    with ExitStack() as stack:
        stack.enter_context(signals.maintenance_started.connected_to(leave, site.app))
        runner = Runner(site.app)
        runner.start()
        stack.callback(runner.stop)
        for title in ("First", "Second"):
            _begin_by_the_clock(site, title)
            eventually(lambda title=title: title in heard, within=8, what=f"{title} begins")
    assert heard == ["First", "Second"]
    assert caplog.text.count("task timetable failed") == 2


def _begin_by_the_clock(site: Site, title: str) -> None:
    """Plan a maintenance and let its time come."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    times = {"scheduled_start": soon, "scheduled_end": soon + timedelta(hours=1)}
    with site.app.app_context():
        session = current_session()
        row = maintenances.schedule(session, default_page(session), title=title, **times)
        row.scheduled_start = row.next_at = datetime.now(UTC)
        session.commit()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("trouble", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_whatever_is_raised_the_clock_goes_on(
    site: Site,
    target: Target,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    trouble: type[BaseException],
) -> None:
    """What the host's own listener raises in the clock's thread is logged; once it is over, work is found again."""
    monkeypatch.setattr(embedded, "TICK_SECONDS", 0.05)
    broken = threading.Event()
    broken.set()

    def break_down(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if broken.is_set() and "statuspage_lease" in statement:
            raise trouble("a listener of the host broke")

    with site.app.app_context():
        event.listen(current_engine(), "before_cursor_execute", break_down)
    _monitor(site, target)
    runner = Runner(site.app)
    runner.start()
    try:
        eventually(
            lambda: caplog.text.count("the scheduler failed") >= 2,
            within=30,
            what="it fails, and tries again",
        )
        broken.clear()
        eventually(lambda: target.count("/health"), within=30, what="the check that is due")
    finally:
        broken.clear()
        runner.stop()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_wake_that_comes_too_late_disturbs_nobody(site: Site) -> None:
    """A commit that is told while the runner ends, and one after it, are committed as ever."""
    runner = Runner(site.app)
    runner._pool.shutdown()  # as the runner does, after somebody asked whether it does
    runner.wake("deliver")
    runner.start()
    runner.stop()
    runner.wake("deliver")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_task_for_which_there_was_no_thread_is_done_later(
    site: Site, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the machine refuses a thread whoever woke the task is not told; the next tick finds what is due."""
    answer = site.api(
        "POST", "subscriptions", {"channel": "webhook", "address": f"{receiver.url}/hook"}
    )
    site.api("POST", f"subscriptions/{answer['id']}/test")
    runner = Runner(site.app)
    before = threading.stack_size(2**46)  # more than any machine has
    try:
        runner.wake("deliver")
    finally:
        threading.stack_size(before)
    assert "can't start new thread" in caplog.text
    runner.start()
    try:
        receiver.wait_for(lambda got: got.path == "/hook", timeout=30)
    finally:
        runner.stop()


def test_each_kind_of_work_has_its_queue() -> None:
    """A worker listens to one queue, so no kind of work holds up another."""
    assert queue_of("deliver") == "statuspage-deliver"
    assert queue_of("probe:eu-west") == "statuspage-probe-eu-west"
    assert queue_of("housekeep") == queue_of("fan_out") == "statuspage"
    assert queue_of("deliver_slow") == "statuspage-deliver-slow"
    tasks = ("deliver", "deliver_slow", "fan_out", "probe:x")
    assert {queue_of(task) for task in tasks} == set(queues_for("x"))
    # In a queue of its own: it takes seconds, its folder is on some machines only, and the clock may not wait.
    assert queue_of("mirror") == "statuspage-mirror"
    assert set(queues_for("x", mirror=True)) - set(queues_for("x")) == {"statuspage-mirror"}
    assert queues_for("x", mirror=True)[-1] == queues_for("x")[-1] == "statuspage-probe-x"


def test_a_trigger_is_json_and_leaves_nothing_behind(redis_server: RedisServer) -> None:
    """What waits in Redis is plain JSON with a short life; whoever can write there cannot run code."""
    redis_server.start()
    redis_server.flushall()
    trigger = RedisTrigger(redis_server.url)
    trigger("deliver")
    assert trigger.waiting("deliver") == 1
    assert trigger.waiting("fan_out") == 0
    redis = trigger._redis
    (job,) = redis.keys("rq:job:*")
    assert 0 < redis.ttl(job) <= 3600
    call = json.loads(zlib.decompress(redis.hget(job, "data")))
    assert call[0] == "flask_statuspage.jobs.tasks.run"
    assert call[2] == ["deliver"]
    redis.close()


def test_a_dead_redis_costs_one_attempt_in_a_while(redis_server: RedisServer) -> None:
    """After a failure the trigger rests, so that a dead Redis does not slow every request."""
    redis_server.start()
    trigger = RedisTrigger(redis_server.url)
    redis_server.kill()
    started = time.monotonic()
    for _ in range(50):
        trigger("deliver")
    assert time.monotonic() - started < 3
    redis_server.start()
    trigger._redis.close()
