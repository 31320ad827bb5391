"""``flask statuspage token …`` and ``flask statuspage member …``"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..domain.roles import Role
from ..errors import Invalid
from ..services import members, team
from ..storage.migrate import require_current
from ..storage.session import current_engine, current_session
from .group import StatusPageGroup, statuspage_cli

ACTOR = "command line"
FC = TypeVar("FC", bound=Callable[..., Any])


def _role_option(holder: str) -> Callable[[FC], FC]:
    """``--role``, of whoever *holder* names."""
    return click.option(
        "--role",
        metavar="|".join(Role),
        required=True,
        help=f"What the {holder} may do; each role includes the ones before it.",
    )


@statuspage_cli.group("token", cls=StatusPageGroup)
def token_cli() -> None:
    """Keys for the manage API."""


@token_cli.command("create")
@click.argument("name")
@_role_option("key")
def create(name: str, role: str) -> None:
    """Make a key called NAME and print it. It is shown this once only."""
    word = _role(role)
    require_current(current_engine())
    session = current_session()
    _, key = team.create_token(session, name=name, role=word, actor=ACTOR)
    session.commit()
    click.echo(key)


@statuspage_cli.group("member", cls=StatusPageGroup)
def member_cli() -> None:
    """Who may open the console, and do what there."""


@member_cli.command("add")
@click.argument("identity")
@_role_option("member")
def add(identity: str, role: str) -> None:
    """Let IDENTITY into the console: what your member_loader returns for that person, such as an email address.

    Of somebody who is a member already the role is changed.
    """
    word = _role(role)
    require_current(current_engine())
    session = current_session()
    identity = members.spelling(identity)
    if members.role_of(session, identity) is None:
        members.add(session, identity, role=word, actor=ACTOR)
        told = f"{identity} is a member now: {word.value}."
    else:
        members.change_role(session, identity, word, actor=ACTOR)
        told = f"{identity} is {word.value} now."
    session.commit()
    click.echo(told)


@member_cli.command("list")
def list_members() -> None:
    """Print who is a member, and their roles."""
    require_current(current_engine())
    for row in members.listed(current_session()):
        click.echo(f"{row.role.value:<8}{row.identity}")


@member_cli.command("remove")
@click.argument("identity")
def remove(identity: str) -> None:
    """Take IDENTITY out of the team."""
    require_current(current_engine())
    session = current_session()
    members.remove(session, identity, actor=ACTOR)
    session.commit()
    click.echo(f"{members.spelling(identity)} is no member any more.")


def _role(word: str) -> Role:
    if word not in set(Role):
        raise Invalid.field("role", f"{word!r} is none of {', '.join(Role)}.")
    return Role(word)
