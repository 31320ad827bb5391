"""Two web servers on loopback: a `Target` to be probed and a `Receiver` of webhooks.

Both record every request and answer with an `Answer` that a test may exchange at any time.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from werkzeug.datastructures import Headers

from .arrivals import Arrivals


@dataclass(frozen=True)
class Received:
    """A request as it came: `path` with its query string, `at` in `time.monotonic()` seconds."""

    method: str
    path: str
    headers: Headers
    body: bytes
    at: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server says: after `delay` seconds, with `drip` seconds before each byte of `body`.

    With `hang` it says nothing at all and keeps the connection open. `Content-Length` is the body's
    unless `headers` has another.
    """

    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    hang: bool = False


class _Site:
    """What `Target` and `Receiver` share: the address, the record, and the life of the threads."""

    def __init__(self) -> None:
        self._arrivals: Arrivals[Received] = Arrivals()
        self._listener = _Listener(self)
        self.stopping = threading.Event()

    @property
    def port(self) -> int:
        return self._listener.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Received]:
        return self._arrivals.so_far()

    def clear(self) -> None:
        """Forget the requests so far."""
        self._arrivals.clear()

    def wait_for(self, predicate: Callable[[Received], object], timeout: float = 10) -> Received:
        """Return the first request that `predicate` accepts; it may not be answered yet."""
        return self._arrivals.wait_for(predicate, timeout)

    def respond(self, request: Received) -> Answer:
        self._arrivals.add(request)
        return self._answer_for(request)

    def _answer_for(self, request: Received) -> Answer:
        raise NotImplementedError

    def _serve(self) -> threading.Thread:
        thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,))
        thread.start()
        return thread

    def _close(self, thread: threading.Thread) -> None:
        self.stopping.set()
        self._listener.shutdown()
        thread.join()
        self._listener.server_close()


class Target(_Site):
    """A site to be probed: a path answers as `set` last said, any other with 200 `ok`."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[str, Answer] = {}

    def set(self, path: str, answer: Answer) -> str:
        """Let `path` answer so from now on, and return its URL."""
        self._answers[path] = answer
        return self.url + path

    def count(self, path: str) -> int:
        return sum(request.path.partition("?")[0] == path for request in self.requests)

    def _answer_for(self, request: Received) -> Answer:
        return self._answers.get(request.path.partition("?")[0], Answer())


class Receiver(_Site):
    """A webhook's receiver: `answer` is an `Answer`, or is called with each request to make one."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Answer | Callable[[Received], Answer] = Answer()

    def _answer_for(self, request: Received) -> Answer:
        return self.answer if isinstance(self.answer, Answer) else self.answer(request)


@contextmanager
def target() -> Iterator[Target]:
    site = Target()
    thread = site._serve()
    try:
        yield site
    finally:
        site._close(thread)


@contextmanager
def receiver() -> Iterator[Receiver]:
    site = Receiver()
    thread = site._serve()
    try:
        yield site
    finally:
        site._close(thread)


class _Listener(ThreadingHTTPServer):
    # Not daemons, so that `server_close` joins them and none outlives its test.
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, site: _Site) -> None:
        self.site = site
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        # Threads of kept-alive connections wait for a next request that will not come.
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that gives up in the middle is what many tests are about.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def _handle(self) -> None:
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Received(
            self.command, self.path, Headers(self.headers.items()), body, time.monotonic()
        )
        self._send(self.server.site.respond(request))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _handle

    def _send(self, answer: Answer) -> None:
        stopping = self.server.site.stopping
        if answer.hang or answer.delay:
            stopping.wait(None if answer.hang else answer.delay)
        if answer.hang or stopping.is_set():
            self.close_connection = True
            return
        bodiless = answer.status in (204, 304)
        headers = Headers(dict(answer.headers))
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if not bodiless and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if bodiless or self.command == "HEAD":
            return
        if not answer.drip:
            self.wfile.write(answer.body)
            return
        for byte in answer.body:
            if stopping.wait(answer.drip):
                self.close_connection = True
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what came is in `requests`."""
