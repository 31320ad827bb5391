"""The life cycle of an incident as an explicit transition table."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class IncidentStatus(StrEnum):
    """How far the work on an incident is."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"

    @property
    def is_open(self) -> bool:
        return self in OPEN


OPEN = frozenset(
    {IncidentStatus.INVESTIGATING, IncidentStatus.IDENTIFIED, IncidentStatus.MONITORING}
)

# While it is open a person may go in any order. Out of "resolved" only a postmortem or reopening leads.
TRANSITIONS: dict[IncidentStatus, frozenset[IncidentStatus]] = {
    IncidentStatus.INVESTIGATING: OPEN | {IncidentStatus.RESOLVED},
    IncidentStatus.IDENTIFIED: OPEN | {IncidentStatus.RESOLVED},
    IncidentStatus.MONITORING: OPEN | {IncidentStatus.RESOLVED},
    IncidentStatus.RESOLVED: frozenset({IncidentStatus.POSTMORTEM}),
    IncidentStatus.POSTMORTEM: frozenset({IncidentStatus.POSTMORTEM}),
}

# Reopening is a step of its own: nobody takes it by choosing a status in a hurry.
REOPENED: dict[IncidentStatus, frozenset[IncidentStatus]] = {
    IncidentStatus.INVESTIGATING: frozenset(),
    IncidentStatus.IDENTIFIED: frozenset(),
    IncidentStatus.MONITORING: frozenset(),
    IncidentStatus.RESOLVED: OPEN,
    IncidentStatus.POSTMORTEM: OPEN,
}


def ended_at(
    status: IncidentStatus, started_at: datetime, resolved_at: datetime | None
) -> datetime | None:
    """When an incident was over; None: it lasts. Where it is over and nobody noted since when, it lasted no time."""
    return None if status.is_open else resolved_at or started_at


def may_become(current: IncidentStatus, wanted: IncidentStatus) -> bool:
    """Whether an update may take an incident from *current* to *wanted*."""
    return wanted in TRANSITIONS[current]


def may_reopen(current: IncidentStatus, wanted: IncidentStatus) -> bool:
    """Whether an incident that is *current* may be reopened as *wanted*."""
    return wanted in REOPENED[current]


def event_name(before: IncidentStatus | None, after: IncidentStatus) -> str:
    """The name of the event that tells the step from *before* (None: it is new) to *after*."""
    if before is None:
        return "incident.created"
    if after is IncidentStatus.RESOLVED:
        return "incident.resolved"
    if after is IncidentStatus.POSTMORTEM:
        return "incident.postmortem"
    return "incident.updated"
