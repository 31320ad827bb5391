"""SQLite as SQLAlchemy speaks it, but what was compiled for one database file counts for the next one, too.

Nearly every test has a database file, and so an engine, of its own; each would compile the same statements anew.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_COMPILED: LRUCache[Any, Any] = LRUCache(2000)


class Sqlite(SQLiteDialect_pysqlite):
    """Equal to every other one: none is given options, and all speak to the same library."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_COMPILED)


def share() -> None:
    """Let every SQLite engine of this process from now on be of this kind."""
    registry.register("sqlite", __name__, Sqlite.__name__)
