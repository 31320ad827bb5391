"""Statuspage's webhook: literally, and compared with the documents of its public API."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings

from flask_statuspage.delivery.formats import Posting, formats
from flask_statuspage.documents import statuspage_api
from flask_statuspage.documents.snapshot import Snapshot
from flask_statuspage.domain.events import INCIDENT_EVENTS, MAINTENANCE_EVENTS, Event
from flask_statuspage.domain.facts import AffectedFact, plain
from flask_statuspage.domain.status import ComponentStatus
from tests.documents.snapshots import snapshots

from .facts import PAGE, component_data, event, incident_data, maintenance_data, uuid

STATUSPAGE = formats["statuspage"]
AT = "2026-02-19T17:30:00+00:00"
POSTING = Posting(retry=0, unsubscribe_url="https://status.example.com/unsubscribe/a.b?c=d&e")


def full_component(**changes: Any) -> dict[str, Any]:
    return component_data(
        description="",
        group_id=None,
        position=2,
        only_show_if_degraded=False,
        since=AT,
        created_at=AT,
        updated_at=AT,
        showcase=True,
        start_date=None,
        **changes,
    )


def rendered(name: str, **data: Any) -> dict[str, Any]:
    fact = event(name, **data)
    page = {**PAGE, "status": data.pop("page_status", "major_outage")}
    fact = Event(**{**vars(fact), "data": {**data, "page": page}})
    return dict(json.loads(STATUSPAGE.render(fact)))


def test_a_component_literally() -> None:
    """Meta, page, the update with both statuses, and the component as the public API has it."""
    told = rendered("component.status_change", component=full_component())
    assert told == {
        "meta": {
            "unsubscribe": "",
            "documentation": "https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/",
            "generated_at": "2026-02-19T17:30:05.000Z",
        },
        "page": {
            "id": "00000000-0000-0000-0000-000000000002",
            "status_indicator": "critical",
            "status_description": "Major System Outage",
        },
        "component_update": {
            "created_at": "2026-02-19T17:30:05.000Z",
            "new_status": "major_outage",
            "old_status": "operational",
            "component_type": "Component",
            "id": "4df8db2e-d5fd-5be6-a540-ad33d5c17c38",
            "component_id": "00000000-0000-0000-0000-000000000014",
        },
        "component": {
            "id": "00000000-0000-0000-0000-000000000014",
            "name": "API",
            "status": "major_outage",
            "created_at": "2026-02-19T17:30:00.000Z",
            "updated_at": "2026-02-19T17:30:00.000Z",
            "position": 2,
            "description": None,
            "showcase": True,
            "start_date": None,
            "group_id": None,
            "page_id": "00000000-0000-0000-0000-000000000002",
            "group": False,
            "only_show_if_degraded": False,
        },
    }


def event_of(
    name: str, snapshot: Snapshot, components: tuple[AffectedFact, ...], **data: Any
) -> Event:
    """An event as services write it of something that *snapshot* shows."""
    known = {state.fact.id: state.fact for state in snapshot.components}
    present = [known[one.id] for one in components if one.id in known]
    page = {**plain(snapshot.page), "status": snapshot.status.value}
    fact = event(name)
    return Event(
        id=fact.id,
        sequence=fact.sequence,
        name=name,
        page_id=snapshot.page.id,
        occurred_at=fact.occurred_at,
        subject_id=fact.subject_id,
        component_ids=(),
        data={"page": page, "components": plain(present), **data},
    )


def to_the_second(value: Any) -> Any:
    """*value* without the milliseconds of its instants: events are written to the second."""
    if isinstance(value, dict):
        return {key: to_the_second(one) for key, one in value.items()}
    if isinstance(value, list):
        return [to_the_second(one) for one in value]
    if isinstance(value, str) and len(value) == 24 and value.endswith("Z") and value[19] == ".":
        return value[:20] + "000Z"
    return value


@settings(max_examples=25)
@given(snapshots())
def test_incidents_are_those_of_the_public_api(snapshot: Snapshot) -> None:
    """Whatever a page shows: the webhook's incident is, field for field, the one in incidents.json."""
    published = statuspage_api.incidents(snapshot)["incidents"]
    status = statuspage_api.status(snapshot)["status"]
    for fact, document in zip(snapshot.newest_incidents, published, strict=True):
        data = {**plain(fact), "url": f"{snapshot.page.url}/incidents/{fact.id}"}
        happened = event_of("incident.updated", snapshot, fact.components, incident=data)
        told = json.loads(STATUSPAGE.render(happened))
        assert told["incident"] == to_the_second(document)
        assert list(told["incident"]) == list(document)
        assert told["page"] == {
            "id": str(snapshot.page.id),
            "status_indicator": status["indicator"],
            "status_description": status["description"],
        }


@settings(max_examples=25)
@given(snapshots())
def test_maintenances_are_those_of_the_public_api(snapshot: Snapshot) -> None:
    """A maintenance comes as an incident with its schedule, the same as in scheduled-maintenances.json."""
    published = statuspage_api.scheduled_maintenances(snapshot)["scheduled_maintenances"]
    for fact, document in zip(reversed(snapshot.maintenances), published, strict=True):
        data = {**plain(fact), "url": f"{snapshot.page.url}/maintenance/{fact.id}"}
        happened = event_of("maintenance.updated", snapshot, fact.components, maintenance=data)
        told = json.loads(STATUSPAGE.render(happened))
        assert told["incident"] == to_the_second(document)
        assert list(told["incident"]) == list(document)
        assert "maintenance" not in told


@settings(max_examples=25)
@given(snapshots())
def test_components_are_those_of_the_public_api(snapshot: Snapshot) -> None:
    """A component that changed is the one in components.json."""
    rows = statuspage_api.components(snapshot)["components"]
    published = {row["id"]: row for row in rows if not row["group"]}
    for state in snapshot.components:
        data = {**plain(state.fact), "previous_status": "operational"}
        happened = event_of("component.status_change", snapshot, (), component=data)
        told = json.loads(STATUSPAGE.render(happened))
        assert told["component"] == to_the_second(published[str(state.fact.id)])
        assert told["component_update"]["new_status"] == told["component"]["status"]


def test_the_link_that_ends_the_subscription() -> None:
    """It is the only thing that differs between subscriptions; it is there in every attempt."""
    fact = event("component.status_change", component=full_component())
    body = STATUSPAGE.render(fact)
    assert STATUSPAGE.complete is not None
    told = json.loads(STATUSPAGE.complete(body, POSTING))
    assert told["meta"]["unsubscribe"] == POSTING.unsubscribe_url
    told["meta"]["unsubscribe"] = ""
    assert told == json.loads(body)
    again = Posting(retry=3, unsubscribe_url=POSTING.unsubscribe_url)
    assert STATUSPAGE.complete(body, again) == STATUSPAGE.complete(body, POSTING)


def test_the_time_is_the_event_s() -> None:
    """A body that is made again, much later, is the same."""
    fact = event("incident.created", incident=hostile_incident(""), components=[])
    body = STATUSPAGE.render(fact)
    assert json.loads(body)["meta"]["generated_at"] == "2026-02-19T17:30:05.000Z"
    assert STATUSPAGE.render(fact) == body


def test_instants_leave_in_utc() -> None:
    """Another offset is turned, milliseconds and Z are always there."""
    component = full_component()
    component["created_at"] = "2026-02-19T12:30:00-05:00"
    told = rendered("component.status_change", component=component)
    assert told["component"]["created_at"] == "2026-02-19T17:30:00.000Z"
    assert datetime.fromisoformat(told["component"]["created_at"]) == datetime(
        2026, 2, 19, 17, 30, tzinfo=UTC
    )


def hostile_incident(text: str) -> dict[str, Any]:
    update = {
        "id": str(uuid(30)),
        "status": "investigating",
        "body": f"Body {text}",
        "components": [],
        "created_at": AT,
        "updated_at": AT,
        "notified": True,
    }
    return incident_data(title=f"Title {text}", updates=[update])


def test_hostile_texts_stay_texts() -> None:
    """Whatever somebody typed comes back as it was, also after the link is filled in."""
    hostile = '"},"meta":{"unsubscribe":"https://evil"}\u2028\x07</script>\\ 😀'
    fact = event("incident.created", incident=hostile_incident(hostile), components=[])
    assert STATUSPAGE.complete is not None
    told = json.loads(STATUSPAGE.complete(STATUSPAGE.render(fact), POSTING))
    assert told["incident"]["name"] == f"Title {hostile}"
    assert told["incident"]["incident_updates"][0]["body"] == f"Body {hostile}"
    assert told["meta"]["unsubscribe"] == POSTING.unsubscribe_url
    assert list(told) == ["meta", "page", "incident"]


@pytest.mark.parametrize("status", list(ComponentStatus))
def test_the_page_in_their_words(status: ComponentStatus) -> None:
    """Indicator and description belong together."""
    indicator = ["none", "none", "maintenance", "minor", "major", "critical"][status.severity]
    description = {
        "none": "All Systems Operational",
        "minor": "Partially Degraded Service",
        "major": "Partial System Outage",
        "critical": "Major System Outage",
        "maintenance": "Service Under Maintenance",
    }[indicator]
    told = rendered("component.status_change", component=full_component(), page_status=status.value)
    assert told["page"]["status_indicator"] == indicator
    assert told["page"]["status_description"] == description


@pytest.mark.parametrize(
    ("data", "indicator"),
    [
        ({"component": full_component()}, "critical"),
        ({"incident": hostile_incident(""), "components": []}, "critical"),
        ({"message": "This is a test."}, "none"),
    ],
)
def test_a_page_whose_status_was_not_asked_for(data: dict[str, Any], indicator: str) -> None:
    """An event from before anybody was subscribed in this format says at least what it is about."""
    told = json.loads(STATUSPAGE.render(event("any", **data)))
    assert told["page"]["status_indicator"] == indicator


def test_a_test_is_about_nothing() -> None:
    """Statuspage knows no test message: it has meta and page, and nothing to act on."""
    told = json.loads(STATUSPAGE.render(event("test", message="This is a test.")))
    assert list(told) == ["meta", "page"]


def test_updates_have_ids_of_their_own() -> None:
    """The id of a component's update is the same over retries and differs from event to event."""
    first = event("component.status_change", component=full_component())
    other = Event(**{**vars(first), "id": UUID(int=99)})
    ids = [
        json.loads(STATUSPAGE.render(one))["component_update"]["id"]
        for one in (first, first, other)
    ]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0] != str(first.id)


def test_wording_is_pure() -> None:
    """The event is not touched."""
    fact = event("maintenance.scheduled", maintenance=planned(), components=[full_component()])
    before = deepcopy(fact)
    STATUSPAGE.render(fact)
    assert fact == before


def planned() -> dict[str, Any]:
    return maintenance_data(updates=[], created_at=AT, updated_at=AT)


def test_a_maintenance_without_updates() -> None:
    """Receivers read the first update without asking, so there is always one."""
    told = rendered("maintenance.scheduled", maintenance=planned(), components=[])
    (update,) = told["incident"]["incident_updates"]
    assert (update["status"], update["body"], update["deliver_notifications"]) == (
        "scheduled",
        "",
        False,
    )


def test_the_policy() -> None:
    """Any 2xx within thirty seconds, a redirect is a failure, ten failures within an hour disable."""
    policy = STATUSPAGE.policy
    assert [code for code in (199, 200, 204, 299, 300, 302, 500) if policy.is_success(code)] == [
        200,
        204,
        299,
    ]
    assert policy.timeout == 30.0
    assert (policy.disable_after_failed, policy.disable_after_unreached) == (10, None)
    assert policy.delays == (60.0, 300.0, 1800.0, 7200.0)
    assert timedelta(seconds=policy.span) < timedelta(hours=4)


def test_what_it_is_sent_for() -> None:
    """All of incidents, maintenance and components; reminders if asked for; monitors never."""
    assert STATUSPAGE.unasked == {
        *INCIDENT_EVENTS,
        *MAINTENANCE_EVENTS,
        "component.status_change",
    }
    assert STATUSPAGE.offered - STATUSPAGE.unasked == {"maintenance.reminder"}
    assert STATUSPAGE.page_status
