"""``components``, with ``status``, ``history`` and ``components/order``"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...domain.facts import plain
from ...domain.roles import Role
from ...domain.status import ComponentStatus
from ...errors import Conflict
from ...services import archive, components, conditions, facts, groups, ordering
from ...storage import components as stored
from ...storage.components import Component, Condition, StatusInterval
from .door import Call, Door
from .fields import Body, Day, Instant, Named, Position, Prose, Text, Title, Word
from .reading import choice


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
    showcase: bool = True
    start_date: Day | None = None


class ComponentChange(Body):
    name: Title = ""
    slug: Word = ""
    description: Prose = ""
    group: Text | None = None
    position: Position = 0
    status: ComponentStatus | None = None
    only_show_if_degraded: bool = False
    showcase: bool = True
    start_date: Day | None = None
    archived: bool = False


class ComponentOrder(Body):
    page: Text | None = None
    components: Named


class StatusWord(Body):
    """``status`` null takes a person's word back: monitors and incidents decide alone again."""

    status: ComponentStatus | None
    note: Prose = ""
    notify: bool = True
    until: Instant | None = None


def add_routes(door: Door) -> None:
    door.route("GET", "/components", index, role=Role.VIEWER)
    door.route("POST", "/components", create, role=Role.EDITOR, body=NewComponent, status=201)
    door.route("PUT", "/components/order", order, role=Role.EDITOR, body=ComponentOrder)
    door.route("GET", "/components/<ident>", show, role=Role.VIEWER)
    door.route("PATCH", "/components/<ident>", change, role=Role.EDITOR, body=ComponentChange)
    door.route("DELETE", "/components/<ident>", remove, role=Role.EDITOR)
    door.route("PUT", "/components/<ident>/status", say, role=Role.EDITOR, body=StatusWord)
    door.route("GET", "/components/<ident>/history", list_history, role=Role.VIEWER)


def described(call: Call, component: Component) -> dict[str, Any]:
    return _described(component, stored.said_of(call.session, [component.id])[component.id])


def _described(component: Component, said: Sequence[Condition]) -> dict[str, Any]:
    """With what each source says, so that nobody wonders why another status is shown."""
    source = conditions.showing(said)
    return {
        **plain(facts.component(component)),
        "archived": component.archived_at is not None,
        "source": _described_word(source) if source else None,
        "sources": [_described_word(condition) for condition in said],
    }


def _described_word(condition: Condition) -> dict[str, Any]:
    fields = ("source", "status", "note", "actor", "since", "until")
    return {name: plain(getattr(condition, name)) for name in fields}


def index(call: Call) -> dict[str, Any]:
    """``?archived=true`` for those that have left the page."""
    wants_archived = choice("archived", ("true", "false")) == "true"
    query = stored.archived(call.page.id) if wants_archived else stored.of_page(call.page.id)
    listed = call.listed(query, lambda component: {"component": component})
    rows = [item["component"] for item in listed["items"]]
    said = stored.said_of(call.session, [row.id for row in rows])
    return {**listed, "items": [_described(row, said[row.id]) for row in rows]}


def create(call: Call) -> dict[str, Any]:
    values = _with_group_id(call, call.values())
    component = components.create(call.session, call.page, **values, actor=call.actor)
    return described(call, component)


def order(call: Call) -> dict[str, Any]:
    """Those that are not named follow in the order that they had."""
    rows = ordering.order_components(
        call.session, call.page, call.body.components, actor=call.actor
    )
    return {"components": [row.slug for row in rows]}


def show(call: Call, ident: str) -> dict[str, Any]:
    return described(call, components.get(call.session, call.page, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    values = _with_group_id(call, call.values("status"))
    archived = values.pop("archived", None)
    component = components.get(call.session, call.page, ident, even_archived=archived is not None)
    if archived is False:
        slug = values.get("slug") if component.archived_at else None
        component = archive.restore(call.session, call.page, component, slug=slug, actor=call.actor)
    if component.archived_at is None:
        components.change(call.session, call.page, component, values, actor=call.actor)
        if "status" in call.values():
            components.set_status(
                call.session, call.page, component, call.body.status, actor=call.actor
            )
    elif call.values("archived"):
        raise Conflict("It is archived: restore it first, then change it.")
    if archived:
        component = archive.archive(call.session, call.page, component, actor=call.actor)
    return described(call, component)


def remove(call: Call, ident: str) -> None:
    component = components.get(call.session, call.page, ident)
    archive.remove(call.session, call.page, component, actor=call.actor)


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
    return described(call, component)


def list_history(call: Call, ident: str) -> dict[str, Any]:
    """Newest first, of an archived one too."""
    component = components.get(call.session, call.page, ident, even_archived=True)
    return call.listed(stored.intervals_of(component.id), _described_interval)


def _described_interval(interval: StatusInterval) -> dict[str, Any]:
    fields = ("status", "started_at", "ended_at", "source", "actor")
    return {name: plain(getattr(interval, name)) for name in fields}


def _with_group_id(call: Call, values: dict[str, Any]) -> dict[str, Any]:
    if "group" in values:
        ident = values.pop("group")
        values["group_id"] = groups.named(call.session, call.page, ident).id if ident else None
    return values
