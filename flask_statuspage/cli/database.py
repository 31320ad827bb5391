"""``flask statuspage db …``"""

from __future__ import annotations

import click

from ..storage import migrate
from ..storage.session import current_engine
from .group import StatusPageGroup, statuspage_cli


@statuspage_cli.group("db", cls=StatusPageGroup)
def db_cli() -> None:
    """The tables of the status page in the host's database."""


@db_cli.command("upgrade")
def upgrade() -> None:
    """Bring the tables to the newest revision. Can be run again at any time."""
    before, after = migrate.upgrade(current_engine())
    if before == after:
        click.echo(f"The database is at revision {after} already.")
    else:
        click.echo(f"The database is at revision {after} now (before: {before or 'no tables'}).")


@db_cli.command("current")
def current() -> None:
    """Print the revision of the database, and whether it is the newest."""
    revision, head = migrate.current(current_engine()), migrate.head()
    note = "newest" if revision == head else f"newest is {head}: run flask statuspage db upgrade"
    click.echo(f"{revision or 'no tables'} ({note})")
