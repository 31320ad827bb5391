"""StatusMate's webhook, field for field as its document has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flask_statuspage.delivery.formats import Posting, formats
from flask_statuspage.delivery.formats.statusmate import IMPACT
from flask_statuspage.domain.events import PUBLIC_EVENTS, Event
from flask_statuspage.domain.status import ComponentStatus

from .facts import (
    AFFECTED,
    UPDATE,
    component_data,
    event,
    incident_data,
    maintenance_data,
    uuid,
)

STATUSMATE = formats["statusmate"]
API = {
    "impact": "major_outage",
    "component_details": {
        "name": "API",
        "impact": "major_outage",
        "component_uuid": str(uuid(20)),
    },
}


def rendered(name: str, **data: Any) -> dict[str, Any]:
    return json.loads(STATUSMATE.render(event(name, **data)))


def test_an_incident_literally() -> None:
    """Every byte of an incident's message, in the order of the document."""
    fact = event("incident.created", incident=incident_data(components=[AFFECTED]))
    assert STATUSMATE.render(fact) == (
        '{"text":"We are **looking**.","meta":{"title":"API is dówn",'
        '"uuid":"00000000-0000-0000-0000-000000000001",'
        '"created_at":"2026-02-19T17:30:05+00:00","type":"incident_created",'
        '"delivery_attempt":0,"status_page":"00000000-0000-0000-0000-000000000002",'
        '"payload":{"text":"API is dówn","meta":{'
        '"uuid":"00000000-0000-0000-0000-00000000000a","title":"API is dówn","end_at":null,'
        '"type":"incident_created","start_at":"2026-02-19T17:30:00+00:00",'
        '"affected_components":[{"impact":"major_outage","component_details":{"name":"API",'
        '"impact":"major_outage","component_uuid":"00000000-0000-0000-0000-000000000014"}}]}}}}'
    )


def test_a_resolved_incident() -> None:
    """It has its end, all its components with the impact that is left, and the word of the end."""
    up = {**AFFECTED, "status": "operational"}
    data = incident_data(
        status="resolved",
        resolved_at="2026-02-19T18:00:00+00:00",
        components=[up, {**AFFECTED, "id": str(uuid(21)), "name": "Web", "status": "unknown"}],
        updates=[{**UPDATE, "body": "Over."}, UPDATE],
    )
    body = rendered("incident.resolved", incident=data)
    meta = body["meta"]["payload"]["meta"]
    assert (body["text"], body["meta"]["type"]) == ("Over.", "incident_finished")
    assert (meta["type"], meta["end_at"]) == ("incident_finished", "2026-02-19T18:00:00+00:00")
    assert [one["impact"] for one in meta["affected_components"]] == ["operational"] * 2
    assert [one["component_details"]["name"] for one in meta["affected_components"]] == [
        "API",
        "Web",
    ]


def test_a_maintenance_literally() -> None:
    """Every field of a maintenance's payload, in the order of the document."""
    below = {**AFFECTED, "status": "under_maintenance"}
    body = rendered("maintenance.scheduled", maintenance=maintenance_data(components=[below]))
    assert body["text"] == "We are **looking**."
    assert json.dumps(body["meta"]["payload"], ensure_ascii=False, separators=(",", ":")) == (
        '{"text":"Néw disks","meta":{"title":"Néw disks",'
        '"uuid":"00000000-0000-0000-0000-00000000000a","text":"We are **looking**.",'
        '"end_at":"2026-02-20T04:00:00+00:00","start_at":"2026-02-20T02:00:00+00:00",'
        '"type":"maintenance_created","affected_components":[{"impact":"under_maintenance",'
        '"component_details":{"name":"API","impact":"under_maintenance",'
        '"component_uuid":"00000000-0000-0000-0000-000000000014"}}]}}'
    )


BEGUN, ENDED = "2026-02-20T02:05:00+00:00", "2026-02-20T03:00:00+00:00"
PLANNED = ("2026-02-20T02:00:00+00:00", "2026-02-20T04:00:00+00:00")


@pytest.mark.parametrize(
    ("step", "type", "changes", "window"),
    [
        ("scheduled", "maintenance_created", {}, PLANNED),
        ("started", "maintenance_started", {"started_at": BEGUN}, (BEGUN, PLANNED[1])),
        (
            "completed",
            "maintenance_finished",
            {"status": "completed", "started_at": BEGUN, "ended_at": ENDED},
            (BEGUN, ENDED),
        ),
        (
            "completed",
            "maintenance_finished",
            {"status": "cancelled", "ended_at": "2026-02-01T00:00:00+00:00"},
            PLANNED,
        ),
    ],
)
def test_each_step_of_a_maintenance(
    step: str, type: str, changes: dict[str, Any], window: tuple[str, str]
) -> None:
    """The window is the planned one until the real one is known, and never ends before it begins."""
    body = rendered(f"maintenance.{step}", maintenance=maintenance_data(**changes))
    meta = body["meta"]["payload"]["meta"]
    assert (body["meta"]["type"], meta["type"]) == (type, type)
    assert (meta["start_at"], meta["end_at"]) == window


def test_a_component_literally() -> None:
    """Every byte of a component's message: its name is title and text of both parts."""
    assert STATUSMATE.render(event("component.status_change", component=component_data())) == (
        '{"text":"API","meta":{"title":"API","uuid":"00000000-0000-0000-0000-000000000001",'
        '"created_at":"2026-02-19T17:30:05+00:00","type":"component_impact_updated",'
        '"delivery_attempt":0,"status_page":"00000000-0000-0000-0000-000000000002",'
        '"payload":{"text":"API","meta":{"title":"API",'
        '"uuid":"00000000-0000-0000-0000-000000000014","type":"component_impact_updated",'
        '"impact":"major_outage"}}}}'
    )


def test_a_test_literally() -> None:
    """A test has the envelope and an empty payload, as the document's first example."""
    assert STATUSMATE.render(event("test", message="This is a test.")) == (
        '{"text":"This is a test.","meta":{"title":"Test",'
        '"uuid":"00000000-0000-0000-0000-000000000001",'
        '"created_at":"2026-02-19T17:30:05+00:00","type":"test","delivery_attempt":0,'
        '"status_page":"00000000-0000-0000-0000-000000000002","payload":{}}}'
    )


@pytest.mark.parametrize("updates", [[], [{**UPDATE, "body": ""}, UPDATE]])
def test_without_a_word_the_title_is_the_text(updates: list[dict[str, Any]]) -> None:
    """Where the latest step says nothing, the title speaks and no earlier word does."""
    data = incident_data(updates=updates, components=[])
    body = rendered("incident.resolved", incident=data)
    assert body["text"] == "API is dówn"
    assert body["meta"]["payload"]["meta"]["affected_components"] == []


def test_a_maintenance_that_the_clock_starts() -> None:
    """The text of the envelope is the title; the payload goes on describing the work."""
    updates = [{**UPDATE, "body": ""}, UPDATE]
    body = rendered("maintenance.started", maintenance=maintenance_data(updates=updates))
    assert body["text"] == "Néw disks"
    assert body["meta"]["payload"]["meta"]["text"] == UPDATE["body"]
    silent = rendered("maintenance.started", maintenance=maintenance_data(updates=[]))
    assert (silent["text"], silent["meta"]["payload"]["meta"]["text"]) == ("Néw disks", "")


@pytest.mark.parametrize("status", list(ComponentStatus))
def test_every_status_has_its_impact(status: ComponentStatus) -> None:
    """The impacts are the statuses' own words; of what is unknown nothing bad is said."""
    expected = "operational" if status is ComponentStatus.UNKNOWN else status.value
    assert IMPACT[status] == expected
    body = rendered("component.status_change", component=component_data(status=status.value))
    assert body["meta"]["payload"]["meta"]["impact"] == expected


def test_delivery_attempt_counts_the_retries() -> None:
    """Each attempt has its number; nothing else of the body changes, its bytes included."""
    assert STATUSMATE.complete is not None
    fact = event("incident.created", incident=incident_data(title="é \u2028 \U0001f525"))
    body = STATUSMATE.render(fact)
    for retry in (0, 1, 5, 12):
        completed = STATUSMATE.complete(body, Posting(retry=retry, unsubscribe_url="https://x/"))
        assert completed == body.replace('"delivery_attempt":0', f'"delivery_attempt":{retry}')


def test_the_title_cannot_forge_the_attempt() -> None:
    """A title that looks like the field stays as it is."""
    assert STATUSMATE.complete is not None
    title = '"delivery_attempt":0'
    body = STATUSMATE.render(event("incident.created", incident=incident_data(title=title)))
    completed = json.loads(STATUSMATE.complete(body, Posting(retry=3, unsubscribe_url="")))
    assert (completed["meta"]["title"], completed["meta"]["delivery_attempt"]) == (title, 3)


def test_six_events_and_no_other() -> None:
    """What the document has no type for is neither sent unasked nor offered."""
    assert STATUSMATE.offered == STATUSMATE.unasked
    left = set(PUBLIC_EVENTS) - STATUSMATE.offered
    assert left == {
        "incident.updated",
        "incident.postmortem",
        "maintenance.updated",
        "maintenance.reminder",
        "monitor.down",
        "monitor.recovered",
    }


def test_the_same_event_has_the_same_bytes() -> None:
    """Rendering changes nothing in the event and depends on nothing else."""
    fact: Event = event("maintenance.completed", maintenance=maintenance_data())
    before = json.dumps(fact.data)
    assert STATUSMATE.render(fact) == STATUSMATE.render(fact)
    assert json.dumps(fact.data) == before


def test_the_documented_policy() -> None:
    """Ten seconds, 200 only, retries after 10 seconds, 1, 5 and 30 minutes and 2 hours; unsigned."""
    policy = STATUSMATE.policy
    assert (policy.timeout, policy.delays) == (10.0, (10.0, 60.0, 300.0, 1800.0, 7200.0))
    assert [status for status in range(100, 600) if policy.is_success(status)] == [200]
    assert STATUSMATE.sign("secret", b"{}") == {}
    assert not STATUSMATE.members_only
