from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from flask_statuspage.outgoing import (
    AddressPolicy,
    Client,
    SendFailed,
)
from tests.servers.certificates import Certificate

from .failing import failure, lasting
from .peer import OK, Behaviour, Connection, Peer, answer_all, silent_port


@contextlib.contextmanager
def less_than(memory: int) -> Iterator[None]:
    """Require the block to take fewer bytes of memory at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()


def send_forever(head: bytes, piece: bytes) -> Behaviour:
    """Answer with `head` and then `piece` without end."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(head)
        while True:
            connection.send(piece)

    return behave


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1000\r\n" + b"x" * 4096 + b"\r\n",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
    ],
    ids=["length", "until-close", "chunked", "tiny-chunks"],
)
def test_a_huge_body_is_cut_at_the_read_limit(client: Client, head: bytes, piece: bytes) -> None:
    """Of 200 MB or an endless body the first bytes are kept and the connection is closed."""
    with Peer(send_forever(head, piece)) as peer, lasting(0, 4):
        for _ in range(2):
            answer = client.send("GET", peer.url, timeout=5, keep=16 * 1024)
            assert (answer.body, answer.truncated) == (b"x" * 16384, True)
        assert peer.accepted == 2


@pytest.mark.parametrize(
    ("size", "options", "kept", "truncated", "connections"),
    [
        (100, {"read_limit": 100, "keep": 100}, 100, False, 1),
        (101, {"read_limit": 100, "keep": 100}, 100, True, 1),
        (102, {"read_limit": 100, "keep": 100}, 100, True, 2),
        (100, {"read_limit": 100, "keep": 40}, 40, True, 1),
        (100, {"read_limit": 100, "keep": 0}, 0, True, 1),
        (0, {"read_limit": 0, "keep": 0}, 0, False, 1),
        (2, {"read_limit": 0}, 0, True, 2),
        (5000, {}, 4096, True, 1),
    ],
)
def test_read_limit_and_keep(
    client: Client,
    size: int,
    options: dict[str, int],
    kept: int,
    truncated: bool,
    connections: int,
) -> None:
    """read_limit decides what is read, keep what the answer holds of it."""
    answer_bytes = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    with Peer(answer_all(answer_bytes)) as peer:
        for _ in range(2):
            answer = client.send("GET", peer.url, timeout=5, **options)
            assert (len(answer.body), answer.truncated) == (kept, truncated)
        assert peer.accepted == connections


@cache
def gzip_bomb() -> bytes:
    return gzip.compress(gzip.compress(b"\x00" * 50_000_000, 1))


@cache
def deflate_bomb() -> bytes:
    return zlib.compress(b"\x00" * 50_000_000)


def noise() -> bytes:
    """What no decoder could read: where one is asked, the call fails."""
    return b"\xff\x00" * 5000


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        (b"gzip", gzip_bomb),
        (b"x-gzip", gzip_bomb),
        (b"gzip, gzip", gzip_bomb),
        (b"deflate", deflate_bomb),
        (b"br", noise),
        (b"zstd", noise),
        (b"no-such-thing", deflate_bomb),
        (b"gzip", noise),
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_bomb_is_not_unpacked(
    client: Client, encoding: bytes, bomb: Callable[[], bytes], chunked: bool
) -> None:
    """Whatever the encoding says, the body is the bytes that were sent, and takes no more memory than they."""
    packed = bomb()
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(packed)
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed), packed) if chunked else packed
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\n%b\r\n\r\n" % (encoding, framing)
    with Peer(answer_all(head + body)) as peer, less_than(1_000_000):
        answer = client.send("POST", peer.url, timeout=5, read_limit=100_000, keep=100_000)
    assert (answer.body, answer.truncated) == (packed, False)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n", b"x" * 65536),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"10000\r\n" + b"x" * 65536 + b"\r\n",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nbebc200\r\n", b"x" * 65536),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
            b"x" * 65536,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"x" * 60_000 + b"\r\n"),
        (b"", b"x" * 65536),
    ],
    ids=["length", "chunked", "one-chunk", "endless-chunk", "endless", "headers", "status-line"],
)
def test_a_flood_takes_little_memory(client: Client, head: bytes, piece: bytes) -> None:
    """200 MB and endless answers cost kilobytes of memory, and little is taken from the wire."""
    sent = []

    def behave(connection: Connection) -> None:
        connection.read_request()
        # Small buffers, so that what is counted is what was taken.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        connection.send(head)
        while sum(sent) < 200_000_000:
            connection.send(piece)
            sent.append(len(piece))

    with (
        Peer(behave) as peer,
        less_than(1_500_000),
        lasting(0, 4),
        contextlib.suppress(SendFailed),
    ):
        client.send("POST", peer.url, timeout=5)
    assert sum(sent) < 20_000_000


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000),
        (b"HTTP/1.1 103 Early Hints\r\n", b"Link: </x>\r\n" * 1000),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: b\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 65536),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"x" * 60_000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000),
        (b"", b"x" * 65536),
        # http.client takes a chunk of size -1 for "read to the end".
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"x" * 65536),
    ],
    ids=[
        "interim-answers",
        "early-hints",
        "headers-of-early-hints",
        "upgrade",
        "trailers",
        "chunk-extension",
        "chunk-size",
        "long-headers",
        "many-headers",
        "no-line-end",
        "chunk-of-minus-one",
    ],
)
def test_a_flood_is_cut(client: Client, head: bytes, piece: bytes) -> None:
    """A flood that is not body ends as a protocol failure and not only at the deadline."""
    with Peer(send_forever(head, piece)) as peer, lasting(0, 4):
        error = failure(client, peer.url, timeout=5)
    assert (error.kind, error.connected) == ("protocol", True)


# The deadline


def drip_all(connection: Connection) -> None:
    connection.read_request()
    connection.drip(OK * 20, pause=0.04)


def drip_body(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    connection.drip(b"x" * 500, pause=0.04)


def drip_chunks(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.drip(b"1\r\nx\r\n" * 500, pause=0.04)


def stop_in_body(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nxx")
    connection.hang()


@pytest.mark.parametrize(
    "behave", [Connection.hang, drip_all, drip_body, drip_chunks, stop_in_body]
)
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_the_deadline_is_total(
    client: Client, certificate: Certificate, behave: Behaviour, secure: bool
) -> None:
    """Silence and dripping, in head or body, with or without TLS, end at the deadline."""
    with Peer(behave, tls=certificate.server_context if secure else None) as peer:
        # Long enough for a handshake on a busy machine, and short beside what the peers would take.
        with lasting(0.95, 4):
            error = failure(client, peer.url, timeout=1, verify=False)
        assert (error.kind, error.connected) == ("timeout", True)
        assert 950 <= error.milliseconds <= 4000


def test_a_body_that_nobody_reads_ends_at_the_deadline(client: Client) -> None:
    """Sending a large body to a server that does not read it ends at the deadline."""
    with Peer(Connection.hang) as peer, lasting(0.3, 4):
        error = failure(client, peer.url, body=b"x" * 30_000_000, timeout=0.4)
    assert (error.kind, error.connected) == ("timeout", True)


def test_a_connection_that_hangs_ends_at_the_deadline(client: Client) -> None:
    """A port that swallows connection attempts is a timeout before the request."""
    with silent_port() as port, lasting(0.3, 4):
        error = failure(client, f"http://127.0.0.1:{port}/", timeout=0.4)
    assert (error.kind, error.connected) == ("timeout", False)


def test_a_handshake_that_hangs_ends_at_the_deadline(client: Client) -> None:
    """A server that never answers the TLS hello is a timeout before the request."""
    with Peer(Connection.hang) as peer, lasting(0.3, 4):
        error = failure(client, peer.url.replace("http:", "https:"), timeout=0.4)
    assert (error.kind, error.connected) == ("timeout", False)


def test_a_slow_resolver_ends_at_the_deadline(local_policy: AddressPolicy) -> None:
    """The look-up counts against the same deadline as the rest."""
    release = threading.Event()

    def slow(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        release.wait(10)
        return []

    with Client(local_policy, resolver=slow) as client, lasting(0.3, 4):
        error = failure(client, "http://slow.test/", timeout=0.4)
    release.set()
    assert (error.kind, error.connected) == ("timeout", False)
