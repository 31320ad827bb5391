from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from flask_statuspage.outgoing.deadline import BoundedSocket, Budget, TooManyBytes
from flask_statuspage.outgoing.pinned import tls_context
from tests.servers.certificates import Certificate

from .peer import Connection, Peer


@pytest.fixture
def pair() -> Iterator[tuple[BoundedSocket, socket.socket]]:
    left, right = socket.socketpair()
    with BoundedSocket(fileno=left.detach()) as bounded, right:
        yield bounded, right


def budget(seconds: float, count: int = 1_000_000) -> Budget:
    return Budget(time.monotonic() + seconds, count)


def drip(sock: socket.socket, stop: threading.Event, *, pause: float = 0.03) -> threading.Thread:
    """Send one byte per `pause` seconds until `stop`."""

    def work() -> None:
        while not stop.wait(pause):
            sock.sendall(b"x")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_budget_counts_time() -> None:
    """The seconds left are above zero until the deadline and an error after it."""
    limits = budget(0.5)
    assert 0 < limits.seconds() <= 0.5
    assert not limits.expired
    time.sleep(0.55)
    assert limits.expired
    with pytest.raises(TimeoutError):
        limits.seconds()


def test_a_budget_counts_bytes() -> None:
    """The last byte allowed passes, and the next one is an error."""
    limits = budget(5, 10)
    limits.spend(10)
    assert limits.received == 10
    with pytest.raises(TooManyBytes):
        limits.spend(1)


def test_a_dripping_peer_is_cut_at_the_deadline(
    pair: tuple[BoundedSocket, socket.socket],
) -> None:
    """Bytes that keep coming do not extend the deadline of a buffered read."""
    bounded, other = pair
    bounded.budget = budget(0.3)
    stop = threading.Event()
    thread = drip(other, stop)
    started = time.monotonic()
    with bounded.makefile("rb") as reader, pytest.raises(TimeoutError):
        reader.read(10_000)
    assert 0.25 < time.monotonic() - started < 3
    stop.set()
    thread.join()


def test_recv_keeps_to_the_budget_too(pair: tuple[BoundedSocket, socket.socket]) -> None:
    """recv() waits no longer than the deadline and counts what it gets."""
    bounded, other = pair
    bounded.budget = budget(0.5, 3)
    other.sendall(b"abc")
    assert bounded.recv(10) == b"abc"
    with pytest.raises(TimeoutError):
        bounded.recv(10)
    bounded.budget = budget(5, 3)
    other.sendall(b"abcd")
    with pytest.raises(TooManyBytes):
        bounded.recv(10)


def test_a_peer_that_does_not_read_is_cut(pair: tuple[BoundedSocket, socket.socket]) -> None:
    """Sending into a full buffer ends at the deadline."""
    bounded, _other = pair
    bounded.budget = budget(0.2)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        bounded.sendall(b"x" * 50_000_000)
    assert time.monotonic() - started < 3


def test_an_old_deadline_does_not_reach_the_next_exchange(
    pair: tuple[BoundedSocket, socket.socket],
) -> None:
    """A deadline that passed while the socket lay idle is gone with the next budget."""
    bounded, other = pair
    bounded.budget = budget(0.5)
    other.sendall(b"a")
    assert bounded.recv(1) == b"a"
    time.sleep(0.6)
    bounded.budget = budget(5)
    other.sendall(b"b")
    assert bounded.recv(1) == b"b"
    bounded.budget = None
    other.sendall(b"c")
    assert bounded.recv(1) == b"c"


def connect(peer: Peer, limits: Budget) -> ssl.SSLSocket:
    """Open a TLS connection the way the client does."""
    raw = BoundedSocket(socket.AF_INET, socket.SOCK_STREAM)
    raw.settimeout(limits.seconds())
    raw.connect(("127.0.0.1", peer.port))
    raw.settimeout(limits.seconds())
    try:
        wrapped = tls_context(False).wrap_socket(raw)
    except BaseException:
        raw.close()
        raise
    assert isinstance(wrapped, BoundedSocket)
    wrapped.budget = limits
    return wrapped


def test_tls_that_drips_whole_records_is_cut(certificate: Certificate) -> None:
    """One TLS record per pause does not extend the deadline."""

    def behave(connection: Connection) -> None:
        connection.drip(b"x" * 200, pause=0.03)

    with Peer(behave, tls=certificate.server_context) as peer:
        started = time.monotonic()
        with (
            connect(peer, budget(1)) as sock,
            sock.makefile("rb") as reader,
            pytest.raises(TimeoutError),
        ):
            reader.read(1000)
        assert 0.9 < time.monotonic() - started < 4


def test_tls_that_drips_inside_a_record_is_cut(certificate: Certificate) -> None:
    """Single bytes of one unfinished TLS record do not extend the deadline either."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = certificate.server_context.wrap_bio(incoming, outgoing, server_side=True)

    def behave(connection: Connection) -> None:
        while True:
            try:
                server.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.send(outgoing.read())
                incoming.write(connection.sock.recv(65536))
        connection.send(outgoing.read())
        server.write(b"x" * 200)
        connection.drip(outgoing.read(), pause=0.03)

    with Peer(behave) as peer:
        started = time.monotonic()
        with connect(peer, budget(1)) as sock, pytest.raises(TimeoutError):
            sock.recv(1000)
        assert 0.9 < time.monotonic() - started < 4


def test_a_handshake_that_drips_is_cut() -> None:
    """A server that sends its part of the handshake byte by byte is cut at the deadline."""
    # The head of a handshake record that announces 4,096 bytes.
    record = b"\x16\x03\x03\x10\x00" + b"\x02\x00\x0f\xfc" + b"\x03\x03" + b"\x00" * 4000

    def behave(connection: Connection) -> None:
        connection.sock.recv(65536)
        connection.drip(record, pause=0.03)

    with Peer(behave) as peer:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            connect(peer, budget(1))
        assert 0.9 < time.monotonic() - started < 4


def test_an_endless_head_is_cut_by_bytes(pair: tuple[BoundedSocket, socket.socket]) -> None:
    """A peer that floods is cut when the bytes are spent, long before the deadline."""
    bounded, other = pair
    bounded.budget = budget(10, 100_000)

    def flood() -> None:
        try:
            while True:
                other.sendall(b"x" * 65536)
        except OSError:
            pass

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    started = time.monotonic()
    with bounded.makefile("rb") as reader, pytest.raises(TooManyBytes):
        reader.read(10_000_000)
    assert time.monotonic() - started < 5
    bounded.shutdown(socket.SHUT_RDWR)
    thread.join(5)
