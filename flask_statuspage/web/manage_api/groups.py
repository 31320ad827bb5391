"""``component-groups`` and ``component-groups/order``"""

from __future__ import annotations

from typing import Any

from ...domain.facts import plain
from ...domain.roles import Role
from ...services import facts, groups, ordering
from ...storage import components as stored
from ...storage.components import ComponentGroup
from .door import Call, Door
from .fields import Body, Named, Position, Prose, Text, Title


class NewGroup(Body):
    page: Text | None = None
    name: Title
    description: Prose = ""
    position: Position = 0


class GroupChange(Body):
    name: Title = ""
    description: Prose = ""
    position: Position = 0


class GroupOrder(Body):
    page: Text | None = None
    groups: Named


def add_routes(door: Door) -> None:
    door.route("GET", "/component-groups", index, role=Role.VIEWER)
    door.route("POST", "/component-groups", create, role=Role.EDITOR, body=NewGroup, status=201)
    door.route("PUT", "/component-groups/order", order, role=Role.EDITOR, body=GroupOrder)
    door.route("GET", "/component-groups/<ident>", show, role=Role.VIEWER)
    door.route("PATCH", "/component-groups/<ident>", change, role=Role.EDITOR, body=GroupChange)
    door.route("DELETE", "/component-groups/<ident>", remove, role=Role.EDITOR)


def described(group: ComponentGroup) -> dict[str, Any]:
    return dict(plain(facts.group(group)))


def index(call: Call) -> dict[str, Any]:
    return call.listed(stored.groups_of(call.page.id), described)


def create(call: Call) -> dict[str, Any]:
    group = groups.create(call.session, call.page, **call.values(), actor=call.actor)
    return described(group)


def order(call: Call) -> dict[str, Any]:
    """Those that are not named follow in the order that they had."""
    rows = ordering.order_groups(call.session, call.page, call.body.groups, actor=call.actor)
    return {"groups": [row.name for row in rows]}


def show(call: Call, ident: str) -> dict[str, Any]:
    return described(groups.get(call.session, call.page, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    group = groups.get(call.session, call.page, ident)
    return described(groups.change(call.session, call.page, group, call.values(), actor=call.actor))


def remove(call: Call, ident: str) -> None:
    group = groups.get(call.session, call.page, ident)
    groups.remove(call.session, call.page, group, actor=call.actor)
