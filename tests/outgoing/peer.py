"""A loopback server whose every byte and pause a test decides."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from types import TracebackType

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Connection:
    """One accepted connection, with just enough HTTP to read requests."""

    def __init__(
        self, sock: socket.socket, requests: list[bytes], stopping: threading.Event
    ) -> None:
        self.sock = sock
        self.stopping = stopping
        self._requests = requests
        self._buffer = b""

    def read_request(self) -> bytes | None:
        """Return head and body of the next request; None at the end of the connection."""
        while b"\r\n\r\n" not in self._buffer:
            data = self.sock.recv(65536)
            if not data:
                return None
            self._buffer += data
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(rest) < length:
            rest += self.sock.recv(65536)
        self._buffer = rest[length:]
        request = head + b"\r\n\r\n" + rest[:length]
        self._requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, *, pause: float) -> None:
        """Send one byte per `pause` seconds."""
        for byte in data:
            self.send(bytes([byte]))
            if self.stopping.wait(pause):
                return

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self.stopping.wait(30)


Behaviour = Callable[[Connection], None]


def answer_all(answer: bytes = OK) -> Behaviour:
    """Keep the connection alive and give each request the same answer."""

    def behave(connection: Connection) -> None:
        while connection.read_request() is not None:
            connection.send(answer)

    return behave


def answer_once(answer: bytes) -> Behaviour:
    """Answer one request and close."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(answer)

    return behave


class Peer:
    """Listens on loopback and lets `behave` handle each connection in a thread."""

    def __init__(
        self,
        behave: Behaviour,
        *,
        tls: ssl.SSLContext | None = None,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> None:
        self.accepted = 0
        self.requests: list[bytes] = []
        self.server_names: list[str | None] = []
        self._behave = behave
        self._tls = tls
        self._stopping = threading.Event()
        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self._socket = socket.create_server((host, 0), family=family, backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/hook"

    def __enter__(self) -> Peer:
        self._listener.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        # shutdown() wakes a blocked accept() and recv(); close() alone would not.
        for sock in [self._socket, *self._sockets]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in [self._listener, *self._threads]:
            thread.join(5)
        for sock in [self._socket, *self._sockets]:
            sock.close()

    def stop_listening(self) -> None:
        """Refuse new connections; those that stand go on."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._listener.join(5)
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                sock, _ = self._socket.accept()
            except OSError:
                return
            self.accepted += 1
            self._sockets.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                self._tls.sni_callback = lambda _sock, name, _context: self._note(name)
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
            stack.callback(sock.close)
            self._behave(Connection(sock, self.requests, self._stopping))

    def _note(self, name: str | None) -> None:
        self.server_names.append(name)


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


@contextlib.contextmanager
def silent_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port whose queue of connections is full, so that connecting hangs."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, port), backlog=0))
        place = listener.getsockname()
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(place)
        yield place[1]
