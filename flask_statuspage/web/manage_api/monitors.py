"""``monitors``, with ``run``, ``pause``, ``resume`` and ``checks``"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from ...domain.facts import plain
from ...domain.roles import Role
from ...domain.status import ComponentStatus
from ...services import facts, monitoring, monitors
from ...storage import checks, components
from ...storage import monitors as stored
from ...storage.checks import Check
from ...storage.monitors import Monitor
from .door import Call, Door
from .fields import Body, Text, Title, Whole, Word


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


class MonitorChange(MonitorFields):
    name: Title = ""
    slug: Word = ""


def add_routes(door: Door) -> None:
    door.route("GET", "/monitors", index, role=Role.VIEWER)
    door.route("POST", "/monitors", create, role=Role.EDITOR, body=NewMonitor, status=201)
    door.route("GET", "/monitors/<ident>", show, role=Role.VIEWER)
    door.route("PATCH", "/monitors/<ident>", change, role=Role.EDITOR, body=MonitorChange)
    door.route("DELETE", "/monitors/<ident>", remove, role=Role.EDITOR)
    door.route("POST", "/monitors/<ident>/run", run, role=Role.EDITOR)
    door.route("POST", "/monitors/<ident>/pause", pause, role=Role.EDITOR)
    door.route("POST", "/monitors/<ident>/resume", resume, role=Role.EDITOR)
    door.route("GET", "/monitors/<ident>/checks", list_checks, role=Role.VIEWER)


def described(call: Call, monitor: Monitor) -> dict[str, Any]:
    component = (
        call.session.get(components.Component, monitor.component_id)
        if monitor.component_id
        else None
    )
    return _described(monitor, component.slug if component else None)


def _described(monitor: Monitor, component_slug: str | None) -> dict[str, Any]:
    return {
        "id": str(monitor.id),
        **monitors.described(monitor),
        "component": component_slug,
        "paused": monitor.paused_at is not None,
        "verdict": monitor.verdict.value,
        "verdict_at": plain(monitor.verdict_at),
        "created_at": plain(monitor.created_at),
        "updated_at": plain(monitor.updated_at),
    }


def index(call: Call) -> dict[str, Any]:
    # In one query, not one for each monitor.
    slugs = {row.id: row.slug for row in call.session.scalars(components.of_page(call.page.id))}

    def describe(monitor: Monitor) -> dict[str, Any]:
        slug = slugs.get(monitor.component_id) if monitor.component_id else None
        return _described(monitor, slug)

    return call.listed(stored.of_page(call.page.id), describe)


def create(call: Call) -> dict[str, Any]:
    call.settle()
    monitors.vet(call.body.kind, call.body.target)
    monitor = monitors.create(call.session, call.page, **call.values(), actor=call.actor)
    return described(call, monitor)


def show(call: Call, ident: str) -> dict[str, Any]:
    return described(call, monitors.get(call.session, call.page, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    if "target" in call.values():
        kind = monitors.get(call.session, call.page, ident).kind
        call.settle()
        monitors.vet(call.values().get("kind", kind), call.body.target)
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    monitors.change(call.session, call.page, monitor, call.values(), actor=call.actor)
    return described(call, monitor)


def remove(call: Call, ident: str) -> None:
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    monitors.remove(call.session, call.page, monitor, actor=call.actor)


def run(call: Call, ident: str) -> dict[str, Any]:
    """Ask now, and count the result like any other."""
    monitor = monitors.get(call.session, call.page, ident)
    order = monitoring.order_for(monitor, monitor.regions[0].region)
    call.settle()
    result = monitoring.ask(order)
    monitoring.record(call.session, [result])
    monitor = monitors.get(call.session, call.page, ident)  # it may be gone by now
    monitors.note_run(call.session, monitor, result, actor=call.actor)
    return dict(plain(facts.check(result)))


def pause(call: Call, ident: str) -> dict[str, Any]:
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    return described(call, monitors.pause(call.session, call.page, monitor, actor=call.actor))


def resume(call: Call, ident: str) -> dict[str, Any]:
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    return described(call, monitors.resume(call.session, call.page, monitor, actor=call.actor))


def list_checks(call: Call, ident: str) -> dict[str, Any]:
    monitor = monitors.get(call.session, call.page, ident)
    return call.listed(checks.of_monitor(monitor.id), _described_check)


def _described_check(check: Check) -> dict[str, Any]:
    fields = ("at", "region", "outcome", "code", "milliseconds", "error")
    return {name: plain(getattr(check, name)) for name in fields}
