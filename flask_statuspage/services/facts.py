"""Rows become facts here and nowhere else, for events and snapshots alike."""

from __future__ import annotations

from uuid import UUID

from ..domain.facts import (
    AffectedFact,
    CheckFact,
    ComponentFact,
    GroupFact,
    IncidentFact,
    MonitorFact,
    PageFact,
    UpdateFact,
)
from ..domain.status import ComponentStatus
from ..domain.verdict import Verdict
from ..probing import CheckResult
from ..state import current_settings
from ..storage.components import Component, ComponentGroup
from ..storage.incidents import AffectedComponent, Incident, IncidentUpdate
from ..storage.monitors import Monitor
from ..storage.pages import Page
from . import addresses


def page(row: Page) -> PageFact:
    settings = current_settings()
    return PageFact(
        id=row.id,
        slug=row.slug,
        name=row.name or settings.page_name,
        url=addresses.page_url(row),
        time_zone=row.time_zone or settings.time_zone,
        updated_at=row.updated_at,
    )


def group(row: ComponentGroup) -> GroupFact:
    return GroupFact(id=row.id, name=row.name, description=row.description, position=row.position)


def component(row: Component) -> ComponentFact:
    return ComponentFact(
        id=row.id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        group_id=row.group_id,
        group=row.group.name if row.group else None,
        position=row.position,
        status=row.status,
        only_show_if_degraded=row.only_show_if_degraded,
        since=row.since,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def affected(row: AffectedComponent) -> AffectedFact:
    return AffectedFact(
        id=row.component.id,
        slug=row.component.slug,
        name=row.component.name,
        group=row.component.group.name if row.component.group else None,
        status=row.status,
    )


def update(row: IncidentUpdate) -> UpdateFact:
    return UpdateFact(
        id=row.id,
        status=row.status,
        body=row.body,
        components=tuple(
            AffectedFact(
                id=UUID(item["id"]),
                slug=item["slug"],
                name=item["name"],
                group=item["group"],
                status=ComponentStatus(item["status"]),
                old_status=ComponentStatus(item["old_status"]) if item["old_status"] else None,
            )
            for item in row.components
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def incident(row: Incident) -> IncidentFact:
    return IncidentFact(
        id=row.id,
        title=row.title,
        status=row.status,
        impact=row.impact,
        automatic=row.monitor_id is not None,
        components=tuple(affected(item) for item in row.affected),
        updates=tuple(
            update(item) for item in sorted(row.updates, key=lambda item: item.number, reverse=True)
        ),
        started_at=row.started_at,
        monitoring_at=row.monitoring_at,
        resolved_at=row.resolved_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def check(result: CheckResult) -> CheckFact:
    return CheckFact(
        outcome=result.outcome,
        region=result.region,
        at=result.at,
        milliseconds=result.milliseconds,
        code=result.code,
        error=result.error,
    )


def monitor(row: Monitor, *, previous: Verdict, result: CheckResult) -> MonitorFact:
    return MonitorFact(
        id=row.id,
        slug=row.slug,
        name=row.name,
        kind=row.kind,
        target=row.target,
        interval=row.interval,
        verdict=row.verdict,
        failures=max((region.down for region in row.regions), default=0),
        previous=previous,
        check=check(result),
    )
