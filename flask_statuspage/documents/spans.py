"""When incidents and maintenance begin and end, and which stretches of time they reach into."""

from __future__ import annotations

from datetime import datetime

from ..domain.facts import IncidentFact, MaintenanceFact

Event = IncidentFact | MaintenanceFact


def begins(fact: Event) -> datetime:
    """Which instant it is listed by: of a maintenance as it was planned."""
    return fact.started_at if isinstance(fact, IncidentFact) else fact.scheduled_start


def ends(fact: Event, now: datetime) -> datetime:
    """What lasts goes on up to *now*; maintenance that is going on, to its planned end at least."""
    if isinstance(fact, IncidentFact):
        return fact.ended_at or now
    if fact.started_at is None:
        return fact.scheduled_start  # nothing went on so far
    if fact.status.is_active:
        return max(now, fact.scheduled_end)
    return fact.ended_at or fact.scheduled_end


def reaches(fact: Event, since: datetime, until: datetime, now: datetime) -> bool:
    """Whether it begins in a stretch of time or goes on in it."""
    if begins(fact) >= until:
        return False
    if begins(fact) >= since:
        return True
    return ends(fact, now) > since
