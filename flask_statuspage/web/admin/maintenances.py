"""The pages "Maintenance" and "Schedule maintenance". What is done with one maintenance: :mod:`.maintenance`."""

from __future__ import annotations

from typing import Any

from flask import request

from ...documents.console import maintenances as documents
from ...documents.console.loading import Loaded
from ...documents.console.maintenances import Asked, course_of
from ...domain.maintenance import MaintenanceStatus, event_name
from ...domain.rights import Right
from ...errors import Problems
from ...services import facts, maintenances
from ...state import current_settings
from ...storage import maintenance_list
from ...storage.session import database_now
from ..manage_api.maintenances import NewMaintenance
from . import lists, loading, reading, telling, window
from .desk import Desk
from .visit import Done, Visit

NOTICES = {
    "planned": "The maintenance is scheduled.",
    "begun": "The maintenance has begun.",
    "maintenance_deleted": "The maintenance is deleted.",
}


def add_routes(desk: Desk) -> None:
    desk.area("maintenances", "Maintenance", Right.SEE, NOTICES)
    desk.page("/maintenance", "maintenances", index, right=Right.SEE)
    desk.form("/maintenance/new", "maintenance_new", show_schedule, schedule, right=Right.TELL)


def index(visit: Visit) -> str:
    state = request.args.get("state", "")
    asked = Asked(
        state=state if state in dict(documents.STATES) else Asked.state,
        component=lists.asked("component"),
        text=lists.asked("q"),
    )
    query = maintenance_list.of_page(
        visit.page.id,
        is_open=asked.state == "open",
        component_slug=asked.component,
        text=asked.text,
    )
    looked_for = {"state": asked.state, "component": asked.component, "q": asked.text}
    found, pager = lists.listed(visit, query, "maintenances", **looked_for)
    rows = [facts.maintenance(row, with_updates=False) for row in found]
    now = database_now(visit.session)
    return documents.maintenances(
        visit.room("maintenances"),
        rows=rows,
        overrun=[row.id for row in rows if row.is_overrun(now)],
        asked=asked,
        services=telling.names(visit),
        pager=pager,
    )


def show_schedule(visit: Visit) -> str:
    filled = loading.loaded(visit, "maintenance") if visit.typed is None else Loaded()
    usual = list(current_settings().remind_before)
    return documents.schedule(
        visit.room("maintenances"),
        templates=loading.choice(visit, "maintenance"),
        loaded=filled,
        services=telling.names(visit),
        course=course_of(
            auto_start=True, auto_complete=True, remind_before=usual, rrule=None, exceptions=()
        ),
        reminders=window.reminders(visit, usual),
        ident=telling.new_ident(visit),
        preview=visit.found,
    )


def schedule(visit: Visit) -> Done | None:
    typed = visit.sent
    values = _read(visit)
    row = maintenances.schedule(
        visit.session,
        visit.page,
        **values,
        ident=telling.ident_in(typed),
        actor=visit.actor,
    )
    if "preview" in typed:
        silence = "" if values["notify"] else telling.NOT_TICKED
        visit.found = telling.preview(visit, row, event_name(None, row.status), silence)
        return None
    notice = "planned" if row.status is MaintenanceStatus.SCHEDULED else "begun"
    return Done("maintenance", notice, {"maintenance_id": row.id})


def _read(visit: Visit) -> dict[str, Any]:
    typed, problems = visit.sent, Problems()
    values = window.read(visit, problems)
    values["body"] = reading.words(typed, "body").rstrip()
    values["notify"] = "notify" in typed
    if "scheduled_start" not in values:
        values["status"] = MaintenanceStatus.IN_PROGRESS.value
    with problems.gathered():
        checkable = {"scheduled_end": "2000-01-01T00:00:00Z", **values}
        values = reading.checked(NewMaintenance, checkable)
    problems.tell()
    values["affected"] = values.pop("components")
    return values
