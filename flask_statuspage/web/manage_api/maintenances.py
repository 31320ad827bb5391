"""``maintenances``, with ``start``, ``complete``, ``cancel`` and ``updates``"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ...domain.facts import plain
from ...domain.maintenance import OVER, MaintenanceStatus
from ...domain.roles import Role
from ...services import addresses, facts, maintenance_edits, maintenances
from ...storage import maintenances as stored
from ...storage.base import utc_now
from ...storage.maintenances import Maintenance
from .door import Call, Door
from .fields import Body, Instant, Named, Prose, Text, Title, Whole, Word
from .reading import choice, uuid_of
from .templates import Templated, filled

Minutes = Annotated[list[Whole], Field(max_length=100)]
Days = Annotated[list[Word], Field(max_length=1000)]
Rule = Annotated[Text, Field(max_length=1000)]


class NewMaintenance(Templated):
    """``scheduled_start`` left out: now. ``rrule`` counts from it, on the clock of the page's zone."""

    page: Text | None = None
    body: Prose = ""
    components: Named = Field(default_factory=list)
    scheduled_start: Instant | None = None
    scheduled_end: Instant
    status: MaintenanceStatus = MaintenanceStatus.SCHEDULED
    auto_start: bool = True
    auto_complete: bool = True
    remind_before: Minutes | None = None
    rrule: Rule | None = None
    exceptions: Days = Field(default_factory=list)
    notify: bool = True


class MaintenanceChange(Body):
    title: Title = ""
    components: Named = Field(default_factory=list)
    scheduled_start: Instant = Field(default_factory=utc_now)
    scheduled_end: Instant = Field(default_factory=utc_now)
    auto_start: bool = True
    auto_complete: bool = True
    remind_before: Minutes = Field(default_factory=list)
    rrule: Rule | None = None
    exceptions: Days = Field(default_factory=list)
    notify: bool = True


class NewUpdate(Body):
    status: MaintenanceStatus | None = None
    body: Prose = ""
    notify: bool = True


class UpdateChange(Body):
    """Nobody is told of a mended text unless asked for."""

    body: Prose
    notify: bool = False


class Step(Body):
    body: Prose = ""
    notify: bool = True


class Cancellation(Step):
    """``series``: no further occurrence either."""

    series: bool = False


def add_routes(door: Door) -> None:
    one = "/maintenances/<ident>"
    door.route("GET", "/maintenances", index, role=Role.VIEWER)
    door.route("POST", "/maintenances", create, role=Role.EDITOR, body=NewMaintenance, status=201)
    door.route("GET", one, show, role=Role.VIEWER)
    door.route("PATCH", one, change, role=Role.EDITOR, body=MaintenanceChange)
    door.route("DELETE", one, remove, role=Role.EDITOR)
    door.route("POST", f"{one}/start", start, role=Role.EDITOR, body=Step, bare=True)
    door.route("POST", f"{one}/complete", complete, role=Role.EDITOR, body=Step, bare=True)
    door.route("POST", f"{one}/cancel", cancel, role=Role.EDITOR, body=Cancellation, bare=True)
    door.route("POST", f"{one}/updates", update, role=Role.EDITOR, body=NewUpdate, status=201)
    written = f"{one}/updates/<update_ident>"
    door.route("PATCH", written, mend, role=Role.EDITOR, body=UpdateChange)
    door.route("DELETE", written, remove_update, role=Role.EDITOR)


def described(call: Call, row: Maintenance) -> dict[str, Any]:
    fact = facts.maintenance(row)
    return {
        **plain(fact),
        "overrun": fact.is_overrun(utc_now()),
        "url": addresses.maintenance_url(call.page, row.id, known=not call.may_know_links),
    }


def index(call: Call) -> dict[str, Any]:
    """``?status=`` (a status, or ``open``: not over) narrows the list."""
    query = stored.of_page(call.page.id)
    if chosen := choice("status", ("open", *MaintenanceStatus)):
        statuses = (
            set(MaintenanceStatus) - OVER if chosen == "open" else {MaintenanceStatus(chosen)}
        )
        query = query.where(Maintenance.status.in_(list(statuses)))
    return call.listed(query, lambda row: described(call, row))


def create(call: Call) -> dict[str, Any]:
    values = filled(call, "maintenance")
    affected = values.pop("components", [])
    row = maintenances.schedule(
        call.session, call.page, **values, affected=affected, actor=call.actor
    )
    return described(call, row)


def show(call: Call, ident: str) -> dict[str, Any]:
    return described(call, maintenances.get(call.session, call.page, uuid_of(ident, "maintenance")))


def change(call: Call, ident: str) -> dict[str, Any]:
    row = maintenance_edits.edit(
        call.session,
        call.page,
        uuid_of(ident, "maintenance"),
        call.values("notify"),
        actor=call.actor,
        notify=call.body.notify,
    )
    return described(call, row)


def remove(call: Call, ident: str) -> None:
    maintenances.remove(call.session, call.page, uuid_of(ident, "maintenance"), actor=call.actor)


def start(call: Call, ident: str) -> dict[str, Any]:
    values = call.values()
    row = maintenances.start(
        call.session, call.page, uuid_of(ident, "maintenance"), **values, actor=call.actor
    )
    return described(call, row)


def complete(call: Call, ident: str) -> dict[str, Any]:
    values = call.values()
    row = maintenances.complete(
        call.session, call.page, uuid_of(ident, "maintenance"), **values, actor=call.actor
    )
    return described(call, row)


def cancel(call: Call, ident: str) -> dict[str, Any]:
    values = call.values()
    row = maintenances.cancel(
        call.session, call.page, uuid_of(ident, "maintenance"), **values, actor=call.actor
    )
    return described(call, row)


def update(call: Call, ident: str) -> dict[str, Any]:
    values = call.values()
    row = maintenances.update(
        call.session, call.page, uuid_of(ident, "maintenance"), **values, actor=call.actor
    )
    return described(call, row)


def mend(call: Call, ident: str, update_ident: str) -> dict[str, Any]:
    values = call.values()
    row = maintenance_edits.edit_update(
        call.session,
        call.page,
        uuid_of(ident, "maintenance"),
        uuid_of(update_ident, "update"),
        **values,
        actor=call.actor,
    )
    return described(call, row)


def remove_update(call: Call, ident: str, update_ident: str) -> None:
    which = uuid_of(ident, "maintenance"), uuid_of(update_ident, "update")
    maintenance_edits.remove_update(call.session, call.page, *which, actor=call.actor)
