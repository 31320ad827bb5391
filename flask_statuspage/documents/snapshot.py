"""What a page shows, read once and frozen. ``services.overview`` makes it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ..domain.facts import ComponentFact, GroupFact, IncidentFact, MaintenanceFact, ShownPage
from ..domain.maintenance import MaintenanceStatus
from ..domain.series import Series
from ..domain.silence import is_silent
from ..domain.status import ComponentStatus, Impact, page_status, worst
from ..domain.uptime import Interval, uptime_percent

NEWEST_INCIDENTS = 50
"""So many incidents are on one page of a list, and so many closed ones in a snapshot."""


@dataclass(frozen=True, kw_only=True)
class ComponentState:
    """A component and what was measured of it.

    :param uptime_percent: over the configured window, floored to two decimals; None: nothing observed yet.
    :param response_ms: of its monitor's latest check; None while that fails.
    :param check_interval: seconds between checks; None without a monitor.
    :param history: its published statuses within the window, from its own first day on, in no order.
    """

    fact: ComponentFact
    uptime_percent: float | None
    response_ms: int | None
    check_interval: int | None
    last_check_at: datetime | None
    history: tuple[Interval, ...] = ()

    @property
    def status(self) -> ComponentStatus:
        return self.fact.status


@dataclass(frozen=True, kw_only=True)
class ResponseTimes:
    """How long answers of the component *slug* took in the last day, hour by hour."""

    slug: str
    series: Series


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One page at one version.

    :param status: of the page as a whole.
    :param components: in the order of the page: group position, then component position, then name.
    :param incidents: published ones, newest first: all that are open, and the newest others.
    :param maintenances: all that are not over and the newest that are, the earliest window first.
    :param uptime_days: the window of uptimes, in days.
    :param partial_outage_weight: how much of a partial outage counts as downtime.
    :param incident_count: how many published incidents the page has, those that are not in here too.
    :param response: of one component, to be drawn; None: nothing was measured in the last day.
    :param focus: the one component that this is about, see :meth:`about`; None: the page as a whole.
    :param worked_out: what was made of it, or read beside it, for as long as it is in use. Each is made twice if two
        need it at once.
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
    partial_outage_weight: float
    incident_count: int
    response: ResponseTimes | None = None
    focus: ComponentState | None = None
    worked_out: dict[Hashable, Any] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    @property
    def newest_incidents(self) -> tuple[IncidentFact, ...]:
        """The first page of a list of all incidents."""
        return self.incidents[:NEWEST_INCIDENTS]

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

    def component(self, slug: str) -> ComponentState | None:
        return next((state for state in self.components if state.fact.slug == slug), None)

    def about(
        self, state: ComponentState, *, incidents: Iterable[IncidentFact] | None = None
    ) -> Snapshot:
        """What this snapshot knows of one component: itself, its incidents and its maintenance.

        :param incidents: the component's own newest; without them those of the page's newest that affect it.
        """
        ident = state.fact.id
        found = self.incidents if incidents is None else incidents
        incidents = tuple(
            fact for fact in found if any(item.id == ident for item in fact.components)
        )
        return replace(
            self,
            status=state.status,
            groups=tuple(group for group in self.groups if group.id == state.fact.group_id),
            components=(state,),
            incidents=incidents,
            maintenances=tuple(
                fact
                for fact in self.maintenances
                # One without components is about the page as a whole.
                if not fact.components or any(item.id == ident for item in fact.components)
            ),
            incident_count=len(incidents),
            focus=state,
        )

    def uptime_over(self, state: ComponentState, days: int) -> float | None:
        """The uptime of *state* over the last *days*, at most :attr:`uptime_days`; None: nothing was observed."""
        return uptime_percent(
            state.history,
            since=self.generated_at - timedelta(days=days),
            until=self.generated_at,
            partial_weight=self.partial_outage_weight,
        )

    def members(self, group: GroupFact | None) -> Iterable[ComponentState]:
        """The components of *group*; None: those that belong to no group."""
        wanted = group.id if group else None
        return (c for c in self.components if c.fact.group_id == wanted)


def newest(incidents: Iterable[IncidentFact]) -> list[IncidentFact]:
    """Those that a snapshot has of *incidents*: the newest :data:`NEWEST_INCIDENTS` and all open ones, newest first."""
    known = {fact.id: fact for fact in incidents}
    ordered = sorted(known.values(), key=lambda fact: (fact.started_at, fact.id), reverse=True)
    return ordered[:NEWEST_INCIDENTS] + [
        fact for fact in ordered[NEWEST_INCIDENTS:] if fact.status.is_open
    ]


def overall_status(
    components: Collection[ComponentState],
    open_impacts: Iterable[Impact],
    *,
    now: datetime,
    maintained: bool = False,
) -> ComponentStatus:
    """The page's status; never green once every monitor has missed :data:`~..domain.silence.MISSED_CHECKS` checks.

    :param maintained: whether a maintenance of the whole page is going on.
    """
    status = page_status((component.status for component in components), open_impacts)
    if maintained:
        status = worst([status, ComponentStatus.UNDER_MAINTENANCE])
    if status is ComponentStatus.OPERATIONAL and _are_silent(components, now):
        return ComponentStatus.UNKNOWN
    return status


def _are_silent(components: Collection[ComponentState], now: datetime) -> bool:
    watched = [c for c in components if c.last_check_at and c.check_interval]
    return bool(watched) and all(is_silent(c.last_check_at, c.check_interval, now) for c in watched)


def rolled_up(members: Iterable[ComponentState]) -> ComponentStatus:
    """The status of a group: the worst of its members."""
    return worst(member.status for member in members)
