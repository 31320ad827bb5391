"""What a page says: the words and looks of statuses, the banner's sentence, times and days.

Plain values for the templates, made from a snapshot; nothing here knows of Flask.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ..domain.facts import GroupFact, IncidentFact, MaintenanceFact
from ..domain.incident import IncidentStatus
from ..domain.maintenance import MaintenanceStatus
from ..domain.status import ComponentStatus, Impact
from .snapshot import ComponentState, Snapshot, rolled_up

PAST_DAYS = 14
FOLDED_FROM = 3
"""From this many groups on, those that are fine are folded."""


@dataclass(frozen=True)
class Look:
    """How a status is shown: its word, its icon and the set of colours. Never by colour alone."""

    word: str
    icon: str
    tone: str


STATUSES = {
    ComponentStatus.OPERATIONAL: Look("Operational", "check", "operational"),
    ComponentStatus.DEGRADED_PERFORMANCE: Look("Degraded performance", "triangle", "degraded"),
    ComponentStatus.PARTIAL_OUTAGE: Look("Partial outage", "diamond", "partial"),
    ComponentStatus.MAJOR_OUTAGE: Look("Major outage", "octagon", "major"),
    ComponentStatus.UNDER_MAINTENANCE: Look("Under maintenance", "wrench", "maintenance"),
    ComponentStatus.UNKNOWN: Look("Not known", "question", "unknown"),
}

IMPACTS = {
    Impact.NONE: Look("No impact", "info", "unknown"),
    Impact.MINOR: STATUSES[ComponentStatus.DEGRADED_PERFORMANCE],
    Impact.MAJOR: STATUSES[ComponentStatus.PARTIAL_OUTAGE],
    Impact.CRITICAL: STATUSES[ComponentStatus.MAJOR_OUTAGE],
}

STATES = {
    IncidentStatus.INVESTIGATING: "Investigating",
    IncidentStatus.IDENTIFIED: "Identified",
    IncidentStatus.MONITORING: "Monitoring",
    IncidentStatus.RESOLVED: "Resolved",
    IncidentStatus.POSTMORTEM: "Postmortem",
}

MAINTENANCE = Look("Maintenance", "wrench", "maintenance")

MAINTENANCE_STATES = {
    MaintenanceStatus.SCHEDULED: "Scheduled",
    MaintenanceStatus.IN_PROGRESS: "In progress",
    MaintenanceStatus.VERIFYING: "Verifying",
    MaintenanceStatus.COMPLETED: "Completed",
    MaintenanceStatus.CANCELLED: "Cancelled",
}

NEAR = timedelta(hours=24)
"""How long before its start a maintenance is announced on a host's pages."""

BANNERS = {
    ComponentStatus.OPERATIONAL: "All systems operational",
    ComponentStatus.DEGRADED_PERFORMANCE: "Degraded performance",
    ComponentStatus.PARTIAL_OUTAGE: "Partial outage",
    ComponentStatus.MAJOR_OUTAGE: "Major outage",
    ComponentStatus.UNDER_MAINTENANCE: "Maintenance in progress",
    ComponentStatus.UNKNOWN: "Status not known",
}
FIX_IN_PLACE = "Fix in place, monitoring"

EVENTS = {
    "incident.created": "A new incident",
    "incident.updated": "News of an incident",
    "incident.resolved": "An incident is resolved",
    "incident.postmortem": "A postmortem is published",
    "maintenance.scheduled": "Maintenance is planned",
    "maintenance.started": "Maintenance begins",
    "maintenance.updated": "News of a maintenance",
    "maintenance.completed": "Maintenance is over",
    "maintenance.reminder": "Maintenance is near",
    "component.status_change": "A service changes its status",
    "monitor.down": "A monitor finds a failure",
    "monitor.recovered": "A monitor finds a recovery",
}

CHANNELS = {"email": "Email", "webhook": "Webhook", "x": "X"}

_IMPAIRED = ComponentStatus.DEGRADED_PERFORMANCE.severity
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, kw_only=True)
class Banner:
    """The page in one sentence. ``status`` is unknown where the page's own could be out of date."""

    status: ComponentStatus
    sentence: str
    checked_at: datetime | None

    @property
    def look(self) -> Look:
        return STATUSES[self.status]


@dataclass(frozen=True)
class Moment:
    """A time to print: ``iso`` for machines, ``text`` for people."""

    iso: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A group as it is listed; ``group`` is None for the services that belong to none."""

    group: GroupFact | None
    members: tuple[ComponentState, ...]
    status: ComponentStatus
    folded: bool


@dataclass(frozen=True)
class Day:
    """One day of the page's zone with the incidents that began on it."""

    date: Moment
    incidents: tuple[IncidentFact, ...]


def banner(snapshot: Snapshot) -> Banner:
    """The page in one sentence: the worst wins and is named; a fix under watch is told as such."""
    return Banner(
        status=snapshot.status,
        sentence=_sentence(snapshot, snapshot.status),
        checked_at=snapshot.last_check_at,
    )


def near_maintenance(snapshot: Snapshot) -> MaintenanceFact | None:
    """The next maintenance, if it begins within :data:`NEAR`."""
    following = next(iter(snapshot.upcoming_maintenances), None)
    if following is None or following.scheduled_start - snapshot.generated_at > NEAR:
        return None
    return following


def announcement(fact: MaintenanceFact, zone: ZoneInfo) -> Banner:
    """A maintenance that is near, in one sentence."""
    return Banner(
        status=ComponentStatus.UNDER_MAINTENANCE,
        sentence=f"Maintenance from {moment(fact.scheduled_start, zone).text}: {fact.title}",
        checked_at=None,
    )


def sections(snapshot: Snapshot) -> tuple[Section, ...]:
    """The services to list. Those shown only while degraded are left out while nothing is wrong."""
    shown = [
        (group, tuple(member for member in members if _is_shown(member)))
        for group, members in snapshot.sections
    ]
    shown = [(group, members) for group, members in shown if members]
    many = sum(group is not None for group, _ in shown) >= FOLDED_FROM
    return tuple(
        Section(
            group=group,
            members=members,
            status=rolled_up(members),
            folded=many
            and group is not None
            and all(member.status is ComponentStatus.OPERATIONAL for member in members),
        )
        for group, members in shown
    )


def past_days(snapshot: Snapshot) -> tuple[Day, ...]:
    """The last :data:`PAST_DAYS` days, newest first, those without incidents too.

    An incident that is still open stands on its day as well: "no incidents" would be untrue there.
    """
    zone = ZoneInfo(snapshot.page.time_zone)
    today = snapshot.generated_at.astimezone(zone).date()
    begun: dict[date, list[IncidentFact]] = {}
    for fact in snapshot.incidents:
        begun.setdefault(fact.started_at.astimezone(zone).date(), []).append(fact)
    days = (today - timedelta(days=back) for back in range(PAST_DAYS))
    return tuple(
        Day(Moment(day.isoformat(), _day_text(day)), tuple(begun.get(day, ()))) for day in days
    )


def moment(when: datetime, zone: ZoneInfo) -> Moment:
    """*when* as RFC 3339 in UTC and as a text that names *zone*: "19 Feb 2026, 17:30 UTC"."""
    local = when.astimezone(zone)
    name = local.tzname() or zone.key
    named = f"UTC{name}" if name.startswith(("+", "-")) else name
    return Moment(
        when.astimezone(UTC).isoformat(timespec="seconds"),
        f"{_day_text(local.date())}, {local:%H:%M} {named}",
    )


def state(status: IncidentStatus | MaintenanceStatus) -> str:
    """How far an incident or a maintenance is, in words."""
    return STATES[status] if isinstance(status, IncidentStatus) else MAINTENANCE_STATES[status]


def duration(start: datetime, end: datetime) -> str:
    """The time between two instants in the two largest units: "1 h 12 min"."""
    minutes = max(0, int((end - start).total_seconds() // 60))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    return " ".join([f"{n} {unit}" for n, unit in parts if n][:2]) or "less than a minute"


def _sentence(snapshot: Snapshot, status: ComponentStatus) -> str:
    if status in (ComponentStatus.UNKNOWN, ComponentStatus.UNDER_MAINTENANCE):
        return _naming(snapshot, status)
    incidents = snapshot.open_incidents
    watched = {c.id for incident in incidents for c in incident.components}
    others = (c for c in snapshot.components if c.fact.id not in watched)
    is_under_watch = (
        bool(incidents)
        and all(incident.status is IncidentStatus.MONITORING for incident in incidents)
        and not any(c.status.severity >= _IMPAIRED for c in others)
    )
    if not is_under_watch:
        return _naming(snapshot, status)
    titles = [incident.title for incident in sorted(incidents, key=_impact, reverse=True)]
    return f"{FIX_IN_PLACE}: {_first(titles)}"


def _naming(snapshot: Snapshot, status: ComponentStatus) -> str:
    if status in (ComponentStatus.UNKNOWN, ComponentStatus.OPERATIONAL):
        return BANNERS[status]
    names = [c.fact.name for c in snapshot.components if c.status is status]
    # Without such a service it is an incident that raised the page to its status.
    names = names or [i.title for i in snapshot.open_incidents if i.impact.floor is status]
    if status is ComponentStatus.UNDER_MAINTENANCE:
        names = names or [m.title for m in snapshot.active_maintenances]
    return f"{BANNERS[status]}: {_first(names)}" if names else BANNERS[status]


def _first(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _impact(fact: IncidentFact) -> int:
    return fact.impact.severity


def _is_shown(state: ComponentState) -> bool:
    calm = (ComponentStatus.OPERATIONAL, ComponentStatus.UNKNOWN)
    return not (state.fact.only_show_if_degraded and state.status in calm)


def _day_text(day: date) -> str:
    # Not strftime("%b"): its words change with the host's locale.
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
