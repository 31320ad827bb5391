"""One event of each kind that people are written about, and each language that they are written in."""

from __future__ import annotations

from typing import Any

from flask_statuspage.domain.events import (
    CONFIRMATION,
    DIGEST,
    DISABLED,
    INCIDENT_EVENTS,
    MAINTENANCE_EVENTS,
    MONITOR_EVENTS,
    REMINDER,
    TEST,
    Event,
)
from flask_statuspage.translation import LANGUAGES

from .facts import PAGE, component_data, event, incident_data, maintenance_data, monitor_data

STATES = {
    "incident.created": "investigating",
    "incident.updated": "identified",
    "incident.resolved": "resolved",
    "incident.postmortem": "postmortem",
    "maintenance.scheduled": "scheduled",
    "maintenance.started": "in_progress",
    "maintenance.updated": "verifying",
    "maintenance.completed": "completed",
    REMINDER: "scheduled",
}
ENDED = "2026-02-19T18:30:00+00:00"
CONFIRM = "https://status.example.com/confirm/token"
MANAGE = "https://status.example.com/manage/token"
LOCALES = sorted(LANGUAGES)


def notice(**changes: Any) -> dict[str, Any]:
    return {
        "event": "incident.created",
        "at": "2026-02-19T17:30:00+00:00",
        "title": "API is down",
        "status": "investigating",
        "url": "https://status.example.com/incidents/x",
        **changes,
    }


def every_event(text: str = "API is down") -> list[Event]:
    """:param text: what people wrote: titles, names, messages."""
    page = {**PAGE, "name": text[:200]}
    subscription = {"channel": "webhook", "address": "https://a.example/hook", "reason": text}
    made = []
    for name in (*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, REMINDER):
        over = name in ("incident.resolved", "incident.postmortem", "maintenance.completed")
        values: dict[str, Any] = {"title": text, "status": STATES[name]}
        update = {**incident_data()["updates"][0], "body": text}
        values["updates"] = [{**update, "status": STATES[name]}]
        values["components"] = [{**incident_data()["components"][0], "name": text}]
        if name in INCIDENT_EVENTS:
            data = incident_data(**values, resolved_at=ENDED if over else None)
            made.append(event(name, page=page, incident={**data, "next_update_due": ENDED}))
        else:
            data = maintenance_data(**values, ended_at=ENDED if over else None)
            extra = {"minutes": 1530} if name == REMINDER else {}
            made.append(event(name, page=page, maintenance={**data, **extra}))
    made += [
        event(name, page=page, monitor=monitor_data(name=text, verdict=verdict))
        for name, verdict in zip(MONITOR_EVENTS, ("down", "up"), strict=True)
    ]
    return [
        *made,
        event("component.status_change", page=page, component=component_data(name=text)),
        event(TEST, page=page, message=text),
        event(CONFIRMATION, page=page, confirm_url=CONFIRM, code="123456"),
        event(CONFIRMATION, page=page, manage_url=MANAGE),
        event(DIGEST, page=page, limit=20, notices=[notice(title=text), notice(url=None)]),
        event(DISABLED, page=page, subscription=subscription, enable_url=f"{PAGE['url']}/enable"),
    ]
