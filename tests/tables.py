"""Databases with all tables: migrated once for each kind, then copied. Migrating takes longer than most tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import NullPool, create_engine, make_url

from flask_statuspage.storage import migrate

TEMPLATE = "statuspage_migrated"


def fill(url: str) -> None:
    """Bring the database at *url* to the newest tables: an empty one by a copy, where its kind can be copied."""
    kind = make_url(url).get_backend_name()
    if kind == "sqlite" and not (file := Path(url.removeprefix("sqlite:///"))).exists():
        file.write_bytes(_file())
    elif kind == "postgresql" and _is_empty(url):
        _copy(url)
    else:
        _upgrade(url)


@cache
def _file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "migrated.db"
        _upgrade(f"sqlite:///{file}")
        return file.read_bytes()


def _upgrade(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    migrate.upgrade(engine)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def _is_empty(url: str) -> bool:
    with _connect(url) as connection:
        found = connection.execute("SELECT to_regclass(%s)", [migrate.VERSION_TABLE]).fetchone()
        return found == (None,)


def _copy(url: str) -> None:
    name = make_url(url).database
    assert name is not None
    with _connect(url, "postgres") as connection:
        names = connection.execute("SELECT datname FROM pg_database").fetchall()
        if (TEMPLATE,) not in names:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
            _upgrade(make_url(url).set(database=TEMPLATE).render_as_string(hide_password=False))
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )


def _connect(url: str, database: str | None = None) -> psycopg.Connection:
    where = make_url(url)
    return psycopg.connect(
        host=where.host,
        port=where.port,
        user=where.username,
        dbname=database or where.database,
        autocommit=True,
    )
