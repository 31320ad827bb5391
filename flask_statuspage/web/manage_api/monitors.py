"""``monitors``, with ``run``, ``pause``, ``resume`` and ``checks``"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from ...domain.facts import CheckFact
from ...domain.roles import Role
from ...domain.status import ComponentStatus
from ...domain.verdict import Verdict
from ...services import facts, monitoring, monitors
from ...storage import checks, components
from ...storage import monitors as stored
from ...storage.monitors import Monitor
from .answering import told
from .door import Call, Door
from .fields import Body, Change, Text, Title, Whole, Word


class MonitorFields(Body):
    kind: Word = "http"
    target: Annotated[Text, StringConstraints(min_length=1, max_length=2048)] = ""
    component: Text | None = None
    interval: Whole = 60
    timeout: Annotated[float, Field(allow_inf_nan=False)] = 10.0
    regions: Annotated[list[Word], Field(min_length=1, max_length=50)] = Field(
        default_factory=lambda: ["default"]
    )
    quorum: Whole = 1
    failure_threshold: Whole = 3
    recovery_threshold: Whole = 2
    degraded_over_ms: Whole | None = None
    outage_status: ComponentStatus = ComponentStatus.MAJOR_OUTAGE
    open_incident: bool = True
    options: dict[Word, Any] = Field(default_factory=dict)


class NewMonitor(MonitorFields):
    page: Text | None = None
    name: Title
    slug: Word | None = None
    target: Annotated[Text, StringConstraints(min_length=1, max_length=2048)]


class MonitorChange(MonitorFields, Change):
    name: Title = ""
    slug: Word = ""


@dataclass(frozen=True, kw_only=True)
class MonitorAnswer:
    """A monitor with what is believed of its target. ``component`` is the slug of the one that it watches, or None.

    :param interval: seconds, as ``timeout``.
    :param quorum: how many regions must agree.
    :param verdict_at: when that began.
    """

    id: UUID
    name: str
    slug: str
    kind: str
    target: str
    interval: int
    timeout: float
    regions: list[str]
    quorum: int
    failure_threshold: int
    recovery_threshold: int
    degraded_over_ms: int | None
    outage_status: ComponentStatus
    open_incident: bool
    options: dict[str, Any]
    component: str | None
    paused: bool
    verdict: Verdict
    verdict_at: datetime | None
    created_at: datetime
    updated_at: datetime


def add_routes(door: Door) -> None:
    every, one = "/monitors", "/monitors/<ident>"
    read = partial(door.route, role=Role.VIEWER, answer=MonitorAnswer)
    write = partial(door.route, role=Role.EDITOR, answer=MonitorAnswer)
    read("GET", every, index, paged=True)
    write("POST", every, create, body=NewMonitor, status=201)
    read("GET", one, show)
    write("PATCH", one, change, body=MonitorChange)
    write("DELETE", one, remove, answer=None)
    write("POST", f"{one}/run", run, answer=CheckFact)
    write("POST", f"{one}/pause", pause)
    write("POST", f"{one}/resume", resume)
    read("GET", f"{one}/checks", list_checks, answer=CheckFact, paged=True)


def described(call: Call, monitor: Monitor) -> dict[str, Any]:
    component = (
        call.session.get(components.Component, monitor.component_id)
        if monitor.component_id
        else None
    )
    return _described(monitor, component.slug if component else None)


def _described(monitor: Monitor, component_slug: str | None) -> dict[str, Any]:
    return told(
        MonitorAnswer,
        monitors.described(monitor),
        id=monitor.id,
        component=component_slug,
        paused=monitor.paused_at is not None,
        verdict=monitor.verdict,
        verdict_at=monitor.verdict_at,
        created_at=monitor.created_at,
        updated_at=monitor.updated_at,
    )


def index(call: Call) -> dict[str, Any]:
    """List the monitors of the page."""
    # In one query, not one for each monitor.
    slugs = {row.id: row.slug for row in call.session.scalars(components.of_page(call.page.id))}

    def describe(monitor: Monitor) -> dict[str, Any]:
        slug = slugs.get(monitor.component_id) if monitor.component_id else None
        return _described(monitor, slug)

    return call.listed(stored.of_page(call.page.id), describe)


def create(call: Call) -> dict[str, Any]:
    """Make a monitor."""
    call.settle()
    monitors.vet(call.body.kind, call.body.target)
    monitor = monitors.create(call.session, call.page, **call.values(), actor=call.actor)
    return described(call, monitor)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a monitor."""
    return described(call, monitors.get(call.session, call.page, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Change a monitor; what is not sent stays."""
    if "target" in call.values():
        kind = monitors.get(call.session, call.page, ident).kind
        call.settle()
        monitors.vet(call.values().get("kind", kind), call.body.target)
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    monitors.change(call.session, call.page, monitor, call.values(), actor=call.actor)
    return described(call, monitor)


def remove(call: Call, ident: str) -> None:
    """Delete a monitor with its results."""
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    monitors.remove(call.session, call.page, monitor, actor=call.actor)


def run(call: Call, ident: str) -> dict[str, Any]:
    """Check now; the result counts like any other."""
    monitor = monitors.get(call.session, call.page, ident)
    order = monitoring.order_for(monitor, monitor.regions[0].region)
    call.settle()
    result = monitoring.ask(order)
    monitoring.record(call.session, [result])
    monitor = monitors.get(call.session, call.page, ident)  # it may be gone by now
    monitors.note_run(call.session, monitor, result, actor=call.actor)
    return told(CheckFact, facts.check(result))


def pause(call: Call, ident: str) -> dict[str, Any]:
    """Stop checking until the monitor is resumed."""
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    return described(call, monitors.pause(call.session, call.page, monitor, actor=call.actor))


def resume(call: Call, ident: str) -> dict[str, Any]:
    """Check again after a pause."""
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    return described(call, monitors.resume(call.session, call.page, monitor, actor=call.actor))


def list_checks(call: Call, ident: str) -> dict[str, Any]:
    """List the results of a monitor, newest first."""
    monitor = monitors.get(call.session, call.page, ident)
    return call.listed(checks.of_monitor(monitor.id), partial(told, CheckFact))
