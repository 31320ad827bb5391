"""StatusMate's webhook: one envelope for all types, and in it a payload of the type's own.

The source is the page "Webhooks" of StatusMate's knowledge base. Success is 200 and nothing else within 10 s; retries
after 10 s, 1, 5 and 30 minutes and 2 hours. There is no signature but that of Standard Webhooks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...domain.events import TEST, Event
from ...domain.retry import HOUR, MINUTE, Policy
from ...domain.status import ComponentStatus
from .format import Format, Posting

TYPES = {
    "maintenance.scheduled": "maintenance_created",
    "maintenance.started": "maintenance_started",
    "maintenance.completed": "maintenance_finished",
    "incident.created": "incident_created",
    "incident.resolved": "incident_finished",
    "component.status_change": "component_impact_updated",
}
"""Event → ``type``. Of what is not here StatusMate's receivers know nothing."""

IMPACT = {
    ComponentStatus.OPERATIONAL: "operational",
    ComponentStatus.DEGRADED_PERFORMANCE: "degraded_performance",
    ComponentStatus.PARTIAL_OUTAGE: "partial_outage",
    ComponentStatus.MAJOR_OUTAGE: "major_outage",
    ComponentStatus.UNDER_MAINTENANCE: "under_maintenance",
    ComponentStatus.UNKNOWN: "operational",
}
"""``impact`` of a component."""


def render(event: Event) -> str:
    """The JSON body of *event*: ``text`` and ``meta``, with ``delivery_attempt`` 0.

    ``text`` is the latest word on it, or its title where nobody said anything; ``meta.uuid`` is the event's id.
    """
    title, said, payload = _parts(event)
    return _dumped(
        {
            "text": said or title,
            "meta": {
                "title": title,
                "uuid": str(event.id),
                "created_at": event.occurred_at.isoformat(timespec="seconds"),
                "type": TEST if event.name == TEST else TYPES[event.name],
                "delivery_attempt": 0,
                "status_page": str(event.page_id),
                "payload": payload,
            },
        }
    )


def complete(body: str, posting: Posting) -> str:
    """*body* with ``delivery_attempt`` as it is for this attempt: 0, then 1 at the first retry."""
    message = json.loads(body)
    message["meta"]["delivery_attempt"] = posting.retry
    return _dumped(message)


def _parts(event: Event) -> tuple[str, str, dict[str, Any]]:
    """Title, latest word ("" where there is none) and payload."""
    data = event.data
    if event.name == TEST:
        return "Test", data["message"], {}
    type = TYPES[event.name]
    if "component" in data:
        return data["component"]["name"], "", _component(type, data["component"])
    if "maintenance" in data:
        return _told(data["maintenance"], _maintenance(type, data["maintenance"]))
    return _told(data["incident"], _incident(type, data["incident"]))


def _told(about: Mapping[str, Any], payload: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """An earlier word would mislead: "we are looking" is not what a resolved incident says."""
    latest = next((update["body"] for update in about["updates"][:1]), "")
    return about["title"], latest, payload


def _maintenance(type: str, maintenance: Mapping[str, Any]) -> dict[str, Any]:
    """The window as planned, until it is known when the work really began and ended.

    ``text`` describes the work: the newest word that there is, since the clock's own steps have none.
    """
    begun = maintenance["started_at"] is not None
    return {
        "text": maintenance["title"],
        "meta": {
            "title": maintenance["title"],
            "uuid": maintenance["id"],
            "text": next(
                (update["body"] for update in maintenance["updates"] if update["body"]), ""
            ),
            # One that was cancelled before it began has an end and no beginning.
            "end_at": (begun and maintenance["ended_at"]) or maintenance["scheduled_end"],
            "start_at": maintenance["started_at"] or maintenance["scheduled_start"],
            "type": type,
            "affected_components": _affected(maintenance["components"]),
        },
    }


def _incident(type: str, incident: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "text": incident["title"],
        "meta": {
            "uuid": incident["id"],
            "title": incident["title"],
            "end_at": incident["resolved_at"],
            "type": type,
            "start_at": incident["started_at"],
            "affected_components": _affected(incident["components"]),
        },
    }


def _component(type: str, component: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "text": component["name"],
        "meta": {
            "title": component["name"],
            "uuid": component["id"],
            "type": type,
            "impact": _impact(component),
        },
    }


def _affected(components: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "impact": _impact(component),
            "component_details": {
                "name": component["name"],
                "impact": _impact(component),
                "component_uuid": component["id"],
            },
        }
        for component in components
    ]


def _impact(component: Mapping[str, Any]) -> str:
    return IMPACT[ComponentStatus(component["status"])]


def _dumped(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


format = Format(
    name="statusmate",
    channels=frozenset({"webhook"}),
    render=render,
    complete=complete,
    unasked=frozenset(TYPES),
    offered=frozenset(TYPES),
    policy=Policy(
        timeout=10.0,
        delays=(10.0, 1 * MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR),
        success=range(200, 201),
    ),
)
