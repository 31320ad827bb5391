"""The databases as SQLAlchemy speaks to them, but what was compiled for one engine counts for the next one, too.

Nearly every test has a database, and so an engine, of its own; each would compile the same statements anew.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_COMPILED: LRUCache[Any, Any] = LRUCache(3000)


class _Shared:
    """Equal to every other one of its kind: none is given options, and all speak to the same version of a server."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_COMPILED)


class Sqlite(_Shared, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class Postgresql(_Shared, PGDialect_psycopg):
    supports_statement_cache = True


class Mariadb(_Shared, MariaDBDialect, MySQLDialect_pymysql):
    supports_statement_cache = True


def share() -> None:
    """Let every engine of this process from now on be of these kinds."""
    for name, kind in (
        ("sqlite", Sqlite),
        ("postgresql.psycopg", Postgresql),
        ("mariadb.pymysql", Mariadb),
    ):
        registry.register(name, __name__, kind.__name__)
