"""What goes on, as the dashboard lists it, with the ways to what can be done about it."""

from __future__ import annotations

from ...documents.console.dashboard import Happening, Way
from ...documents.words import STATES
from ...domain.maintenance import MaintenanceStatus
from ...domain.rights import Right
from ...storage.incidents import Incident
from ...storage.maintenances import Maintenance
from .visit import Visit

POST = "Post update"


def of_incident(visit: Visit, row: Incident) -> Happening:
    """:param row: with its components."""
    one = {"incident_id": row.id}
    ways = [
        Way(visit.to("incident", **one, _anchor="update"), POST),
        Way(visit.to("incident_resolve", **one), "Resolve"),
    ]
    return Happening(
        title=row.title,
        url=visit.to("incident", **one),
        state=STATES[row.status][1],
        impact=row.impact,
        affects=[item.component.name for item in row.affected],
        at=row.updated_at,
        when="Changed",
        is_draft=row.visibility == "draft",
        ways=ways if visit.may(Right.TELL) else (),
    )


def of_maintenance(visit: Visit, row: Maintenance) -> Happening:
    """:param row: with its components."""
    one = {"maintenance_id": row.id}
    is_planned = row.status is MaintenanceStatus.SCHEDULED
    ways = [
        Way(visit.to("maintenance", **one, _anchor="update"), POST),
        Way(visit.to("maintenance_start", **one), "Start now")
        if is_planned
        else Way(visit.to("maintenance_complete", **one), "Complete"),
    ]
    return Happening(
        title=row.title,
        url=visit.to("maintenance", **one),
        state=STATES[row.status][1],
        affects=[item.component.name for item in row.affected],
        at=row.scheduled_start if is_planned else row.scheduled_end,
        when="Begins" if is_planned else "Planned until",
        ways=ways if visit.may(Right.TELL) else (),
    )
