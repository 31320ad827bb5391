"""The pages of one incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ...domain.facts import IncidentFact, UpdateFact
from .room import Room, shown
from .telling import IMPACT_CHOICE, STATE_CHOICE, Preview, Services


@dataclass(frozen=True, kw_only=True)
class Line:
    """An update and who wrote it; None: nobody noted that."""

    update: UpdateFact
    by: str | None
    is_new: bool = False
    """Whether it was written while a member wrote in a form."""


@dataclass(frozen=True, kw_only=True)
class IncidentView:
    """An incident as members see it.

    :param lines: its updates, newest first.
    :param mark: what forms carry of it as it is now.
    :param monitor: the name of the monitor that watches what is wrong.
    :param has_changed: it was changed while a member wrote in a form that is shown again.
    :param too_late: what they typed into fields that the form has no more: what each is called, and the text.
    """

    fact: IncidentFact
    lines: Sequence[Line]
    mark: str
    is_draft: bool
    monitor: str | None = None
    has_changed: bool = False
    too_late: Sequence[tuple[str, str]] = ()
    noun: str = "incident"

    @property
    def newer(self) -> Sequence[Line]:
        """What was written while a member wrote."""
        return [line for line in self.lines if line.is_new]


def incident(
    room: Room,
    view: IncidentView,
    *,
    services: Services,
    due: datetime | None = None,
    preview: Preview | None = None,
) -> str:
    """One incident, with the form for its next update while it is open.

    Fields: ``seen``, ``status``, ``body``, ``components.<slug>``, ``next_update_due``, ``notify``; button ``preview``.
    ``was.<field>`` is what a field shows at first.

    :param due: when news are promised by, if that time has not come.
    """
    return shown(
        room,
        "incident",
        view=view,
        services=services,
        due=due,
        preview=preview,
        states=STATE_CHOICE,
    )


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What is shown of an incident's services once it is resolved.

    :param by_hand: names of those that a member said by hand do not work, with the words for how they are.
    :param by_others: the same of those of which a monitor, a maintenance or another incident says so.
    """

    by_hand: Mapping[str, str]
    by_others: Mapping[str, str]


def step(
    room: Room,
    view: IncidentView,
    kind: str,
    *,
    services: Services = (),
    ending: Ending | None = None,
    preview: Preview | None = None,
) -> str:
    """The form for a step of its own.

    Fields: ``seen``, ``body``, ``notify``; ``freed`` to resolve; ``status``, ``components.<slug>`` and
    ``next_update_due`` to reopen.

    :param kind: ``resolve``, ``reopen`` or ``postmortem``.
    """
    return shown(
        room,
        "incident_step",
        view=view,
        kind=kind,
        services=services,
        ending=ending,
        preview=preview,
        states=STATE_CHOICE,
    )


def publish(room: Room, view: IncidentView, *, preview: Preview) -> str:
    """The form by which a draft becomes known. Fields: ``seen``, ``notify``."""
    return shown(room, "incident_publish", view=view, preview=preview)


@dataclass(frozen=True, kw_only=True)
class Editable:
    """What can be mended of an incident as it is now. ``monitor`` is a slug."""

    title: str
    impact: str
    monitor: str


def edit(
    room: Room, view: IncidentView, now: Editable, *, monitors: Sequence[tuple[str, str]]
) -> str:
    """Fields: ``seen``, ``title``, ``impact``, ``monitor``, ``next_update_due``, ``notify``.

    :param monitors: slugs and names.
    """
    return shown(
        room,
        "incident_edit",
        view=view,
        now=now,
        monitors=[("", "No monitor"), *monitors],
        impacts=[("", "What its services amount to"), *IMPACT_CHOICE[1:]],
    )


def mend(room: Room, view: IncidentView, line: Line) -> str:
    """The form that mends an update. Fields: ``seen``, ``body``, ``created_at``, ``notify``."""
    return shown(room, "incident_mend", view=view, line=line)


def delete(room: Room, view: IncidentView) -> str:
    """The form that deletes an incident. Fields: ``seen``, ``title``."""
    return shown(room, "incident_delete", view=view)
