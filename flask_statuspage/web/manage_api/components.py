"""``components`` and ``components/<id>/status``"""

from __future__ import annotations

from typing import Any

from ...domain.facts import plain
from ...domain.roles import Role
from ...domain.status import ComponentStatus
from ...services import components, facts, groups
from ...storage import components as stored
from ...storage.components import Component
from .door import Call, Door
from .fields import Body, Instant, Position, Prose, Text, Title, Word


class NewComponent(Body):
    """``group`` is a group's id or name."""

    page: Text | None = None
    name: Title
    slug: Word | None = None
    description: Prose = ""
    group: Text | None = None
    position: Position | None = None
    status: ComponentStatus | None = None
    only_show_if_degraded: bool = False


class ComponentChange(Body):
    name: Title = ""
    slug: Word = ""
    description: Prose = ""
    group: Text | None = None
    position: Position = 0
    status: ComponentStatus | None = None
    only_show_if_degraded: bool = False


class StatusWord(Body):
    """``status`` null takes a person's word back: monitors and incidents decide alone again."""

    status: ComponentStatus | None
    note: Prose = ""
    notify: bool = True
    until: Instant | None = None


def add_routes(door: Door) -> None:
    door.route("GET", "/components", index, role=Role.VIEWER)
    door.route("POST", "/components", create, role=Role.EDITOR, body=NewComponent, status=201)
    door.route("GET", "/components/<ident>", show, role=Role.VIEWER)
    door.route("PATCH", "/components/<ident>", change, role=Role.EDITOR, body=ComponentChange)
    door.route("DELETE", "/components/<ident>", remove, role=Role.EDITOR)
    door.route("PUT", "/components/<ident>/status", say, role=Role.EDITOR, body=StatusWord)


def described(component: Component) -> dict[str, Any]:
    return dict(plain(facts.component(component)))


def index(call: Call) -> dict[str, Any]:
    return call.listed(stored.of_page(call.page.id), described)


def create(call: Call) -> dict[str, Any]:
    values = _with_group_id(call, call.values())
    return described(components.create(call.session, call.page, **values, actor=call.actor))


def show(call: Call, ident: str) -> dict[str, Any]:
    return _in_full(call, components.get(call.session, call.page, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    component = components.get(call.session, call.page, ident)
    values = _with_group_id(call, call.values("status"))
    components.change(call.session, call.page, component, values, actor=call.actor)
    if "status" in call.values():
        components.set_status(
            call.session, call.page, component, call.body.status, actor=call.actor
        )
    return _in_full(call, component)


def remove(call: Call, ident: str) -> None:
    component = components.get(call.session, call.page, ident)
    components.remove(call.session, call.page, component, actor=call.actor)


def say(call: Call, ident: str) -> dict[str, Any]:
    component = components.get(call.session, call.page, ident)
    components.set_status(
        call.session,
        call.page,
        component,
        call.body.status,
        note=call.body.note,
        until=call.body.until,
        notify=call.body.notify,
        actor=call.actor,
    )
    return _in_full(call, component)


def _in_full(call: Call, component: Component) -> dict[str, Any]:
    """With what each source says, so that nobody wonders why another status is shown."""
    sources = [
        {
            "source": condition.source,
            "status": condition.status.value,
            "note": condition.note,
            "actor": condition.actor,
            "since": plain(condition.since),
            "until": plain(condition.until),
        }
        for condition in stored.conditions_of(call.session, component.id)
    ]
    return {**described(component), "sources": sources}


def _with_group_id(call: Call, values: dict[str, Any]) -> dict[str, Any]:
    if "group" in values:
        ident = values.pop("group")
        values["group_id"] = groups.named(call.session, call.page, ident).id if ident else None
    return values
