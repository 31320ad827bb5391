"""Components and monitors of all pages as far as ``/metrics`` tells of them: one statement for each kind of thing.

Columns only: of many rows few fields are wanted, and nothing of them changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..domain.measured import Backlog, MeasuredMonitor, MeasuredRegion
from ..domain.status import ComponentStatus
from .components import Component, ComponentGroup
from .monitors import Monitor, MonitorRegion, response_of
from .pages import Page


class ComponentRow(NamedTuple):
    id: UUID
    page: str
    slug: str
    name: str
    group: str | None
    status: ComponentStatus


class MonitorRow(NamedTuple):
    """A monitor with the interval that it is checked at, in seconds, and the id of its component."""

    monitor: MeasuredMonitor
    component_id: UUID | None
    interval: int


def components(session: Session) -> list[ComponentRow]:
    """Those of all pages that are not archived."""
    query = (
        select(
            Component.id,
            Page.slug,
            Component.slug,
            Component.name,
            ComponentGroup.name,
            Component.status,
        )
        .join(Page, Page.id == Component.page_id)
        .outerjoin(Component.group)
        .where(Component.archived_at.is_(None))
        .order_by(Page.slug, Component.slug)
    )
    return [ComponentRow(*row) for row in session.execute(query)]


def monitors(session: Session) -> list[MonitorRow]:
    """Those of all pages, each with its regions by name."""
    return list(_grouped(session))


def _grouped(session: Session) -> Iterator[MonitorRow]:
    query = (
        select(
            Monitor.id,
            Page.slug.label("page"),
            Monitor.slug,
            Monitor.name,
            Monitor.kind,
            Monitor.component_id,
            Component.slug.label("component"),
            Monitor.interval,
            Monitor.verdict,
            Monitor.paused_at,
            MonitorRegion.region,
            MonitorRegion.last_outcome,
            MonitorRegion.last_ms,
            MonitorRegion.last_at,
        )
        .join(Page, Page.id == Monitor.page_id)
        .outerjoin(Monitor.component)
        .outerjoin(Monitor.regions)
        .order_by(Page.slug, Monitor.slug, Monitor.id, MonitorRegion.region)
    )
    before, last = None, None
    for row in session.execute(query):
        if last is None or row.id != before:
            if last is not None:
                yield last
            before = row.id
            monitor = MeasuredMonitor(
                page=row.page,
                slug=row.slug,
                name=row.name,
                kind=row.kind,
                component=row.component or "",
                verdict=row.verdict,
                is_paused=row.paused_at is not None,
            )
            last = MonitorRow(monitor, row.component_id, row.interval)
        if row.region is not None:
            last.monitor.regions.append(
                MeasuredRegion(
                    region=row.region,
                    milliseconds=response_of(row.last_outcome, row.last_ms),
                    last_at=row.last_at,
                )
            )
    if last is not None:
        yield last


def backlogs(session: Session, now: datetime) -> list[Backlog]:
    """The regions in which checks are due."""
    query = (
        select(MonitorRegion.region, func.count(), func.min(MonitorRegion.due_at))
        .where(MonitorRegion.due_at <= now)
        .group_by(MonitorRegion.region)
    )
    return [
        Backlog(region=region, due=count, lag=max(0.0, (now - since).total_seconds()))
        for region, count, since in session.execute(query)
        if since is not None
    ]
