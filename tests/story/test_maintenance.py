"""Maintenance by the clock, whole: it begins and ends on time, is told once, and hides what monitors find meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from tests.servers.http import Answer, Received, Receiver, Target
from tests.servers.smtp import SmtpServer
from tests.story.site import Site, eventually
from tests.story.test_story import WAYS

ON_TIME = timedelta(seconds=5)

TITLE = "Database upgrade"
UNASKED = [
    "incident.created",
    "incident.updated",
    "incident.resolved",
    "maintenance.scheduled",
    "maintenance.started",
    "maintenance.updated",
    "maintenance.completed",
    "component.status_change",
]


@pytest.mark.parametrize(("database_url", "site"), WAYS, indirect=True)
def test_a_window_begins_and_ends_on_time_and_is_told_once(
    site: Site, target: Target, receiver: Receiver, smtp: SmtpServer
) -> None:
    """Component, page, JSON, webhooks and mail follow the clock within 5 s; a failing target alerts nobody."""
    if site.app.config["STATUSPAGE_REDIS_URL"]:
        site.start("scheduler")  # a second one: nothing is told twice
        site.start("worker")
    health = target.set("/health", Answer(status=200))
    site.api("POST", "components", {"name": "Billing"})
    monitor = {"name": "Billing", "component": "billing", "target": health}
    # The timeout is part of how long a result counts: on a busy machine the next one may take long to come.
    watching = site.api(
        "POST", "monitors", {**monitor, "interval": 1, "timeout": 20, "failure_threshold": 2}
    )
    address = {"channel": "webhook", "address": receiver.url}
    asked = [*UNASKED, "maintenance.reminder", "monitor.down", "monitor.recovered"]
    site.api("POST", "subscriptions", {**address, "events": asked})
    mailbox = {"channel": "email", "address": "ada@acme.example"}
    site.api("POST", "subscriptions", mailbox)
    # Not by the component, which is operational before anything is known.
    eventually(
        lambda: site.api("GET", f"monitors/{watching['id']}")["verdict"] == "up",
        within=60,
        what="first check",
    )

    now = datetime.now(UTC)
    made = site.api(
        "POST",
        "maintenances",
        {
            "title": TITLE,
            "components": ["billing"],
            "scheduled_start": (now + timedelta(seconds=6)).isoformat(),
            "scheduled_end": (now + timedelta(hours=1)).isoformat(),
        },
    )
    path = f"maintenances/{made['id']}"
    eventually(lambda: site.api("GET", path)["status"] == "in_progress", within=30, what="start")
    # What readers see may be a second old.
    eventually(lambda: _status(site) == "maintenance", within=5, what="the component")
    assert "Maintenance in progress: Billing" in site.page()
    target.set("/health", Answer(status=503))  # what maintenance is for
    eventually(lambda: _found(site, watching) == "down", within=60, what="failed checks")
    # Before the end, whenever that is: what is down after it is to be told.
    target.set("/health", Answer(status=200))
    eventually(lambda: _found(site, watching) == "up", within=60, what="recovery")
    assert site.api("GET", path)["status"] == "in_progress"
    end = datetime.now(UTC) + timedelta(seconds=4)
    site.api("PATCH", path, {"scheduled_end": end.isoformat(), "notify": False})
    eventually(lambda: site.api("GET", path)["status"] == "completed", within=30, what="end")

    over = site.api("GET", path)
    _assert_on_time(over["started_at"], over["scheduled_start"])
    _assert_on_time(over["ended_at"], over["scheduled_end"])
    eventually(lambda: _status(site) == "up", within=5, what="the component")
    receiver.wait_for(lambda got: _event(got) == "maintenance.completed", timeout=30)
    smtp.wait_for(lambda mail: "Maintenance completed" in mail["Subject"], timeout=30)
    eventually(lambda: site.signals()[-1:] == ["maintenance.completed"], within=15, what="signal")
    eventually(lambda: len(receiver.requests) >= 5, within=15, what="all webhooks")
    told = [_event(got) for got in receiver.requests]
    assert [name for name in told if name.startswith("maintenance.")] == [
        "maintenance.scheduled",
        "maintenance.started",
        "maintenance.completed",
    ]
    # Beside it only the component, before and after: nothing of the monitor, no incident.
    assert told.count("component.status_change") == 2
    assert len(told) == 5
    assert site.public("incidents.json")["incidents"] == []
    assert [_topic(mail) for mail in smtp.messages] == [
        "Maintenance planned",
        "Maintenance in progress",
        "Maintenance completed",
    ]


def _status(site: Site) -> str:
    return str(site.public("components.json")["components"][0]["status"])


def _found(site: Site, monitor: dict[str, Any]) -> str:
    """What the region found; the monitor's own verdict stands still while its component is maintained."""
    (result,) = site.api("GET", f"monitors/{monitor['id']}")["results"]
    return str(result["verdict"])


def _event(received: Received) -> str:
    return str(json.loads(received.body)["event"])


def _topic(mail: EmailMessage) -> str:
    return str(mail["Subject"]).partition("] ")[2].removesuffix(f": {TITLE}")


def _assert_on_time(happened: str, planned: str) -> None:
    late = datetime.fromisoformat(happened) - datetime.fromisoformat(planned)
    assert -timedelta(seconds=1) <= late <= ON_TIME, late
