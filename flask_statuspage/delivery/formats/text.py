"""Plain text for channels that have no form of their own: ``{"title", "body", "type"}``.

``type`` is what Apprise calls the kind of a notification: ``info success warning failure``.
"""

from __future__ import annotations

import json
from typing import Any

from ...domain.events import (
    COMPONENT_EVENTS,
    INCIDENT_EVENTS,
    MAINTENANCE_EVENTS,
    MONITOR_EVENTS,
    REMINDER,
    TEST,
    Event,
)
from ...domain.retry import MINUTE, Policy
from .format import Format


def render(event: Event) -> str:
    page, subject = event.data["page"], event.name.partition(".")[0]
    title, body, kind = {
        "incident": _reported,
        "maintenance": _reported,
        "component": _component,
        "monitor": _monitor,
    }.get(subject, _plain)(event)
    body = "\n\n".join(part for part in (body, page["url"]) if part)
    told = {"title": f"[{page['name']}] {title}", "body": body, "type": kind}
    return json.dumps(told, ensure_ascii=False)


def _plain(event: Event) -> tuple[str, str, str]:
    return (
        "Test message" if event.name == TEST else event.name,
        event.data.get("message", ""),
        "info",
    )


def _reported(event: Event) -> tuple[str, str, str]:
    about: dict[str, Any] = event.data[event.name.partition(".")[0]]
    status = about["status"].replace("_", " ")
    names = ", ".join(one["name"] for one in about["components"])
    said = about["updates"][0]["body"] if about["updates"] else ""
    over = status in ("resolved", "completed", "cancelled")
    kind = "success" if over else "info" if event.name.startswith("maintenance") else "failure"
    body = "\n\n".join(part for part in (said, names and f"Affected: {names}") if part)
    return f"{status.capitalize()}: {about['title']}", body, kind


def _component(event: Event) -> tuple[str, str, str]:
    component = event.data["component"]
    status = component["status"]
    kind = "success" if status == "operational" else "warning"
    return f"{component['name']}: {status.replace('_', ' ')}", "", kind


def _monitor(event: Event) -> tuple[str, str, str]:
    monitor = event.data["monitor"]
    is_down = monitor["verdict"] == "down"
    words = "is down" if is_down else "has recovered"
    return f"Monitor {monitor['name']} {words}", "", "failure" if is_down else "success"


format = Format(
    name="text",
    channels=frozenset({"apprise"}),
    render=render,
    unasked=frozenset((*INCIDENT_EVENTS, *MAINTENANCE_EVENTS)) - {"incident.postmortem"},
    offered=frozenset(
        (*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, REMINDER, *COMPONENT_EVENTS, *MONITOR_EVENTS)
    ),
    policy=Policy(timeout=20.0, delays=(MINUTE, 5 * MINUTE, 30 * MINUTE)),
)
