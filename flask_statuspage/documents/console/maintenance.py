"""The pages of one maintenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.facts import MaintenanceFact
from .incident import Line
from .maintenances import REPEAT_CHOICE, Course, reminder_choice
from .room import Room, shown
from .telling import Preview


@dataclass(frozen=True, kw_only=True)
class MaintenanceView:
    """A maintenance as members see it.

    :param lines: its updates, newest first.
    :param mark: what forms carry of it as it is now.
    :param is_overrun: it should be over by now and is not.
    :param is_late: it has not begun, and should be over by now.
    :param has_changed: it was changed while a member wrote in a form that is shown again.
    :param too_late: what they typed into fields that the form has no more: what each is called, and the text.
    """

    fact: MaintenanceFact
    lines: Sequence[Line]
    mark: str
    is_overrun: bool = False
    is_late: bool = False
    has_changed: bool = False
    too_late: Sequence[tuple[str, str]] = ()
    noun: str = "maintenance"

    @property
    def newer(self) -> Sequence[Line]:
        """What was written while a member wrote."""
        return [line for line in self.lines if line.is_new]


def maintenance(room: Room, view: MaintenanceView, *, preview: Preview | None = None) -> str:
    """One maintenance, with the form for its next update.

    Fields: ``seen``, ``body``, ``notify``; button ``preview``.
    """
    reminders = [word for _, word in reminder_choice(view.fact.remind_before, usual=())]
    return shown(room, "maintenance", view=view, preview=preview, reminders=reminders)


def step(room: Room, view: MaintenanceView, kind: str, *, preview: Preview | None = None) -> str:
    """The form for a step of its own. Fields: ``seen``, ``body``, ``notify``; ``series`` to cancel.

    :param kind: ``start``, ``verify``, ``complete`` or ``cancel``.
    """
    return shown(room, "maintenance_step", view=view, kind=kind, preview=preview)


def edit(
    room: Room,
    view: MaintenanceView,
    *,
    course: Course,
    services: Sequence[tuple[str, str]],
    reminders: Sequence[tuple[str, str]],
    preview: Preview | None = None,
) -> str:
    """Fields: ``seen`` and those of a new one but for the text; ``title`` alone once it is over."""
    return shown(
        room,
        "maintenance_edit",
        view=view,
        course=course,
        services=services,
        reminders=reminders,
        repeat_choice=REPEAT_CHOICE,
        preview=preview,
    )


def mend(room: Room, view: MaintenanceView, line: Line) -> str:
    """The form that mends an update. Fields: ``seen``, ``body``, ``notify``."""
    return shown(room, "maintenance_mend", view=view, line=line)


def delete(room: Room, view: MaintenanceView) -> str:
    """The form that deletes a maintenance. Fields: ``seen``, ``title``."""
    return shown(room, "maintenance_delete", view=view)
