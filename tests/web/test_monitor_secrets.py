"""Secrets of monitors over the manage API: used for checks, shown nowhere."""

from __future__ import annotations

import logging

import pytest

from tests.servers.http import Answer, Receiver
from tests.web.site import API, Site
from tests.web.test_manage_api import problem

MASK = "********"
SECRETS = ("hunter2", "swordfish")
OPTIONS = {
    "auth": {"type": "basic", "username": "ann", "password": "hunter2"},
    "headers": {"X-Api-Key": "swordfish", "Accept": "text/html"},
}
HIDDEN = {
    "auth": {"type": "basic", "username": "ann", "password": MASK},
    "headers": {"X-Api-Key": MASK, "Accept": "text/html"},
}


def test_no_answer_shows_a_secret(
    site: Site, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The target gets them; whoever asks the API, reads the audit or the log does not, also when the check fails."""
    caplog.set_level(logging.DEBUG)
    said = [site.made("/monitors", name="Probe", target=receiver.url, options=OPTIONS)]
    assert {name: said[0]["options"][name] for name in HIDDEN} == HIDDEN
    said += [site.ask("GET", path).get_json() for path in ("/monitors", "/monitors/probe")]
    said.append(site.made("/monitors/probe/run"))
    assert receiver.requests[0].headers["X-Api-Key"] == "swordfish"
    assert receiver.requests[0].headers["Authorization"].startswith("Basic ")
    receiver.answer = Answer(status=500, body=b"hunter2")
    said.append(site.made("/monitors/probe/run"))
    assert said[-1]["error"] == "Answered 500"
    changed = {**OPTIONS, "keyword": "x", "method": "POST", "body": "y"}
    said.append(site.ask("PATCH", "/monitors/probe", {"options": changed}).get_json())
    said += [site.ask("GET", f"/monitors/probe{path}").get_json() for path in ("", "/checks")]
    said.append(site.ask("GET", "/audit?limit=100").get_json())
    assert "monitor" in str(said[-1])
    for secret in SECRETS:
        assert secret not in str(said)
        assert secret not in str(site.contents())
        assert secret not in caplog.text


def test_what_was_read_can_be_sent_back(site: Site, receiver: Receiver) -> None:
    """The whole answer, with a change, keeps the secrets; without it nothing is changed."""
    made = site.made("/monitors", name="Probe", target=receiver.url, options=OPTIONS)
    options = {**made["options"], "expected_status": [200, 204]}
    answer = site.ask("PATCH", "/monitors/probe", {"options": options, "target": receiver.url})
    assert answer.get_json()["options"] == options
    assert site.made("/monitors/probe/run")["outcome"] == "up"
    assert receiver.requests[0].headers["X-Api-Key"] == "swordfish"


def test_secrets_are_not_sent_elsewhere(site: Site, receiver: Receiver) -> None:
    """An editor who changes the host must give each of them again, and a new monitor has none to keep."""
    made = site.made("/monitors", name="Probe", target=receiver.url, options=OPTIONS)
    target = f"http://localhost:{receiver.port}/"
    site.key("editor")
    before = site.contents()
    bodies = ({"target": target}, {"target": target, "options": made["options"]})
    for body in bodies:
        refused = problem(site.ask("PATCH", "/monitors/probe", body, role="editor"), 422)
        assert {error["field"] for error in refused["errors"]} == {
            "options.auth.password",
            "options.headers.X-Api-Key",
        }
    copied = {"name": "Copy", "target": receiver.url, "options": made["options"]}
    refused = problem(site.ask("POST", "/monitors", copied, role="editor"), 422)
    assert len(refused["errors"]) == 2
    after = site.contents()
    assert after["statuspage_monitor"] == before["statuspage_monitor"]
    assert after["statuspage_audit"] == before["statuspage_audit"]
    body = {"target": target, "options": OPTIONS}
    assert site.ask("PATCH", "/monitors/probe", body, role="editor").status_code == 200
    assert site.client.get(f"{site.prefix}{API}/monitors/probe").status_code == 401
