"""The host's session and engine, found when they are needed: the order of ``init_app`` calls does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from flask import current_app
from sqlalchemy import Engine, bindparam, literal_column, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from ..errors import SetupError
from .base import UtcDateTime


def current_session() -> Session:
    """The session that the host's own code works in."""
    return cast(Session, _database().session())


def release_session() -> None:
    """Give the connection back. For workers, which live longer than a request."""
    _database().session.remove()


def current_engine() -> Engine:
    """The engine of the host's default database."""
    return cast(Engine, _database().engine)


def _database() -> Any:
    try:
        return current_app.extensions["sqlalchemy"]
    except KeyError:
        raise SetupError(
            "Flask-StatusPage keeps its tables in the host's database, and this app has none: call db.init_app(app) "
            "with a flask_sqlalchemy.SQLAlchemy object, before or after register_blueprint(statuspage)."
        ) from None


class _clock(FunctionElement[datetime]):
    type = UtcDateTime()
    inherit_cache = True


@compiles(_clock, "postgresql")
def _postgresql_clock(element: _clock, compiler: SQLCompiler, **kw: Any) -> str:
    return "clock_timestamp()"


@compiles(_clock, "mysql", "mariadb")
def _mariadb_clock(element: _clock, compiler: SQLCompiler, **kw: Any) -> str:
    return "UTC_TIMESTAMP(6)"


@compiles(_clock)
def _sqlite_clock(element: _clock, compiler: SQLCompiler, **kw: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


class seconds_before(FunctionElement[datetime]):
    """The instant that lies so many seconds before another one: ``seconds_before(now, Monitor.interval)``."""

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, instant: datetime | InstrumentedAttribute[Any], seconds: Any) -> None:
        given = (
            bindparam(None, instant, UtcDateTime()) if isinstance(instant, datetime) else instant
        )
        super().__init__(given, seconds)


@compiles(seconds_before, "postgresql")
def _postgresql_before(element: seconds_before, compiler: SQLCompiler, **kw: Any) -> str:
    instant, seconds = (compiler.process(part, **kw) for part in element.clauses)
    return f"({instant} - make_interval(secs => {seconds}))"


@compiles(seconds_before, "mysql", "mariadb")
def _mariadb_before(element: seconds_before, compiler: SQLCompiler, **kw: Any) -> str:
    instant, seconds = (compiler.process(part, **kw) for part in element.clauses)
    # The type of a parameter is not known there, and a text with six digits is read to the second only.
    return f"DATE_SUB(CAST({instant} AS DATETIME(6)), INTERVAL ({seconds}) * 1000000 MICROSECOND)"


@compiles(seconds_before)
def _sqlite_before(element: seconds_before, compiler: SQLCompiler, **kw: Any) -> str:
    instant, seconds = (compiler.process(part, **kw) for part in element.clauses)
    return f"strftime('%Y-%m-%d %H:%M:%f000', {instant}, (0 - ({seconds})) || ' seconds')"


def database_now(session: Session) -> datetime:
    """The database's clock, which all workers share whatever their own clocks say. Aware, UTC."""
    return cast(datetime, session.scalar(select(_clock()))).astimezone(UTC)


def begin_read_committed(session: Session) -> None:
    """Begin a transaction in which every statement sees what is committed by then; in a running one, do nothing.

    PostgreSQL does so by itself, and SQLite has but one writer. MariaDB would else lock the gaps between rows too: two
    transactions that lock a whole table and then add to it would wait for each other.
    """
    engine = session.get_bind().engine
    if session.in_transaction() or engine.dialect.name not in ("mysql", "mariadb"):
        return
    try:
        session.connection(execution_options={"isolation_level": "READ COMMITTED"})
    except engine.dialect.loaded_dbapi.Error as error:
        raise _wrapped(error, engine) from error


def _wrapped(error: Exception, engine: Engine) -> Exception:
    """What SQLAlchemy makes of a driver's *error*, which it lets through as it is while it sets an isolation level.

    Where the connection is dead, those that wait in the pool are thought to be so too, as SQLAlchemy does.
    """
    is_dead = engine.dialect.is_disconnect(error, None, None)  # type: ignore[arg-type]
    if is_dead:
        engine.dispose()
    return DBAPIError.instance(
        None,
        None,
        error,
        engine.dialect.loaded_dbapi.Error,
        connection_invalidated=is_dead,
        dialect=engine.dialect,
    )


def locks_rows(session: Session) -> bool:
    """Whether ``FOR UPDATE`` holds rows until the transaction ends; SQLite ignores it."""
    return session.get_bind().dialect.name != "sqlite"


def locks_what_it_passes(session: Session) -> bool:
    """Whether a statement that looks for rows by a range of an index, and locks them, may hold the row after it too."""
    return session.get_bind().dialect.name in ("mysql", "mariadb")


@contextmanager
def by_index(session: Session) -> Iterator[None]:
    """For statements that take the first few rows in the order of an index, however many there are.

    PostgreSQL chooses by statistics, which know nothing of a burst that has just come: it would expect few rows, and
    read and sort all of them for each hundred.
    """
    if session.get_bind().dialect.name != "postgresql":
        yield
        return
    # Whoever must sort all the same is thought to be very dear, and what is dear is compiled, which takes a second.
    off = ("enable_sort", "enable_seqscan", "jit")
    names = ", ".join(f"current_setting('{name}')" for name in off)
    before = session.execute(text(f"SELECT {names}")).one()
    _configure(session, dict.fromkeys(off, "off"))
    yield  # raises where the transaction failed, whose end is the end of these settings too
    _configure(session, dict(zip(off, before, strict=True)))


def _configure(session: Session, values: Mapping[str, str]) -> None:
    """Settings of PostgreSQL until the transaction ends."""
    calls = ", ".join(f"set_config('{name}', :{name}, true)" for name in values)
    session.execute(text(f"SELECT {calls}"), values)


def lost_race(error: DBAPIError) -> bool:
    """Whether the database ended the transaction for the sake of another one, so that it is worth running again."""
    cause = error.orig
    if getattr(cause, "sqlstate", None) in (
        "40001",
        "40P01",
    ):  # PostgreSQL: serialization, deadlock
        return True
    number = cause.args[0] if cause is not None and cause.args else None
    # MariaDB: record has changed, lock wait timeout, deadlock; a savepoint that went with its transaction.
    if number in (1020, 1205, 1213, 1305):
        return True
    return "database is locked" in str(cause)


_AWAY = {1040, 1053, 1158, 1159, 1160, 1161, 1203, 1927, 2002, 2003, 2006, 2013, 2055}


def is_away(error: Exception) -> bool:
    """Whether *error* says that the database, or a connection to it, cannot be had: later it may be.

    MariaDB's drivers call nearly every error operational, a value that is refused among them, so that the class alone
    says nothing.
    """
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or lost_race(error):
        return True
    cause = error.orig
    # MariaDB: too many connections, a stop, the network, a server that does not answer or has gone.
    number = cause.args[0] if cause is not None and cause.args else None
    if number in _AWAY or "unable to open database file" in str(cause):
        return True
    # A number is MariaDB's own word, and newer drivers of it have an empty state beside that.
    if isinstance(number, int) or not isinstance(error, (OperationalError, InterfaceError)):
        return False
    # PostgreSQL: connections, lack of resources, a stop; without a state it was the driver that gave up.
    states = (getattr(cause, name) for name in ("sqlstate", "pgcode") if hasattr(cause, name))
    return any((state or "08").startswith(("08", "53", "57P")) for state in states)


def forget_connections() -> None:
    """Forget, without closing them, the connections that this process inherited by a fork."""
    for engine in _database().engines.values():
        engine.dispose(close=False)


def ping(session: Session) -> None:
    """Ask the database for an answer; raises SQLAlchemy's error when there is none."""
    session.execute(select(literal_column("1")))


def in_pages(items: Iterable[Any], size: int) -> Iterable[list[Any]]:
    """*items* in lists of at most *size*, for statements with many parameters."""
    page: list[Any] = []
    for item in items:
        page.append(item)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page
