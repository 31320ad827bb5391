"""The pages "Incidents" and "Report an incident"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ...domain.incident import IncidentStatus
from ...domain.status import Impact
from .loading import Loaded
from .pager import Pager
from .room import Room, shown
from .telling import IMPACT_CHOICE, NEW_STATE_CHOICE, Preview, Services

STATES = (("open", "Open"), ("all", "All"), ("draft", "Drafts"))


@dataclass(frozen=True, kw_only=True)
class IncidentRow:
    """An incident in the list. ``services`` are names."""

    id: UUID
    title: str
    state: IncidentStatus
    impact: Impact
    is_draft: bool
    services: Sequence[str]
    started_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the list was asked for. ``state`` is one of :data:`STATES`, ``component`` a slug."""

    state: str = "open"
    component: str = ""
    text: str = ""

    @property
    def is_narrow(self) -> bool:
        return bool(self.component or self.text)


def incidents(
    room: Room,
    *,
    rows: Sequence[IncidentRow],
    asked: Asked,
    services: Sequence[tuple[str, str]],
    pager: Pager,
) -> str:
    """:param services: slugs and names, to choose from."""
    return shown(
        room,
        "incidents",
        rows=rows,
        asked=asked,
        states=STATES,
        services=[("", "All services"), *services],
        pager=pager,
    )


def report(
    room: Room,
    *,
    templates: Sequence[tuple[str, str]],
    loaded: Loaded,
    services: Services,
    asked: Sequence[str],
    ident: UUID,
    preview: Preview | None = None,
) -> str:
    """The form for a new incident.

    Its fields: ``id``, ``title``, ``status``, ``impact``, ``body``, ``components.<slug>``, ``next_update_due``,
    ``started_at``, ``resolved_at``, ``notify``; buttons ``preview``, ``draft``, ``publish``.

    :param templates: ids and names, to choose from.
    :param asked: slugs of the services that it was opened for.
    :param ident: the id that the incident gets, so that sending the form twice opens one.
    """
    return shown(
        room,
        "incident_new",
        templates=[("", "No template"), *templates],
        loaded=loaded,
        services=services,
        kept=[("components", slug) for slug in asked],
        ident=ident,
        preview=preview,
        states=NEW_STATE_CHOICE,
        impacts=IMPACT_CHOICE,
    )
