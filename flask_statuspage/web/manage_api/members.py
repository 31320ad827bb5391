"""``members``: who belongs to the team, by id or by what the site's login calls them"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints

from ...domain.rights import Right
from ...domain.roles import Role
from ...services import members
from ...services.members import MAX_IDENTITY
from ...storage import team as stored
from .answering import told
from .call import Call
from .door import Door
from .fields import Body, Change, Text
from .reading import asked, choice
from .things import Thing

Identity = Annotated[Text, StringConstraints(min_length=1, max_length=MAX_IDENTITY)]


class NewMember(Body):
    """``identity`` is what the site's login calls the person, such as an email address, in any case."""

    identity: Identity
    role: Role


class MemberChange(Change):
    role: Role = Role.VIEWER


@dataclass(frozen=True, kw_only=True)
class MemberAnswer:
    """Somebody of the team."""

    id: UUID
    identity: str
    role: Role
    created_at: datetime


ROLE = choice("role", list(Role), "Only those with this role.")


def add_routes(door: Door) -> None:
    every, one = "/members", "/members/<ident>"
    door.thing("members", Thing((MemberAnswer,), show, _hold))
    route = partial(door.route, right=Right.TEAM, answer=MemberAnswer, of_page=False)
    route("GET", every, index, paged=True, parameters=(ROLE,))
    write = partial(route, ranked=True)
    write("POST", every, create, body=NewMember, status=201)
    route("GET", one, show)
    write("PATCH", one, change, body=MemberChange)
    write("DELETE", one, remove, answer=None)


described = partial(told, MemberAnswer)


def index(call: Call) -> dict[str, Any]:
    """List the members of the team by what the site's login calls them."""
    return call.listed(stored.members(role=asked(ROLE)), described)


def create(call: Call) -> dict[str, Any]:
    """Take somebody into the team.

    Nobody makes, changes or removes a member above their own role.
    """
    row = members.add(call.session, **call.values(), actor=call.actor, actor_role=call.token.role)
    return described(row)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a member."""
    return described(members.get(call.session, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Give a member another role, but the last owner."""
    if "role" not in call.values():
        return show(call, ident)
    row = members.change_role(
        call.session, ident, call.body.role, actor=call.actor, actor_role=call.token.role
    )
    return described(row)


def remove(call: Call, ident: str) -> None:
    """Take a member out of the team, but the last owner."""
    members.remove(call.session, ident, actor=call.actor, actor_role=call.token.role)


def _hold(call: Call, ident: str) -> None:
    members.held(call.session, ident)
