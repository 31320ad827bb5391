"""``flask statuspage token …``"""

from __future__ import annotations

import click

from ..domain.roles import Role
from ..errors import Invalid
from ..services import team
from ..storage.migrate import require_current
from ..storage.session import current_engine, current_session
from .group import StatusPageGroup, statuspage_cli


@statuspage_cli.group("token", cls=StatusPageGroup)
def token_cli() -> None:
    """Keys for the manage API."""


@token_cli.command("create")
@click.argument("name")
@click.option(
    "--role",
    metavar="|".join(Role),
    required=True,
    help="What the key may do; each role includes the ones before it.",
)
def create(name: str, role: str) -> None:
    """Make a key called NAME and print it. It is shown this once only."""
    if role not in set(Role):
        raise Invalid.field("role", f"{role!r} is none of {', '.join(Role)}.")
    require_current(current_engine())
    session = current_session()
    _, key = team.create_token(session, name=name, role=Role(role), actor="command line")
    session.commit()
    click.echo(key)
