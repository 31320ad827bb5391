"""Rows of the failure table between the claim of a delivery and its note: who dies, freezes or comes twice there."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from flask_statuspage.delivery.formats import formats
from flask_statuspage.storage import migrate
from flask_statuspage.storage.session import current_engine
from tests.servers import nursery
from tests.servers.http import Answer, Receiver
from tests.servers.postgresql import PostgresqlServer
from tests.servers.redis import RedisServer
from tests.story.chaos.receivers import Crowd, crowd
from tests.story.site import Site, eventually, running_site

BACK_WITHIN = 15.0
LEASE = 40
UNDISTURBED = 8.0
"""Seconds within which a healthy endpoint hears of a change, whatever the others do; less than their timeout, 10 s."""

EVERYWHERE = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
# On one database: the lease has to run out, and its shortest is 40 s.
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

PLUGIN = """
from dataclasses import replace

from flask_statuspage.delivery.formats import native


def render(event):
    if "incident" in event.data and "unspeakable" in event.data["incident"]["title"]:
        raise RuntimeError("a format of somebody else's")
    return native.format.render(event)


format = replace(native.format, name="touchy", render=render)
"""


@pytest.fixture
def site(tmp_path: Path, database_url: str, redis_server: RedisServer) -> Iterator[Site]:
    """A site with Redis configured and nothing running yet."""
    redis_server.start()
    redis_server.flushall()
    with running_site(
        tmp_path,
        SQLALCHEMY_DATABASE_URI=database_url,
        STATUSPAGE_REDIS_URL=redis_server.url,
        STATUSPAGE_LEASE_SECONDS=LEASE,
    ) as site:
        yield site


@EVERYWHERE
def test_a_worker_told_to_stop_in_the_middle_of_a_send_notes_its_outcome(
    site: Site, receiver: Receiver
) -> None:
    """SIGTERM lets what is in flight end: one request, one attempt in the log, and a clean exit."""
    _subscribe(site, receiver.url)
    receiver.answer = Answer(delay=3)
    site.start("scheduler")
    worker = site.start("worker")
    _open_incident(site, "Told to stop")
    receiver.wait_for(lambda got: True, timeout=BACK_WITHIN)
    worker.terminate()
    assert worker.wait(30) == 0
    [delivery] = _deliveries(site)
    assert (delivery["state"], delivery["attempts"]) == ("done", 1)
    assert [attempt["code"] for attempt in _attempts(site, delivery)] == [200]
    assert len(receiver.requests) == 1


@ON_POSTGRESQL
def test_a_worker_told_to_stop_leaves_what_waits_to_others(site: Site, receiver: Receiver) -> None:
    """With a queue of slow calls in hand its stop takes as long as the calls in flight, not as long as the queue."""
    receiver.answer = Answer(delay=2)
    for number in range(12):
        _subscribe(site, f"{receiver.url}/{number}")
    site.start("scheduler")
    worker = site.start("worker")
    _open_incident(site, "Told to stop")
    receiver.wait_for(lambda got: True, timeout=BACK_WITHIN)
    began = time.monotonic()
    worker.terminate()
    assert worker.wait(30) == 0
    assert time.monotonic() - began < 9, "two calls at once: the queue would take 12 s"
    sent = len(receiver.requests)
    assert sent < 12
    deliveries = _deliveries(site)
    assert [one["state"] for one in deliveries].count("done") == sent
    assert {one["attempts"] for one in deliveries if one["state"] == "pending"} == {0}


@ON_POSTGRESQL
def test_an_answer_that_the_database_never_hears_of(
    site: Site, receiver: Receiver, postgresql_server: PostgresqlServer
) -> None:
    """A 200 that comes while the database is away is sent again at most, under the same id; then it is done."""
    _subscribe(site, receiver.url)
    receiver.answer = Answer(delay=2)
    site.start("scheduler")
    site.start("worker")
    _open_incident(site, "Received and forgotten")
    receiver.wait_for(lambda got: True, timeout=BACK_WITHIN)
    postgresql_server.stop()
    time.sleep(4)  # the answer has come
    postgresql_server.start()
    _reconnect(site)
    eventually(lambda: _states(site) == {"done"}, within=LEASE + BACK_WITHIN, what="it is done")
    assert len({got.headers["webhook-id"] for got in receiver.requests}) == 1
    assert len({got.body for got in receiver.requests}) == 1
    [delivery] = _deliveries(site)
    assert len(receiver.requests) == delivery["attempts"] <= 2


@ON_POSTGRESQL
def test_a_worker_that_stood_still_past_its_lease_changes_nothing(
    site: Site, receiver: Receiver
) -> None:
    """What another worker has delivered meanwhile stays as that one noted it, and is not sent again."""
    _subscribe(site, receiver.url)
    receiver.answer = Answer(delay=2)
    site.start("scheduler")
    frozen = site.start("worker")
    _open_incident(site, "Frozen in flight")
    receiver.wait_for(lambda got: True, timeout=BACK_WITHIN)
    site.signal(frozen, signal.SIGSTOP)
    try:
        site.start("worker")
        eventually(lambda: _states(site) == {"done"}, within=LEASE + BACK_WITHIN, what="overtaken")
        [before] = _deliveries(site)
        log = _attempts(site, before)
    finally:
        site.signal(frozen, signal.SIGCONT)
    eventually(
        lambda: f"the lease of delivery {before['id']} was lost" in site.log(),
        within=BACK_WITHIN,
        what="the worker notices that it has lost its lease",
    )
    time.sleep(2)
    assert _deliveries(site) == [before]
    assert _attempts(site, before) == log
    assert [attempt["number"] for attempt in log] == [2]
    assert [got.headers["webhook-id"] for got in receiver.requests] == [before["id"]] * 2


@EVERYWHERE
def test_sweeps_at_once_send_nothing_twice(site: Site) -> None:
    """Several ``sweep`` commands at one moment share the work: each delivery is received once."""
    with crowd(["well"] * 10) as guests:
        for place in range(10):
            _subscribe(site, guests.url(place))
        for number in range(6):
            _open_incident(site, f"Swept {number}")
        sweeps = [site.start("sweep") for _ in range(3)]
        assert [sweep.wait(60) for sweep in sweeps] == [0] * 3
        assert _states(site) == {"done"}
        ids = Counter(request.id for request in guests.requests())
        assert len(ids) == 60
        assert set(ids.values()) == {1}


@EVERYWHERE
def test_endpoints_that_hang_drip_or_flood_delay_no_other(site: Site) -> None:
    """Healthy endpoints hear of every change within seconds, however many sends to bad ones are on their way."""
    bad = ["hanging", "dripping", "flooding"] * 4
    with crowd(["well"] * 5 + bad) as guests:
        for place in range(5 + len(bad)):
            _subscribe(site, guests.url(place))
        site.start("scheduler")
        site.start("worker")
        _open_incident(site, "Warm")
        eventually(partial(_have_taken, guests, 5), within=60, what="workers are there")
        for number in range(8):
            _open_incident(site, f"Beside bad ones {number}")
            eventually(
                partial(_have_taken, guests, 5 * (number + 2)),
                within=UNDISTURBED,
                what=f"change {number} is told",
            )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_format_of_another_package_that_raises_stops_no_other(
    site: Site, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A format found by its entry point that raises: that delivery is dead with the reason, all others arrive."""
    plugin = tmp_path / "plugin"
    (plugin / "touchy-1.0.dist-info").mkdir(parents=True)
    (plugin / "touchy.py").write_text(PLUGIN)
    (plugin / "touchy-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: touchy\nVersion: 1.0\n"
    )
    (plugin / "touchy-1.0.dist-info" / "entry_points.txt").write_text(
        "[flask_statuspage.formats]\ntouchy = touchy:format\n"
    )
    monkeypatch.syspath_prepend(plugin)
    monkeypatch.setattr(formats, "_all", None)  # as in a process that starts now
    _subscribe(site, receiver.url)
    touchy = f"{receiver.url}/touchy"
    told = site.api(
        "POST", "subscriptions", {"channel": "webhook", "address": touchy, "format": "touchy"}
    )
    _open_incident(site, "This is unspeakable")
    _open_incident(site, "This is not")
    assert site.start("sweep").wait(60) == 0
    found = {
        (delivery["subscription_id"] == told["id"], delivery["state"], delivery["reason"])
        for delivery in _deliveries(site)
        if delivery["event"] == "incident.created"
    }
    reason = "The format could not word this event (RuntimeError)."
    assert found == {(True, "dead", reason), (True, "done", None), (False, "done", None)}
    paths = Counter(got.path for got in receiver.requests if b"incident.created" in got.body)
    assert paths == {"/touchy": 1, "/hook": 2}
    assert "a format of somebody else's" in site.log()


@pytest.mark.parametrize("statements", [3, 30])
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
def test_a_migration_whose_process_is_killed_is_finished_by_the_next(
    database_url: str, statements: int
) -> None:
    """After a SIGKILL between two statements the same command makes the tables whole."""
    script = f"""
import os, signal
from sqlalchemy import create_engine, event
from flask_statuspage.storage import migrate
from flask_statuspage.storage.session import current_engine

engine = create_engine({database_url!r})
left = {statements}

def die(connection, cursor, statement, *rest):
    global left
    left -= statement.lstrip().startswith(("CREATE", "INSERT"))
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(engine, "before_cursor_execute", die)
migrate.upgrade(engine)
"""
    done = nursery.run(["-c", script], env=_environment())
    assert done.returncode == -signal.SIGKILL
    engine = create_engine(database_url, poolclass=NullPool)
    migrate.upgrade(engine)
    migrate.require_current(engine)


def _subscribe(site: Site, url: str) -> None:
    address = url if "/receiver/" in url else f"{url}/hook"
    site.api(
        "POST",
        "subscriptions",
        {"channel": "webhook", "address": address, "events": ["incident.created"]},
    )


def _open_incident(site: Site, title: str) -> None:
    site.api("POST", "incidents", {"title": title, "impact": "major"})


def _deliveries(site: Site) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = site.api("GET", "deliveries?per_page=100")["items"]
    return items


def _attempts(site: Site, delivery: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = site.api("GET", f"deliveries/{delivery['id']}/attempts")["items"]
    return items


def _states(site: Site) -> set[str]:
    return {delivery["state"] for delivery in _deliveries(site)}


def _have_taken(guests: Crowd, deliveries: int) -> bool:
    """Whether the healthy receivers have taken so many."""
    requests = guests.requests()
    return deliveries == sum(guests.manners[request.receiver] == "well" for request in requests)


def _reconnect(site: Site) -> None:
    """The web process's pool holds connections to a server that is gone."""
    with site.app.app_context():
        current_engine().dispose()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
