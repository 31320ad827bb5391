"""Run the shipped Alembic migrations on the host's database, with a version table of their own.

Alembic is imported when it is used: a web process that serves pages has no need of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text

from ..errors import SetupError
from .base import TABLE_PREFIX

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = TABLE_PREFIX + "alembic_version"


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Bring the schema to the newest revision; returns the revisions before and after.

    Every step can be run again, so an upgrade that was killed half-way is finished by the next one.
    """
    from alembic import command

    before = current(engine)
    if engine.dialect.name == "sqlite" and engine.url.database not in (None, "", ":memory:"):
        # Kept in the file: readers go on while a worker writes.
        with engine.connect() as connection:
            connection.execute(text("PRAGMA journal_mode=WAL"))
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, head()


def current(engine: Engine) -> str | None:
    """The revision of the database; None before the first upgrade."""
    from alembic.runtime.migration import MigrationContext

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision()


def head() -> str:
    """The newest revision that this version of the extension brings."""
    from alembic.script import ScriptDirectory

    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def require_current(engine: Engine) -> None:
    """:raises SetupError: unless the database is at the newest revision."""
    revision = current(engine)
    if revision == head():
        return
    state = "has no status page tables" if revision is None else f"is at revision {revision}"
    raise SetupError(
        f"The database {state}, this version needs {head()}. Run: flask statuspage db upgrade"
    )


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
    )
    return config
