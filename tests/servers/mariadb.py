"""A private MariaDB on a loopback port, with a data directory that is never synced to disk."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pymysql

from . import process

NO_SUCH_THREAD = 1094


@dataclass(frozen=True)
class MariadbServer:
    """A running MariaDB, whose user `root` needs no password."""

    port: int
    _process: process.Process = field(repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def create_database(self) -> str:
        """Make an empty database and return its SQLAlchemy URL."""
        name = f"statuspage_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        return f"mariadb+pymysql://root@127.0.0.1:{self.port}/{name}?charset=utf8mb4"

    def drop_database(self, url: str) -> None:
        """Drop a database that `create_database` made, and end the connections still open to it."""
        name = url.rpartition("/")[2].partition("?")[0]
        with closing(_connect(self.port)) as connection, connection.cursor() as cursor:
            # An open transaction of a forgotten connection would hold up the drop.
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", [name])
            for (number,) in cursor.fetchall():
                try:
                    cursor.execute(f"KILL {number}")
                except pymysql.OperationalError as error:
                    if error.args[0] != NO_SUCH_THREAD:  # it has ended by itself meanwhile
                        raise
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")

    def start(self) -> None:
        self._process.start()

    def stop(self) -> None:
        self._process.stop()

    def restart(self) -> None:
        """Stop and start on the same port: databases stay, open connections break."""
        self.stop()
        self.start()

    def _execute(self, statement: str) -> None:
        with closing(_connect(self.port)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)


@contextmanager
def running() -> Iterator[MariadbServer]:
    install = process.program("mariadb-install-db")
    daemon = process.program("mariadbd", "/usr/local/sbin", "/usr/sbin")
    if install is None or daemon is None:
        raise process.Absent("no mariadb-install-db in PATH, or no mariadbd there or in /usr/sbin")
    user = process.service_user("mysql")
    with process.scratch(user) as directory:
        data = directory / "data"
        _create_system_tables(install, data, user)
        port = process.free_port()
        command = [
            daemon,
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={directory / 'mariadb.sock'}",
            f"--pid-file={directory / 'mariadb.pid'}",
            "--bind-address=127.0.0.1",
            f"--port={port}",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_ci",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
        ]
        child = process.Process(
            command, directory=directory, ready=lambda: _connect(port).close(), user=user
        )
        server = MariadbServer(port, child)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _create_system_tables(install: str, data: Path, user: str | None) -> None:
    command = [install, "--no-defaults", f"--datadir={data}", "--skip-test-db"]
    command += ["--auth-root-authentication-method=normal", "--skip-name-resolve"]
    process.run(command, directory=data.parent, user=user)


def _connect(port: int) -> pymysql.Connection:
    return pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
