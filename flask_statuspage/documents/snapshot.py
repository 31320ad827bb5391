"""What a page shows, read once and frozen. ``services.overview`` makes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.facts import ComponentFact, GroupFact, IncidentFact, MaintenanceFact, ShownPage
from ..domain.maintenance import MaintenanceStatus
from ..domain.status import ComponentStatus, Impact, page_status, worst

MISSED_CHECKS = 3
"""After this many intervals without a check, what was measured last no longer counts as known."""


@dataclass(frozen=True, kw_only=True)
class ComponentState:
    """A component and what was measured of it.

    :param uptime_percent: over the configured window, floored to two decimals; None: nothing observed yet.
    :param response_ms: of the latest answered check of its monitor.
    :param check_interval: seconds between checks; None without a monitor.
    """

    fact: ComponentFact
    uptime_percent: float | None
    response_ms: int | None
    check_interval: int | None
    last_check_at: datetime | None

    @property
    def status(self) -> ComponentStatus:
        return self.fact.status


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One page at one version.

    :param status: of the page as a whole.
    :param components: in the order of the page: group position, then component position, then name.
    :param incidents: published ones, newest first: all that are open, and the newest others.
    :param maintenances: all that are not over and the newest that are, the earliest window first.
    """

    page: ShownPage
    version: int
    generated_at: datetime
    status: ComponentStatus
    groups: tuple[GroupFact, ...]
    components: tuple[ComponentState, ...]
    incidents: tuple[IncidentFact, ...]
    maintenances: tuple[MaintenanceFact, ...] = ()
    uptime_days: int

    @property
    def open_incidents(self) -> tuple[IncidentFact, ...]:
        return tuple(incident for incident in self.incidents if incident.status.is_open)

    @property
    def active_maintenances(self) -> tuple[MaintenanceFact, ...]:
        """What is going on, the earliest first."""
        return tuple(fact for fact in self.maintenances if fact.status.is_active)

    @property
    def upcoming_maintenances(self) -> tuple[MaintenanceFact, ...]:
        """What has not begun, the next one first."""
        scheduled = MaintenanceStatus.SCHEDULED
        return tuple(fact for fact in self.maintenances if fact.status is scheduled)

    @property
    def last_check_at(self) -> datetime | None:
        return max((c.last_check_at for c in self.components if c.last_check_at), default=None)

    @property
    def sections(self) -> tuple[tuple[GroupFact | None, tuple[ComponentState, ...]], ...]:
        """The components as the page lists them: first those without a group, then group by group."""
        listed: list[tuple[GroupFact | None, tuple[ComponentState, ...]]] = []
        for group in (None, *self.groups):
            members = tuple(self.members(group))
            if members:
                listed.append((group, members))
        return tuple(listed)

    def members(self, group: GroupFact | None) -> Iterable[ComponentState]:
        """The components of *group*; None: those that belong to no group."""
        wanted = group.id if group else None
        return (c for c in self.components if c.fact.group_id == wanted)


def overall_status(
    components: Collection[ComponentState],
    open_impacts: Iterable[Impact],
    *,
    now: datetime,
    maintained: bool = False,
) -> ComponentStatus:
    """The page's status; never green once every monitor has missed :data:`MISSED_CHECKS` checks.

    :param maintained: whether a maintenance of the whole page is going on.
    """
    status = page_status((component.status for component in components), open_impacts)
    if maintained:
        status = worst([status, ComponentStatus.UNDER_MAINTENANCE])
    if status is ComponentStatus.OPERATIONAL and _are_silent(components, now):
        return ComponentStatus.UNKNOWN
    return status


def _are_silent(components: Collection[ComponentState], now: datetime) -> bool:
    watched = [(c.last_check_at, c.check_interval) for c in components]
    due = [(at, interval) for at, interval in watched if at and interval]
    return bool(due) and all(
        now - at > timedelta(seconds=MISSED_CHECKS * interval) for at, interval in due
    )


def rolled_up(members: Iterable[ComponentState]) -> ComponentStatus:
    """The status of a group: the worst of its members."""
    return worst(member.status for member in members)
