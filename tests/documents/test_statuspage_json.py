"""The Statuspage dialect, compared with literal documents, and whatever a page shows with what was published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given

from flask_statuspage.documents import statuspage_api as api
from flask_statuspage.documents.snapshot import NEWEST_INCIDENTS, Snapshot
from flask_statuspage.domain import source_page
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
from .snapshots import patient, snapshots

PAGE = {
    "id": "00000000-0000-0000-0000-000000000001",
    "name": "FacioTech Status",
    "url": "https://status.example.com",
    "time_zone": "UTC",
    "updated_at": "2026-02-19T17:30:00.000Z",
}

# As the design lists them; written out once more, so that a change of the documents is one of the contract.
FIELDS = {
    "page": "id name url time_zone updated_at",
    "status": "indicator description",
    "component": "id name status created_at updated_at position description showcase start_date "
    "group_id page_id group only_show_if_degraded",
    "incident": "id name status created_at updated_at monitoring_at resolved_at impact shortlink "
    "started_at page_id incident_updates components",
    "update": "id status body incident_id created_at updated_at display_at affected_components "
    "deliver_notifications custom_tweet tweet_id",
    "affected": "code name old_status new_status",
}
FIELDS["group"] = FIELDS["component"] + " components"
FIELDS["maintenance"] = FIELDS["incident"] + " scheduled_for scheduled_until"

DOCUMENTS = {
    api.status: "page status",
    api.summary: "page components incidents scheduled_maintenances status",
    api.components: "page components",
    api.incidents: "page incidents",
    api.unresolved_incidents: "page incidents",
    api.scheduled_maintenances: "page scheduled_maintenances",
    api.upcoming_maintenances: "page scheduled_maintenances",
    api.active_maintenances: "page scheduled_maintenances",
}

COMPONENT_WORDS = {
    "operational",
    "degraded_performance",
    "partial_outage",
    "major_outage",
    "under_maintenance",
}
INDICATORS = {
    "none": "All Systems Operational",
    "minor": "Partially Degraded Service",
    "major": "Partial System Outage",
    "critical": "Major System Outage",
    "maintenance": "Service Under Maintenance",
}
INCIDENT_WORDS = {"investigating", "identified", "monitoring", "resolved", "postmortem"}
MAINTENANCE_WORDS = {"scheduled", "in_progress", "verifying", "completed"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}Z")


def has_fields(value: dict[str, Any], kind: str) -> None:
    """Exactly these, in this order."""
    assert list(value) == FIELDS[kind].split()


def check_component(row: dict[str, Any]) -> None:
    has_fields(row, "group" if row["group"] else "component")
    assert row["status"] in COMPONENT_WORDS
    assert row["description"] != ""
    assert not (row["group"] and row["group_id"])


def check_event(row: dict[str, Any], kind: str, words: set[str]) -> None:
    has_fields(row, kind)
    assert row["status"] in words
    assert re.fullmatch(
        r"https://status\.example\.com/(incidents|maintenance)/" + row["id"], row["shortlink"]
    )
    assert row["started_at"]
    assert row["incident_updates"]
    for update in row["incident_updates"]:
        has_fields(update, "update")
        assert (update["incident_id"], update["status"] in words) == (row["id"], True)
        assert update["affected_components"] != []
        for component in update["affected_components"] or ():
            has_fields(component, "affected")
            assert {component["old_status"], component["new_status"]} <= COMPONENT_WORDS
    for component in row["components"]:
        check_component(component)
        assert component["group"] is False


def times_in(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The fields that hold an instant, wherever they are."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from times_in(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from times_in(part, name)
    elif name.endswith("_at") or name in ("scheduled_for", "scheduled_until"):
        yield name, value


@given(snapshots())
@patient
def test_nothing_but_what_was_published(snapshot: Snapshot) -> None:
    """Whatever a page shows, only the published fields and words leave, and no list is null."""
    for render, names in DOCUMENTS.items():
        document: Any = render(snapshot)
        assert list(document) == names.split()
        has_fields(document["page"], "page")
        if "status" in document:
            has_fields(document["status"], "status")
            indicator = document["status"]["indicator"]
            assert document["status"]["description"] == INDICATORS[indicator]
        for row in document.get("components", ()):
            check_component(row)
        for row in document.get("incidents", ()):
            check_event(row, "incident", INCIDENT_WORDS)
            assert row["impact"] in INDICATORS.keys() - {"maintenance"}
        for row in document.get("scheduled_maintenances", ()):
            check_event(row, "maintenance", MAINTENANCE_WORDS)
            assert row["impact"] == "maintenance"
        for name, value in times_in(document):
            nullable = name in ("monitoring_at", "resolved_at")
            assert INSTANT.fullmatch(value) if value is not None else nullable, name


@pytest.mark.parametrize(
    ("status", "indicator"),
    [
        ("operational", "none"),
        ("degraded_performance", "minor"),
        ("partial_outage", "major"),
        ("major_outage", "critical"),
        ("under_maintenance", "maintenance"),
        ("unknown", "none"),
    ],
)
def test_status_document(status: str, indicator: str) -> None:
    """``status.json`` tells the page's status in the published words; one that is not known is none."""
    assert api.status(snapshot_of(status=ComponentStatus(status))) == {
        "page": PAGE,
        "status": {"indicator": indicator, "description": INDICATORS[indicator]},
    }


def test_components_document() -> None:
    """Each group stands before its members as a row of its own, with the worst of their statuses."""
    group = group_fact(1, "Platform", description="What it runs on", position=3)
    mail = component_state(1, "Mail", position=2, description="In and out", showcase=False)
    portal = component_state(2, "Portal", ComponentStatus.UNKNOWN, group=group, position=1)
    search = component_state(
        3,
        "Search",
        ComponentStatus.PARTIAL_OUTAGE,
        group=group,
        position=2,
        start_date=date(2025, 3, 1),
        only_show_if_degraded=True,
    )
    document = api.components(
        snapshot_of(mail, portal, search, groups=(group, group_fact(2, "Empty")))
    )
    member = {
        "created_at": "2025-11-11T17:30:00.000Z",
        "updated_at": "2026-02-19T15:30:00.000Z",
        "page_id": PAGE["id"],
        "group": False,
    }
    assert document == {
        "page": PAGE,
        "components": [
            member
            | {
                "id": str(uuid(201)),
                "name": "Mail",
                "status": "operational",
                "position": 2,
                "description": "In and out",
                "showcase": False,
                "start_date": None,
                "group_id": None,
                "only_show_if_degraded": False,
            },
            {
                "id": str(uuid(101)),
                "name": "Platform",
                "status": "partial_outage",
                "created_at": "2025-11-11T17:30:00.000Z",
                "updated_at": "2025-11-11T17:30:00.000Z",
                "position": 3,
                "description": "What it runs on",
                "showcase": False,
                "start_date": None,
                "group_id": None,
                "page_id": PAGE["id"],
                "group": True,
                "only_show_if_degraded": False,
                "components": [str(uuid(202)), str(uuid(203))],
            },
            member
            | {
                "id": str(uuid(202)),
                "name": "Portal",
                "status": "operational",
                "position": 1,
                "description": None,
                "showcase": True,
                "start_date": None,
                "group_id": str(uuid(101)),
                "only_show_if_degraded": False,
            },
            member
            | {
                "id": str(uuid(203)),
                "name": "Search",
                "status": "partial_outage",
                "position": 2,
                "description": None,
                "showcase": True,
                "start_date": "2025-03-01",
                "group_id": str(uuid(101)),
                "only_show_if_degraded": True,
            },
        ],
    }


@pytest.mark.parametrize("status", ComponentStatus)
def test_status_of_a_component(status: ComponentStatus) -> None:
    """A component has one of the five published statuses; one that was never checked is operational."""
    group = group_fact(1, "Platform")
    rows = api.components(
        snapshot_of(component_state(1, "A", status, group=group), groups=(group,))
    )["components"]
    published = "operational" if status is ComponentStatus.UNKNOWN else status.value
    assert [row["status"] for row in rows] == [published, published]


def test_incident_document() -> None:
    """An incident literally, with its updates newest first and its components as they are now."""
    group = group_fact(1, "Platform")
    portal = component_state(1, "Portal", ComponentStatus.MAJOR_OUTAGE, group=group)
    mail = component_state(2, "Mail")
    gone = component_state(3, "Fax")
    first = update_fact(
        1,
        "investigating",
        "Slow *responses*.",
        ago(minutes=5),
        (
            affected(portal, old_status=ComponentStatus.OPERATIONAL),
            affected(gone, old_status=ComponentStatus.UNKNOWN, status=ComponentStatus.UNKNOWN),
        ),
        notified=False,
    )
    latest = update_fact(2, "monitoring", "", ago(minutes=1))
    fact = incident_fact(
        1,
        "Portal is slow",
        "monitoring",
        "major",
        components=(affected(gone), affected(portal, status=ComponentStatus.PARTIAL_OUTAGE)),
        updates=(latest, first),
        monitoring_at=ago(minutes=1),
    )
    snapshot = snapshot_of(mail, portal, groups=(group,), incidents=(fact,))
    [row] = api.incidents(snapshot)["incidents"]
    assert row == {
        "id": str(uuid(301)),
        "name": "Portal is slow",
        "status": "monitoring",
        "created_at": "2026-02-19T17:25:00.000Z",
        "updated_at": "2026-02-19T17:29:00.000Z",
        "monitoring_at": "2026-02-19T17:29:00.000Z",
        "resolved_at": None,
        "impact": "major",
        "shortlink": f"https://status.example.com/incidents/{uuid(301)}",
        "started_at": "2026-02-19T17:25:00.000Z",
        "page_id": PAGE["id"],
        "incident_updates": [
            {
                "id": str(uuid(402)),
                "status": "monitoring",
                "body": "",
                "incident_id": str(uuid(301)),
                "created_at": "2026-02-19T17:29:00.000Z",
                "updated_at": "2026-02-19T17:29:00.000Z",
                "display_at": "2026-02-19T17:29:00.000Z",
                "affected_components": None,
                "deliver_notifications": True,
                "custom_tweet": None,
                "tweet_id": None,
            },
            {
                "id": str(uuid(401)),
                "status": "investigating",
                "body": "Slow *responses*.",
                "incident_id": str(uuid(301)),
                "created_at": "2026-02-19T17:25:00.000Z",
                "updated_at": "2026-02-19T17:25:00.000Z",
                "display_at": "2026-02-19T17:25:00.000Z",
                "affected_components": [
                    {
                        "code": str(uuid(201)),
                        "name": "Platform - Portal",
                        "old_status": "operational",
                        "new_status": "major_outage",
                    },
                    {
                        "code": str(uuid(203)),
                        "name": "Fax",
                        "old_status": "operational",
                        "new_status": "operational",
                    },
                ],
                "deliver_notifications": False,
                "custom_tweet": None,
                "tweet_id": None,
            },
        ],
        "components": [api.components(snapshot)["components"][2]],
    }
    assert row["components"][0]["name"] == "Portal"


def test_a_status_that_nobody_noted_did_not_change() -> None:
    """Without a note of what a component was before an update, it was what it is."""
    portal = component_state(1, "Portal", ComponentStatus.PARTIAL_OUTAGE)
    update = update_fact(1, "identified", "", NOW, (affected(portal),))
    snapshot = snapshot_of(incidents=(incident_fact(1, "Fire", updates=(update,)),))
    [row] = api.incidents(snapshot)["incidents"]
    [item] = row["incident_updates"][0]["affected_components"] or ()
    assert (item["old_status"], item["new_status"]) == ("partial_outage", "partial_outage")


def test_postmortem_is_a_published_word() -> None:
    """An incident with a postmortem says so, and when it was resolved."""
    over = incident_fact(1, "Fire", "postmortem", resolved_at=ago(days=1))
    [row] = api.incidents(snapshot_of(incidents=(over,)))["incidents"]
    assert (row["status"], row["resolved_at"]) == ("postmortem", "2026-02-18T17:30:00.000Z")


def test_there_is_always_an_update() -> None:
    """Clients read the first update without asking; where none was written there is an empty one from the start."""
    fire = incident_fact(1, "Fire", "identified")
    disks = maintenance_fact(1, "Disks", "cancelled")
    document = api.summary(snapshot_of(incidents=(fire,)))
    [update] = document["incidents"][0]["incident_updates"]
    assert update == {
        "id": str(fire.id),
        "status": "identified",
        "body": "",
        "incident_id": str(fire.id),
        "created_at": "2026-02-19T17:25:00.000Z",
        "updated_at": "2026-02-19T17:25:00.000Z",
        "display_at": "2026-02-19T17:25:00.000Z",
        "affected_components": None,
        "deliver_notifications": False,
        "custom_tweet": None,
        "tweet_id": None,
    }
    [row] = api.scheduled_maintenances(snapshot_of(maintenances=(disks,)))["scheduled_maintenances"]
    assert [update["status"] for update in row["incident_updates"]] == ["completed"]


def test_incidents_are_the_newest() -> None:
    """The list ends after the newest 50; one that is open and older is among the unresolved ones and in the summary."""
    over = tuple(
        incident_fact(number, f"Over {number}", "resolved", resolved_at=NOW)
        for number in range(NEWEST_INCIDENTS)
    )
    snapshot = snapshot_of(incidents=(*over, incident_fact(99, "Old and open")))
    listed = api.incidents(snapshot)["incidents"]
    assert [row["name"] for row in listed] == [fact.title for fact in over]
    unresolved = api.unresolved_incidents(snapshot)
    assert [row["name"] for row in unresolved["incidents"]] == ["Old and open"]
    assert unresolved["page"] == PAGE
    assert api.summary(snapshot)["incidents"] == unresolved["incidents"]


def test_maintenance_document() -> None:
    """A maintenance is an incident with a schedule; it began when it really did."""
    portal = component_state(1, "Portal", ComponentStatus.UNDER_MAINTENANCE)
    said = update_fact(1, "in_progress", "Begun", ago(minutes=5), kind=MaintenanceStatus)
    fact = maintenance_fact(
        1,
        "New disks",
        "in_progress",
        start=ago(minutes=6),
        end=ago(minutes=1),
        started_at=ago(minutes=5),
        components=(affected(portal),),
        updates=(said,),
    )
    snapshot = snapshot_of(portal, maintenances=(fact,))
    [row] = api.active_maintenances(snapshot)["scheduled_maintenances"]
    assert row == {
        "id": str(uuid(501)),
        "name": "New disks",
        "status": "in_progress",
        "created_at": "2026-02-18T17:30:00.000Z",
        "updated_at": "2026-02-18T17:30:00.000Z",
        "monitoring_at": None,
        "resolved_at": None,
        "impact": "maintenance",
        "shortlink": f"https://status.example.com/maintenance/{uuid(501)}",
        "started_at": "2026-02-19T17:25:00.000Z",
        "page_id": PAGE["id"],
        "incident_updates": [
            {
                "id": str(uuid(401)),
                "status": "in_progress",
                "body": "Begun",
                "incident_id": str(uuid(501)),
                "created_at": "2026-02-19T17:25:00.000Z",
                "updated_at": "2026-02-19T17:25:00.000Z",
                "display_at": "2026-02-19T17:25:00.000Z",
                "affected_components": None,
                "deliver_notifications": True,
                "custom_tweet": None,
                "tweet_id": None,
            }
        ],
        "components": api.components(snapshot)["components"],
        "scheduled_for": "2026-02-19T17:24:00.000Z",
        "scheduled_until": "2026-02-19T17:29:00.000Z",
    }


@pytest.mark.parametrize(
    ("status", "published"),
    [
        ("scheduled", "scheduled"),
        ("in_progress", "in_progress"),
        ("verifying", "verifying"),
        ("completed", "completed"),
        ("cancelled", "completed"),
    ],
)
def test_status_of_a_maintenance(status: str, published: str) -> None:
    """A maintenance and its updates have one of the four published statuses; one that was cancelled is completed."""
    said = update_fact(1, status, "", NOW, kind=MaintenanceStatus)
    fact = maintenance_fact(1, "Disks", status, updates=(said,), ended_at=NOW)
    [row] = api.scheduled_maintenances(snapshot_of(maintenances=(fact,)))["scheduled_maintenances"]
    assert (row["status"], row["incident_updates"][0]["status"]) == (published, published)
    assert row["resolved_at"] == "2026-02-19T17:30:00.000Z"
    # Nobody noted that it began, so it is to begin.
    assert row["started_at"] == row["scheduled_for"] == "2026-02-19T19:30:00.000Z"


def test_lists_of_maintenance() -> None:
    """All with the latest window first; what has not begun and what goes on with the earliest first."""
    over = maintenance_fact(3, "Over", "completed")
    going = (
        maintenance_fact(2, "Going on", "verifying"),
        maintenance_fact(4, "Too", "in_progress"),
    )
    planned = (maintenance_fact(1, "Next"), maintenance_fact(5, "After next"))
    snapshot = snapshot_of(maintenances=(over, *going, *planned))

    def names(document: Any) -> list[str]:
        return [item["name"] for item in document["scheduled_maintenances"]]

    listed = ["After next", "Next", "Too", "Going on", "Over"]
    assert names(api.scheduled_maintenances(snapshot)) == listed
    assert names(api.upcoming_maintenances(snapshot)) == ["Next", "After next"]
    assert names(api.active_maintenances(snapshot)) == ["Going on", "Too"]
    assert names(api.summary(snapshot)) == ["Going on", "Too", "Next", "After next"]


def test_summary_holds_all_parts() -> None:
    """``summary.json`` says what the other documents say, and nothing of what is over."""
    over = incident_fact(2, "Over", "resolved", resolved_at=ago(days=1))
    snapshot = snapshot_of(component_state(1, "Portal"), incidents=(incident_fact(1, "Open"), over))
    assert api.summary(snapshot) == {
        "page": PAGE,
        "components": api.components(snapshot)["components"],
        "incidents": api.unresolved_incidents(snapshot)["incidents"],
        "scheduled_maintenances": [],
        "status": {"indicator": "minor", "description": "Partially Degraded Service"},
    }
    assert [row["name"] for row in api.summary(snapshot)["incidents"]] == ["Open"]


def test_an_empty_page_has_empty_lists() -> None:
    """A page that shows nothing has lists without entries, never null."""
    for render, names in DOCUMENTS.items():
        document: Any = render(snapshot_of())
        lists = [document[name] for name in names.split() if name not in ("page", "status")]
        assert all(found == [] for found in lists)


def test_instants_leave_in_utc_with_milliseconds() -> None:
    """An instant in another zone leaves in UTC, cut to milliseconds and with ``Z``."""
    moment = datetime(2026, 2, 19, 22, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=5)))
    document = api.status(snapshot_of(page=page_fact(updated_at=moment)))
    assert document["page"]["updated_at"] == "2026-02-19T17:30:00.999Z"


def test_links_begin_with_the_page() -> None:
    """A page below another path has full links to its own incidents."""
    page = page_fact(url="https://example.com/status/eu")
    snapshot = replace(snapshot_of(incidents=(incident_fact(1, "Fire"),)), page=page)
    [row] = api.incidents(snapshot)["incidents"]
    assert row["shortlink"] == f"https://example.com/status/eu/incidents/{uuid(301)}"


@given(snapshots())
@patient
def test_a_reader_of_statuspages_understands_it(snapshot: Snapshot) -> None:
    """What reads foreign Statuspages finds every component, incident and maintenance of the page in its documents."""
    read = source_page.read(
        summary=api.summary(snapshot),
        components=api.components(snapshot),
        incidents=api.incidents(snapshot),
        maintenances=api.scheduled_maintenances(snapshot),
    )
    shown = {str(state.fact.id): state.fact for state in snapshot.components}
    assert {component.id for component in read.components} == set(shown)
    for component in read.components:
        fact = shown[component.id]
        assert component.group_id == (str(fact.group_id) if fact.group_id else None)
        assert component.start_date == fact.start_date
        assert component.status is fact.status or fact.status is ComponentStatus.UNKNOWN
    assert [item.id for item in read.incidents] == [str(fact.id) for fact in snapshot.incidents]
    for found, told in zip(read.incidents, snapshot.incidents, strict=True):
        assert (found.status, found.impact) == (told.status, told.impact)
        assert len(found.updates) == max(1, len(told.updates))
        milliseconds = told.started_at.astimezone(UTC) - found.started_at
        assert timedelta(0) <= milliseconds < timedelta(milliseconds=1)
    ids = [str(fact.id) for fact in reversed(snapshot.maintenances)]
    assert [item.id for item in read.maintenances] == ids
