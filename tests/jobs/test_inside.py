"""The host from inside, end to end on the embedded runner: its requests, its functions, its jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask
from sqlalchemy import select

from flask_statuspage import StatusPage
from flask_statuspage.jobs import tasks
from flask_statuspage.jobs.embedded import Runner
from flask_statuspage.services import components, heartbeats, monitors
from flask_statuspage.services.heartbeats import Word
from flask_statuspage.storage.components import Component
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_session
from tests.apps import close, make_app
from tests.story.site import eventually

QUICK: dict[str, Any] = {"every": 1, "failure_threshold": 1, "recovery_threshold": 1}


class Host:
    """A site with a part that works until it is broken."""

    def __init__(self, url: str) -> None:
        self.app: Flask = make_app(url, STATUSPAGE_MIN_CHECK_INTERVAL=1)
        self.page: StatusPage = self.app.extensions["statuspage"].owner
        self.broken = threading.Event()
        shop = Blueprint("shop", __name__)

        @shop.get("/shop")
        def view() -> str:
            if self.broken.is_set():
                raise ConnectionError("the database of the shop")
            return "fine"

        self.app.register_blueprint(shop)
        with self.app.app_context():
            session = current_session()
            components.create(session, default_page(session), name="Shop")
            session.commit()

    def visit(self, times: int) -> None:
        client = self.app.test_client()
        for _ in range(times):
            client.get("/shop")
        self.app.extensions["statuspage"].traffic.write(everything=True)

    def shows(self) -> tuple[list[str], str, list[str]]:
        """The verdicts, the component's status, and the statuses of incidents."""
        with self.app.app_context():
            session = current_session()
            return (
                [
                    str(verdict)
                    for verdict in session.scalars(select(Monitor.verdict).order_by(Monitor.slug))
                ],
                str(session.scalar(select(Component.status))),
                [str(status) for status in session.scalars(select(Incident.status))],
            )


@pytest.fixture
def host(database_url: str) -> Iterator[Host]:
    host = Host(database_url)
    yield host
    host.app.extensions["statuspage"].traffic.stop()
    close(host.app)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_blueprint_that_starts_to_fail(host: Host) -> None:
    """Visitors get errors, so the component is down and an incident is open; they are served again, and it is over."""
    host.page.watch("shop", component="Shop", window=30, min_requests=5, **QUICK)
    host.visit(20)
    runner = Runner(host.app)
    runner.start()
    try:
        eventually(
            lambda: host.shows() == (["up"], "operational", []), within=15, what="it is watched"
        )
        host.broken.set()
        host.visit(30)
        eventually(
            lambda: host.shows() == (["down"], "major_outage", ["investigating"]),
            within=15,
            what="the failures are seen",
        )
        host.broken.clear()
        host.visit(700)
        eventually(
            lambda: host.shows() == (["up"], "operational", ["resolved"]),
            within=15,
            what="the recovery is seen",
        )
    finally:
        runner.stop()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_check_that_hangs_holds_up_no_other(host: Host) -> None:
    """The runner goes on asking while one function hangs, and stops in time although it still does."""
    over = threading.Event()
    host.page.check("Hangs", timeout=0.3, **QUICK)(lambda: over.wait(30))
    host.page.check("Search", component="Shop", **QUICK)(lambda: not host.broken.is_set())
    runner = Runner(host.app)
    runner.start()
    try:
        eventually(
            lambda: host.shows()[:2] == (["down", "up"], "operational"),
            within=15,
            what="both are judged",
        )
        host.broken.set()
        eventually(lambda: host.shows()[1] == "major_outage", within=15, what="search is down")
    finally:
        runner.stop()
        over.set()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_that_falls_silent(host: Host) -> None:
    """Its monitor is up with the first heartbeat, and down once the next one is missing."""
    with host.app.app_context():
        session = current_session()
        page = default_page(session)
        job = monitors.create(
            session, page, name="Job", kind="heartbeat", interval=1, options={"grace": 0}
        )
        session.commit()
        assert tasks.run("probe:default") == 0
        assert heartbeats.take(session, job.token or "", Word.DONE)
        session.commit()
        assert host.shows()[0] == ["up"]
        row = session.scalars(select(MonitorRegion)).one()
        eventually(lambda: tasks.run("probe:default") == 1, within=5, what="it is late")
        assert host.shows()[0] == ["down"]
        session.expire_all()
        assert row.last_error == "No heartbeat in time"
