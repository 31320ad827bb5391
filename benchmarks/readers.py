"""Sixteen readers on kept-alive connections, in one thread: every answer's time is noted as it comes."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

ATTEMPTS = 1000


@dataclass(frozen=True)
class Read:
    """One answer: when it was asked for (monotonic seconds), and for how long (milliseconds)."""

    begun: float
    milliseconds: float


@dataclass
class _Connection:
    """A connection and what of the answer has come; *wanted* is the answer's length once its headers are there."""

    socket: socket.socket
    request: bytes
    begun: float = 0.0
    head: bytearray = field(default_factory=bytearray)
    got: int = 0
    wanted: int | None = None

    def ask(self) -> None:
        self.head, self.got, self.wanted = bytearray(), 0, None
        self.begun = time.monotonic()
        self.socket.sendall(self.request)

    def is_answered(self) -> bool:
        """Take what has come; whether the answer is whole."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise RuntimeError("the server closed a connection")
        self.got += len(data)
        if self.wanted is None:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.wanted = end + 4 + _length(bytes(self.head[:end]))
        return self.got >= self.wanted


class Readers:
    """Readers of *paths* in turn, and one who asks for changes.

    :param count: of the readers; each asks again as soon as it has its answer.
    :param processes: of the server; each has as many of the readers.
    """

    def __init__(self, port: int, paths: Sequence[str], count: int, *, processes: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._changer = _Connection(_connect(port), _request("POST", "/change"))
        opened = _spread(port, count, processes)
        self._readers = [
            _Connection(socket_, _request("GET", paths[number % len(paths)]))
            for number, socket_ in enumerate(opened)
        ]
        for connection in (*self._readers, self._changer):
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def read(self, seconds: float) -> list[Read]:
        """All answers that came within *seconds* or were on their way then."""
        return self._run(time.monotonic() + seconds)

    def change_and_read(self, seconds: float) -> tuple[float, list[Read]]:
        """The same from a change on; when the change had been committed, and the answers asked for since."""
        self._changer.ask()
        changed: list[float] = []
        found = self._run(time.monotonic() + seconds, changed)
        [committed] = changed
        return committed, [read for read in found if read.begun >= self._changer.begun]

    def close(self) -> None:
        for connection in (*self._readers, self._changer):
            connection.socket.close()
        self._selector.close()

    def _run(self, until: float, changed: list[float] | None = None) -> list[Read]:
        found = []
        open_ = set()
        for reader in self._readers:
            reader.ask()
            open_.add(id(reader))
        if changed is not None:
            open_.add(id(self._changer))
        while open_:
            for key, _ in self._selector.select(60):
                connection: _Connection = key.data
                if not connection.is_answered():
                    continue
                now = time.monotonic()
                if connection is self._changer:
                    assert changed is not None
                    changed.append(now)
                    open_.discard(id(connection))
                    continue
                found.append(Read(connection.begun, (now - connection.begun) * 1000))
                if now < until:
                    connection.ask()
                else:
                    open_.discard(id(connection))
        return found


def _spread(port: int, count: int, processes: int) -> list[socket.socket]:
    """Connections of which each process of the server has its share; whoever accepts one keeps it."""
    share = -(-count // processes)
    kept: dict[str, list[socket.socket]] = {}
    for _ in range(ATTEMPTS):
        opened = _connect(port)
        opened.sendall(_request("GET", "/process"))
        answer = b""
        while not answer.endswith(b"."):  # headers and body come one after the other
            answer += opened.recv(1 << 16)
        process = answer.decode().rpartition("\r\n")[2]
        of_process = kept.setdefault(process, [])
        if len(of_process) < share:
            of_process.append(opened)
        else:
            opened.close()
        if sum(map(len, kept.values())) == processes * share:
            return [one for of_process in kept.values() for one in of_process]
    raise RuntimeError(f"after {ATTEMPTS} connections one of {processes} processes has too few")


def _connect(port: int) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=60)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _request(method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n".encode()


def _length(head: bytes) -> int:
    """The body's length by the headers of an answer that is a good one."""
    status, *headers = head.decode("latin-1").split("\r\n")
    if " 200 " not in f"{status} ":
        raise RuntimeError(f"answered: {status}")
    for header in headers:
        name, _, value = header.partition(":")
        if name.lower() == "content-length":
            return int(value)
    raise RuntimeError("an answer without a length")
