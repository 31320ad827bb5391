"""One vocabulary of statuses. Every dialect maps it outward in a table next to its formatter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ComponentStatus(StrEnum):
    """What a component's readers are told, mildest first."""

    UNKNOWN = "unknown"
    OPERATIONAL = "operational"
    UNDER_MAINTENANCE = "under_maintenance"
    DEGRADED_PERFORMANCE = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"

    @property
    def severity(self) -> int:
        """Rank for worst-of: maintenance shows only where nothing is worse, unknown never counts."""
        return _SEVERITY[self]

    @property
    def is_calm(self) -> bool:
        """Whether there is nothing to tell of: it works, or nobody knows."""
        return self.severity <= ComponentStatus.OPERATIONAL.severity


_SEVERITY = {status: rank for rank, status in enumerate(ComponentStatus)}


class Impact(StrEnum):
    """How bad an incident is as a whole, mildest first."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"

    @property
    def severity(self) -> int:
        return _IMPACT_SEVERITY[self]

    @property
    def floor(self) -> ComponentStatus:
        """The mildest status that a page with such an open incident may show."""
        return _FLOOR[self]

    @classmethod
    def of(cls, statuses: Iterable[ComponentStatus]) -> Impact:
        """The impact that the worst of *statuses* amounts to."""
        return _IMPACT_OF[worst(statuses)]


_IMPACT_SEVERITY = {impact: rank for rank, impact in enumerate(Impact)}

_FLOOR = {
    Impact.NONE: ComponentStatus.OPERATIONAL,
    Impact.MINOR: ComponentStatus.DEGRADED_PERFORMANCE,
    Impact.MAJOR: ComponentStatus.PARTIAL_OUTAGE,
    Impact.CRITICAL: ComponentStatus.MAJOR_OUTAGE,
}

_IMPACT_OF = {
    ComponentStatus.UNKNOWN: Impact.NONE,
    ComponentStatus.OPERATIONAL: Impact.NONE,
    ComponentStatus.UNDER_MAINTENANCE: Impact.NONE,
    ComponentStatus.DEGRADED_PERFORMANCE: Impact.MINOR,
    ComponentStatus.PARTIAL_OUTAGE: Impact.MAJOR,
    ComponentStatus.MAJOR_OUTAGE: Impact.CRITICAL,
}


def worst(statuses: Iterable[ComponentStatus]) -> ComponentStatus:
    """The most severe of *statuses*; ``UNKNOWN`` when there is none."""
    return max(statuses, key=lambda status: status.severity, default=ComponentStatus.UNKNOWN)


def page_status(
    components: Iterable[ComponentStatus], open_impacts: Iterable[Impact] = ()
) -> ComponentStatus:
    """The page's status: the worst component, raised to the floor of each open incident.

    A page without components and incidents is operational. One whose components are all unknown is unknown.
    """
    components = list(components)
    floors = [impact.floor for impact in open_impacts]
    if not components and not floors:
        return ComponentStatus.OPERATIONAL
    return worst([*components, *floors])


class Source(StrEnum):
    """Who says how a component is."""

    MANUAL = "manual"
    INCIDENT = "incident"
    MAINTENANCE = "maintenance"
    MONITOR = "monitor"


_RANK = {source: rank for rank, source in enumerate(Source)}


@dataclass(frozen=True)
class Word:
    """What one source says of a component.

    :param since: aware; when it began to say so.
    :param reference: tells sources of one kind apart; empty for a person.
    """

    source: Source
    status: ComponentStatus
    since: datetime
    reference: str = ""


def shown(words: Iterable[Word]) -> Word | None:
    """The word that a component shows: the worst that counts; None where nobody says anything.

    Of equally bad words it is the oldest, since the status began with that one; then a person's before an incident's,
    a maintenance's and a monitor's. While a maintenance has a word, monitors do not count.
    """
    said = list(words)
    if any(word.source is Source.MAINTENANCE for word in said):
        said = [word for word in said if word.source is not Source.MONITOR]
    return min(said, key=_order, default=None)


def _order(word: Word) -> tuple[int, datetime, int, str]:
    return -word.status.severity, word.since, _RANK[word.source], word.reference
