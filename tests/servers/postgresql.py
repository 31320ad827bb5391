"""A private PostgreSQL on a loopback port, in a cluster of its own that is never synced to disk."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from . import process

BINARIES = "/usr/lib/postgresql/*/bin"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
}


@dataclass(frozen=True)
class PostgresqlServer:
    """A running PostgreSQL, whose superuser `statuspage` needs no password."""

    port: int
    _process: process.Process = field(repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def create_database(self) -> str:
        """Make an empty database and return its SQLAlchemy URL."""
        name = f"statuspage_{next(self._numbers)}"
        self._execute("CREATE DATABASE {} TEMPLATE template0", name)
        return f"postgresql+psycopg://statuspage@127.0.0.1:{self.port}/{name}"

    def drop_database(self, url: str) -> None:
        """Drop a database that `create_database` made, and end the connections still open to it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", url.rpartition("/")[2])

    def start(self) -> None:
        self._process.start()

    def stop(self) -> None:
        self._process.stop()

    def crash(self) -> None:
        """Stop at once, with every transaction in work lost; the next start recovers from the log.

        What was committed is there again if the server was started with `synchronous_commit="on"`.
        """
        self._process.stop(signal.SIGQUIT)

    def restart(self) -> None:
        """Stop and start on the same port: databases stay, open connections break."""
        self.stop()
        self.start()

    def _execute(self, statement: str, name: str) -> None:
        with _connect(self.port) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


@contextmanager
def running(**settings: str) -> Iterator[PostgresqlServer]:
    """A server with these settings beside, or instead of, `SETTINGS`."""
    initdb = process.program("initdb", BINARIES)
    postgres = process.program("postgres", BINARIES)
    if initdb is None or postgres is None:
        raise process.Absent(f"no initdb and postgres in PATH or {BINARIES}")
    user = process.service_user("postgres")
    with process.scratch(user) as directory:
        data = directory / "data"
        _create_cluster(initdb, data, user)
        port = process.free_port()
        options = [
            part for item in {**SETTINGS, **settings}.items() for part in ("-c", "=".join(item))
        ]
        child = process.Process(
            [postgres, "-D", str(data), "-p", str(port), *options],
            directory=directory,
            ready=lambda: _connect(port).close(),
            user=user,
            # PostgreSQL's "fast shutdown": does not wait for its clients to go first.
            stop_signal=signal.SIGINT,
        )
        server = PostgresqlServer(port, child)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _create_cluster(initdb: str, data: Path, user: str | None) -> None:
    command = [initdb, "--pgdata", str(data), "--username", "statuspage", "--auth", "trust"]
    command += ["--encoding", "UTF8", "--locale", "C", "--no-sync"]
    process.run(command, directory=data.parent, user=user)


def _connect(port: int) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=port, user="statuspage", dbname="postgres", autocommit=True
    )
