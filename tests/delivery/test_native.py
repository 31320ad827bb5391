"""The native webhook's body, literally."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flask_statuspage.delivery.formats import formats
from flask_statuspage.domain.dialects import NATIVE_STATUS
from flask_statuspage.domain.events import PUBLIC_EVENTS, Event
from flask_statuspage.domain.status import ComponentStatus

from .facts import (
    UPDATE,
    component_data,
    event,
    incident_data,
    maintenance_data,
    monitor_data,
    region_data,
)

STEPS = ("scheduled", "started", "updated", "completed", "reminder")
NATIVE = formats["native"]
HEAD = (
    '"timestamp":"2026-02-19T17:30:05+00:00",'
    '"page":{"name":"FacioTech Status","url":"https://status.example.com"},'
    '"id":"00000000-0000-0000-0000-000000000001","sequence":7'
)


def test_an_incident_literally() -> None:
    """Every byte of an incident's message: the documented fields, and further ones beside them."""
    assert NATIVE.render(event("incident.created", incident=incident_data())) == (
        '{"event":"incident.created",' + HEAD + ',"incident":{'
        '"id":"00000000-0000-0000-0000-00000000000a",'
        '"name":"API is dówn","status":"investigating","impact":"critical",'
        '"component":"API","components":["API","Web"],'
        '"started_at":"2026-02-19T17:30:00+00:00","resolved_at":null,'
        '"url":"https://status.example.com/incidents/x","next_update_due":null,'
        '"updates":[{"status":"investigating","body":"We are **looking**.",'
        '"created_at":"2026-02-19T17:30:00+00:00"}]}}'
    )


@pytest.mark.parametrize("name", ["updated", "resolved", "postmortem"])
def test_each_step_of_an_incident(name: str) -> None:
    """All steps have the same shape; a resolved one has its end, and updates are newest first."""
    updates = [{**UPDATE, "body": "Over."}, UPDATE]
    data = incident_data(
        status="resolved", resolved_at="2026-02-19T18:00:00+00:00", updates=updates
    )
    body = json.loads(NATIVE.render(event(f"incident.{name}", incident=data)))
    assert list(body) == ["event", "timestamp", "page", "id", "sequence", "incident"]
    assert body["event"] == f"incident.{name}"
    assert body["incident"]["resolved_at"] == "2026-02-19T18:00:00+00:00"
    assert [one["body"] for one in body["incident"]["updates"]] == ["Over.", UPDATE["body"]]


def test_a_promised_update() -> None:
    """When readers were promised news by stands beside the documented fields."""
    due = "2026-02-19T18:30:00+00:00"
    data = incident_data(next_update_due=due)
    body = json.loads(NATIVE.render(event("incident.updated", incident=data)))
    assert body["incident"]["next_update_due"] == due


def test_an_incident_without_components() -> None:
    """Without components the first affected name is null and the list is empty."""
    data = incident_data(components=[])
    body = json.loads(NATIVE.render(event("incident.created", incident=data)))
    assert (body["incident"]["component"], body["incident"]["components"]) == (None, [])


def test_a_maintenance_literally() -> None:
    """Every byte of a maintenance's message: the documented fields, and further ones beside them."""
    fact = event("maintenance.scheduled", maintenance=maintenance_data())
    assert NATIVE.render(fact) == (
        '{"event":"maintenance.scheduled",' + HEAD + ',"maintenance":{'
        '"id":"00000000-0000-0000-0000-00000000000a",'
        '"name":"Néw disks","status":"scheduled","component":"API","components":["API"],'
        '"scheduled_start":"2026-02-20T02:00:00+00:00",'
        '"scheduled_end":"2026-02-20T04:00:00+00:00","started_at":null,"ended_at":null,'
        '"url":"https://status.example.com/maintenance/x",'
        '"updates":[{"status":"scheduled","body":"We are **looking**.",'
        '"created_at":"2026-02-19T17:30:00+00:00"}]}}'
    )


def test_a_moved_window_and_a_reminder() -> None:
    """The window from before, and the minutes that are left, are there where they mean something."""
    moved = {"scheduled_start": "2026-02-19T02:00:00+00:00", "scheduled_end": "x"}
    for name, more in (("updated", {"moved_from": moved}), ("reminder", {"minutes": 60})):
        fact = event(f"maintenance.{name}", maintenance=maintenance_data(**more))
        body = json.loads(NATIVE.render(fact))["maintenance"]
        assert {key: body[key] for key in ("moved_from", "minutes") if key in body} == more


def test_a_reminder_is_sent_to_receivers_that_ask() -> None:
    """The published receivers know seven events; a reminder is no change, so it does not come unasked."""
    assert "maintenance.reminder" not in NATIVE.unasked
    assert "maintenance.reminder" in NATIVE.offered
    assert "maintenance.reminder" in formats["email"].unasked


def test_a_component_literally() -> None:
    """Every byte of a component's change, in the words of the native document."""
    assert NATIVE.render(event("component.status_change", component=component_data())) == (
        '{"event":"component.status_change",' + HEAD + ',"component":{'
        '"id":"00000000-0000-0000-0000-000000000014","slug":"api","name":"API","group":null,'
        '"status":"down","previous_status":"up"}}'
    )


SILENT = {
    **{"region": "us", "verdict": "unknown", "votes": False, "outcome": None, "at": None},
    **{"milliseconds": None, "error": None},
}


def test_a_monitor_literally() -> None:
    """Every byte of a monitor's message, without the target: it can be an internal address with a key in it."""
    data = monitor_data(notification_level=2, regions=[region_data(), region_data(**SILENT)])
    assert NATIVE.render(event("monitor.down", monitor=data)) == (
        '{"event":"monitor.down",' + HEAD + ',"monitor":{'
        '"id":"00000000-0000-0000-0000-000000000028","name":"API check",'
        '"status":"down","previous_status":"up",'
        '"check":{"outcome":"down","region":"eu","at":"2026-02-19T17:30:00+00:00",'
        '"milliseconds":10000,"code":null,"error":"No answer in time"},'
        '"notification_level":2,"regions":[{"region":"eu","status":"down","votes":true,'
        '"at":"2026-02-19T17:30:00+00:00","milliseconds":10000,"code":null,"error":"No answer in time"},'
        '{"region":"us","status":"unknown","votes":false,"at":null,"milliseconds":null,"code":null,"error":null}]}}'
    )


def test_a_test_literally() -> None:
    """A test message has its text and nothing that could be taken for an incident."""
    assert NATIVE.render(event("test", message="This is a test.")) == (
        '{"event":"test",' + HEAD + ',"message":"This is a test."}'
    )


@pytest.mark.parametrize("status", list(ComponentStatus))
def test_every_status_has_its_word(status: ComponentStatus) -> None:
    """Each status leaves in the words of the native components.json."""
    words = ["unknown", "up", "maintenance", "degraded", "partial_outage", "down"]
    assert NATIVE_STATUS[status] == words[status.severity]


@pytest.mark.parametrize("name", ["email", "native"])
@pytest.mark.parametrize(
    ("event_name", "data"),
    [
        *((f"incident.{step}", {"incident": incident_data()}) for step in ("created", "updated")),
        *((f"incident.{step}", {"incident": incident_data()}) for step in ("resolved",)),
        ("incident.postmortem", {"incident": incident_data(status="postmortem")}),
        *((f"maintenance.{step}", {"maintenance": maintenance_data()}) for step in STEPS),
        ("component.status_change", {"component": component_data()}),
        ("monitor.down", {"monitor": monitor_data()}),
        ("monitor.recovered", {"monitor": monitor_data(verdict="up", check=None)}),
        ("test", {"message": "This is a test."}),
    ],
)
def test_every_format_words_every_event(name: str, event_name: str, data: dict[str, Any]) -> None:
    """No event that happens leaves a format without words, and the words are JSON."""
    fact: Event = event(event_name, **data)
    assert json.loads(formats[name].render(fact))


@pytest.mark.parametrize("name", ["email", "native"])
def test_what_is_sent_unasked_is_offered(name: str) -> None:
    """A subscriber can choose each event that comes unasked; monitors are only told when asked."""
    found = formats[name]
    assert found.unasked <= found.offered <= set(PUBLIC_EVENTS)
    assert not any(one.startswith("monitor.") for one in found.unasked)
    assert ("component.status_change" in found.unasked) is (name == "native")


def test_the_documented_policy() -> None:
    """Ten seconds, any 2xx, retries after 1, 5 and 30 minutes without jitter."""
    policy = NATIVE.policy
    assert (policy.timeout, policy.delays, policy.jitter) == (10.0, (60.0, 300.0, 1800.0), 0.0)
    assert (policy.is_success(200), policy.is_success(299), policy.is_success(302)) == (1, 1, 0)
