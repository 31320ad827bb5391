"""A crowd of webhook receivers in a process of its own, each on its own port with its own manners.

This file is also the program of that process and imports nothing but the standard library. It reads one JSON document
on its first line, the receivers' manners, and then commands; each is answered by one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 0.2
"""How long an answer takes: so much of a send is in flight when its worker dies."""

FLOOD_BYTES = 200_000_000
DRIP_SECONDS = 0.3

HEALTHY = frozenset({"well", "flaky", "mending", "flooding"})
"""Those that take every event in the end: ``flaky`` fails every other event once, ``mending`` fails until it is told to
mend, ``flooding`` says 200 and goes on talking."""

MANNERS = HEALTHY | {"failing", "gone", "hanging", "dripping", "redirecting"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as its receiver saw it; instants are ``time.time()``.

    :param receiver: its place in the crowd. :param status: what was answered; None: nothing was.
    """

    receiver: int
    method: str
    path: str
    headers: dict[str, str]
    body: str
    arrived: float
    answered: float | None
    status: int | None

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def was_taken(self) -> bool:
        return self.status == 200


class Crowd:
    """The receivers' process, seen from the test."""

    def __init__(self, process: subprocess.Popen[str], manners: Sequence[str]) -> None:
        self._process = process
        self.manners = list(manners)
        self.ports: list[int] = self._ask(json.dumps(self.manners))

    def url(self, receiver: int) -> str:
        return f"http://127.0.0.1:{self.ports[receiver]}{path_of(receiver)}"

    def busy(self) -> set[int]:
        """The callers' ports of requests that healthy receivers have taken in and not answered yet."""
        return set(self._ask("busy"))

    def mend(self) -> None:
        """Let those that are ``mending`` be well from now on."""
        self._ask("mend")

    def requests(self) -> list[Request]:
        return [Request(**item) for item in self._ask("log")]

    def _ask(self, command: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def crowd(manners: Sequence[str]) -> Iterator[Crowd]:
    """Receivers with these *manners*, until the block ends."""
    assert set(manners) <= MANNERS
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
    ) as process:
        try:
            yield Crowd(process, manners)
        finally:
            assert process.stdin is not None
            process.stdin.close()  # it ends by itself, also when this process dies
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def path_of(receiver: int) -> str:
    return f"/receiver/{receiver}"


class _Receivers:
    """What runs in the process."""

    def __init__(self, manners: list[str]) -> None:
        self._manners = manners
        self._log: list[dict[str, Any]] = []
        self._seen: dict[str, int] = {}
        self._busy: set[int] = set()
        self._mended = False
        self._ports: list[int] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> list[int]:
        for place in range(len(self._manners)):
            server = await asyncio.start_server(self._handler(place), "127.0.0.1", 0, backlog=512)
            self._ports.append(server.sockets[0].getsockname()[1])
            self._tasks.add(asyncio.create_task(server.serve_forever()))
        return self._ports

    async def obey(self, command: str) -> Any:
        if command == "mend":
            self._mended = True
        return {"busy": list(self._busy), "mend": True, "log": self._log}[command]

    def _handler(self, place: int) -> Any:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # A client that is killed breaks its connections, at whatever point.
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    entry = await _read(reader, place)
                    self._log.append(entry)
                    await self._answer(entry, reader, writer)
            writer.close()

        return serve

    async def _answer(
        self, entry: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        manner = self._manners[entry["receiver"]]
        if manner == "hanging":
            await reader.read()
            raise ConnectionError
        caller = writer.get_extra_info("peername")[1]
        if manner in HEALTHY:
            self._busy.add(caller)
        try:
            await asyncio.sleep(ANSWER_SECONDS)
            status = self._status(manner, entry["headers"].get("webhook-id", ""))
            size = {"flooding": FLOOD_BYTES, "dripping": 1000}.get(manner, 2)
            # Whoever followed it would bring one receiver's message to another.
            elsewhere = f"Location: http://127.0.0.1:{self._ports[0]}/stolen\r\n"
            more = elsewhere if manner == "redirecting" else ""
            head = f"HTTP/1.1 {status} Answer\r\n{more}Content-Length: {size}\r\n\r\n"
            writer.write(head.encode())
            if manner == "dripping":
                await _drip(writer, size)
            if manner == "flooding":
                # What it answered counts from its head on.
                entry["status"], entry["answered"] = status, time.time()
                await _flood(writer, size)
            writer.write(b"ok")
            await writer.drain()
            entry["status"], entry["answered"] = status, time.time()
        finally:
            self._busy.discard(caller)

    def _status(self, manner: str, id_: str) -> int:
        times = self._seen[id_] = self._seen.get(id_, 0) + 1
        if manner == "flaky":
            return 500 if times == 1 and int(id_[-1], 16) % 2 else 200
        if manner == "mending":
            return 200 if self._mended else 500
        return {"failing": 500, "gone": 410, "redirecting": 302}.get(manner, 200)


async def _read(reader: asyncio.StreamReader, place: int) -> dict[str, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = head.rstrip("\r\n").split("\r\n")
    method, path, _ = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return {
        "receiver": place,
        "method": method,
        "path": path,
        "headers": headers,
        "body": body.decode(),
        "arrived": time.time(),
        "answered": None,
        "status": None,
    }


async def _drip(writer: asyncio.StreamWriter, size: int) -> None:
    for _ in range(size):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)


async def _flood(writer: asyncio.StreamWriter, size: int) -> None:
    piece = b"x" * 65536
    for _ in range(size // len(piece)):
        writer.write(piece)
        await writer.drain()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    receivers = _Receivers(json.loads(sys.stdin.readline()))
    print(json.dumps(await receivers.listen()), flush=True)
    ended = asyncio.Event()

    def converse() -> None:
        for line in sys.stdin:
            answer = asyncio.run_coroutine_threadsafe(receivers.obey(line.strip()), loop).result()
            print(json.dumps(answer), flush=True)
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=converse, daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(_main())
