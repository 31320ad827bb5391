"""Which components an incident affects, how badly, and what it therefore says of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.incident import IncidentStatus
from ..domain.status import ComponentStatus, Impact
from ..storage import components as stored
from ..storage.components import Component
from ..storage.incidents import AffectedComponent, Incident
from ..storage.monitors import Monitor
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
    # As they are now: an update keeps the status that each had before it.
    found = components.by_ident(session, page, list(affected), lock=True)
    if not isinstance(affected, Mapping):
        return dict.fromkeys(found.values(), (impact or Impact.NONE).floor)
    return {found[ident]: status for ident, status in affected.items()}


def after(
    session: Session,
    page: Page,
    incident: Incident,
    before: Mapping[Component, ComponentStatus],
    affected: Affected | None,
    impact: Impact | None,
    status: IncidentStatus,
) -> dict[Component, ComponentStatus]:
    """The components and their statuses once the update is made. At the end those that it does not name work."""
    if status is IncidentStatus.RESOLVED:
        before = dict.fromkeys(before, ComponentStatus.OPERATIONAL)
    if isinstance(affected, Mapping):
        return {**before, **statuses(session, page, affected, impact)}
    if affected is not None:
        named = statuses(session, page, affected, impact or incident.impact)
        return {component: before.get(component, implied) for component, implied in named.items()}
    return dict(before)


def without(
    chosen: Mapping[Component, ComponentStatus], idents: Collection[str]
) -> dict[Component, ComponentStatus]:
    """*chosen* but for those that *idents* (slugs or ids) name."""
    gone = named_in(chosen, idents)
    return {one: status for one, status in chosen.items() if one not in gone}


def named_in(
    chosen: Mapping[Component, ComponentStatus], idents: Collection[str]
) -> set[Component]:
    """Those of *chosen* that *idents* (slugs or ids) name."""
    wanted = {ident.lower() for ident in idents}
    return {one for one in chosen if one.slug in wanted or str(one.id) in wanted}


def when_open(incident: Incident) -> dict[UUID, ComponentStatus]:
    """What the incident said of each component when it was last open, by the components' ids."""
    updates = sorted(incident.updates, key=lambda update: update.number, reverse=True)
    for update in updates:
        if update.status.is_open:
            return {UUID(item["id"]): ComponentStatus(item["status"]) for item in update.components}
    # It was told when it was over.
    return {
        UUID(item["id"]): ComponentStatus(item["old_status"]) for item in updates[-1].components
    }


def implied_impact(incident: Incident) -> Impact:
    """What the affected components amount to; of an incident that is over, when it was last open."""
    if incident.status.is_open:
        return Impact.of(item.status for item in incident.affected)
    return Impact.of(when_open(incident).values())


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
    """Let the incident say the statuses of *chosen*; a draft says nothing, and nobody speaks of an archived one."""
    if incident.visibility != "published":
        return
    for component, status in chosen.items():
        if component.archived_at is not None:
            continue
        conditions.say(
            session,
            page,
            component,
            status,
            source="incident",
            reference=str(incident.id),
            notify=notify,
        )


def spoken_of(session: Session, incident: Incident) -> set[UUID]:
    """The components that the incident says something of at the moment, by their ids.

    Not all that it lists: of what a monitor found, the monitor itself speaks.
    """
    listed = [item.component_id for item in incident.affected]
    return stored.spoken_of(session, listed, source="incident", reference=str(incident.id))


def own_words(
    session: Session, incident: Incident, chosen: Mapping[Component, ComponentStatus]
) -> dict[Component, ComponentStatus]:
    """*chosen* without the component of the monitor that opened the incident."""
    opener = incident.monitor_id if incident.automatic else None
    monitor = session.get(Monitor, opener) if opener else None
    watched = monitor.component_id if monitor else None
    return {component: said for component, said in chosen.items() if component.id != watched}


def left_to_monitor(
    seen: Mapping[str, ComponentStatus],
    before: Mapping[Component, ComponentStatus],
    spoken: Collection[UUID],
) -> dict[str, ComponentStatus]:
    """What a monitor has *seen* (by components' ids), as far as it may change an incident.

    A person's word on a component stays as it is, and a component that works is not added.
    """
    listed = {str(component.id) for component in before}
    own = {str(component_id) for component_id in spoken}
    return {
        ident: status
        for ident, status in seen.items()
        if ident not in own and (ident in listed or status is not ComponentStatus.OPERATIONAL)
    }


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
