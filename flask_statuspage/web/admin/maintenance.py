"""One maintenance: its page, its next update and the steps that begin and end it."""

from __future__ import annotations

from functools import partial
from typing import Any

from ...documents.console import maintenance as documents
from ...documents.console.incident import Line
from ...documents.console.maintenance import MaintenanceView
from ...domain.maintenance import event_name
from ...domain.rights import Right
from ...services import facts, maintenance_sight, maintenances
from ...services.maintenance_sight import mark
from ...services.marks import number_in
from ...storage.maintenances import Maintenance
from ...storage.session import database_now
from ..idents import uuid_of
from ..manage_api.maintenances import Cancellation, Step
from . import reading, telling
from .desk import Desk
from .visit import Done, Visit

NOTICES = {
    "maintenance_update": "The update is posted.",
    "maintenance_start": "The maintenance has begun.",
    "maintenance_verify": "The work is done and is being checked.",
    "maintenance_complete": "The maintenance is complete.",
    "maintenance_cancel": "The maintenance is cancelled.",
}


def add_routes(desk: Desk) -> None:
    desk.notices |= NOTICES
    one = "/maintenance/<maintenance_id>"
    may_tell = {"right": Right.TELL}
    desk.page(one, "maintenance", show, right=Right.SEE)
    desk.form(f"{one}/update", "maintenance_update", show, update, **may_tell)
    for step in maintenance_sight.LEADS_TO:
        desk.form(
            f"{one}/{step}",
            f"maintenance_{step}",
            partial(show_step, step=step),
            partial(take, step=step),
            **may_tell,
        )


def get(visit: Visit, maintenance_id: str) -> Maintenance:
    """:raises NotFound: unless the status page has that maintenance."""
    return maintenances.get(visit.session, visit.page, uuid_of(maintenance_id, "maintenance"))


def seen(visit: Visit) -> str:
    """The mark of what was shown, as the form brings it back."""
    return visit.sent.get("seen", "")


def view(visit: Visit, row: Maintenance) -> MaintenanceView:
    """The maintenance as it is now, with what was changed since the form that was sent was shown."""
    present = mark(row)
    was = None if visit.typed is None else seen(visit)
    has_changed = was is not None and was != present
    fact = facts.maintenance(row)
    now = database_now(visit.session)
    updates = sorted(row.updates, key=lambda update: update.number, reverse=True)
    return MaintenanceView(
        fact=fact,
        lines=[
            Line(
                update=told,
                by=update.actor,
                is_new=has_changed and update.number > number_in(was or ""),
            )
            for update, told in zip(updates, fact.updates, strict=True)
        ],
        mark=present,
        is_overrun=fact.is_overrun(now),
        is_late=not fact.status.is_active and not fact.status.is_over and fact.scheduled_end <= now,
        has_changed=has_changed,
    )


def show(visit: Visit, maintenance_id: str) -> str:
    shown = view(visit, get(visit, maintenance_id))
    return documents.maintenance(visit.room("maintenances"), shown, preview=visit.found)


def update(visit: Visit, maintenance_id: str) -> Done | None:
    return take(visit, maintenance_id, step="update")


def show_step(visit: Visit, maintenance_id: str, *, step: str) -> str:
    shown = view(visit, get(visit, maintenance_id))
    return documents.step(visit.room("maintenances"), shown, step, preview=visit.found)


def take(visit: Visit, maintenance_id: str, *, step: str) -> Done | None:
    typed = visit.sent
    values: dict[str, Any] = {
        "body": reading.words(typed, "body").rstrip(),
        "notify": "notify" in typed,
    }
    if step == "cancel":
        values["series"] = "series" in typed
    values = reading.checked(Cancellation if step == "cancel" else Step, values)
    notify = values.pop("notify")
    row = get(visit, maintenance_id)
    was = row.status
    row = maintenance_sight.take(
        visit.session,
        visit.page,
        row.id,
        step,
        values,
        seen=seen(visit),
        actor=visit.actor,
        notify=notify,
    )
    if "preview" in typed:
        silence = "" if notify else telling.NOT_TICKED
        visit.found = telling.preview(visit, row, event_name(was, row.status), silence)
        return None
    return Done("maintenance", f"maintenance_{step}", {"maintenance_id": maintenance_id})
