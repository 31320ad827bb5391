"""The pages "Templates" and one template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ...domain.incident import IncidentStatus
from ...domain.maintenance import MaintenanceStatus
from ...domain.placeholders import BUILT_IN, FILTERS
from ..words import STATES
from .pager import Pager
from .room import Room, shown
from .telling import IMPACT_CHOICE, NEW_STATE_CHOICE

KINDS = (("incident", "Incidents"), ("maintenance", "Maintenance"))

_PLANNED = (MaintenanceStatus.SCHEDULED, MaintenanceStatus.IN_PROGRESS)

STATE_CHOICE = {
    "incident": (("", "As in an empty form"), *NEW_STATE_CHOICE),
    "maintenance": (
        ("", "As in an empty form"),
        *((state.value, STATES[state][1]) for state in _PLANNED),
    ),
}

MEANINGS = {
    "component": "the services that are chosen",
    "components": "the same",
    "page": "the name of the status page",
    "page_url": "its address",
    "started_at": "when it begins or began",
    "scheduled_start": "when the maintenance is planned to begin",
    "scheduled_end": "when it is planned to end",
    "duration": "how long it is planned to last",
}


@dataclass(frozen=True, kw_only=True)
class TemplateRow:
    id: UUID
    kind: str
    name: str
    title: str


@dataclass(frozen=True, kw_only=True)
class TemplateView:
    """A template in its form. ``id`` None: there is none yet.

    :param components: slugs.
    :param placeholders: its own ones as they are typed: a line each, ``name`` or ``name = default``.
    """

    id: UUID | None = None
    kind: str = "incident"
    name: str = ""
    title: str = ""
    body: str = ""
    status: str = ""
    impact: str = ""
    components: Sequence[str] = ()
    placeholders: str = ""


@dataclass(frozen=True, kw_only=True)
class Example:
    """What the template amounts to. ``values`` stand in the place of own placeholders without a default."""

    title: str
    body: str
    state: IncidentStatus | MaintenanceStatus | None = None
    services: Sequence[str] = ()
    values: Mapping[str, str] = field(default_factory=dict)


def templates(room: Room, *, rows: Sequence[TemplateRow], kind: str, pager: Pager) -> str:
    """:param kind: those that are listed; empty: all."""
    return shown(
        room,
        "templates",
        rows=rows,
        kind=kind,
        kinds=[("", "All"), *KINDS],
        pager=pager,
        words_of=dict(KINDS),
    )


def template(
    room: Room,
    view: TemplateView,
    *,
    services: Sequence[tuple[str, str]],
    example: Example | None = None,
    now: TemplateView | None = None,
    mark: str = "",
) -> str:
    """One template, or a new one.

    Its fields: ``kind`` (of a new one), ``name``, ``title``, ``body``, ``status``, ``impact``, ``components``,
    ``placeholders``, ``seen``; button ``preview``.

    :param services: slugs and names.
    :param now: how it is by now, if it was changed while the member wrote.
    :param mark: what the form carries of it as it is now.
    """
    return shown(
        room,
        "template",
        view=view,
        services=services,
        example=example,
        now=now,
        mark=mark,
        kinds=KINDS,
        states=STATE_CHOICE[view.kind],
        impacts=[("", "What the services amount to"), *IMPACT_CHOICE[1:]],
        built_in=[(name, MEANINGS[name]) for name in BUILT_IN[view.kind]],
        filters=sorted(FILTERS),
    )
