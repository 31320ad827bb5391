"""Read how a page stands, in a fixed number of small queries."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from ..domain.incident import OPEN
from ..domain.maintenance import ACTIVE
from ..domain.standing import OpenIncident, RunningMaintenance, Standing, StandingComponent
from .components import Component, ComponentGroup, of_page
from .incidents import Incident, IncidentUpdate
from .maintenances import MaintainedComponent, Maintenance, MaintenanceUpdate


def read(session: Session, page_id: UUID) -> Standing:
    """How the page stands in this transaction. Columns only: the session's own rows may be older than the database."""
    components = of_page(page_id).with_only_columns(
        Component.id, Component.name, Component.status, ComponentGroup.name.label("group")
    )
    incidents = select(Incident.id, Incident.title, Incident.impact, Incident.started_at).where(
        Incident.page_id == page_id,
        Incident.visibility == "published",
        Incident.status.in_(list(OPEN)),
    )
    named = exists().where(MaintainedComponent.maintenance_id == Maintenance.id)
    maintenances = select(
        Maintenance.id,
        Maintenance.title,
        Maintenance.scheduled_start,
        Maintenance.started_at,
        named.label("named"),
    ).where(Maintenance.page_id == page_id, Maintenance.status.in_(list(ACTIVE)))
    return Standing(
        components=tuple(
            StandingComponent(id=row.id, name=row.name, group=row.group, status=row.status)
            for row in session.execute(components)
        ),
        incidents=tuple(
            OpenIncident(id=row.id, title=row.title, impact=row.impact, started_at=row.started_at)
            for row in session.execute(incidents)
        ),
        maintenances=tuple(
            RunningMaintenance(
                id=row.id,
                title=row.title,
                started_at=row.started_at or row.scheduled_start,
                whole_page=not row.named,
            )
            for row in session.execute(maintenances)
        ),
    )


def latest_text(session: Session, topic: OpenIncident | RunningMaintenance) -> str:
    """The latest text of an incident or a maintenance that is not empty; Markdown."""
    query: Select[str]
    if isinstance(topic, OpenIncident):
        query = select(IncidentUpdate.body).where(
            IncidentUpdate.incident_id == topic.id, IncidentUpdate.body != ""
        )
        query = query.order_by(IncidentUpdate.number.desc())
    else:
        query = select(MaintenanceUpdate.body).where(
            MaintenanceUpdate.maintenance_id == topic.id, MaintenanceUpdate.body != ""
        )
        query = query.order_by(MaintenanceUpdate.number.desc())
    return session.scalar(query.limit(1)) or ""
