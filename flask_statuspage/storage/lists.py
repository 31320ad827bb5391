"""The lists of a page, narrowed by what somebody looks for. What is None narrows nothing; instants are aware."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select

from ..domain.incident import IncidentStatus
from ..domain.maintenance import MaintenanceStatus
from ..domain.status import ComponentStatus, Impact
from ..domain.verdict import Verdict
from . import components as stored_components
from . import incidents as stored_incidents
from . import maintenances as stored_maintenances
from . import monitors as stored_monitors
from . import subscriptions as stored_subscriptions
from .components import Component
from .delivery_log import log, written_before
from .incidents import AffectedComponent, Incident
from .maintenances import MaintainedComponent, Maintenance
from .monitors import Monitor
from .outbox import Delivery, DeliveryState, EventRow
from .subscriptions import SubscribedComponent, Subscription, SubscriptionState


def components(
    page_id: UUID,
    *,
    archived: bool,
    status: ComponentStatus | None,
    group_id: UUID | None,
    search: str | None,
) -> Select[Component]:
    """In the page's order; those that are *archived*, or those that are not."""
    query = (stored_components.archived if archived else stored_components.of_page)(page_id)
    if status is not None:
        query = query.where(Component.status == status)
    if group_id is not None:
        query = query.where(Component.group_id == group_id)
    return _found(query, search, Component.name, Component.slug, Component.description)


def monitors(
    page_id: UUID,
    *,
    component_id: UUID | None,
    kind: str | None,
    verdict: Verdict | None,
    paused: bool | None,
    search: str | None,
) -> Select[Monitor]:
    """By name."""
    query = stored_monitors.of_page(page_id)
    if component_id is not None:
        query = query.where(Monitor.component_id == component_id)
    if kind is not None:
        query = query.where(Monitor.kind == kind)
    if verdict is not None:
        query = query.where(Monitor.verdict == verdict)
    if paused is not None:
        at = Monitor.paused_at
        query = query.where(at.is_not(None) if paused else at.is_(None))
    return _found(query, search, Monitor.name, Monitor.slug, Monitor.target)


def incidents(
    page_id: UUID,
    *,
    statuses: Collection[IncidentStatus] | None,
    visibility: str | None,
    impact: Impact | None,
    component_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
    search: str | None,
) -> Select[Incident]:
    """Newest first; those that began at *since* or later and before *until*. *search* is in the title."""
    query = stored_incidents.of_page(page_id)
    if statuses is not None:
        query = query.where(Incident.status.in_(list(statuses)))
    if visibility is not None:
        query = query.where(Incident.visibility == visibility)
    if impact is not None:
        query = query.where(Incident.impact == impact)
    if component_id is not None:
        query = query.where(Incident.affected.any(AffectedComponent.component_id == component_id))
    if since is not None:
        query = query.where(Incident.started_at >= since)
    if until is not None:
        query = query.where(Incident.started_at < until)
    return _found(query, search, Incident.title)


def maintenances(
    page_id: UUID,
    *,
    statuses: Collection[MaintenanceStatus] | None,
    component_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
    search: str | None,
) -> Select[Maintenance]:
    """The latest window first; those that are planned to begin at *since* or later and before *until*."""
    query = stored_maintenances.of_page(page_id)
    if statuses is not None:
        query = query.where(Maintenance.status.in_(list(statuses)))
    if component_id is not None:
        about = MaintainedComponent.component_id == component_id
        query = query.where(Maintenance.affected.any(about))
    if since is not None:
        query = query.where(Maintenance.scheduled_start >= since)
    if until is not None:
        query = query.where(Maintenance.scheduled_start < until)
    return _found(query, search, Maintenance.title)


def subscriptions(
    page_id: UUID,
    *,
    channel: str | None,
    state: SubscriptionState | None,
    component_id: UUID | None,
    search: str | None,
) -> Select[Subscription]:
    """Newest first.

    :param component_id: those that hear of it: that chose it, or all.
    :param search: a part of the address or of the contact; of an address that is a secret, the whole of it.
    """
    query = stored_subscriptions.of_page(page_id)
    if channel is not None:
        query = query.where(Subscription.channel == channel)
    if state is not None:
        query = query.where(Subscription.state == state)
    if component_id is not None:
        chose = Subscription.chosen.any(SubscribedComponent.component_id == component_id)
        query = query.where(or_(chose, ~Subscription.chosen.any()))
    if search is None:
        return query
    known = Subscription.address_digest == stored_subscriptions.digest(search.strip())
    return query.where(or_(known, _has(search, Subscription.address, Subscription.contact)))


def deliveries(
    page_id: UUID,
    *,
    subscription_id: UUID | None,
    channel: str | None,
    state: DeliveryState | None,
    event: str | None,
    since: datetime | None,
    until: datetime | None,
) -> Select[Delivery]:
    """Newest first; those that were written at *since* or later and before *until*."""
    query = log(page_id, subscription_id, state=state, since=since)
    if channel is not None:
        by_channel = select(Subscription.id).where(
            Subscription.page_id == page_id, Subscription.channel == channel
        )
        query = query.where(Delivery.subscription_id.in_(by_channel))
    if event is not None:
        query = query.where(EventRow.name == event)
    return query if until is None else written_before(query, until)


def _found(query: Select[Any], search: str | None, *columns: Any) -> Select[Any]:
    return query if search is None else query.where(_has(search, *columns))


def _has(search: str, *columns: Any) -> ColumnElement[bool]:
    """Whether one of *columns* holds the text, in any case."""
    text = search.strip().lower()
    return or_(*(func.lower(column).contains(text, autoescape=True) for column in columns))
