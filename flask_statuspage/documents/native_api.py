"""The native JSON API, version 2: documents as plain dicts, each a pure function of a snapshot.

The fields that the published API document of FacioTech shows are kept to the letter and come first
in every object; what stands beside them (``id``, ``slug``, …) is ours. Instants are RFC 3339 in UTC
with whole seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import overload

from ..domain.dialects import NATIVE_STATUS
from ..domain.facts import AffectedFact, IncidentFact, MaintenanceFact, UpdateFact
from .native_types import (
    DESCRIPTION,
    INDICATOR,
    NativeAffected,
    NativeComponent,
    NativeComponentsDocument,
    NativeIncident,
    NativeIncidentsDocument,
    NativeMaintenance,
    NativeMaintenancesDocument,
    NativeStatusDocument,
    NativeSummaryDocument,
    NativeUpdate,
)
from .snapshot import ComponentState, Snapshot


def status(snapshot: Snapshot) -> NativeStatusDocument:
    """``status.json``: ``{status: {indicator, description}, page: {name, url, updated_at, …}}``."""
    page = snapshot.page
    return {
        "status": {
            "indicator": INDICATOR[snapshot.status],
            "description": DESCRIPTION[snapshot.status],
        },
        "page": {
            "name": page.name,
            "url": page.url,
            "updated_at": _instant(page.updated_at),
            "id": str(page.id),
            "slug": page.slug,
            "time_zone": page.time_zone,
        },
    }


def summary(snapshot: Snapshot) -> NativeSummaryDocument:
    """``summary.json``: status, components, open incidents and scheduled maintenance at once."""
    return {
        **status(snapshot),
        **components(snapshot),
        **unresolved_incidents(snapshot),
        "scheduled_maintenances": [
            maintenance(fact, snapshot.generated_at)
            for fact in (*snapshot.active_maintenances, *snapshot.upcoming_maintenances)
        ],
    }


def components(snapshot: Snapshot) -> NativeComponentsDocument:
    """``components.json``: ``{components: [{name, group, status, …}]}`` in the page's order.

    ``group``, ``uptime_percent``, ``response_time_ms``, ``check_interval`` (seconds) and
    ``last_check`` are null where there is none.
    """
    return {"components": [_component(state) for state in snapshot.components]}


def incidents(snapshot: Snapshot) -> NativeIncidentsDocument:
    """``incidents.json``: ``{incidents: […]}``, the newest ones, open or not, newest first."""
    return {"incidents": [incident(fact) for fact in snapshot.newest_incidents]}


def unresolved_incidents(snapshot: Snapshot) -> NativeIncidentsDocument:
    """``incidents/unresolved.json``: ``{incidents: […]}``, only those that are open."""
    return {"incidents": [incident(fact) for fact in snapshot.open_incidents]}


def scheduled_maintenances(snapshot: Snapshot) -> NativeMaintenancesDocument:
    """``scheduled-maintenances.json``: ``{scheduled_maintenances: […]}``, planned, going on and recent ones, the
    earliest window first."""
    return _listed(snapshot, snapshot.maintenances)


def upcoming_maintenances(snapshot: Snapshot) -> NativeMaintenancesDocument:
    """``scheduled-maintenances/upcoming.json``: the same, only those that have not begun."""
    return _listed(snapshot, snapshot.upcoming_maintenances)


def active_maintenances(snapshot: Snapshot) -> NativeMaintenancesDocument:
    """``scheduled-maintenances/active.json``: the same, only those that are going on."""
    return _listed(snapshot, snapshot.active_maintenances)


def maintenance(fact: MaintenanceFact, now: datetime) -> NativeMaintenance:
    """One maintenance: ``{name, status, component, scheduled_start, scheduled_end, updates, …}``.

    ``component`` is the name of the first component or null, ``components`` lists all of them. ``overrun`` says that at
    *now* it should be over and is not.
    """
    return {
        "name": fact.title,
        "status": fact.status.value,
        "component": fact.components[0].name if fact.components else None,
        "scheduled_start": _instant(fact.scheduled_start),
        "scheduled_end": _instant(fact.scheduled_end),
        "started_at": _instant(fact.started_at),
        "ended_at": _instant(fact.ended_at),
        "updates": [_update(update) for update in fact.updates],
        "id": str(fact.id),
        "components": [_affected(component) for component in fact.components],
        "overrun": fact.is_overrun(now),
        "rrule": fact.rrule,
        "created_at": _instant(fact.created_at),
        "updated_at": _instant(fact.updated_at),
    }


def _listed(snapshot: Snapshot, facts: Iterable[MaintenanceFact]) -> NativeMaintenancesDocument:
    now = snapshot.generated_at
    return {"scheduled_maintenances": [maintenance(fact, now) for fact in facts]}


def incident(fact: IncidentFact) -> NativeIncident:
    """One incident: ``{name, status, impact, component, started_at, resolved_at, updates, …}``.

    ``component`` is the name of the first affected component or null, ``components`` lists all of
    them with the status that the latest update gave them. ``updates`` are newest first.
    """
    return {
        "name": fact.title,
        "status": fact.status.value,
        "impact": fact.impact.value,
        "component": fact.components[0].name if fact.components else None,
        "started_at": _instant(fact.started_at),
        "resolved_at": _instant(fact.resolved_at),
        "updates": [_update(update) for update in fact.updates],
        "id": str(fact.id),
        "components": [_affected(component) for component in fact.components],
        "monitoring_at": _instant(fact.monitoring_at),
        "next_update_due": _instant(fact.next_update_due),
        "created_at": _instant(fact.created_at),
        "updated_at": _instant(fact.updated_at),
    }


def _component(state: ComponentState) -> NativeComponent:
    fact = state.fact
    return {
        "name": fact.name,
        "group": fact.group,
        "status": NATIVE_STATUS[state.status],
        "uptime_percent": state.uptime_percent,
        "response_time_ms": state.response_ms,
        "check_interval": state.check_interval,
        "last_check": _instant(state.last_check_at),
        "id": str(fact.id),
        "slug": fact.slug,
        "description": fact.description,
        "status_since": _instant(fact.since),
        "updated_at": _instant(fact.updated_at),
    }


def _update(update: UpdateFact) -> NativeUpdate:
    return {
        "status": update.status.value,
        "body": update.body,
        "created_at": _instant(update.created_at),
        "id": str(update.id),
        "components": [_affected(component) for component in update.components],
        "updated_at": _instant(update.updated_at),
    }


def _affected(component: AffectedFact) -> NativeAffected:
    return {
        "name": component.name,
        "group": component.group,
        "status": NATIVE_STATUS[component.status],
        "id": str(component.id),
        "slug": component.slug,
    }


@overload
def _instant(moment: datetime) -> str: ...
@overload
def _instant(moment: None) -> None: ...
def _instant(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None
