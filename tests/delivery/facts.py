"""Events and parcels made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask_statuspage.config import Settings
from flask_statuspage.delivery.parcel import Parcel
from flask_statuspage.domain.events import Event
from flask_statuspage.domain.retry import Policy

AT = datetime(2026, 2, 19, 17, 30, 5, 999, tzinfo=UTC)
PAGE = {"name": "FacioTech Status", "url": "https://status.example.com", "slug": "main"}
LOOPBACK = Settings(allow_http_targets=True, allow_private_targets=True)

UPDATE = {
    "id": str(UUID(int=30)),
    "status": "investigating",
    "body": "We are **looking**.",
    "notified": True,
    "components": [],
    "created_at": "2026-02-19T17:30:00+00:00",
    "updated_at": "2026-02-19T17:30:00+00:00",
}
AFFECTED = {
    "id": str(UUID(int=20)),
    "slug": "api",
    "name": "API",
    "group": "Core",
    "status": "major_outage",
    "old_status": None,
}


def uuid(number: int) -> UUID:
    return UUID(int=number)


def event(name: str, **data: Any) -> Event:
    return Event(
        id=uuid(1),
        sequence=7,
        name=name,
        page_id=uuid(2),
        occurred_at=AT,
        subject_id=uuid(10),
        component_ids=(uuid(20),),
        data={"page": PAGE, **data},
    )


def incident_data(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid(10)),
        "title": "API is dówn",
        "status": "investigating",
        "impact": "critical",
        "automatic": False,
        "components": [AFFECTED, {**AFFECTED, "id": str(uuid(21)), "slug": "web", "name": "Web"}],
        "updates": [UPDATE],
        "started_at": "2026-02-19T17:30:00+00:00",
        "monitoring_at": None,
        "resolved_at": None,
        "created_at": "2026-02-19T17:30:00+00:00",
        "updated_at": "2026-02-19T17:30:00+00:00",
        "url": "https://status.example.com/incidents/x",
        **changes,
    }


def maintenance_data(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid(10)),
        "title": "Néw disks",
        "status": "scheduled",
        "components": [AFFECTED],
        "updates": [{**UPDATE, "status": "scheduled"}],
        "scheduled_start": "2026-02-20T02:00:00+00:00",
        "scheduled_end": "2026-02-20T04:00:00+00:00",
        "started_at": None,
        "ended_at": None,
        "created_at": "2026-02-19T17:30:00+00:00",
        "updated_at": "2026-02-19T17:30:00+00:00",
        "url": "https://status.example.com/maintenance/x",
        **changes,
    }


def component_data(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid(20)),
        "slug": "api",
        "name": "API",
        "description": "The public API",
        "group_id": None,
        "group": None,
        "position": 1,
        "status": "major_outage",
        "previous_status": "operational",
        "only_show_if_degraded": False,
        "showcase": True,
        "start_date": None,
        "since": "2026-02-19T17:30:00+00:00",
        "created_at": "2026-02-19T17:30:00+00:00",
        "updated_at": "2026-02-19T17:30:00+00:00",
        **changes,
    }


def monitor_data(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid(40)),
        "slug": "m",
        "name": "API check",
        "kind": "http",
        "target": "https://api.example.com/",
        "interval": 60,
        "verdict": "down",
        "failures": 3,
        "previous": "up",
        "check": {
            "outcome": "down",
            "region": "eu",
            "at": "2026-02-19T17:30:00+00:00",
            "milliseconds": 10000,
            "code": None,
            "error": "No answer in time",
        },
        "notification_level": 1,
        "regions": [region_data()],
        **changes,
    }


def region_data(**changes: Any) -> dict[str, Any]:
    return {
        "region": "eu",
        "verdict": "down",
        "votes": True,
        "outcome": "down",
        "at": "2026-02-19T17:30:00+00:00",
        "milliseconds": 10000,
        "code": None,
        "error": "No answer in time",
        **changes,
    }


def parcel(**changes: Any) -> Parcel:
    values: dict[str, Any] = {
        "delivery_id": uuid(50),
        "subscription_id": uuid(51),
        "lease": uuid(52),
        "attempt": 1,
        "channel": "webhook",
        "format": "native",
        "address": "http://127.0.0.1:9/",
        "event_name": "incident.created",
        "subject_id": uuid(10),
        "body": '{"event":"incident.created","text":"Grüße"}',
        "secret": None,
        "policy": Policy(timeout=5.0),
    }
    return Parcel(**(values | changes))
