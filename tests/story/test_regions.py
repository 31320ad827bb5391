"""Two regions, one of which loses its line; and notices that outlive the scheduler that sent the last one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.session import current_session
from tests.servers import nursery
from tests.servers.http import Answer, Receiver, Target
from tests.servers.redis import RedisServer
from tests.story.site import Site, eventually, running_site

WORKER = """
import sys
from flask_statuspage.jobs import tasks
from site_app import create_app

with create_app().app_context():
    sys.exit(tasks.run("probe:" + sys.argv[1]) != 1)
"""

WITHOUT_LINE = ("unshare", "--net")
"""Runs a command in a network namespace of its own, where there is not even loopback."""


def can_cut_off() -> bool:
    if shutil.which(WITHOUT_LINE[0]) is None:
        return False
    tried = subprocess.run([*WITHOUT_LINE, "true"], capture_output=True, check=False)
    return tried.returncode == 0


def probe(site: Site, region: str, *, cut_off: bool = False) -> None:
    """Let a worker of *region* make its one due check, in a process of its own."""
    with site.app.app_context():
        session = current_session()
        session.execute(update(MonitorRegion).values(due_at=utc_now() - timedelta(seconds=1)))
        session.commit()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = ["-c", WORKER, region]
    if cut_off:
        command = [*WITHOUT_LINE, sys.executable, *command]
        subprocess.run(command, cwd=site.folder, env=environment, check=True)
    else:
        nursery.run(command, cwd=site.folder, env=environment, check=True)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("referring", [True, False])
def test_a_region_that_is_cut_off_abstains(
    tmp_path: Path, database_url: str, target: Target, referring: bool
) -> None:
    """Its failures are its own, so the page stays green; without references they would turn it red."""
    if not can_cut_off():
        pytest.skip("network namespaces are not to be had here: unshare --net is refused")
    config = {"STATUSPAGE_REFERENCE_TARGETS": [target.url + "/reference"]} if referring else {}
    with running_site(
        tmp_path,
        SQLALCHEMY_DATABASE_URI=database_url,
        STATUSPAGE_REGIONS="eu,us",
        **config,
    ) as site:
        url = target.set("/health", Answer())
        site.api("POST", "components", {"name": "API"})
        watched = {"name": "M", "target": url, "component": "api", "regions": ["eu", "us"]}
        # So rare that its own beat is not met while a worker makes the check that is asked for: that would be a second.
        watched |= {"interval": 86400, "failure_threshold": 1, "recovery_threshold": 1}
        site.api("POST", "monitors", watched)
        for region in ("eu", "us"):
            probe(site, region)
        probe(site, "us", cut_off=True)
        probe(site, "eu")
        monitor = site.api("GET", "monitors/m")
        results = {one["region"]: one for one in monitor["results"]}
        shown = site.public("components.json")["components"][0]["status"]
        if not referring:
            assert (monitor["verdict"], shown) == ("down", "down")
            assert results["us"]["error"] == "Connection failed"
            return
        assert (monitor["verdict"], shown) == ("up", "up")
        assert (results["us"]["outcome"], results["us"]["votes"]) == ("unknown", False)
        assert results["us"]["error"] == "This region cannot reach the reference targets"
        assert results["eu"]["votes"]
        probe(site, "us")
        assert all(one["votes"] for one in site.api("GET", "monitors/m")["results"])
        # A real outage is still found.
        target.set("/health", Answer(status=500))
        probe(site, "us")
        assert site.api("GET", "monitors/m")["verdict"] == "down"


@pytest.fixture
def site(tmp_path: Path, database_url: str, redis_server: RedisServer) -> Iterator[Site]:
    redis_server.start()
    redis_server.flushall()
    with running_site(
        tmp_path,
        SQLALCHEMY_DATABASE_URI=database_url,
        STATUSPAGE_REDIS_URL=redis_server.url,
    ) as site:
        yield site


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_notices_go_on_after_a_killed_scheduler(
    site: Site, target: Target, receiver: Receiver
) -> None:
    """The level that is due while no scheduler lives is sent by the next one, once; host code hears of one outage."""
    hook = {"channel": "webhook", "format": "statuspageone", "address": f"{receiver.url}/hook"}
    site.api("POST", "subscriptions", hook)
    url = target.set("/health", Answer(status=500))
    body = {"name": "M", "target": url, "interval": 3600, "failure_threshold": 1}
    site.api("POST", "monitors", {**body, "escalation_intervals": [3600, 3600]})

    def told() -> list[int]:
        bodies = [json.loads(got.body) for got in receiver.requests]
        return [body["context"]["notification_level"] for body in bodies]

    def let_it_be_due() -> None:
        with site.app.app_context():
            session = current_session()
            session.execute(update(Monitor).values(escalates_at=utc_now() - timedelta(seconds=1)))
            session.commit()

    site.start("worker")
    first = site.start("scheduler")
    eventually(lambda: told() == [1], within=40, what="the first notice")
    site.kill(first)
    let_it_be_due()
    time.sleep(1)
    assert told() == [1]
    second, third = site.start("scheduler"), site.start("scheduler")
    eventually(lambda: told() == [1, 2], within=40, what="the second notice")
    site.kill(second)
    let_it_be_due()
    eventually(lambda: told() == [1, 2, 3], within=40, what="the third notice")
    assert third.poll() is None
    assert site.signals().count("monitor.down") == 1
