"""The form of a monitor, and the page where its kind is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...domain.status import ComponentStatus
from ..words import STATUSES
from .monitor_words import KINDS, TARGETS, kind_word
from .room import Room, shown


@dataclass(frozen=True, kw_only=True)
class OptionField:
    """The field of an option.

    :param control: ``tick``, ``number``, ``line``, ``area``, ``choice``, ``secret``, ``secret area`` or
        ``group``.
    :param value: what stands in it; of a secret nothing.
    :param choices: values and words of a choice.
    :param more: further attributes of its element.
    :param is_set: it is a secret that is kept. :param clear: the name of the box that takes it away; empty: there is
        none.
    :param parts: the fields of a group.
    """

    name: str
    label: str
    hint: str
    control: str
    value: str = ""
    choices: Sequence[tuple[str, str]] = ()
    more: Sequence[tuple[str, str]] = ()
    is_set: bool = False
    clear: str = ""
    parts: Sequence[OptionField] = ()


@dataclass(frozen=True, kw_only=True)
class MonitorForm:
    """What stands in the form of a monitor of *kind*.

    :param name: None: there is none yet.
    :param values: texts by the names of the fields, in which ``regions`` stand with spaces between.
    :param present: how the fields are now, which is compared when it is saved.
    :param is_declared: the site's code says what it is; members change the rest.
    :param is_other_kind: it is of another kind so far.
    :param has_target: it asks somebody.
    """

    kind: str
    name: str | None
    url: str
    values: Mapping[str, str]
    present: Mapping[str, str]
    options: Sequence[OptionField]
    regions: Sequence[str]
    outages: Sequence[ComponentStatus]
    services: Sequence[tuple[str, str]]
    templates: Sequence[tuple[str, str]]
    parents: Sequence[tuple[str, str]]
    kinds: Sequence[str]
    back_url: str
    is_declared: bool = False
    is_other_kind: bool = False
    has_target: bool = True


def form(room: Room, view: MonitorForm) -> str:
    """Its fields: those of the manage API by their names, each region a box, ``options.<name>`` of each option, and
    ``clear.options.<name>`` of a secret that can go.
    """
    return shown(
        room,
        "monitor_form",
        view=view,
        kind=kind_word(view.kind),
        kinds=[(kind, kind_word(kind)) for kind in view.kinds],
        regions=[(region, region) for region in view.regions],
        target=TARGETS.get(view.kind, ("Target", "")),
        outages=[(status.value, STATUSES[status].word) for status in view.outages],
    )


def choose_kind(room: Room, *, kinds: Sequence[str]) -> str:
    """:param kinds: those that members make monitors of."""
    return shown(
        room,
        "monitor_kinds",
        kinds=[(kind, *KINDS.get(kind, (kind, "A kind of another package."))) for kind in kinds],
    )
