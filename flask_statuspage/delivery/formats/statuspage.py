"""Statuspage's webhook (Atlassian): a component's change, or an incident; a maintenance is an incident with a schedule.

Source of the format: "Enable webhook notifications", Statuspage's support pages, and the public API of version 2, whose
incidents, updates and components it carries. Instants are UTC with milliseconds and ``Z``. Success is any 2xx within
30 s. The retries are ours: after 1, 5 and 30 minutes and 2 hours. Ten failures within an hour switch an endpoint off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

from ...domain.dialects import (
    STATUSPAGE_COMPONENT,
    STATUSPAGE_DESCRIPTION,
    STATUSPAGE_IMPACT,
    STATUSPAGE_INCIDENT,
    STATUSPAGE_INDICATOR,
    STATUSPAGE_MAINTENANCE,
    STATUSPAGE_MAINTENANCE_IMPACT,
)
from ...domain.events import COMPONENT_EVENTS, INCIDENT_EVENTS, MAINTENANCE_EVENTS, REMINDER, Event
from ...domain.incident import IncidentStatus
from ...domain.retry import HOUR, MINUTE, Policy
from ...domain.status import ComponentStatus, Impact, worst
from .format import Format, Posting

DOCUMENTATION = "https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/"
Data = Mapping[str, Any]


def render(event: Event) -> str:
    """The JSON body of *event*: ``meta``, ``page``, then the part that it is about. A test has no such part.

    ``meta.unsubscribe`` is empty; :func:`complete` fills it in.
    """
    data, page_id = event.data, str(event.page_id)
    indicator = STATUSPAGE_INDICATOR[_page_status(data)]
    body: dict[str, Any] = {
        "meta": {
            "unsubscribe": "",
            "documentation": DOCUMENTATION,
            # The event's time: a retry sends the same bytes.
            "generated_at": _instant(event.occurred_at.isoformat(timespec="milliseconds")),
        },
        "page": {
            "id": page_id,
            "status_indicator": indicator,
            "status_description": STATUSPAGE_DESCRIPTION[indicator],
        },
    }
    if "component" in data:
        body["component_update"] = _component_update(event)
        body["component"] = _component(data["component"], page_id)
    if "incident" in data:
        body["incident"] = _incident(data["incident"], data["components"], page_id)
    if "maintenance" in data:
        body["incident"] = _maintenance(data["maintenance"], data["components"], page_id)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def complete(body: str, posting: Posting) -> str:
    """*body* with the link that ends this subscription."""
    told = json.loads(body)
    told["meta"]["unsubscribe"] = posting.unsubscribe_url
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _page_status(data: Data) -> ComponentStatus:
    """The page's status, at least as bad as what the event tells where nobody asked for it when it was written."""
    if "status" in data["page"]:
        return ComponentStatus(data["page"]["status"])
    said = [ComponentStatus(one["status"]) for one in data.get("components", ())]
    if "component" in data:
        said.append(ComponentStatus(data["component"]["status"]))
    if "incident" in data and IncidentStatus(data["incident"]["status"]).is_open:
        said.append(Impact(data["incident"]["impact"]).floor)
    return worst(said)


def _component_update(event: Event) -> dict[str, Any]:
    component = event.data["component"]
    return {
        "created_at": _instant(event.occurred_at.isoformat(timespec="milliseconds")),
        "new_status": _status(component["status"]),
        "old_status": _status(component["previous_status"]),
        "component_type": "Component",
        # Not the event's own: receivers that keep both must not take one for the other.
        "id": str(uuid5(event.id, "component_update")),
        "component_id": component["id"],
    }


def _component(component: Data, page_id: str) -> dict[str, Any]:
    return {
        "id": component["id"],
        "name": component["name"],
        "status": _status(component["status"]),
        "created_at": _instant(component["created_at"]),
        "updated_at": _instant(component["updated_at"]),
        "position": component["position"],
        "description": component["description"] or None,
        "showcase": component["showcase"],
        "start_date": component["start_date"],
        "group_id": component["group_id"],
        "page_id": page_id,
        "group": False,
        "only_show_if_degraded": component["only_show_if_degraded"],
    }


def _incident(incident: Data, components: Sequence[Data], page_id: str) -> dict[str, Any]:
    words = {status.value: word for status, word in STATUSPAGE_INCIDENT.items()}
    return {
        "id": incident["id"],
        "name": incident["title"],
        "status": words[incident["status"]],
        "created_at": _instant(incident["created_at"]),
        "updated_at": _instant(incident["updated_at"]),
        "monitoring_at": _instant(incident["monitoring_at"]),
        "resolved_at": _instant(incident["resolved_at"]),
        "impact": STATUSPAGE_IMPACT[Impact(incident["impact"])],
        "shortlink": incident["url"],
        "started_at": _instant(incident["started_at"]),
        "page_id": page_id,
        "incident_updates": _updates(incident, words),
        "components": [_component(one, page_id) for one in components],
    }


def _maintenance(maintenance: Data, components: Sequence[Data], page_id: str) -> dict[str, Any]:
    words = {status.value: word for status, word in STATUSPAGE_MAINTENANCE.items()}
    return {
        "id": maintenance["id"],
        "name": maintenance["title"],
        "status": words[maintenance["status"]],
        "created_at": _instant(maintenance["created_at"]),
        "updated_at": _instant(maintenance["updated_at"]),
        "monitoring_at": None,
        "resolved_at": _instant(maintenance["ended_at"]),
        "impact": STATUSPAGE_MAINTENANCE_IMPACT,
        "shortlink": maintenance["url"],
        "started_at": _instant(maintenance["started_at"] or maintenance["scheduled_start"]),
        "page_id": page_id,
        "incident_updates": _updates(maintenance, words),
        "components": [_component(one, page_id) for one in components],
        "scheduled_for": _instant(maintenance["scheduled_start"]),
        "scheduled_until": _instant(maintenance["scheduled_end"]),
    }


def _updates(about: Data, words: Mapping[str, str]) -> list[dict[str, Any]]:
    # A Statuspage has none without updates, and receivers read the first one without asking. Imported history may.
    announced = {
        "id": about["id"],
        "status": about["status"],
        "body": "",
        "components": [],
        "created_at": about["created_at"],
        "updated_at": about["created_at"],
        "notified": False,
    }
    return [_update(update, about["id"], words) for update in about["updates"] or (announced,)]


def _update(update: Data, about: str, words: Mapping[str, str]) -> dict[str, Any]:
    created_at = _instant(update["created_at"])
    return {
        "id": update["id"],
        "status": words[update["status"]],
        "body": update["body"],
        "incident_id": about,
        "created_at": created_at,
        "updated_at": _instant(update["updated_at"]),
        "display_at": created_at,
        "affected_components": [_affected(one) for one in update["components"]] or None,
        "deliver_notifications": update["notified"],
        "custom_tweet": None,
        "tweet_id": None,
    }


def _affected(component: Data) -> dict[str, Any]:
    group, name = component["group"], component["name"]
    return {
        "code": component["id"],
        "name": f"{group} - {name}" if group else name,
        "old_status": _status(component["old_status"] or component["status"]),
        "new_status": _status(component["status"]),
    }


def _status(status: str) -> str:
    return STATUSPAGE_COMPONENT[ComponentStatus(status)]


def _instant(text: str | None) -> str | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


format = Format(
    name="statuspage",
    least_size=10_000,
    channels=frozenset({"webhook"}),
    render=render,
    unasked=frozenset((*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, *COMPONENT_EVENTS)),
    offered=frozenset((*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, REMINDER, *COMPONENT_EVENTS)),
    policy=Policy(
        timeout=30.0,
        delays=(1 * MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR),
        disable_after_failed=10,
    ),
    complete=complete,
    page_status=True,
)
