"""``flask statuspage token …`` and ``flask statuspage member …``"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..domain.roles import Role
from ..errors import Invalid
from ..services import addresses, audit, members, sign_ins, team
from ..state import current_settings, current_state
from ..storage.migrate import require_current
from ..storage.session import current_engine, current_session
from .group import StatusPageGroup, statuspage_cli

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
    _, key = team.create_token(session, name=name, role=word, actor=audit.SHELL, actor_role=None)
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
        members.add(session, identity, role=word, actor=audit.SHELL, actor_role=None)
        told = f"{identity} is a member now: {word.value}."
    else:
        members.change_role(session, identity, word, actor=audit.SHELL, actor_role=None)
        told = f"{identity} is {word.value} now."
    session.commit()
    click.echo(told)
    click.echo(_how_to_sign_in())


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
    members.remove(session, identity, actor=audit.SHELL, actor_role=None)
    session.commit()
    click.echo(f"{members.spelling(identity)} is no member any more.")


def _how_to_sign_in() -> str:
    """What a new member does next."""
    by_site = by_link = ""
    if current_state().has_member_loader():
        by_site = f"They sign in to your site, then open {addresses.console_url('/')}"
    if current_settings().builtin_login:
        lacks, url = sign_ins.missing(), addresses.console_url("/login")
        by_link = (
            f"They cannot sign in yet, as no mail can be sent: {lacks}"
            if lacks
            else f"They sign in at {url} by a link that is mailed to them."
        )
    if by_site and by_link:
        return f"{by_site}\nWhere your site's login does not know them: {by_link}"
    return (
        by_site
        or by_link
        or (
            "Nobody can sign in yet: register your login with @statuspage.member_loader, or set "
            "STATUSPAGE_BUILTIN_LOGIN."
        )
    )


def _role(word: str) -> Role:
    if word not in set(Role):
        raise Invalid.field("role", f"{word!r} is none of {', '.join(Role)}.")
    return Role(word)
