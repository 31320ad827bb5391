"""What stands before and after an incident or a maintenance, and how the services of an incident fared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ..domain.facts import AffectedFact, IncidentFact, MaintenanceFact
from ..domain.status import ComponentStatus
from .snapshot import NEWEST_INCIDENTS, Snapshot

_IMPAIRED = frozenset(
    {
        ComponentStatus.DEGRADED_PERFORMANCE,
        ComponentStatus.PARTIAL_OUTAGE,
        ComponentStatus.MAJOR_OUTAGE,
    }
)


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Id and title of the published incidents before and after one; None: there is none, or it is not known."""

    earlier: tuple[UUID, str] | None = None
    later: tuple[UUID, str] | None = None


@dataclass(frozen=True)
class Step:
    """Since when a service had a status."""

    at: datetime
    status: ComponentStatus


@dataclass(frozen=True)
class Course:
    """How a service fared during an incident, the first step first."""

    service: AffectedFact
    steps: tuple[Step, ...]


def known(snapshot: Snapshot, fact: IncidentFact) -> Neighbours | None:
    """The neighbours of *fact*, where the snapshot has them for sure."""
    # After the newest ones come those that are open, with gaps between them.
    has_all = snapshot.incident_count <= len(snapshot.incidents)
    listed = snapshot.incidents if has_all else snapshot.incidents[:NEWEST_INCIDENTS]
    place = next((at for at, one in enumerate(listed) if one.id == fact.id), None)
    if place is None or (place + 1 == len(listed) and not has_all):
        return None
    return neighbours(listed, place)


def neighbours(listed: Sequence[IncidentFact], place: int) -> Neighbours:
    """What stands beside the incident at *place* of all that there are, newest first."""
    return Neighbours(
        earlier=_named(listed[place + 1]) if place + 1 < len(listed) else None,
        later=_named(listed[place - 1]) if place else None,
    )


def courses(fact: IncidentFact) -> tuple[Course, ...]:
    """How each service of an incident fared, from its updates; services that were taken off it come last."""
    services: dict[UUID, AffectedFact] = {item.id: item for item in fact.components}
    steps: dict[UUID, list[Step]] = {ident: [] for ident in services}
    for update in reversed(fact.updates):
        for item in update.components:
            services.setdefault(item.id, item)
            course = steps.setdefault(item.id, [])
            if not course and item.old_status in _IMPAIRED:
                # What was told late begins with a service that was down already.
                course.append(Step(fact.started_at, item.old_status))
            if not course or course[-1].status is not item.status:
                course.append(Step(update.created_at, item.status))
    return tuple(
        Course(item, tuple(steps[ident]) or (Step(fact.started_at, item.status),))
        for ident, item in services.items()
    )


def following(snapshot: Snapshot, fact: MaintenanceFact) -> Sequence[MaintenanceFact]:
    """The planned windows of the same series that come after *fact*, the next one first."""
    if fact.series_id is None:
        return ()
    return [
        other
        for other in snapshot.upcoming_maintenances
        if other.series_id == fact.series_id and other.scheduled_start > fact.scheduled_start
    ]


def _named(fact: IncidentFact) -> tuple[UUID, str]:
    return fact.id, fact.title
