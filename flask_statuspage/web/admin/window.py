"""What was typed of a maintenance: its window, its services, and how it is run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...documents.console.maintenances import OWN, Course, course_of, reminder_choice
from ...errors import FieldError, Invalid, Problems
from ...storage.maintenances import Maintenance
from . import reading, telling
from .visit import Visit

LATER = "Must lie after the start."
MISSING = "Is missing."


def read(visit: Visit, problems: Problems, row: Maintenance | None = None) -> dict[str, Any]:
    """All fields but the text, as the manage API would get them; what is empty and may be is left out.

    :param row: the maintenance that the form showed.
    """
    typed = visit.sent
    values: dict[str, Any] = {
        "title": reading.words(typed, "title").strip(),
        "components": reading.chosen(typed.getlist("components")),
        **reading.flags(typed, "auto_start", "auto_complete"),
        "exceptions": reading.words(typed, "exceptions").replace(",", " ").split(),
    }
    if not values["title"]:
        problems.found.append(FieldError("title", MISSING))
        values["title"] = "?"  # so that what else is wrong is found, too
    times: dict[str, str] = {}
    for name in ("scheduled_start", "scheduled_end"):
        shown = getattr(row, name) if row is not None else None
        with problems.gathered():
            at = telling.instant(typed, name, telling.zone(visit), shown)
            if at is not None:
                times[name] = at
            elif name == "scheduled_end" or row is not None:
                raise Invalid.field(name, MISSING)
    with problems.gathered():
        start, end = (times.get(name) for name in ("scheduled_start", "scheduled_end"))
        if start and end and datetime.fromisoformat(end) <= datetime.fromisoformat(start):
            raise Invalid.field("scheduled_end", LATER)
    values |= times
    with problems.gathered():
        values["remind_before"] = _reminders(typed)
    with problems.gathered():
        values["rrule"] = _rule(typed)
        if values["rrule"] is None and values["exceptions"]:
            raise Invalid.field("exceptions", "It takes place once, so there is none to leave out.")
    return values


def course(row: Maintenance) -> Course:
    """How *row* is run, as the form shows it."""
    return course_of(
        auto_start=row.auto_start,
        auto_complete=row.auto_complete,
        remind_before=row.remind_before,
        rrule=row.rrule,
        exceptions=row.exceptions,
    )


def reminders(visit: Visit, present: list[int]) -> list[tuple[str, str]]:
    """The reminders to choose from: the usual ones, those of *present*, and what was typed."""
    typed = visit.typed.getlist("remind_before") if visit.typed is not None else []
    return reminder_choice([*present, *(int(one) for one in typed if is_minutes(one))])


def is_minutes(text: str) -> bool:
    """Whether *text* can be the value of a reminder's box."""
    return text.isascii() and text.isdigit() and len(text) < 7 and int(text) > 0


def _reminders(typed: reading.Typed) -> list[int]:
    chosen = reading.chosen(typed.getlist("remind_before"))
    if not all(map(is_minutes, chosen)):
        raise Invalid.field("remind_before", "Choose some of the list.")
    return sorted({int(one) for one in chosen}, reverse=True)


def _rule(typed: reading.Typed) -> str | None:
    chosen, own = (reading.words(typed, name).strip() for name in ("repeat", "rrule"))
    if chosen == OWN and not own:
        raise Invalid.field("rrule", "Write the rule, such as FREQ=WEEKLY;BYDAY=TU.")
    if chosen != OWN and own:
        raise Invalid.field("repeat", "Choose “By the rule below”, or empty the rule.")
    return (own if chosen == OWN else chosen) or None
