"""Incidents and maintenance of an import, with their updates: theirs wins, and nobody is told.

An incident to which anybody wrote an update here, or a maintenance to which a member did, belongs to this page from
then on: an import leaves it as it is. The clock's own updates of a maintenance stand beside theirs, and its status only
goes on from where it is: what is over here does not begin again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from ..domain.ids import new_id
from ..domain.incident import IncidentStatus
from ..domain.maintenance import MaintenanceStatus, may_become, past_reminders
from ..domain.source_page import SourceIncident, SourceMaintenance, SourceUpdate
from ..domain.status import ComponentStatus
from ..storage import imported as stored
from ..storage.components import Component
from ..storage.incidents import Incident, IncidentUpdate
from ..storage.maintenances import MaintainedComponent, Maintenance, MaintenanceUpdate
from . import affected_components, audit, facts
from .import_ledger import Ledger
from .imported_updates import merge, told

Key = tuple[UUID, str, str]
"""Component, source and reference of a word."""


class Word(NamedTuple):
    status: ComponentStatus
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Known:
    """The page's components, archived ones too: by their id here, and by their id at the source."""

    by_id: Mapping[UUID, Component]
    by_source: Mapping[str, Component]
    origin_of: Callable[[str], str]


class History:
    """The writer of one import.

    ``words`` is what open incidents and running maintenance say of components. ``speakers`` are the source and
    reference of all that this import rules over, also of what says nothing any more.
    """

    def __init__(self, ledger: Ledger, known: Known, *, remind_before: Sequence[int]) -> None:
        self.words: dict[Key, Word] = {}
        self.speakers: set[tuple[str, str]] = set()
        self._ledger = ledger
        self._known = known
        self._remind_before = sorted(set(remind_before), reverse=True)

    def incidents(self, theirs: Sequence[SourceIncident]) -> None:
        ledger, known = self._ledger, self._known
        origins = [known.origin_of(item.id) for item in theirs]
        rows = stored.incidents(ledger.session, ledger.page.id, origins, known.by_id)
        found = {row.origin: row for row in rows}
        for item, origin in zip(theirs, origins, strict=True):
            row = found.get(origin)
            if row is None:
                row = self._new_incident(item, origin)
            elif all(update.origin for update in row.updates):
                self._mend_incident(row, item)
            else:
                ledger.saw(row)
                continue
            ledger.saw(row)
            self.speakers.add(("incident", str(row.id)))
            if row.status.is_open and row.visibility == "published":
                for affected in row.affected:
                    key = (affected.component.id, "incident", str(row.id))
                    self.words[key] = Word(affected.status)

    def maintenances(self, theirs: Sequence[SourceMaintenance]) -> None:
        ledger, known = self._ledger, self._known
        origins = [known.origin_of(item.id) for item in theirs]
        rows = stored.maintenances(ledger.session, ledger.page.id, origins, known.by_id)
        found = {row.origin: row for row in rows}
        for item, origin in zip(theirs, origins, strict=True):
            row = found.get(origin)
            if row is None:
                row = self._new_maintenance(item, origin)
            elif not any(_is_by_a_member(update) for update in row.updates):
                self._mend_maintenance(row, item)
            else:
                ledger.saw(row)
                continue
            ledger.saw(row)
            self.speakers.add(("maintenance", str(row.id)))
            if row.status.is_active:
                for affected in row.affected:
                    key = (affected.component.id, "maintenance", str(row.id))
                    self.words[key] = Word(ComponentStatus.UNDER_MAINTENANCE, row.title)

    def _new_incident(self, item: SourceIncident, origin: str) -> Incident:
        row = Incident(
            id=new_id(),
            page_id=self._ledger.page.id,
            automatic=False,
            impact_set=True,
            visibility="published",
            origin=origin,
            created_at=item.created_at,
            updated_at=item.updated_at,
            affected=[],
            updates=[],
        )
        self._write_incident(row, item)
        self._ledger.session.add(row)
        self._ledger.created("incident", row, facts.incident(row))
        return row

    def _mend_incident(self, row: Incident, item: SourceIncident) -> None:
        before = _incident_state(row)
        self._write_incident(row, item)
        if self._ledger.changed("incident", row, before, _incident_state(row)):
            row.updated_at = item.updated_at

    def _write_incident(self, row: Incident, item: SourceIncident) -> None:
        row.title, row.status, row.impact = item.title, item.status, item.impact
        row.started_at, row.monitoring_at = item.started_at, item.monitoring_at
        row.resolved_at = item.resolved_at
        by_source = self._known.by_source
        affected_components.keep(
            row, {by_source[id_]: status for id_, status in item.components if id_ in by_source}
        )
        merge(
            self._ledger.session,
            row.updates,
            item.updates,
            origin_of=self._known.origin_of,
            make=self._new_incident_update,
            mend=self._mend_incident_update,
        )

    def _new_incident_update(self, item: SourceUpdate, origin: str) -> IncidentUpdate:
        return IncidentUpdate(
            id=new_id(),
            status=IncidentStatus(item.status),
            body=item.body,
            components=self._components_then(item),
            notified=False,
            origin=origin,
            created_at=item.at,
            updated_at=item.at,
        )

    def _mend_incident_update(self, row: IncidentUpdate, item: SourceUpdate) -> None:
        row.status, row.body, row.created_at = IncidentStatus(item.status), item.body, item.at
        then = self._components_then(item)
        # Its components keep the names that they had, unless something else changed.
        if _statuses(then) != _statuses(row.components):
            row.components = then

    def _components_then(self, item: SourceUpdate) -> list[dict[str, Any]]:
        return [
            {
                "id": str(component.id),
                "slug": component.slug,
                "name": component.name,
                "group": component.group.name if component.group else None,
                "status": affected.status.value,
                "old_status": affected.old_status.value if affected.old_status else None,
            }
            for affected in item.components
            if (component := self._known.by_source.get(affected.id))
        ]

    def _new_maintenance(self, item: SourceMaintenance, origin: str) -> Maintenance:
        row = Maintenance(
            id=new_id(),
            page_id=self._ledger.page.id,
            status=item.status,
            scheduled_start=item.scheduled_start,
            scheduled_end=item.scheduled_end,
            remind_before=self._remind_before,
            revision=0,
            exceptions=[],
            origin=origin,
            created_at=item.created_at,
            updated_at=item.updated_at,
            affected=[],
            updates=[],
        )
        self._plan(row)
        self._write_maintenance(row, item)
        self._ledger.session.add(row)
        self._ledger.created("maintenance", row, facts.maintenance(row))
        return row

    def _mend_maintenance(self, row: Maintenance, item: SourceMaintenance) -> None:
        before = _maintenance_state(row)
        window = (item.scheduled_start, item.scheduled_end)
        if window != (row.scheduled_start, row.scheduled_end):
            row.scheduled_start, row.scheduled_end = window
            row.revision += 1
            self._plan(row)
            put_off = item.status is MaintenanceStatus.SCHEDULED and window[0] > self._ledger.now
            if row.status.is_active and put_off:
                # Our clock began it, and theirs was put off: its components must not wait for it under maintenance.
                row.status, row.started_at = MaintenanceStatus.SCHEDULED, None
        self._write_maintenance(row, item)
        if self._ledger.changed("maintenance", row, before, _maintenance_state(row)):
            row.updated_at = item.updated_at

    def _plan(self, row: Maintenance) -> None:
        """The clock begins and ends it, unless that time is past: then theirs tells, or a member."""
        now = self._ledger.now
        row.auto_start, row.auto_complete = row.scheduled_start > now, row.scheduled_end > now
        row.reminded = past_reminders(row.scheduled_start, row.remind_before, now)

    def _write_maintenance(self, row: Maintenance, item: SourceMaintenance) -> None:
        row.title = item.title
        if may_become(row.status, item.status):
            row.status = item.status
            row.started_at = item.started_at or row.started_at
            row.ended_at = item.ended_at
        due = row.plan.next_step()
        row.next_at = due.at if due else None
        by_source = self._known.by_source
        chosen = [by_source[id_] for id_ in item.components if id_ in by_source]
        for affected in [item for item in row.affected if item.component not in chosen]:
            row.affected.remove(affected)
        there = {affected.component for affected in row.affected}
        for position, component in enumerate(chosen):
            if component not in there:
                row.affected.append(MaintainedComponent(component=component, position=position))
        merge(
            self._ledger.session,
            row.updates,
            item.updates,
            origin_of=self._known.origin_of,
            make=_new_maintenance_update,
            mend=_mend_maintenance_update,
        )


def _new_maintenance_update(item: SourceUpdate, origin: str) -> MaintenanceUpdate:
    return MaintenanceUpdate(
        id=new_id(),
        status=MaintenanceStatus(item.status),
        body=item.body,
        notified=False,
        origin=origin,
        created_at=item.at,
        updated_at=item.at,
    )


def _mend_maintenance_update(row: MaintenanceUpdate, item: SourceUpdate) -> None:
    row.status, row.body, row.created_at = MaintenanceStatus(item.status), item.body, item.at


def _is_by_a_member(update: MaintenanceUpdate) -> bool:
    return update.origin is None and update.actor not in (None, audit.SYSTEM)


def _statuses(components: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(item["id"], item["status"], item["old_status"]) for item in components]


def _incident_state(row: Incident) -> dict[str, Any]:
    return {
        "title": row.title,
        "status": row.status,
        "impact": row.impact,
        "started_at": row.started_at,
        "monitoring_at": row.monitoring_at,
        "resolved_at": row.resolved_at,
        "components": {item.component.slug: item.status for item in row.affected},
        **told(row.updates),
    }


def _maintenance_state(row: Maintenance) -> dict[str, Any]:
    return {
        "title": row.title,
        "status": row.status,
        "scheduled_start": row.scheduled_start,
        "scheduled_end": row.scheduled_end,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "components": sorted(item.component.slug for item in row.affected),
        **told(row.updates),
    }
