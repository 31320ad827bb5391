"""The banner's sentence: a page in one line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.facts import IncidentFact, MaintenanceFact
from ..domain.incident import IncidentStatus
from ..domain.status import ComponentStatus
from ..translation import marked
from .snapshot import Snapshot
from .words import Look, Words

NEAR = timedelta(hours=24)
"""How long before its start a maintenance is announced on a host's pages."""

BANNERS = {
    ComponentStatus.OPERATIONAL: marked("All systems operational"),
    ComponentStatus.DEGRADED_PERFORMANCE: marked("Degraded performance"),
    ComponentStatus.PARTIAL_OUTAGE: marked("Partial outage"),
    ComponentStatus.MAJOR_OUTAGE: marked("Major outage"),
    ComponentStatus.UNDER_MAINTENANCE: marked("Maintenance in progress"),
    ComponentStatus.UNKNOWN: marked("Status not known"),
}

_IMPAIRED = ComponentStatus.DEGRADED_PERFORMANCE.severity


@dataclass(frozen=True, kw_only=True)
class Banner:
    """The page in one sentence. ``status`` is unknown where the page's own could be out of date."""

    status: ComponentStatus
    look: Look
    sentence: str
    checked_at: datetime | None


def banner(snapshot: Snapshot, words: Words) -> Banner:
    """The page in one sentence: the worst wins and is named; a fix under watch is told as such.

    A page without services is operational while no incident is open: some tell of incidents only, and that there is
    none is what their team says. All documents say the same, and the list of services that it is empty.
    """
    return Banner(
        status=snapshot.status,
        look=words.status(snapshot.status),
        sentence=_sentence(snapshot, words),
        checked_at=snapshot.last_check_at,
    )


def near_maintenance(snapshot: Snapshot) -> MaintenanceFact | None:
    """The next maintenance, if it begins within :data:`NEAR`."""
    following = next(iter(snapshot.upcoming_maintenances), None)
    if following is None or following.scheduled_start - snapshot.generated_at > NEAR:
        return None
    return following


def announcement(fact: MaintenanceFact, words: Words) -> Banner:
    """A maintenance that is near, in one sentence."""
    status = ComponentStatus.UNDER_MAINTENANCE
    return Banner(
        status=status,
        look=words.status(status),
        sentence=words.gettext(
            "Maintenance from {time}: {title}",
            time=words.moment(fact.scheduled_start).text,
            title=words.isolated(fact.title),
        ),
        checked_at=None,
    )


def _sentence(snapshot: Snapshot, words: Words) -> str:
    if snapshot.status in (ComponentStatus.UNKNOWN, ComponentStatus.UNDER_MAINTENANCE):
        return _naming(snapshot, words)
    incidents = snapshot.open_incidents
    watched = {c.id for incident in incidents for c in incident.components}
    others = (c for c in snapshot.components if c.fact.id not in watched)
    is_under_watch = (
        bool(incidents)
        and all(incident.status is IncidentStatus.MONITORING for incident in incidents)
        and not any(c.status.severity >= _IMPAIRED for c in others)
    )
    if not is_under_watch:
        return _naming(snapshot, words)
    titles = [incident.title for incident in sorted(incidents, key=_impact, reverse=True)]
    return words.gettext("Fix in place, monitoring: {titles}", titles=_first(titles, words))


def _naming(snapshot: Snapshot, words: Words) -> str:
    status = snapshot.status
    said = words.gettext(BANNERS[status])
    if status in (ComponentStatus.UNKNOWN, ComponentStatus.OPERATIONAL):
        return said
    names = [c.fact.name for c in snapshot.components if c.status is status]
    # Without such a service it is an incident that raised the page to its status.
    names = names or [i.title for i in snapshot.open_incidents if i.impact.floor is status]
    if status is ComponentStatus.UNDER_MAINTENANCE:
        names = names or [m.title for m in snapshot.active_maintenances]
    if not names:
        return said
    # Translators: the banner of a page, such as "Partial outage: Checkout".
    return words.gettext("{status}: {names}", status=said, names=_first(names, words))


def _first(names: list[str], words: Words) -> str:
    more = len(names) - 1
    if not more:
        return words.isolated(names[0])
    return words.ngettext(
        "{name} and {count} more",
        "{name} and {count} more",
        more,
        name=words.isolated(names[0]),
        count=more,
    )


def _impact(fact: IncidentFact) -> int:
    return fact.impact.severity
