"""From another service's status page to a receiver of StatusGator's webhook, through the workers' tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from flask_statuspage.jobs import tasks
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.monitors import MonitorRegion
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_session
from tests.servers.http import Answer, Receiver, Target
from tests.servers.statusgator import StatusGatorReceiver
from tests.services import scenes
from tests.story.site import Site, running_site

CAPTURES = Path(__file__).parents[1] / "captures"
SUMMARY = "/api/v2/summary.json"


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    config = {"SQLALCHEMY_DATABASE_URI": database_url, "STATUSPAGE_REGIONS": "default,eu"}
    with running_site(tmp_path, **config) as site:
        yield site


def changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    """The capture of a Statuspage as somebody changed it."""
    document = json.loads((CAPTURES / "statuspage.json").read_text())
    change(document)
    return json.dumps(document).encode()


def fine(document: dict[str, Any]) -> None:
    document["status"] = {"indicator": "none", "description": "All Systems Operational"}
    document["components"][0]["status"] = "operational"
    document["incidents"] = []


def work(site: Site, *regions: str) -> None:
    """One round of the workers: all monitors are checked in each region, and what is due is sent."""
    with site.app.app_context():
        session = current_session()
        session.execute(update(MonitorRegion).values(due_at=utc_now()))
        session.commit()
        for region in regions or ("default",):
            tasks.run(f"probe:{region}")
        tasks.run("fan_out")
        tasks.run("deliver")


def subscribe(site: Site, url: str, **options: Any) -> None:
    with site.app.app_context():
        session = current_session()
        scenes.webhook(session, default_page(session), url, format="statusgator", **options)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_an_upstream_change_reaches_a_statusgator_receiver(
    site: Site, target: Target, receiver: Receiver
) -> None:
    """The page changes, and the receiver that knows StatusGator's document only gets its message, byte for byte; a page
    that cannot be read is no change; two regions tell it once; a level is kept."""
    gator = receiver.answer = StatusGatorReceiver()
    subscribe(site, receiver.url + "/any")
    subscribe(site, receiver.url + "/down", level="down")
    target.set(SUMMARY, Answer(body=changed(fine)))
    options = {
        "name": "Heroku",
        "home_page_url": "https://www.heroku.com",
        "status_page_url": "https://status.heroku.com",
        "favicon_url": "https://favicons.statusgator.com/heroku.ico",
    }
    body = {"name": "Upstream", "kind": "upstream", "target": target.url, "interval": 30}
    site.api("POST", "monitors", {**body, "regions": ["default", "eu"], "options": options})
    work(site, "default", "eu")
    assert site.api("GET", "monitors/upstream")["verdict"] == "up"
    target.set(SUMMARY, Answer(status=502))
    work(site, "default", "eu")
    target.set(SUMMARY, Answer(body=(CAPTURES / "statuspage.json").read_bytes()))
    work(site, "default", "eu")
    work(site, "eu", "default")

    (sent,) = gator.bodies
    assert gator.refused == []
    assert [request.path for request in receiver.requests] == ["/any"]
    occurred_at = json.loads(sent)["occurred_at"]
    expected = {
        "component_status_changes": [
            {"group_name": None, "name": "Apps", "last_status": "up", "current_status": "warn"}
        ],
        "component_statuses": [
            {"group_name": None, "name": "Apps", "status": "warn"},
            {"group_name": None, "name": "Data", "status": "up"},
            {"group_name": None, "name": "Tools", "status": "up"},
        ],
        "current_status": "warn",
        "details": "Some users are experiencing deployment delays.",
        "favicon_url": "https://favicons.statusgator.com/heroku.ico",
        "home_page_url": "https://www.heroku.com",
        "last_status": "up",
        "message": "Application deployment performance",
        "occurred_at": occurred_at,
        "service_name": "Heroku",
        "slug": "heroku",
        "status_page_url": "https://status.heroku.com",
    }
    assert sent == json.dumps(expected, separators=(",", ":"), ensure_ascii=False).encode()

    receiver.clear()
    target.set(
        SUMMARY, Answer(body=changed(lambda page: page["status"].update(indicator="critical")))
    )
    work(site, "default", "eu")
    assert sorted(request.path for request in receiver.requests) == ["/any", "/down"]
    assert gator.refused == []
    told = [json.loads(one) for one in gator.bodies[1:]]
    assert {(one["last_status"], one["current_status"]) for one in told} == {("warn", "down")}
    assert all(one["component_status_changes"] == [] for one in told)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_wrong_options_leave_nothing(site: Site) -> None:
    """A monitor of this kind with a wrong option, interval or target is refused by field, and there is no monitor."""
    body = {"name": "U", "kind": "upstream", "target": "https://status.example.com"}
    for change, field in (
        ({"options": {"dialect": "klingon"}}, "options.dialect"),
        ({"options": {"favicon_url": "x"}}, "options.favicon_url"),
        ({"interval": 100_000}, "interval"),
        ({"interval": 29}, "interval"),
        ({"target": "not a url"}, "target"),
    ):
        response = site.client.post(
            "/status/admin/api/v1/monitors",
            json={**body, **change},
            headers={"Authorization-Token": site.key},
        )
        assert response.status_code == 422
        assert [one["field"] for one in response.get_json()["errors"]] == [field]
    assert site.api("GET", "monitors")["total"] == 0
