"""The native webhook: FacioTech's "Webhook Payload" with further fields beside the documented ones.

Success is any 2xx within 10 s; retries after 1, 5 and 30 minutes, to the second as documented.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...domain.dialects import NATIVE_STATUS
from ...domain.events import (
    COMPONENT_EVENTS,
    INCIDENT_EVENTS,
    MAINTENANCE_EVENTS,
    PUBLIC_EVENTS,
    TEST,
    Event,
)
from ...domain.retry import MINUTE, Policy
from ...domain.status import ComponentStatus
from .. import signing
from .format import Format


def render(event: Event) -> str:
    """The JSON body of *event*: ``event``, ``timestamp``, ``page``, then the part that it is about."""
    data = event.data
    body: dict[str, Any] = {
        "event": event.name,
        "timestamp": event.occurred_at.isoformat(timespec="seconds"),
        "page": {"name": data["page"]["name"], "url": data["page"]["url"]},
        "id": str(event.id),
        "sequence": event.sequence,
    }
    for part, word in (
        ("incident", _incident),
        ("maintenance", _maintenance),
        ("component", _component),
        ("monitor", _monitor),
    ):
        if part in data:
            body[part] = word(data[part])
    if event.name == TEST:
        body["message"] = data["message"]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _incident(incident: Mapping[str, Any]) -> dict[str, Any]:
    names = [component["name"] for component in incident["components"]]
    return {
        "id": incident["id"],
        "name": incident["title"],
        "status": incident["status"],
        "impact": incident["impact"],
        "component": names[0] if names else None,
        "components": names,
        "started_at": incident["started_at"],
        "resolved_at": incident["resolved_at"],
        "url": incident["url"],
        "next_update_due": incident.get("next_update_due"),
        "updates": _updates(incident),
    }


def _maintenance(maintenance: Mapping[str, Any]) -> dict[str, Any]:
    names = [component["name"] for component in maintenance["components"]]
    shown = {
        "id": maintenance["id"],
        "name": maintenance["title"],
        "status": maintenance["status"],
        "component": names[0] if names else None,
        "components": names,
        "scheduled_start": maintenance["scheduled_start"],
        "scheduled_end": maintenance["scheduled_end"],
        "started_at": maintenance["started_at"],
        "ended_at": maintenance["ended_at"],
        "url": maintenance["url"],
        "updates": _updates(maintenance),
    }
    # Only where it moved, or in a reminder.
    return shown | {
        name: maintenance[name] for name in ("moved_from", "minutes") if name in maintenance
    }


def _updates(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"status": update["status"], "body": update["body"], "created_at": update["created_at"]}
        for update in about["updates"]
    ]


def _component(component: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": component["id"],
        "slug": component["slug"],
        "name": component["name"],
        "group": component["group"],
        "status": NATIVE_STATUS[ComponentStatus(component["status"])],
        "previous_status": NATIVE_STATUS[ComponentStatus(component["previous_status"])],
    }


def _monitor(monitor: Mapping[str, Any]) -> dict[str, Any]:
    """Without the target: anybody may subscribe, and it can be an internal address with a key in it."""
    return {
        "id": monitor["id"],
        "name": monitor["name"],
        "status": monitor["verdict"],
        "previous_status": monitor["previous"],
        "check": monitor["check"],
        "notification_level": monitor.get("notification_level", 1),
        "regions": [
            {
                "region": region["region"],
                "status": region["verdict"],
                "votes": region["votes"],
                "at": region["at"],
                "milliseconds": region["milliseconds"],
                "code": region["code"],
                "error": region["error"],
            }
            for region in monitor.get("regions", ())
        ],
    }


def sign(secret: str, body: bytes) -> Mapping[str, str]:
    return {"X-Status-Signature": signing.status_signature(secret, body)}


format = Format(
    name="native",
    channels=frozenset({"webhook"}),
    render=render,
    unasked=frozenset((*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, *COMPONENT_EVENTS)),
    offered=frozenset(PUBLIC_EVENTS),
    policy=Policy(timeout=10.0, delays=(1 * MINUTE, 5 * MINUTE, 30 * MINUTE), jitter=0.0),
    sign=sign,
)
