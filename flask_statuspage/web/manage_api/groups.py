"""``component-groups`` and ``component-groups/order``"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from ...domain.facts import GroupFact
from ...domain.rights import Right
from ...services import facts, groups, ordering
from ...storage import components as stored
from ...storage import pages
from ...storage.components import ComponentGroup
from .answering import told
from .call import Call
from .door import Door
from .fields import Body, Change, Named, Position, Prose, Text, Title
from .things import Thing


class NewGroup(Body):
    """Without ``position`` it comes last."""

    page: Text | None = None
    name: Title
    description: Prose = ""
    position: Position | None = None


class GroupChange(Change):
    name: Title = ""
    description: Prose = ""
    position: Position = 0


class GroupOrder(Body):
    page: Text | None = None
    groups: Named


@dataclass(frozen=True, kw_only=True)
class GroupOrderAnswer:
    """The names of all groups as they stand now."""

    groups: list[str]


def add_routes(door: Door) -> None:
    every, one = "/component-groups", "/component-groups/<ident>"
    door.thing("component-groups", Thing((GroupFact,), show, _hold))
    read = partial(door.route, right=Right.SEE, answer=GroupFact)
    write = partial(door.route, right=Right.ARRANGE, answer=GroupFact)
    read("GET", every, index, paged=True)
    write("POST", every, create, body=NewGroup, status=201)
    write("PUT", f"{every}/order", order, body=GroupOrder, answer=GroupOrderAnswer)
    read("GET", one, show)
    write("PATCH", one, change, body=GroupChange)
    write("DELETE", one, remove, answer=None)


def described(group: ComponentGroup) -> dict[str, Any]:
    return told(GroupFact, facts.group(group))


def index(call: Call) -> dict[str, Any]:
    """List the groups of the page in its order."""
    return call.listed(stored.groups_of(call.page.id), described)


def create(call: Call) -> dict[str, Any]:
    """Make a group of components."""
    group = groups.create(call.session, call.page, **call.values(), actor=call.actor)
    return described(group)


def order(call: Call) -> dict[str, Any]:
    """Put groups in this order.

    Those that are not named follow in the order that they had.
    """
    rows = ordering.order_groups(call.session, call.page, call.body.groups, actor=call.actor)
    return told(GroupOrderAnswer, {"groups": [row.name for row in rows]})


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a group."""
    return described(groups.get(call.session, call.page, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Change a group; what is not sent stays."""
    group = groups.get(call.session, call.page, ident)
    return described(groups.change(call.session, call.page, group, call.values(), actor=call.actor))


def remove(call: Call, ident: str) -> None:
    """Delete a group; its components stay, without one."""
    group = groups.get(call.session, call.page, ident)
    groups.remove(call.session, call.page, group, actor=call.actor)


def _hold(call: Call, ident: str) -> None:
    pages.hold(call.session, call.page.id)
