"""What the history and the pages of events read beside the snapshot, each in a fixed number of queries."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ..documents.history import Choice, Events, events_of
from ..documents.neighbours import Neighbours, known
from ..documents.snapshot import Snapshot
from ..domain.facts import IncidentFact
from ..storage import month as stored
from . import facts


def month(session: Session, snapshot: Snapshot, choice: Choice) -> Events:
    """All that happened or is planned in a month of the page, or of one of its services."""
    zone = ZoneInfo(snapshot.page.time_zone)
    since, until = choice.month.begins(zone), choice.month.plus(1).begins(zone)
    page_id: UUID = snapshot.page.id
    component_id = choice.component.fact.id if choice.component else None
    edges = stored.edges(session, page_id, since, until, component_id=component_id)
    now = snapshot.generated_at
    incidents, incident_count = stored.incidents_within(
        session, page_id, since, until, component_id=component_id, now=now
    )
    windows, window_count = stored.maintenances_within(
        session, page_id, since, until, component_id=component_id, now=now
    )
    return events_of(
        snapshot,
        choice.month,
        [facts.incident(row, with_updates=False) for row in incidents],
        [facts.maintenance(row, with_updates=False) for row in windows],
        first=edges.first,
        last=edges.last,
        before=edges.before,
        after=edges.after,
        more=incident_count - len(incidents) + window_count - len(windows),
    )


def neighbours(session: Session, snapshot: Snapshot, fact: IncidentFact) -> Neighbours:
    """The incidents before and after *fact*; the database is asked only where the snapshot does not reach."""
    found = known(snapshot, fact)
    if found is not None:
        return found
    earlier, later = stored.neighbours(session, snapshot.page.id, fact.started_at, fact.id)
    return Neighbours(earlier=earlier, later=later)
