"""``maintenances``, with ``start``, ``complete``, ``cancel`` and ``updates``"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from ...domain.facts import MaintenanceFact
from ...domain.maintenance import OVER, MaintenanceStatus
from ...domain.rights import Right
from ...services import (
    addresses,
    facts,
    maintenance_course,
    maintenance_edits,
    maintenance_plans,
    maintenances,
)
from ...storage import lists
from ...storage.base import utc_now
from ...storage.maintenances import Maintenance
from ..idents import uuid_of
from .answering import told
from .call import COMPONENT, Call
from .door import Door
from .fields import Body, Change, Flag, Instant, Named, Prose, Text, Title, Whole, Word
from .incidents import SEARCH
from .reading import asked, choice, instant
from .templates import Templated, filled
from .things import Thing

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
    auto_start: Flag = True
    auto_complete: Flag = True
    remind_before: Minutes | None = None
    rrule: Rule | None = None
    exceptions: Days = Field(default_factory=list)
    notify: Flag = True


class MaintenanceChange(Change):
    """What is not sent stays. Subscribers are told of a window that moves unless ``notify`` is false."""

    title: Title = ""
    components: Named = Field(default_factory=list)
    scheduled_start: Instant = Field(default_factory=utc_now)
    scheduled_end: Instant = Field(default_factory=utc_now)
    auto_start: Flag = True
    auto_complete: Flag = True
    remind_before: Minutes = Field(default_factory=list)
    rrule: Rule | None = None
    exceptions: Days = Field(default_factory=list)
    notify: Flag = True


class NewMaintenanceUpdate(Body):
    status: MaintenanceStatus | None = None
    body: Prose = ""
    notify: Flag = True


class MaintenanceUpdateChange(Change):
    """Nobody is told of a mended text unless ``notify`` asks for it."""

    body: Prose
    notify: Flag = False


class Step(Body):
    body: Prose = ""
    notify: Flag = True


class Cancellation(Step):
    """``series``: no further occurrence either."""

    series: Flag = False


@dataclass(frozen=True, kw_only=True)
class MaintenanceAnswer(MaintenanceFact):
    """A maintenance with all its updates, newest first; ``started_at`` and ``ended_at`` are when it really was.

    :param remind_before: minutes before the window begins.
    :param overrun: it should be over by now and is not.
    :param url: where people read it; without the secret part for keys that may not know the page's link.
    """

    overrun: bool
    url: str


STATUS = choice(
    "status",
    ("open", *MaintenanceStatus),
    "Only those with this status; `open`: those that are not over.",
)
SINCE = instant("since", "Only those that are planned to begin at this time or later.")
UNTIL = instant("until", "Only those that are planned to begin before this time.")
FILTERS = (STATUS, COMPONENT, SINCE, UNTIL, SEARCH)


def add_routes(door: Door) -> None:
    every, one = "/maintenances", "/maintenances/<ident>"
    thing = Thing((MaintenanceAnswer,), show, _hold, moving=("overrun",))
    door.thing("maintenances", thing)
    read = partial(door.route, right=Right.SEE, answer=MaintenanceAnswer)
    write = partial(door.route, right=Right.TELL, answer=MaintenanceAnswer)
    read("GET", every, index, paged=True, parameters=FILTERS)
    write("POST", every, create, body=NewMaintenance, status=201, rest=look_at)
    read("GET", one, show)
    write("PATCH", one, change, body=MaintenanceChange)
    write("DELETE", one, remove, answer=None)
    write("POST", f"{one}/start", start, body=Step, bare=True)
    write("POST", f"{one}/complete", complete, body=Step, bare=True)
    write("POST", f"{one}/cancel", cancel, body=Cancellation, bare=True)
    write("POST", f"{one}/updates", update, body=NewMaintenanceUpdate, status=201)
    written = f"{one}/updates/<update_ident>"
    write("PATCH", written, mend, body=MaintenanceUpdateChange)
    write("DELETE", written, remove_update, answer=None)


def described(call: Call, row: Maintenance) -> dict[str, Any]:
    fact = facts.maintenance(row)
    return told(
        MaintenanceAnswer,
        fact,
        overrun=fact.is_overrun(utc_now()),
        url=addresses.maintenance_url(call.page, row.id, known=not call.may_know_links),
    )


def index(call: Call) -> dict[str, Any]:
    """List maintenances."""
    chosen, statuses = asked(STATUS), None
    if chosen:
        going = set(MaintenanceStatus) - OVER
        statuses = going if chosen == "open" else {MaintenanceStatus(chosen)}
    query = lists.maintenances(
        call.page.id,
        statuses=statuses,
        component_id=call.component_sought(),
        since=asked(SINCE),
        until=asked(UNTIL),
        search=asked(SEARCH),
    )
    return call.listed(query, lambda row: described(call, row))


def create(call: Call) -> dict[str, Any]:
    """Plan a maintenance, begin one now, or tell one that is over."""
    values = filled(call, "maintenance")
    affected = values.pop("components", [])
    row = maintenances.schedule(
        call.session, call.page, **values, affected=affected, actor=call.actor
    )
    return described(call, row)


def look_at(call: Call) -> None:
    """:raises Invalid: naming what is wrong with the fields that there are."""
    values = call.values("template", "values")
    values["affected"] = values.pop("components", [])
    maintenance_plans.check_rest(call.session, call.page, values)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a maintenance."""
    return described(call, maintenances.get(call.session, call.page, uuid_of(ident, "maintenance")))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Change a maintenance; what is not sent stays."""
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
    """Delete a maintenance without telling anybody.

    That of a planned occurrence ends its series.
    """
    maintenances.remove(call.session, call.page, uuid_of(ident, "maintenance"), actor=call.actor)


def start(call: Call, ident: str) -> dict[str, Any]:
    """Begin a maintenance now."""
    values = call.values()
    row = maintenances.start(
        call.session, call.page, uuid_of(ident, "maintenance"), **values, actor=call.actor
    )
    return described(call, row)


def complete(call: Call, ident: str) -> dict[str, Any]:
    """Say that a maintenance is over."""
    values = call.values()
    row = maintenances.complete(
        call.session, call.page, uuid_of(ident, "maintenance"), **values, actor=call.actor
    )
    return described(call, row)


def cancel(call: Call, ident: str) -> dict[str, Any]:
    """Call a maintenance off, with its series if wanted."""
    values = call.values()
    row = maintenances.cancel(
        call.session, call.page, uuid_of(ident, "maintenance"), **values, actor=call.actor
    )
    return described(call, row)


def update(call: Call, ident: str) -> dict[str, Any]:
    """Write an update on a maintenance."""
    values = call.values()
    row = maintenances.update(
        call.session, call.page, uuid_of(ident, "maintenance"), **values, actor=call.actor
    )
    return described(call, row)


def mend(call: Call, ident: str, update_ident: str) -> dict[str, Any]:
    """Mend the text of an update of a maintenance."""
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
    """Take an update of a maintenance back."""
    which = uuid_of(ident, "maintenance"), uuid_of(update_ident, "update")
    maintenance_edits.remove_update(call.session, call.page, *which, actor=call.actor)


def _hold(call: Call, ident: str) -> None:
    maintenance_course.held(call.session, call.page, uuid_of(ident, "maintenance"))
