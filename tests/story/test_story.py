"""The main job, whole: a service fails, everybody is told; it recovers, everybody is told."""

from __future__ import annotations

import hashlib
import hmac
import json
from email.message import EmailMessage

import pytest
from standardwebhooks import Webhook

from tests.servers.http import Answer, Received, Receiver, Target
from tests.servers.smtp import SmtpServer
from tests.story.site import Site, eventually

SECRET = "whsec_" + "c3RhdHVzcGFnZSB0ZXN0cyBhcmUgZnVu"

WAYS = [
    pytest.param("sqlite", "embedded", id="sqlite-embedded"),
    pytest.param("sqlite", "redis", id="sqlite-redis"),
    pytest.param("postgresql", "redis", id="postgresql-redis"),
    pytest.param("mariadb", "redis", id="mariadb-redis"),
]


@pytest.mark.parametrize(("database_url", "site"), WAYS, indirect=True)
def test_a_failing_service_is_told_everywhere_and_its_recovery_too(
    site: Site, target: Target, receiver: Receiver, smtp: SmtpServer
) -> None:
    """Monitor, page, JSON, badge, incident, signal, signed webhook and mail follow one failure and one recovery."""
    health = target.set("/health", Answer(status=200))
    site.api("POST", "components", {"name": "Billing"})
    site.api(
        "POST",
        "monitors",
        {
            "name": "Billing API",
            "component": "billing",
            "target": health,
            "interval": 1,
            # It is part of how long a result counts: on a busy machine the next one may take long to come.
            "timeout": 20,
            "failure_threshold": 2,
            "recovery_threshold": 2,
        },
    )
    _subscribe_webhook(site, receiver)
    _subscribe_mailbox(site, smtp)
    # The component is operational before anything is known.
    eventually(
        lambda: site.api("GET", "monitors/billing-api")["verdict"] == "up",
        within=60,
        what="first check",
    )
    assert _indicator(site) == "operational"

    target.set("/health", Answer(status=503))
    created = receiver.wait_for(lambda got: _event(got) == "incident.created", timeout=30)
    mail = smtp.wait_for(lambda mail: "Billing is down" in mail["Subject"], timeout=30)
    eventually(lambda: _indicator(site) == "major_outage", within=30, what="red summary")
    _check_signatures(created)
    assert "Major outage: Billing" in site.page()
    assert "major outage" in site.public("badge.svg")
    summary = site.public("summary.json")
    assert [(c["name"], c["status"]) for c in summary["components"]] == [("Billing", "down")]
    assert [i["name"] for i in summary["incidents"]] == ["Billing is down"]
    incident = json.loads(created.body)["incident"]
    assert (incident["component"], incident["impact"]) == ("Billing", "critical")
    assert incident["resolved_at"] is None
    assert _text(mail).startswith("Investigating: Billing is down")

    target.set("/health", Answer(status=200))
    resolved = receiver.wait_for(lambda got: _event(got) == "incident.resolved", timeout=30)
    smtp.wait_for(lambda mail: "Resolved: Billing is down" in mail["Subject"], timeout=30)
    eventually(lambda: _indicator(site) == "operational", within=30, what="green summary")
    _check_signatures(resolved)
    assert json.loads(resolved.body)["incident"]["resolved_at"] is not None
    assert "All systems operational" in site.page()
    assert "operational" in site.public("badge.svg")
    assert site.public("incidents/unresolved.json")["incidents"] == []
    assert site.public("incidents.json")["incidents"][0]["status"] == "resolved"
    story = [
        "monitor.down",
        "component.status_change",
        "incident.created",
        "monitor.recovered",
        "component.status_change",
        "incident.resolved",
    ]
    eventually(lambda: site.signals()[-6:] == story, within=15, what="all signals")
    eventually(
        lambda: [_event(got) for got in receiver.requests].count("component.status_change") >= 2,
        within=15,
        what="both changes of the component",
    )
    told = [_event(got) for got in receiver.requests]
    assert told.count("incident.created") == told.count("incident.resolved") == 1
    assert told.count("component.status_change") == 2


def _subscribe_webhook(site: Site, receiver: Receiver) -> None:
    """As a published client does it: form-encoded, without a key."""
    answer = site.client.post(
        "/status/?action=subscribe",
        data={"type": "webhook", "url": f"{receiver.url}/hook", "secret": SECRET},
    )
    assert answer.status_code == 201, answer.text


def _subscribe_mailbox(site: Site, smtp: SmtpServer) -> None:
    answer = site.client.post(
        "/status/subscribe", data={"channel": "email", "address": "ann@customer.example"}
    )
    assert answer.status_code == 202, answer.text
    mail = smtp.wait_for(lambda mail: "confirm" in mail["Subject"], timeout=30)
    site.confirm(_text(mail))


def _indicator(site: Site) -> str:
    indicator: str = site.public("status.json")["status"]["indicator"]
    return indicator


def _event(got: Received) -> str:
    event: str = json.loads(got.body)["event"]
    return event


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def _check_signatures(got: Received) -> None:
    """The documented HMAC over the exact bytes, and an off-the-shelf Standard Webhooks verifier."""
    expected = hmac.new(SECRET.encode(), got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Status-Signature"] == expected
    Webhook(SECRET).verify(got.body, dict(got.headers))
