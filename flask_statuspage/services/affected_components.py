"""Which components an incident affects, how badly, and what it therefore says of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy.orm import Session

from ..domain.incident import IncidentStatus
from ..domain.status import ComponentStatus, Impact
from ..storage.components import Component
from ..storage.incidents import AffectedComponent, Incident
from ..storage.pages import Page
from . import components, conditions

Affected = Collection[str] | Mapping[str, ComponentStatus]
"""Slugs or ids of components, or each with its status."""


def statuses(
    session: Session, page: Page, affected: Affected, impact: Impact | None
) -> dict[Component, ComponentStatus]:
    """The components that were named, each with its status; a plain list gets what *impact* stands for.

    :raises Invalid: naming ``components`` and the one that does not exist.
    """
    found = components.named(session, page, list(affected))
    if not isinstance(affected, Mapping):
        implied = (impact or Impact.NONE).floor
        return dict.fromkeys(found, implied)
    by_ident = {**{c.slug: c for c in found}, **{str(c.id): c for c in found}}
    return {by_ident[ident.lower()]: status for ident, status in affected.items()}


def after(
    session: Session,
    page: Page,
    incident: Incident,
    before: Mapping[Component, ComponentStatus],
    affected: Affected | None,
    impact: Impact | None,
    status: IncidentStatus,
) -> dict[Component, ComponentStatus]:
    """The components and their statuses once the update is made."""
    if isinstance(affected, Mapping):
        return {**before, **statuses(session, page, affected, impact)}
    if affected is not None:
        named = statuses(session, page, affected, impact or incident.impact)
        return {component: before.get(component, implied) for component, implied in named.items()}
    if status is IncidentStatus.RESOLVED:
        return dict.fromkeys(before, ComponentStatus.OPERATIONAL)
    return dict(before)


def keep(incident: Incident, chosen: Mapping[Component, ComponentStatus]) -> None:
    """Make the incident's rows those of *chosen*, in its order for the new ones."""
    rows = {item.component: item for item in incident.affected}
    for component, row in rows.items():
        if component not in chosen:
            incident.affected.remove(row)
    for position, (component, status) in enumerate(chosen.items()):
        if component in rows:
            rows[component].status = status
        else:
            incident.affected.append(
                AffectedComponent(component=component, status=status, position=position)
            )


def let_speak(
    session: Session,
    page: Page,
    incident: Incident,
    chosen: Mapping[Component, ComponentStatus],
    *,
    notify: bool,
) -> None:
    """Let the incident say the statuses of *chosen*; a draft says nothing."""
    if incident.visibility != "published":
        return
    for component, status in chosen.items():
        conditions.say(
            session,
            page,
            component,
            status,
            source="incident",
            reference=str(incident.id),
            notify=notify,
        )


def fall_silent(
    session: Session,
    page: Page,
    incident: Incident,
    gone: Collection[Component],
    *,
    notify: bool,
) -> None:
    """Take the incident's word on *gone* back."""
    conditions.hush(
        session, page, gone, source="incident", reference=str(incident.id), notify=notify
    )
