"""The pages "Maintenance" and "Schedule maintenance"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from ...domain.facts import MaintenanceFact
from .loading import Loaded
from .pager import Pager
from .room import Room, shown
from .telling import Preview

STATES = (("open", "Planned and going on"), ("all", "All"))

OWN = "own"

REPEAT_CHOICE = (
    ("", "Once"),
    ("FREQ=WEEKLY", "Every week"),
    ("FREQ=WEEKLY;INTERVAL=2", "Every two weeks"),
    ("FREQ=MONTHLY", "Every month"),
    (OWN, "By the rule below"),
)
"""Rules that need not be written, each with its words."""

USUAL_REMINDERS = (1440, 60)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the list was asked for. ``state`` is one of :data:`STATES`, ``component`` a slug."""

    state: str = "open"
    component: str = ""
    text: str = ""

    @property
    def is_narrow(self) -> bool:
        return bool(self.component or self.text)


@dataclass(frozen=True, kw_only=True)
class Course:
    """What stands in the fields of how a maintenance is run.

    :param repeat: one of :data:`REPEAT_CHOICE`. *rrule*: what is written of a rule of one's own.
    :param exceptions: local dates, a line each.
    :param remind_before: minutes, as texts.
    """

    auto_start: bool = True
    auto_complete: bool = True
    remind_before: Sequence[str] = ()
    repeat: str = ""
    rrule: str = ""
    exceptions: str = ""


def course_of(
    *,
    auto_start: bool,
    auto_complete: bool,
    remind_before: Iterable[int],
    rrule: str | None,
    exceptions: Iterable[str],
) -> Course:
    """How a maintenance is run, as the form shows it."""
    is_known = rrule is None or rrule in dict(REPEAT_CHOICE)
    return Course(
        auto_start=auto_start,
        auto_complete=auto_complete,
        remind_before=[str(minutes) for minutes in remind_before],
        repeat=(rrule or "") if is_known else OWN,
        rrule="" if is_known else rrule or "",
        exceptions="\n".join(exceptions),
    )


def reminder_choice(
    others: Iterable[int], usual: Iterable[int] = USUAL_REMINDERS
) -> list[tuple[str, str]]:
    """The *usual* reminders and *others*, the earliest first, as pairs of minutes and words."""
    minutes = sorted({*usual, *others}, reverse=True)
    return [(str(one), f"{_ahead(one)} before") for one in minutes]


def _ahead(minutes: int) -> str:
    for length, word in ((1440, "day"), (60, "hour")):
        number, rest = divmod(minutes, length)
        # "24 hours" is what people say who plan.
        if not rest and (number > 1 or word == "hour"):
            return f"{number} {word}{'s' if number > 1 else ''}"
    return f"{minutes} minute{'s' if minutes > 1 else ''}"


def maintenances(
    room: Room,
    *,
    rows: Sequence[MaintenanceFact],
    overrun: Iterable[UUID],
    asked: Asked,
    services: Sequence[tuple[str, str]],
    pager: Pager,
) -> str:
    """:param rows: without their updates.
    :param overrun: ids of those that should be over by now.
    :param services: slugs and names, to choose from.
    """
    return shown(
        room,
        "maintenances",
        rows=rows,
        overrun=set(overrun),
        asked=asked,
        states=STATES,
        services=[("", "All services"), *services],
        pager=pager,
    )


def schedule(
    room: Room,
    *,
    templates: Sequence[tuple[str, str]],
    loaded: Loaded,
    services: Sequence[tuple[str, str]],
    course: Course,
    reminders: Sequence[tuple[str, str]],
    ident: UUID,
    preview: Preview | None = None,
) -> str:
    """The form for a new maintenance.

    Its fields: ``id``, ``title``, ``body``, ``components``, ``scheduled_start``, ``scheduled_end``, ``auto_start``,
    ``auto_complete``, ``remind_before``, ``repeat``, ``rrule``, ``exceptions``, ``notify``; buttons ``preview``,
    ``schedule``.

    :param templates: ids and names, to choose from. *services*: slugs and names.
    :param reminders: minutes and words, to choose from.
    :param ident: the id that the maintenance gets, so that sending the form twice plans one.
    """
    return shown(
        room,
        "maintenance_new",
        templates=[("", "No template"), *templates],
        loaded=loaded,
        services=services,
        course=course,
        reminders=reminders,
        repeat_choice=REPEAT_CHOICE,
        ident=ident,
        preview=preview,
    )
