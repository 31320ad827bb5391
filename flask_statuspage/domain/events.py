"""Events: frozen facts of what happened. Every format is a pure function of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

INCIDENT_EVENTS = (
    "incident.created",
    "incident.updated",
    "incident.resolved",
    "incident.postmortem",
)
MAINTENANCE_EVENTS = (
    "maintenance.scheduled",
    "maintenance.started",
    "maintenance.updated",
    "maintenance.completed",
)
REMINDER = "maintenance.reminder"
"""A window is near. Nothing has changed, so receivers of changes get it only when they ask for it."""

IN_ORDER = frozenset({*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, REMINDER})
"""The steps of one story: whoever missed one is told it before the next. Of other subjects each message stands for
itself, and one that is to be retried for days must not hold up what comes after it."""

BEGINNINGS = {
    "incident.updated": "incident.created",
    "maintenance.started": "maintenance.scheduled",
}
"""What may be the first that somebody is told, and then stands for the beginning: an incident opens again or comes to
affect one more component, a maintenance begins that nobody was told of before."""

COMPONENT_EVENTS = ("component.status_change",)
MONITOR_EVENTS = ("monitor.down", "monitor.recovered")

PUBLIC_EVENTS = (
    *INCIDENT_EVENTS,
    *MAINTENANCE_EVENTS,
    REMINDER,
    *COMPONENT_EVENTS,
    *MONITOR_EVENTS,
)
"""The events that a subscription can choose from."""


def is_repeated(monitor: Mapping[str, Any]) -> bool:
    """Whether a monitor's event says once more what was told before: it is still down. *monitor* is of its data."""
    return monitor["verdict"] == "down" and int(monitor.get("notification_level", 1)) > 1


PAGE_CHANGE = "page.status_change"
"""All changes of components' statuses of one page and transaction, for formats that tell them in one message. Nobody
chooses it: it comes to whoever chose ``component.status_change`` in such a format."""

UPSTREAM_CHANGE = "upstream.status_change"
"""The status page of another service, which a monitor watches, tells of a change; its subject is the monitor. Like the
one above it comes, unchosen, to whoever chose ``component.status_change`` in such a format."""

STATES = frozenset({*COMPONENT_EVENTS, *MONITOR_EVENTS, PAGE_CHANGE, UPSTREAM_CHANGE})
"""What tells how something is by then: told after a later one, it would leave a receiver with what is over."""

TEST = "test"
CONFIRMATION = "subscription.confirmation"
"""Asks one address whether it wants to be subscribed; goes to that subscription alone."""

DIGEST = "notices.digest"
"""What one person would have been told beyond their hourly share, in one message; it goes to that subscription alone.
``data["notices"]`` has what was folded, oldest first, each ``{event, at, title, status, url}``, ``data["more"]`` how
many earlier ones are not listed, ``data["limit"]`` the share."""

DISABLED = "subscription.disabled"
"""A subscription was switched off. Where its endpoint was the reason, its owner is mailed."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One change, told after it was committed.

    :param id: stays the same through all retries and formats.
    :param sequence: grows with every event of the database.
    :param name: one of :data:`PUBLIC_EVENTS`, or a name of the extension's own life (``subscription.confirmed``).
    :param occurred_at: aware, UTC.
    :param subject_id: the incident, maintenance, component, monitor or subscription that it is about.
    :param component_ids: the components that are affected.
    :param data: plain data (dict, list, str, int, float, bool, None). ``data["page"]`` is always there.
    """

    id: UUID
    sequence: int
    name: str
    page_id: UUID
    occurred_at: datetime
    subject_id: UUID
    component_ids: tuple[UUID, ...]
    data: Mapping[str, Any]
