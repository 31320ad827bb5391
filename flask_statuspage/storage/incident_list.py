"""Incidents as members look for them: by state, service and words, in pages."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import selectinload

from ..domain.incident import OPEN
from .incidents import AffectedComponent, Incident, IncidentUpdate

STATES = ("open", "draft")


def of_page(
    page_id: UUID, *, state: str | None = None, component_slug: str | None = None, text: str = ""
) -> Select[Incident]:
    """Incidents of a page with their components but without their updates, newest first; drafts too.

    :param state: one of :data:`STATES`; None: all.
    :param text: stands in the title or an update, in whatever case.
    """
    query = (
        select(Incident)
        .where(Incident.page_id == page_id)
        .options(selectinload(Incident.affected).selectinload(AffectedComponent.component))
        .order_by(Incident.started_at.desc(), Incident.id.desc())
    )
    if state == "open":
        query = query.where(Incident.status.in_(list(OPEN)))
    elif state == "draft":
        query = query.where(Incident.visibility == "draft")
    if component_slug:
        is_it = AffectedComponent.component.has(slug=component_slug)
        query = query.where(Incident.affected.any(is_it))
    if text:
        in_update = Incident.updates.any(IncidentUpdate.body.icontains(text, autoescape=True))
        query = query.where(or_(Incident.title.icontains(text, autoescape=True), in_update))
    return query
