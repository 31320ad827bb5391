"""Which components an incident affects, how badly, and what it therefore says of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.incident import IncidentStatus
from ..domain.status import ComponentStatus, Impact, Source
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
    freed: Collection[Component] = (),
) -> dict[Component, ComponentStatus]:
    """The components and their statuses once the update is made; of one that is over as :func:`at_end`.

    Where the update itself names a component at the end and says that it does not work, that is told.
    """
    is_told_again = status is incident.status is not IncidentStatus.POSTMORTEM
    if not status.is_open and not is_told_again:
        before = at_end(session, before, incident=incident, freed=freed)
    if isinstance(affected, Mapping):
        named = statuses(session, page, affected, impact)
        if not status.is_open:
            calm = [component for component, one in named.items() if one.is_calm]
            named |= at_end(session, calm, incident=incident, freed=freed)
        return {**before, **named}
    if affected is not None:
        named = statuses(session, page, affected, impact or incident.impact)
        return {component: before.get(component, implied) for component, implied in named.items()}
    return dict(before)


def at_end(
    session: Session,
    components: Collection[Component],
    *,
    incident: Incident | None = None,
    freed: Collection[Component] = (),
    at: datetime | None = None,
) -> dict[Component, ComponentStatus]:
    """How *components* are told once *incident* says nothing more of them, as they are shown then. The page is held.

    Those work of which nothing else says that they do not: no monitor, maintenance or person, no other incident.

    :param incident: None: one that says nothing yet.
    :param freed: those of which members' words are about to be taken back.
    :param at: when it was over; how they were at an earlier time nobody knows, so they worked. None: it is over now.
    """
    told = dict.fromkeys(components, ComponentStatus.OPERATIONAL)
    if at is not None:
        return told
    own = str(incident.id) if incident else None
    heard = stored.said_of(session, [component.id for component in told], lock=True)
    for component in told:
        left = [
            word
            for word in heard[component.id]
            if (word.source, word.reference) != (Source.INCIDENT, own)
            and not (word.source is Source.MANUAL and component in freed)
        ]
        shown = conditions.showing(left)
        if shown is not None and not shown.status.is_calm:
            told[component] = shown.status
    return told


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
