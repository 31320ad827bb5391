"""Maintenance as members look for it: what is open or all of it, by service and words."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import selectinload

from ..domain.maintenance import OVER
from .components import Component
from .maintenances import MaintainedComponent, Maintenance, MaintenanceUpdate


def of_page(
    page_id: UUID, *, is_open: bool, component_slug: str = "", text: str = ""
) -> Select[Maintenance]:
    """Maintenance of a page with its components but without its updates.

    :param is_open: only what is not over, the earliest window first; else all, the latest first.
    :param component_slug: what is about no component in particular is about this one, too.
    :param text: stands in the title or an update, in whatever case.
    """
    query = (
        select(Maintenance)
        .where(Maintenance.page_id == page_id)
        .options(
            selectinload(Maintenance.affected)
            .selectinload(MaintainedComponent.component)
            .selectinload(Component.group)
        )
    )
    if is_open:
        query = query.where(Maintenance.status.not_in(list(OVER)))
        query = query.order_by(Maintenance.scheduled_start, Maintenance.id)
    else:
        query = query.order_by(Maintenance.scheduled_start.desc(), Maintenance.id.desc())
    if component_slug:
        is_it = MaintainedComponent.component.has(slug=component_slug)
        query = query.where(or_(Maintenance.affected.any(is_it), ~Maintenance.affected.any()))
    if text:
        in_update = Maintenance.updates.any(MaintenanceUpdate.body.icontains(text, autoescape=True))
        query = query.where(or_(Maintenance.title.icontains(text, autoescape=True), in_update))
    return query
