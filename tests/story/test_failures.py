"""Rows of the failure table: whatever dies, a committed change is told; what was not committed never is."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from flask_statuspage import signals
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.outbox import Delivery, EventRow
from flask_statuspage.storage.session import current_session
from tests.servers import nursery
from tests.servers.http import Answer, Receiver
from tests.servers.redis import RedisServer
from tests.story.site import Site, eventually, running_site

BACK_WITHIN = 15.0
LEASE = 40

EVERYWHERE = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


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
    redis_server.start()


@EVERYWHERE
def test_a_process_that_dies_between_commit_and_enqueue_loses_nothing(
    site: Site, receiver: Receiver
) -> None:
    """The change of a process that is killed right after its commit is delivered by the sweep."""
    _subscribe(site, receiver)
    _open_incident_and_die(site)
    site.start("worker")
    site.start("scheduler")
    receiver.wait_for(lambda got: b"Killed in between" in got.body, timeout=BACK_WITHIN)


@EVERYWHERE
def test_a_change_succeeds_while_redis_is_down_and_is_told_when_it_is_back(
    site: Site, receiver: Receiver, redis_server: RedisServer
) -> None:
    """The request that makes the change does not fail or wait for a dead Redis."""
    _subscribe(site, receiver)
    redis_server.kill()
    started = time.monotonic()
    _open_incident(site, "Redis was away")
    assert time.monotonic() - started < 3
    redis_server.start()
    site.start("worker")
    site.start("scheduler")
    receiver.wait_for(lambda got: b"Redis was away" in got.body, timeout=BACK_WITHIN)


@EVERYWHERE
def test_a_flushed_redis_loses_triggers_but_no_delivery(
    site: Site, receiver: Receiver, redis_server: RedisServer
) -> None:
    """FLUSHALL under running workers, with triggers waiting, costs seconds."""
    _subscribe(site, receiver)
    _open_incident(site, "Flushed away")
    redis_server.flushall()
    site.start("worker")
    site.start("scheduler")
    receiver.wait_for(lambda got: b"Flushed away" in got.body, timeout=BACK_WITHIN)
    redis_server.flushall()
    _open_incident(site, "Flushed again")
    redis_server.flushall()
    receiver.wait_for(lambda got: b"Flushed again" in got.body, timeout=BACK_WITHIN)


# On one database: the lease has to run out, and its shortest is 40 s.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_killed_in_the_middle_of_a_send_is_followed_by_another(
    site: Site, receiver: Receiver
) -> None:
    """A delivery in flight at a SIGKILL is sent again under the same webhook-id once its lease has run out."""
    _subscribe(site, receiver)
    receiver.answer = Answer(delay=60)
    site.start("scheduler")
    worker = site.start("worker")
    _open_incident(site, "Killed in flight")
    first = receiver.wait_for(lambda got: b"incident.created" in got.body, timeout=BACK_WITHIN)
    site.kill(worker)
    receiver.answer = Answer(status=200)
    receiver.clear()
    site.start("worker")
    second = receiver.wait_for(
        lambda got: b"incident.created" in got.body, timeout=LEASE + BACK_WITHIN
    )
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert second.body == first.body
    eventually(lambda: _states(site) == {"done"}, within=5, what="deliveries are done")


@EVERYWHERE
def test_redis_killed_under_its_workers_is_survived(
    site: Site, receiver: Receiver, redis_server: RedisServer
) -> None:
    """The worker command starts its children again when Redis took them down."""
    _subscribe(site, receiver)
    site.start("worker")
    site.start("scheduler")
    _open_incident(site, "Before the crash")
    receiver.wait_for(lambda got: b"Before the crash" in got.body, timeout=BACK_WITHIN)
    redis_server.kill()
    time.sleep(2)
    redis_server.start()
    _open_incident(site, "After the crash")
    receiver.wait_for(lambda got: b"After the crash" in got.body, timeout=BACK_WITHIN)


@EVERYWHERE
def test_a_host_that_rolls_back_has_told_nobody(site: Site, receiver: Receiver) -> None:
    """No row, no signal and no delivery is left of a change that the host took back."""
    _subscribe(site, receiver)
    heard: list[str] = []

    def hear(sender: object, event: object) -> None:
        heard.append(str(event))

    with site.app.app_context(), signals.incident_created.connected_to(hear, site.app):
        session = current_session()
        before = session.scalar(select(func.count()).select_from(EventRow))
        site.statuspage.open_incident("Never happened", impact="major", components=["billing"])
        assert session.scalar(select(func.count()).select_from(Delivery)) > 0
        session.rollback()
        assert session.scalar(select(func.count()).select_from(EventRow)) == before
        assert session.scalar(select(Incident).where(Incident.title == "Never happened")) is None
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
    assert heard == []
    assert site.public("status.json")["status"]["indicator"] == "operational"


@EVERYWHERE
def test_a_signal_receiver_that_raises_disturbs_nobody(site: Site, receiver: Receiver) -> None:
    """The commit, the other receivers and the deliveries go on."""
    _subscribe(site, receiver)
    heard: list[str] = []

    def fail(sender: object, event: object) -> None:
        raise RuntimeError("a receiver of the host's")

    def hear(sender: object, event: object) -> None:
        heard.append("heard")

    with (
        signals.incident_created.connected_to(fail, site.app),
        signals.incident_created.connected_to(hear, site.app),
    ):
        _open_incident(site, "Told all the same")
    assert heard == ["heard"]
    assert "incident.created" in site.signals()
    assert "deliver: " in site.run("sweep")
    receiver.wait_for(lambda got: b"Told all the same" in got.body, timeout=2)


def _subscribe(site: Site, receiver: Receiver) -> None:
    site.api("POST", "components", {"name": "Billing"})
    site.api("POST", "subscriptions", {"channel": "webhook", "address": f"{receiver.url}/hook"})


def _open_incident(site: Site, title: str) -> None:
    site.api("POST", "incidents", {"title": title, "impact": "major", "components": ["billing"]})


def _open_incident_and_die(site: Site) -> None:
    """Open an incident in a process whose commit succeeds and whose trigger kills it."""
    script = """
import os, signal
from flask_statuspage.state import state_of
from site_app import create_app, db, statuspage

app = create_app()
state_of(app).wake = lambda task: os.kill(os.getpid(), signal.SIGKILL)
with app.app_context():
    statuspage.open_incident("Killed in between", impact="major", components=["billing"])
    db.session.commit()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = nursery.run(["-c", script], cwd=site.folder, env=environment)
    assert done.returncode == -9
    titles = [item["name"] for item in site.public("incidents.json")["incidents"]]
    assert titles == ["Killed in between"]


def _states(site: Site) -> set[str]:
    items = site.api("GET", "deliveries?per_page=100")["items"]
    assert json.dumps(items)
    return {item["state"] for item in items}
