"""The public API of Statuspage (Atlassian), version 2: documents as plain dicts, each a pure function of a snapshot.

Source of the format: the documents that every Statuspage publishes under ``/api/v2/``. They are kept so that clients
written for those pages need no change: exactly their fields in their order, only their words, lists that are never
null, instants in UTC with milliseconds and ``Z``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import overload
from uuid import UUID

from ..domain.dialects import (
    STATUSPAGE_COMPONENT,
    STATUSPAGE_DESCRIPTION,
    STATUSPAGE_IMPACT,
    STATUSPAGE_INCIDENT,
    STATUSPAGE_INDICATOR,
    STATUSPAGE_MAINTENANCE,
    STATUSPAGE_MAINTENANCE_IMPACT,
)
from ..domain.facts import (
    AffectedFact,
    ComponentFact,
    GroupFact,
    IncidentFact,
    MaintenanceFact,
    PageFact,
    UpdateFact,
)
from ..domain.incident import IncidentStatus
from .snapshot import ComponentState, Snapshot, rolled_up
from .statuspage_types import (
    StatuspageAffected,
    StatuspageComponent,
    StatuspageComponentsDocument,
    StatuspageIncident,
    StatuspageIncidentsDocument,
    StatuspageMaintenance,
    StatuspageMaintenancesDocument,
    StatuspagePage,
    StatuspageStatus,
    StatuspageStatusDocument,
    StatuspageSummaryDocument,
    StatuspageUpdate,
)


def status(snapshot: Snapshot) -> StatuspageStatusDocument:
    """``status.json``: ``{page, status: {indicator, description}}``."""
    return {"page": _page(snapshot.page), "status": _status(snapshot)}


def summary(snapshot: Snapshot) -> StatuspageSummaryDocument:
    """``summary.json``: components, open incidents, maintenance that goes on or is planned, and the status at once."""
    return {
        "page": _page(snapshot.page),
        "components": _components(snapshot),
        "incidents": _incidents(snapshot, snapshot.open_incidents),
        "scheduled_maintenances": _maintenances(
            snapshot, (*snapshot.active_maintenances, *snapshot.upcoming_maintenances)
        ),
        "status": _status(snapshot),
    }


def components(snapshot: Snapshot) -> StatuspageComponentsDocument:
    """``components.json``: ``{page, components: […]}`` in the page's order, each group before its members.

    A group without components has no row, as it has none on the page.
    """
    return {"page": _page(snapshot.page), "components": _components(snapshot)}


def incidents(snapshot: Snapshot) -> StatuspageIncidentsDocument:
    """``incidents.json``: ``{page, incidents: […]}``, the newest ones, open or not, newest first."""
    return _listed_incidents(snapshot, snapshot.newest_incidents)


def unresolved_incidents(snapshot: Snapshot) -> StatuspageIncidentsDocument:
    """``incidents/unresolved.json``: the same, only those that are open, all of them."""
    return _listed_incidents(snapshot, snapshot.open_incidents)


def scheduled_maintenances(snapshot: Snapshot) -> StatuspageMaintenancesDocument:
    """``scheduled-maintenances.json``: ``{page, scheduled_maintenances: […]}``, planned, going on and recent ones.

    The latest window comes first: clients take the head of this list for the newest.
    """
    return _listed_maintenances(snapshot, reversed(snapshot.maintenances))


def upcoming_maintenances(snapshot: Snapshot) -> StatuspageMaintenancesDocument:
    """``scheduled-maintenances/upcoming.json``: the same, only those that have not begun, the next one first."""
    return _listed_maintenances(snapshot, snapshot.upcoming_maintenances)


def active_maintenances(snapshot: Snapshot) -> StatuspageMaintenancesDocument:
    """``scheduled-maintenances/active.json``: the same, only those that are going on, the earliest first."""
    return _listed_maintenances(snapshot, snapshot.active_maintenances)


def _page(page: PageFact) -> StatuspagePage:
    return {
        "id": str(page.id),
        "name": page.name,
        "url": page.url,
        "time_zone": page.time_zone,
        "updated_at": _instant(page.updated_at),
    }


def _status(snapshot: Snapshot) -> StatuspageStatus:
    indicator = STATUSPAGE_INDICATOR[snapshot.status]
    return {"indicator": indicator, "description": STATUSPAGE_DESCRIPTION[indicator]}


def _components(snapshot: Snapshot) -> list[StatuspageComponent]:
    page_id = str(snapshot.page.id)
    rows: list[StatuspageComponent] = []
    for group, members in snapshot.sections:
        if group is not None:
            rows.append(_group(group, members, page_id))
        rows.extend(_component(member.fact, page_id) for member in members)
    return rows


def _component(fact: ComponentFact, page_id: str) -> StatuspageComponent:
    return {
        "id": str(fact.id),
        "name": fact.name,
        "status": STATUSPAGE_COMPONENT[fact.status],
        "created_at": _instant(fact.created_at),
        "updated_at": _instant(fact.updated_at),
        "position": fact.position,
        "description": fact.description or None,
        "showcase": fact.showcase,
        "start_date": fact.start_date.isoformat() if fact.start_date else None,
        "group_id": str(fact.group_id) if fact.group_id else None,
        "page_id": page_id,
        "group": False,
        "only_show_if_degraded": fact.only_show_if_degraded,
    }


def _group(
    group: GroupFact, members: tuple[ComponentState, ...], page_id: str
) -> StatuspageComponent:
    return {
        "id": str(group.id),
        "name": group.name,
        "status": STATUSPAGE_COMPONENT[rolled_up(members)],
        "created_at": _instant(group.created_at),
        "updated_at": _instant(group.updated_at),
        "position": group.position,
        "description": group.description or None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": page_id,
        "group": True,
        "only_show_if_degraded": False,
        "components": [str(member.fact.id) for member in members],
    }


def _listed_incidents(
    snapshot: Snapshot, facts: Iterable[IncidentFact]
) -> StatuspageIncidentsDocument:
    return {"page": _page(snapshot.page), "incidents": _incidents(snapshot, facts)}


def _listed_maintenances(
    snapshot: Snapshot, facts: Iterable[MaintenanceFact]
) -> StatuspageMaintenancesDocument:
    return {
        "page": _page(snapshot.page),
        "scheduled_maintenances": _maintenances(snapshot, facts),
    }


def _incidents(snapshot: Snapshot, facts: Iterable[IncidentFact]) -> list[StatuspageIncident]:
    known = _known(snapshot)
    return [_incident(fact, snapshot.page, known) for fact in facts]


def _maintenances(
    snapshot: Snapshot, facts: Iterable[MaintenanceFact]
) -> list[StatuspageMaintenance]:
    known = _known(snapshot)
    return [_maintenance(fact, snapshot.page, known) for fact in facts]


def _known(snapshot: Snapshot) -> dict[UUID, StatuspageComponent]:
    page_id = str(snapshot.page.id)
    return {state.fact.id: _component(state.fact, page_id) for state in snapshot.components}


def _incident(
    fact: IncidentFact, page: PageFact, known: dict[UUID, StatuspageComponent]
) -> StatuspageIncident:
    return {
        "id": str(fact.id),
        "name": fact.title,
        "status": STATUSPAGE_INCIDENT[fact.status],
        "created_at": _instant(fact.created_at),
        "updated_at": _instant(fact.updated_at),
        "monitoring_at": _instant(fact.monitoring_at),
        "resolved_at": _instant(fact.resolved_at),
        "impact": STATUSPAGE_IMPACT[fact.impact],
        "shortlink": f"{page.url}/incidents/{fact.id}",
        "started_at": _instant(fact.started_at),
        "page_id": str(page.id),
        "incident_updates": _updates(fact),
        "components": _present(fact.components, known),
    }


def _maintenance(
    fact: MaintenanceFact, page: PageFact, known: dict[UUID, StatuspageComponent]
) -> StatuspageMaintenance:
    return {
        "id": str(fact.id),
        "name": fact.title,
        "status": STATUSPAGE_MAINTENANCE[fact.status],
        "created_at": _instant(fact.created_at),
        "updated_at": _instant(fact.updated_at),
        "monitoring_at": None,
        "resolved_at": _instant(fact.ended_at),
        "impact": STATUSPAGE_MAINTENANCE_IMPACT,
        "shortlink": f"{page.url}/maintenance/{fact.id}",
        "started_at": _instant(fact.started_at or fact.scheduled_start),
        "page_id": str(page.id),
        "incident_updates": _updates(fact),
        "components": _present(fact.components, known),
        "scheduled_for": _instant(fact.scheduled_start),
        "scheduled_until": _instant(fact.scheduled_end),
    }


def _present(
    affected: Iterable[AffectedFact], known: dict[UUID, StatuspageComponent]
) -> list[StatuspageComponent]:
    return [known[component.id] for component in affected if component.id in known]


def _updates(fact: IncidentFact | MaintenanceFact) -> list[StatuspageUpdate]:
    # A Statuspage has none without updates, and clients read the first one without asking. Imported history may.
    return [_update(update, fact.id) for update in fact.updates or (_announced(fact),)]


def _announced(fact: IncidentFact | MaintenanceFact) -> UpdateFact:
    return UpdateFact(
        id=fact.id,
        status=fact.status,
        body="",
        components=(),
        created_at=fact.created_at,
        updated_at=fact.created_at,
        notified=False,
    )


def _update(update: UpdateFact, about: UUID) -> StatuspageUpdate:
    created_at = _instant(update.created_at)
    return {
        "id": str(update.id),
        "status": STATUSPAGE_INCIDENT[update.status]
        if isinstance(update.status, IncidentStatus)
        else STATUSPAGE_MAINTENANCE[update.status],
        "body": update.body,
        "incident_id": str(about),
        "created_at": created_at,
        "updated_at": _instant(update.updated_at),
        "display_at": created_at,
        "affected_components": [_affected(item) for item in update.components] or None,
        "deliver_notifications": update.notified,
        "custom_tweet": None,
        "tweet_id": None,
    }


def _affected(component: AffectedFact) -> StatuspageAffected:
    now_is = STATUSPAGE_COMPONENT[component.status]
    was = component.old_status
    return {
        "code": str(component.id),
        "name": f"{component.group} - {component.name}" if component.group else component.name,
        "old_status": STATUSPAGE_COMPONENT[was] if was else now_is,
        "new_status": now_is,
    }


@overload
def _instant(moment: datetime) -> str: ...
@overload
def _instant(moment: None) -> None: ...
def _instant(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
