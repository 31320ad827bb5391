"""The pages "Services": the components of a page and their groups, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...domain.status import ComponentStatus
from .room import Room, shown


@dataclass(frozen=True, kw_only=True)
class ServiceLine:
    """A service as its line in the list shows it.

    :param note: what a person wrote beside the status that they said.
    :param notes: what is otherwise than usual: "only shown if degraded".
    """

    id: str
    slug: str
    name: str
    status: ComponentStatus
    note: str
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class GroupSection:
    """A group with its services; ``id`` and ``name`` None: those of no group, which come first."""

    id: str | None
    name: str | None
    services: Sequence[ServiceLine]


def services(
    room: Room, *, sections: Sequence[GroupSection], archived: Sequence[ServiceLine]
) -> str:
    """All services, with buttons that move them; *archived* ones can come back."""
    return shown(
        room,
        "services",
        sections=sections,
        archived=archived,
        groups=[section for section in sections if section.id],
    )


def service(
    room: Room,
    *,
    name: str | None,
    url: str,
    values: Mapping[str, str],
    ticked: Sequence[str],
    groups: Sequence[tuple[str, str]],
    remove_url: str | None = None,
    has_past: bool = False,
) -> str:
    """The form of a service: ``name slug description group start_date showcase only_show_if_degraded``.

    :param name: None for a new one.
    :param values: what stands in the fields, by their names, and is compared when it is saved.
    :param ticked: the boxes that are on.
    :param groups: ids and names.
    :param remove_url: where the button "Remove" posts. *has_past*: it is archived then, not deleted.
    """
    return shown(
        room,
        "service",
        name=name,
        url=url,
        values=values,
        ticked=ticked,
        groups=groups,
        remove_url=remove_url,
        has_past=has_past,
    )


def group(
    room: Room,
    *,
    name: str | None,
    url: str,
    values: Mapping[str, str],
    remove_url: str | None = None,
) -> str:
    """The form of a group: ``name description``."""
    return shown(room, "group", name=name, url=url, values=values, remove_url=remove_url)
