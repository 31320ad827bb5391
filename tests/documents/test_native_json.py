"""The native JSON documents, compared with literal ones."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from flask_statuspage.documents import native_api
from flask_statuspage.documents.json_text import JsonObject
from flask_statuspage.documents.snapshot import NEWEST_INCIDENTS
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus

from .conftest import (
    NOW,
    affected,
    ago,
    component_state,
    group_fact,
    incident_fact,
    maintenance_fact,
    page_fact,
    snapshot_of,
    update_fact,
    uuid,
)

PAGE = {
    "name": "FacioTech Status",
    "url": "https://status.example.com",
    "updated_at": "2026-02-19T17:30:00+00:00",
    "id": "00000000-0000-0000-0000-000000000001",
    "slug": "status",
    "time_zone": "UTC",
}


@pytest.mark.parametrize(
    ("status", "indicator", "description"),
    [
        ("operational", "operational", "All systems operational"),
        ("degraded_performance", "degraded", "Degraded performance"),
        ("partial_outage", "partial_outage", "Partial outage"),
        ("major_outage", "major_outage", "Major outage"),
        ("under_maintenance", "maintenance", "Maintenance in progress"),
        ("unknown", "unknown", "Status not known"),
    ],
)
def test_status_document(status: str, indicator: str, description: str) -> None:
    """``status.json`` tells the page's status in the published words."""
    snapshot = snapshot_of(status=ComponentStatus(status))
    assert native_api.status(snapshot) == {
        "status": {"indicator": indicator, "description": description},
        "page": PAGE,
    }


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("operational", "up"),
        ("degraded_performance", "degraded"),
        ("partial_outage", "partial_outage"),
        ("major_outage", "down"),
        ("under_maintenance", "maintenance"),
        ("unknown", "unknown"),
    ],
)
def test_components_document(status: str, word: str) -> None:
    """A component shows its group, status and measurements under the published names."""
    group = group_fact(1, "Platform Services")
    portal = component_state(
        1, "Client Portal (WHMCS)", ComponentStatus(status), group=group, description="Invoices"
    )
    assert native_api.components(snapshot_of(portal, groups=(group,))) == {
        "components": [
            {
                "name": "Client Portal (WHMCS)",
                "group": "Platform Services",
                "status": word,
                "uptime_percent": 100.0,
                "response_time_ms": 245,
                "check_interval": 60,
                "last_check": "2026-02-19T17:30:00+00:00",
                "id": str(uuid(201)),
                "slug": "service-1",
                "description": "Invoices",
                "status_since": "2026-02-19T15:30:00+00:00",
                "updated_at": "2026-02-19T15:30:00+00:00",
            }
        ]
    }


def test_component_without_group_and_measurements() -> None:
    """What is not known of a component is null, never zero or missing."""
    plain = component_state(1, "Mail", measured=False)
    [shown] = native_api.components(snapshot_of(plain))["components"]
    names = ("group", "uptime_percent", "response_time_ms", "check_interval", "last_check")
    assert [shown[name] for name in names] == [None] * 5


def test_incident_document() -> None:
    """An open incident has every published field; the first affected service is its component."""
    server = component_state(1, "LiteSpeed Web Server", ComponentStatus.DEGRADED_PERFORMANCE)
    mail = component_state(2, "Mail", ComponentStatus.MAJOR_OUTAGE)
    update = update_fact(1, "investigating", "Slow *responses*.", ago(), (affected(server),))
    fact = incident_fact(
        1,
        "LiteSpeed Web Server Degraded",
        components=(affected(server), affected(mail)),
        updates=(update,),
    )
    litespeed = {
        "name": "LiteSpeed Web Server",
        "group": None,
        "status": "degraded",
        "id": str(uuid(201)),
        "slug": "service-1",
    }
    assert native_api.incident(fact) == {
        "name": "LiteSpeed Web Server Degraded",
        "status": "investigating",
        "impact": "minor",
        "component": "LiteSpeed Web Server",
        "started_at": "2026-02-19T17:25:00+00:00",
        "resolved_at": None,
        "updates": [
            {
                "status": "investigating",
                "body": "Slow *responses*.",
                "created_at": "2026-02-19T17:30:00+00:00",
                "id": str(uuid(401)),
                "components": [litespeed],
                "updated_at": "2026-02-19T17:30:00+00:00",
            }
        ],
        "id": str(uuid(301)),
        "components": [
            litespeed,
            {
                "name": "Mail",
                "group": None,
                "status": "down",
                "id": str(uuid(202)),
                "slug": "service-2",
            },
        ],
        "monitoring_at": None,
        "next_update_due": None,
        "created_at": "2026-02-19T17:25:00+00:00",
        "updated_at": "2026-02-19T17:30:00+00:00",
    }


def test_incident_without_components() -> None:
    """An incident that names no service has no component, and its list is empty."""
    document = native_api.incident(incident_fact(1, "Everything is odd"))
    assert (document["component"], document["components"]) == (None, [])


def test_incidents_open_and_all() -> None:
    """Resolved incidents are in the full list only; the order of the snapshot is kept."""
    over = incident_fact(2, "Over", "resolved", started_at=ago(days=2), resolved_at=ago(days=1))
    snapshot = snapshot_of(incidents=(incident_fact(1, "Open"), over))
    everything = native_api.incidents(snapshot)["incidents"]
    assert [incident["name"] for incident in everything] == ["Open", "Over"]
    assert everything[1]["resolved_at"] == "2026-02-18T17:30:00+00:00"
    unresolved = native_api.unresolved_incidents(snapshot)["incidents"]
    assert [incident["name"] for incident in unresolved] == ["Open"]


def test_incidents_are_the_newest() -> None:
    """The list ends after the newest 50; one that is open and older is among the unresolved ones."""
    over = tuple(
        incident_fact(number, f"Over {number}", "resolved", resolved_at=NOW)
        for number in range(NEWEST_INCIDENTS)
    )
    snapshot = snapshot_of(incidents=(*over, incident_fact(99, "Old and open")))
    listed = native_api.incidents(snapshot)["incidents"]
    assert [incident["name"] for incident in listed] == [fact.title for fact in over]
    unresolved = native_api.unresolved_incidents(snapshot)["incidents"]
    assert [incident["name"] for incident in unresolved] == ["Old and open"]


def test_summary_holds_all_parts() -> None:
    """``summary.json`` joins the status, all components, open incidents and maintenance."""
    over = incident_fact(2, "Over", "resolved", started_at=ago(days=2), resolved_at=ago(days=1))
    snapshot = snapshot_of(component_state(1, "Portal"), incidents=(incident_fact(1, "Open"), over))
    assert native_api.summary(snapshot) == {
        "status": {"indicator": "degraded", "description": "Degraded performance"},
        "page": PAGE,
        "components": native_api.components(snapshot)["components"],
        "incidents": [native_api.incident(snapshot.incidents[0])],
        "scheduled_maintenances": [],
    }


def test_maintenance_document() -> None:
    """A maintenance literally: documented names first, its window, what really happened, its updates."""
    said = update_fact(1, "in_progress", "Begun", ago(minutes=5), kind=MaintenanceStatus)
    fact = maintenance_fact(
        1,
        "New disks",
        "in_progress",
        start=ago(minutes=6),
        end=ago(minutes=1),
        started_at=ago(minutes=5),
        components=(affected(component_state(1, "Portal", ComponentStatus.UNDER_MAINTENANCE)),),
        updates=(said,),
        rrule="FREQ=WEEKLY",
    )
    assert native_api.maintenance(fact, NOW) == {
        "name": "New disks",
        "status": "in_progress",
        "component": "Portal",
        "scheduled_start": "2026-02-19T17:24:00+00:00",
        "scheduled_end": "2026-02-19T17:29:00+00:00",
        "started_at": "2026-02-19T17:25:00+00:00",
        "ended_at": None,
        "updates": [
            {
                "status": "in_progress",
                "body": "Begun",
                "created_at": "2026-02-19T17:25:00+00:00",
                "id": str(said.id),
                "components": [],
                "updated_at": "2026-02-19T17:25:00+00:00",
            }
        ],
        "id": str(fact.id),
        "components": [
            {
                "name": "Portal",
                "group": None,
                "status": "maintenance",
                "id": str(fact.components[0].id),
                "slug": "service-1",
            }
        ],
        "overrun": True,
        "rrule": "FREQ=WEEKLY",
        "created_at": "2026-02-18T17:30:00+00:00",
        "updated_at": "2026-02-18T17:30:00+00:00",
    }


def test_lists_of_maintenance() -> None:
    """All, those that have not begun, and those that go on; a summary has the latter two."""
    planned = maintenance_fact(1, "Planned")
    going = maintenance_fact(2, "Going on", "verifying")
    over = maintenance_fact(3, "Over", "completed")
    snapshot = snapshot_of(maintenances=(over, going, planned))

    def names(document: JsonObject) -> list[str]:
        assert set(document) == {"scheduled_maintenances"}
        return [item["name"] for item in document["scheduled_maintenances"]]

    assert names(native_api.scheduled_maintenances(snapshot)) == ["Over", "Going on", "Planned"]
    assert names(native_api.upcoming_maintenances(snapshot)) == ["Planned"]
    assert names(native_api.active_maintenances(snapshot)) == ["Going on"]
    summary = native_api.summary(snapshot)["scheduled_maintenances"]
    assert [item["name"] for item in summary] == ["Going on", "Planned"]


def test_instants_leave_in_utc_with_seconds() -> None:
    """An instant in another zone and with microseconds leaves as RFC 3339 in UTC."""
    moment = datetime(2026, 2, 19, 22, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=5)))
    document = native_api.status(snapshot_of(page=page_fact(updated_at=moment)))
    assert document["page"]["updated_at"] == "2026-02-19T17:30:00+00:00"
