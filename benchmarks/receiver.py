"""A receiver of webhooks as cheap as Python has one: ``python -m benchmarks.receiver <port> …``.

It answers every POST with 200 and notes the header ``webhook-id`` and the time. On ports that hang it never answers.
``GET /count``, ``/log`` and ``/reset?<port>,<port>`` (these hang from now on) are for the benchmark.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import process

from .asking import ask
from .servers import cpu_of_tree, running_process

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


@dataclass(frozen=True)
class Receiver:
    """A receiver that listens to *ports*."""

    ports: Sequence[int]
    pid: int

    def reset(self, *, hanging: Sequence[int] = ()) -> None:
        """Forget what came and let go of calls that hang; from now on the ports *hanging* do not answer."""
        self._get(f"/reset?{','.join(map(str, hanging))}")

    def count(self) -> int:
        return int(self._get("/count"))

    def arrivals(self) -> list[tuple[str, float]]:
        """The webhook-id and the time (seconds of the epoch) of each call that was answered."""
        return [(ident, at) for ident, at in json.loads(self._get("/log"))]

    def cpu(self) -> float:
        return cpu_of_tree(self.pid)

    def _get(self, path: str) -> bytes:
        return ask(self.ports[0], path).body


@contextmanager
def running(count: int, directory: Path) -> Iterator[Receiver]:
    """A receiver process with *count* ports."""
    ports: list[int] = []
    while len(ports) < count:
        if (port := process.free_port()) not in ports:
            ports.append(port)
    scratch = directory / f"receiver-{ports[0]}"
    scratch.mkdir()
    command = [sys.executable, "-m", "benchmarks.receiver", *map(str, ports)]
    child = process.Process(
        command, directory=scratch, ready=lambda: [ask(port, "/count") for port in ports]
    )
    with running_process(child):
        yield Receiver(ports, child.pid)


class _Noted:
    """What came, and which ports hang."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[str, float]] = []
        self.hanging: frozenset[int] = frozenset()
        self.held: list[asyncio.Transport] = []


class _Connection(asyncio.Protocol):
    def __init__(self, noted: _Noted, port: int) -> None:
        self._noted = noted
        self._port = port
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            whole = end + 4 + int(_field(head, b"\r\ncontent-length:") or 0)
            if len(self._buffer) < whole:
                return
            self._buffer = self._buffer[whole:]
            if head.startswith(b"get "):
                self._control(head.split(b" ", 2)[1].decode())
            elif self._port in self._noted.hanging:
                self._noted.held.append(self._transport)
            else:
                self._noted.arrivals.append(
                    (_field(head, b"\r\nwebhook-id:").decode(), time.time())
                )
                self._transport.write(OK)

    def _control(self, path: str) -> None:
        name, _, ports = path.partition("?")
        if name == "/reset":
            self._noted.arrivals = []
            for transport in self._noted.held:
                transport.abort()
            self._noted.held = []
            self._noted.hanging = frozenset(int(port) for port in ports.split(",") if port)
        shown = self._noted.arrivals if name == "/log" else len(self._noted.arrivals)
        body = json.dumps(shown).encode()
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def _field(head: bytes, name: bytes) -> bytes:
    begin = head.find(name)
    if begin < 0:
        return b""
    begin += len(name)
    end = head.find(b"\r\n", begin)
    return head[begin : end if end >= 0 else len(head)].strip()


async def _serve(ports: Sequence[int]) -> None:
    noted, loop = _Noted(), asyncio.get_running_loop()

    for port in ports:

        def connected(port: int = port) -> _Connection:
            return _Connection(noted, port)

        await loop.create_server(connected, "127.0.0.1", port, backlog=512)
    await asyncio.Event().wait()


def main(arguments: Sequence[str]) -> None:
    asyncio.run(_serve([int(port) for port in arguments]))


if __name__ == "__main__":
    main(sys.argv[1:])
