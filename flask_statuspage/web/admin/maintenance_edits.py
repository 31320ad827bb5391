"""One maintenance afterwards: move and edit it, mend its updates, take one back, delete it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...documents.console import maintenance as documents
from ...documents.console.incident import Line
from ...documents.console.maintenance import MaintenanceView
from ...documents.console.maintenances import REPEAT_CHOICE
from ...domain.maintenance import MaintenanceStatus
from ...domain.rights import Right
from ...errors import NotFound, Problems
from ...services import maintenance_sight
from ...storage.maintenances import Maintenance, MaintenanceUpdate
from ..idents import uuid_of
from ..manage_api.maintenances import MaintenanceChange, MaintenanceUpdateChange
from . import reading, telling, window
from .desk import Desk
from .maintenance import get, seen, view
from .visit import Done, Visit

NOTICES = {
    "maintenance_edited": "The maintenance is changed.",
    "maintenance_mended": "The update is changed.",
    "maintenance_taken_back": "The update is deleted.",
}

UNSEEN = "Readers see nothing of what you changed."

IN_THE_PLAN = {
    "scheduled_start": "Start",
    "repeat": "How often",
    "rrule": "Rule",
    "exceptions": "Days without it",
}
"""The fields of what a maintenance that has begun keeps, each with what it is called."""

TICKS = {
    "components": "Services under maintenance",
    "auto_start": "Begin by itself at the start",
    "auto_complete": "End by itself at the end",
    "remind_before": "Remind subscribers",
}
"""The boxes that one that is over has no more."""


def add_routes(desk: Desk) -> None:
    desk.notices |= NOTICES
    one = "/maintenance/<maintenance_id>"
    may_tell = {"right": Right.TELL}
    desk.form(f"{one}/edit", "maintenance_edit", show_edit, edit, **may_tell)
    desk.form(f"{one}/delete", "maintenance_delete", show_delete, delete, **may_tell)
    written = f"{one}/updates/<update_id>"
    desk.form(written, "maintenance_mend", show_mend, mend, **may_tell)
    desk.action(f"{written}/delete", "maintenance_take_back", take_back, back=show_mend, **may_tell)


def show_edit(visit: Visit, maintenance_id: str) -> str:
    row = get(visit, maintenance_id)
    shown, course = view(visit, row), window.course(row)
    if shown.has_changed:
        shown = replace(shown, too_late=_too_late(visit, row))
        zone = telling.zone(visit)
        telling.follow(
            visit,
            {
                "title": row.title,
                "scheduled_start": telling.minute(row.scheduled_start, zone),
                "scheduled_end": telling.minute(row.scheduled_end, zone),
                "repeat": course.repeat,
                "rrule": course.rrule,
                "exceptions": course.exceptions,
            },
        )
        listed = [item.component.slug for item in row.affected]
        telling.follow_ticks(visit, "components", listed)
        telling.follow_ticks(visit, "remind_before", course.remind_before)
        for name in ("auto_start", "auto_complete"):
            telling.follow_ticks(visit, name, ["yes"] if getattr(row, name) else [])
    return documents.edit(
        visit.room("maintenances"),
        shown,
        course=course,
        services=telling.names(visit),
        reminders=window.reminders(visit, row.remind_before),
        preview=visit.found,
    )


def edit(visit: Visit, maintenance_id: str) -> Done | None:
    typed = visit.sent
    row = get(visit, maintenance_id)
    revision, were = row.revision, [item.component_id for item in row.affected]
    values = _read(visit, row)
    row = maintenance_sight.edit(
        visit.session,
        visit.page,
        row.id,
        values,
        seen=seen(visit),
        actor=visit.actor,
        notify="notify" in typed,
    )
    if "preview" in typed:
        silence = "" if "notify" in typed else telling.NOT_TICKED
        if row.revision == revision:
            silence = UNSEEN
        found = telling.preview(visit, row, "maintenance.updated", silence, also=were)
        visit.found = replace(found, update=None)
        return None
    return Done("maintenance", "maintenance_edited", {"maintenance_id": maintenance_id})


def _read(visit: Visit, row: Maintenance) -> dict[str, Any]:
    """The fields that the form had, whatever it would have by now: what is dropped here would be called saved."""
    problems, typed = Problems(), visit.sent
    if row.status.is_over and "scheduled_end" not in typed:
        values: dict[str, Any] = {"title": reading.words(typed, "title").strip()}
    else:
        values = window.read(visit, problems, row)
        if set(values["components"]) == {item.component.slug for item in row.affected}:
            del values["components"]  # their order stays
        if row.status is not MaintenanceStatus.SCHEDULED and "repeat" not in typed:
            for name in ("rrule", "exceptions"):
                values.pop(name, None)
    with problems.gathered():
        values = reading.checked(MaintenanceChange, values)
    problems.tell()
    return values


def _too_late(visit: Visit, row: Maintenance) -> list[tuple[str, str]]:
    """What was typed into fields that the form has no more, each with what it is called."""
    if row.status is MaintenanceStatus.SCHEDULED:
        return []
    texts = IN_THE_PLAN | ({"scheduled_end": "End"} if row.status.is_over else {})
    found = [
        (label, dict(REPEAT_CHOICE).get(text, text) if name == "repeat" else text or "empty")
        for name, label in texts.items()
        if (text := telling.typed_anew(visit, name)) is not None
    ]
    words = dict([*telling.names(visit), *window.reminders(visit, row.remind_before)])
    for name, label in TICKS.items() if row.status.is_over else ():
        if (chosen := telling.ticked_anew(visit, name)) is not None:
            told = ", ".join(words.get(one, one) for one in chosen)
            found.append((label, told or ("no" if name.startswith("auto_") else "none")))
    return found


def show_delete(visit: Visit, maintenance_id: str) -> str:
    shown = view(visit, get(visit, maintenance_id))
    return documents.delete(visit.room("maintenances"), shown)


def delete(visit: Visit, maintenance_id: str) -> Done:
    maintenance_sight.remove(
        visit.session,
        visit.page,
        get(visit, maintenance_id).id,
        title=reading.words(visit.sent, "title"),
        seen=seen(visit),
        actor=visit.actor,
    )
    return Done("maintenances", "maintenance_deleted")


def show_mend(visit: Visit, maintenance_id: str, update_id: str) -> str:
    shown = view(visit, get(visit, maintenance_id))
    line = _line(shown, update_id)
    if shown.has_changed:
        telling.follow(visit, {"body": line.update.body})
    return documents.mend(visit.room("maintenances"), shown, line)


def mend(visit: Visit, maintenance_id: str, update_id: str) -> Done:
    typed = visit.sent
    row = get(visit, maintenance_id)
    values = reading.checked(
        MaintenanceUpdateChange,
        {"body": reading.words(typed, "body").rstrip(), "notify": "notify" in typed},
    )
    maintenance_sight.edit_update(
        visit.session,
        visit.page,
        row.id,
        _update(row, update_id).id,
        **values,
        seen=seen(visit),
        actor=visit.actor,
    )
    return Done("maintenance", "maintenance_mended", {"maintenance_id": maintenance_id})


def take_back(visit: Visit, maintenance_id: str, update_id: str) -> Done:
    row = get(visit, maintenance_id)
    maintenance_sight.remove_update(
        visit.session,
        visit.page,
        row.id,
        _update(row, update_id).id,
        seen=seen(visit),
        actor=visit.actor,
    )
    return Done("maintenance", "maintenance_taken_back", {"maintenance_id": maintenance_id})


def _update(row: Maintenance, update_id: str) -> MaintenanceUpdate:
    wanted = uuid_of(update_id, "update")
    for update in row.updates:
        if update.id == wanted:
            return update
    raise NotFound("update", update_id)


def _line(shown: MaintenanceView, update_id: str) -> Line:
    wanted = uuid_of(update_id, "update")
    for line in shown.lines:
        if line.update.id == wanted:
            return line
    raise NotFound("update", update_id)
