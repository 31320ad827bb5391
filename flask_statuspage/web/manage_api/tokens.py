"""``tokens``: keys of this API"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from ...domain.rights import Right
from ...domain.roles import Role
from ...services import team
from ...storage import team as stored
from ...storage.team import Token
from ..idents import uuid_of
from .answering import told
from .call import Call
from .door import Door
from .fields import Body, Change, Instant, Title
from .members import ROLE
from .reading import asked, truth
from .things import Thing


class NewToken(Body):
    """``expires_at`` null or left out: never."""

    name: Title
    role: Role
    expires_at: Instant | None = None


class TokenChange(Change):
    name: Title = ""
    expires_at: Instant | None = None


@dataclass(frozen=True, kw_only=True)
class TokenAnswer:
    """A key without what opens: that is told once.

    :param expires_at: None: never.
    :param last_used_at: to a minute; None: never.
    """

    id: UUID
    name: str
    role: Role
    expires_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None
    revoked: bool


@dataclass(frozen=True, kw_only=True)
class NewTokenAnswer(TokenAnswer):
    """A key with its text, which is told here only."""

    key: str


REVOKED = truth("revoked", "Only those that were revoked, or that were not.")


def add_routes(door: Door) -> None:
    every, one = "/tokens", "/tokens/<ident>"
    answers = (TokenAnswer, NewTokenAnswer)
    door.thing("tokens", Thing(answers, show, _hold, moving=("last_used_at",)))
    route = partial(door.route, right=Right.TEAM, answer=TokenAnswer, of_page=False)
    route("GET", every, index, paged=True, parameters=(ROLE, REVOKED))
    write = partial(route, ranked=True)
    write("POST", every, create, body=NewToken, status=201, answer=NewTokenAnswer)
    route("GET", one, show)
    write("PATCH", one, change, body=TokenChange)
    write("DELETE", one, remove, answer=None)


def described(token: Token) -> dict[str, Any]:
    return _described(TokenAnswer, token)


def _described(answer: type[Any], token: Token, **more: Any) -> dict[str, Any]:
    return told(answer, token, revoked=token.revoked_at is not None, **more)


def index(call: Call) -> dict[str, Any]:
    """List the keys, newest first, with those that were revoked or have expired."""
    query = stored.tokens(role=asked(ROLE), revoked=asked(REVOKED))
    return call.listed(query, described)


def create(call: Call) -> dict[str, Any]:
    """Make a key, which nothing but this answer ever shows.

    Nobody makes, changes or revokes a key above their own role.
    """
    token, key = team.create_token(
        call.session, **call.values(), actor=call.actor, actor_role=call.token.role
    )
    return _described(NewTokenAnswer, token, key=key)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read what is known of a key."""
    return described(team.get(call.session, uuid_of(ident, "token")))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Change a key's name, or until when it counts; what is not sent stays.

    A key that was revoked stays so.
    """
    token = team.change(
        call.session,
        uuid_of(ident, "token"),
        call.values(),
        actor=call.actor,
        actor_role=call.token.role,
    )
    return described(token)


def remove(call: Call, ident: str) -> None:
    """Revoke a key, maybe the one that asks.

    It opens nothing from then on, and stays in the list.
    """
    team.revoke(call.session, uuid_of(ident, "token"), actor=call.actor, actor_role=call.token.role)


def _hold(call: Call, ident: str) -> None:
    team.get(call.session, uuid_of(ident, "token"), lock=True)
