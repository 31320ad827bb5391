"""How a page stands as a whole, and what one transaction changed in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from .status import ComponentStatus, Impact, page_status, worst


@dataclass(frozen=True, kw_only=True)
class StandingComponent:
    """A component of the page; ``group`` is the group's name."""

    id: UUID
    name: str
    group: str | None
    status: ComponentStatus


@dataclass(frozen=True, kw_only=True)
class OpenIncident:
    id: UUID
    title: str
    impact: Impact
    started_at: datetime


@dataclass(frozen=True, kw_only=True)
class RunningMaintenance:
    """:param whole_page: it names no component, so it is about the page as a whole."""

    id: UUID
    title: str
    started_at: datetime
    whole_page: bool


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A page at one moment: its components in its order, and what is told of it that is not over."""

    components: tuple[StandingComponent, ...] = ()
    incidents: tuple[OpenIncident, ...] = ()
    maintenances: tuple[RunningMaintenance, ...] = ()

    @property
    def status(self) -> ComponentStatus:
        """The page's status. Not whether monitors have fallen silent: time alone is no change that could be told."""
        status = page_status(
            (component.status for component in self.components),
            (incident.impact for incident in self.incidents),
        )
        if any(maintenance.whole_page for maintenance in self.maintenances):
            return worst([status, ComponentStatus.UNDER_MAINTENANCE])
        return status

    @property
    def topic(self) -> OpenIncident | RunningMaintenance | None:
        """What there is to say of it: the worst open incident, the latest of equals; else the latest maintenance."""
        if self.incidents:
            return max(self.incidents, key=lambda one: (one.impact.severity, one.started_at))
        return max(self.maintenances, key=lambda one: one.started_at, default=None)


@dataclass(frozen=True, kw_only=True)
class ComponentChange:
    """One component from before a transaction to its end.

    :param told: False: only host code hears of it.
    """

    id: UUID
    name: str
    group: str | None
    previous_status: ComponentStatus
    status: ComponentStatus
    told: bool


def net_changes(steps: Iterable[tuple[Mapping[str, Any], bool]]) -> tuple[ComponentChange, ...]:
    """What is left of *steps*: each component once, from its first status to its last; none that is what it was.

    :param steps: in their order: ``data["component"]`` of ``component.status_change``, and whether it is told.
    """
    changes: dict[UUID, ComponentChange] = {}
    for component, told in steps:
        component_id = UUID(component["id"])
        step = ComponentChange(
            id=component_id,
            name=component["name"],
            group=component["group"],
            previous_status=ComponentStatus(component["previous_status"]),
            status=ComponentStatus(component["status"]),
            told=told,
        )
        if before := changes.get(component_id):
            step = replace(step, previous_status=before.previous_status, told=told or before.told)
        changes[component_id] = step
    return tuple(one for one in changes.values() if one.status is not one.previous_status)
