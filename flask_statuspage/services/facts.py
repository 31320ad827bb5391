"""Rows become facts here and nowhere else, for events and snapshots alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from ..domain.facts import (
    AffectedFact,
    CheckFact,
    ComponentFact,
    GroupFact,
    IncidentFact,
    MaintenanceFact,
    MonitorFact,
    PageFact,
    RegionFact,
    ShownPage,
    UpdateFact,
)
from ..domain.status import ComponentStatus
from ..domain.verdict import Verdict
from ..probing import CheckResult
from ..state import current_settings
from ..storage.base import utc_now
from ..storage.components import Component, ComponentGroup
from ..storage.incidents import Incident, IncidentUpdate
from ..storage.maintenances import Maintenance, MaintenanceUpdate
from ..storage.monitors import Monitor, MonitorRegion
from ..storage.pages import Page
from ..storage.shown import Shown
from ..translation import nearest
from . import addresses, monitor_votes


def page(row: Page) -> PageFact:
    settings = current_settings()
    return PageFact(
        id=row.id,
        slug=row.slug,
        name=row.name or settings.page_name,
        url=addresses.page_url(row),
        time_zone=row.time_zone or settings.time_zone,
        updated_at=row.updated_at,
        locale=row.locale,
        logo=row.logo,
    )


def shown_page(row: Page) -> ShownPage:
    """The page with what its readers need, for snapshots."""
    told = page(row)
    offered = current_settings().locales
    return ShownPage(
        **{item.name: getattr(told, item.name) for item in fields(told)},
        visibility=row.visibility,
        link_token=row.link_token if row.visibility == "link" else None,
        language=nearest(told.locale, offered) or offered[0],
        colours=tuple(sorted((row.colours or {}).items())),
        header=row.header or "",
        footer=row.footer or "",
    )


def group(row: ComponentGroup) -> GroupFact:
    return GroupFact(
        id=row.id,
        name=row.name,
        description=row.description,
        position=row.position,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def component(row: Component) -> ComponentFact:
    return shown_component(row, row.group.name if row.group else None)


def shown_component(row: Component | Row[Any], group: str | None) -> ComponentFact:
    """:param row: the component, or its columns alone. :param group: the name of its group."""
    return ComponentFact(
        id=row.id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        group_id=row.group_id,
        group=group,
        position=row.position,
        status=row.status,
        only_show_if_degraded=row.only_show_if_degraded,
        since=row.since,
        created_at=row.created_at,
        updated_at=row.updated_at,
        showcase=row.showcase,
        start_date=row.start_date,
    )


def present(rows: Iterable[Component]) -> list[ComponentFact]:
    """Those of *rows* that have not left their page."""
    return [component(row) for row in rows if row.archived_at is None]


def affected(row: Component, status: ComponentStatus) -> AffectedFact:
    return AffectedFact(
        id=row.id,
        slug=row.slug,
        name=row.name,
        group=row.group.name if row.group else None,
        status=status,
    )


def shown_affected(row: Row[Any], status: ComponentStatus) -> AffectedFact:
    """The same of its columns alone."""
    return AffectedFact(id=row.id, slug=row.slug, name=row.name, group=row.group, status=status)


def update(row: IncidentUpdate | Row[Any]) -> UpdateFact:
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
        notified=row.notified,
    )


def incident(row: Incident, *, with_updates: bool = True) -> IncidentFact:
    """:param with_updates: False: they were not read, and are not shown."""
    updates = row.updates if with_updates else ()
    return _incident(
        row,
        (affected(item.component, item.status) for item in row.affected),
        sorted(updates, key=lambda item: item.number, reverse=True),
    )


def shown_incident(found: Shown) -> IncidentFact:
    affected = (shown_affected(item, item.status) for item in found.affected)
    return _incident(found.row, affected, found.updates)


def _incident(
    row: Incident | Row[Any],
    affected: Iterable[AffectedFact],
    updates: Iterable[IncidentUpdate | Row[Any]],
) -> IncidentFact:
    return IncidentFact(
        id=row.id,
        title=row.title,
        status=row.status,
        impact=row.impact,
        automatic=row.automatic,
        components=tuple(affected),
        updates=tuple(update(item) for item in updates),
        started_at=row.started_at,
        monitoring_at=row.monitoring_at,
        resolved_at=row.resolved_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        next_update_due=row.next_update_due,
    )


def maintenance(row: Maintenance, *, with_updates: bool = True) -> MaintenanceFact:
    """:param with_updates: False: they were not read, and are not shown."""
    updates = row.updates if with_updates else ()
    maintained = ComponentStatus.UNDER_MAINTENANCE
    return _maintenance(
        row,
        (affected(item.component, maintained) for item in row.affected),
        sorted(updates, key=lambda item: item.number, reverse=True),
    )


def shown_maintenance(found: Shown) -> MaintenanceFact:
    maintained = ComponentStatus.UNDER_MAINTENANCE
    affected = (shown_affected(item, maintained) for item in found.affected)
    return _maintenance(found.row, affected, found.updates)


def _maintenance(
    row: Maintenance | Row[Any],
    affected: Iterable[AffectedFact],
    updates: Iterable[MaintenanceUpdate | Row[Any]],
) -> MaintenanceFact:
    return MaintenanceFact(
        id=row.id,
        title=row.title,
        status=row.status,
        components=tuple(affected),
        updates=tuple(
            UpdateFact(
                id=item.id,
                status=item.status,
                body=item.body,
                components=(),
                created_at=item.created_at,
                updated_at=item.updated_at,
                notified=item.notified,
            )
            for item in updates
        ),
        scheduled_start=row.scheduled_start,
        scheduled_end=row.scheduled_end,
        started_at=row.started_at,
        ended_at=row.ended_at,
        auto_start=row.auto_start,
        auto_complete=row.auto_complete,
        remind_before=tuple(row.remind_before),
        revision=row.revision,
        rrule=row.rrule,
        exceptions=tuple(row.exceptions),
        series_id=row.series_id,
        series_start=row.series_start,
        series_zone=row.series_zone,
        occurrence_at=row.occurrence_at,
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


def region(row: MonitorRegion, of: Monitor, now: datetime) -> RegionFact:
    """:param now: by the database's clock; what the region said may be too old by then."""
    return RegionFact(
        region=row.region,
        verdict=row.verdict,
        votes=monitor_votes.votes(row, of, now),
        outcome=row.last_outcome,
        at=row.last_at,
        milliseconds=row.last_ms,
        code=row.last_code,
        error=row.last_error,
    )


def monitor(
    row: Monitor, *, previous: Verdict, result: CheckResult | None, now: datetime | None = None
) -> MonitorFact:
    """:param now: as for :func:`region`; None: as this machine's clock says."""
    now = now or utc_now()
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
        check=check(result) if result else None,
        notification_level=max(1, row.notification_level),
        regions=tuple(region(one, row, now) for one in row.regions),
    )
