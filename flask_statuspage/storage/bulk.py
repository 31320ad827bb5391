"""Many rows found, written or changed in one statement, at the least cost for the worker.

PostgreSQL gets one array for each column instead of one parameter for each value, which takes its drivers several times
as long; the others have their own quick way with many rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Insert,
    String,
    Table,
    TextClause,
    any_,
    bindparam,
    text,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeDecorator

from .base import Base

T = TypeVar("T")


def put_all(
    session: Session,
    model: type[Base],
    names: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    replacing: bool = False,
) -> None:
    """Insert *rows*, each with a value for each of the columns *names*.

    :param replacing: a row that has the same key is replaced.
    """
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        values = zip(names, zip(*rows, strict=True), strict=True)
        given = {name: array(column, _writer(table, name)) for name, column in values}
        session.execute(_from_arrays(table, names, replacing), given)
        return
    session.execute(
        _insert(table, dialect, replacing), [dict(zip(names, row, strict=True)) for row in rows]
    )


def change(
    session: Session, model: type[Base], rows: Iterable[Mapping[str, Any]], *, key: str = "id"
) -> None:
    """Change the rows of *model* that have these keys; objects of the session do not learn of it.

    :param rows: *key* and the same columns in all of them; keys that are not there are passed over.
    """
    rows = list(rows)
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    names = (key, *(name for name in rows[0] if name != key))
    if session.get_bind().dialect.name == "postgresql":
        given = {name: array((row[name] for row in rows), _writer(table, name)) for name in names}
        # Not by the session, which would flush the same changes first.
        session.connection().execute(_change_from_arrays(table, names), given)
        return
    statement = (
        update(table)
        .where(table.c[key] == bindparam("which"))
        .values({name: bindparam(f"new_{name}") for name in names[1:]})
    )
    changes = [
        {"which": row[key], **{f"new_{name}": row[name] for name in names[1:]}} for row in rows
    ]
    session.connection().execute(statement, changes)


def among(
    session: Session, column: InstrumentedAttribute[T], values: Collection[T]
) -> ColumnElement[bool]:
    """The condition that *column* has one of *values*."""
    if session.get_bind().dialect.name != "postgresql":
        return column.in_(values)
    # A parameter for each value would make another statement of each number of them, read anew each time.
    return column == any_(bindparam(None, list(values), ARRAY(column.type), unique=True))


def array(values: Iterable[Any], written: Callable[[Any], str] = str) -> str:
    """What PostgreSQL reads as an array of *values*."""
    return "{" + ",".join("NULL" if one is None else written(one) for one in values) + "}"


def quoted(value: str) -> str:
    """A text as an element of an array."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@cache
def _writer(table: Table, name: str) -> Callable[[Any], str]:
    kind = _kind(table.columns[name])
    if isinstance(kind, String):
        return quoted
    return datetime.isoformat if isinstance(kind, DateTime) else str


def _kind(column: Column[Any]) -> Any:
    kind = column.type
    return kind.load_dialect_impl(_POSTGRESQL) if isinstance(kind, TypeDecorator) else kind


_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


@cache
def _from_arrays(table: Table, names: tuple[str, ...], replacing: bool) -> TextClause:
    columns = ", ".join(f'"{name}"' for name in names)
    arrays = ", ".join(f"CAST(:{name} AS {_type_name(table, name)}[])" for name in names)
    conflict = ""
    if replacing:
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
        values = ", ".join(f'"{name}" = excluded."{name}"' for name in _others(table))
        conflict = f" ON CONFLICT ({keys}) DO UPDATE SET {values}"
    return text(f"INSERT INTO {table.name} ({columns}) SELECT * FROM unnest({arrays}){conflict}")


@cache
def _change_from_arrays(table: Table, names: tuple[str, ...]) -> TextClause:
    arrays = ", ".join(f"CAST(:{name} AS {_type_name(table, name)}[])" for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(f'"{name}" = new."{name}"' for name in names[1:])
    key = f'"{names[0]}"'
    return text(
        f"UPDATE {table.name} SET {values} FROM unnest({arrays}) AS new({columns}) "
        f"WHERE {table.name}.{key} = new.{key}"
    )


def _type_name(table: Table, name: str) -> str:
    kind = _kind(table.columns[name])
    # As varchar(n) a text that is too long would be cut without a word.
    return "text" if isinstance(kind, String) else str(kind.compile(_POSTGRESQL))


@cache
def _insert(table: Table, dialect: str, replacing: bool) -> Insert:
    if not replacing:
        return table.insert()
    if dialect in ("mysql", "mariadb"):
        put = mysql.insert(table)
        return put.on_duplicate_key_update({name: put.inserted[name] for name in _others(table)})
    into = sqlite.insert(table)
    values = {name: into.excluded[name] for name in _others(table)}
    return into.on_conflict_do_update([column.name for column in table.primary_key], set_=values)


def _others(table: Table) -> list[str]:
    """The columns that are no part of the key."""
    return [column.name for column in table.columns if not column.primary_key]
