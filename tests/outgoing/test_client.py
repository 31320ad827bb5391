from __future__ import annotations

import contextlib
import gzip
import os
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage.outgoing import (
    AddressPolicy,
    AddressRefused,
    Client,
    SendFailed,
    check_headers,
    pinned,
)

from .conftest import Certificate
from .peer import OK, Behaviour, Connection, Peer, answer_all, answer_once, closed_port, silent_port


def failure(client: Client, url: str, **options: Any) -> SendFailed:
    """Send, expect a failure and return it."""
    options.setdefault("timeout", 5)
    with pytest.raises(SendFailed) as caught:
        client.send("GET", url, **options)
    return caught.value


@contextlib.contextmanager
def lasting(least: float, most: float) -> Iterator[None]:
    """Require the block to take between so many seconds."""
    started = time.monotonic()
    yield
    assert least <= time.monotonic() - started <= most


# What is sent and what comes back


def test_a_post_arrives_as_given(client: Client) -> None:
    """Method, path, query, headers and the exact bytes of the body reach the server."""
    with Peer(answer_all()) as peer:
        answer = client.send(
            "POST",
            peer.url + "?a=%2F&b=~",
            headers={"Content-Type": "application/json", "webhook-id": "msg_1"},
            body=b'{"a": "\xc3\xa4"}',
            timeout=5,
        )
    assert (answer.status, answer.body, answer.truncated) == (200, b"ok", False)
    assert 0 < answer.milliseconds < 5000
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hook?a=%2F&b=~ HTTP/1.1"
    assert body == b'{"a": "\xc3\xa4"}'
    assert {line.lower() for line in lines[1:]} == {
        f"host: 127.0.0.1:{peer.port}",
        "user-agent: flask-statuspage",
        "accept: */*",
        "accept-encoding: identity",
        "content-type: application/json",
        "content-length: 11",
        "webhook-id: msg_1",
    }


def test_headers_of_the_caller_win_except_the_encoding(local_policy: AddressPolicy) -> None:
    """A caller may set its own User-Agent but cannot ask for a packed body."""
    with Client(local_policy, user_agent="Page/1") as client, Peer(answer_all()) as peer:
        client.send("GET", peer.url, timeout=5)
        client.send(
            "GET", peer.url, headers={"user-agent": "x", "accept-encoding": "gzip"}, timeout=5
        )
    assert b"User-Agent: Page/1\r\n" in peer.requests[0]
    assert b"user-agent: x\r\n" in peer.requests[1].lower()
    assert b"gzip" not in peer.requests[1]


@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT", "DELETE", "POST"])
def test_a_real_http_server_is_understood(client: Client, method: str) -> None:
    """The answers of http.server come back with status, headers in any case, and body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(503)
            self.send_header("Retry-After", "120")
            self.send_header("Content-Length", "4")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"down")

        do_HEAD = do_GET = do_PUT = do_DELETE = do_POST = handle_any

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        body = b"x" if method in ("PUT", "POST") else None
        answer = client.send(method, url, body=body, timeout=5)
        client.close()
        server.shutdown()
    assert answer.status == 503
    assert answer.headers["retry-after"] == "120"
    assert answer.body == (b"" if method == "HEAD" else b"down")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "a\r\nX-B: b"},
        {"X-A": "a\nb"},
        {"X-A": "a\rb"},
        {"X-A": "a\x00b"},
        {"X-A": " a"},
        {"X-A": "a\n"},
        {"X-A": "€"},
        {"X-A\r\nX-B": "b"},
        {"X-A:": "b"},
        {"X A": "b"},
        {"": "b"},
        {"Content-Length": "3"},
        {"transfer-encoding": "chunked"},
        {"Connection": "upgrade"},
    ],
)
def test_a_header_that_could_split_the_request_is_refused(
    client: Client, headers: dict[str, str]
) -> None:
    """Line breaks, control characters and framing headers are refused before anything is sent."""
    with pytest.raises(ValueError, match="header"):
        check_headers(headers)
    with Peer(answer_all()) as peer:
        with pytest.raises(ValueError, match="header"):
            client.send("GET", peer.url, headers=headers, timeout=5)
        assert peer.accepted == 0


def test_an_argument_that_cannot_be_sent_is_refused(client: Client) -> None:
    """A method with a line break, no time and limits below zero are refused."""
    for method, options in [
        ("GET /\r\n", {"timeout": 5}),
        ("", {"timeout": 5}),
        ("GET", {"timeout": 0}),
        ("GET", {"timeout": 5, "keep": -1}),
        ("GET", {"timeout": 5, "read_limit": -1}),
    ]:
        with pytest.raises(ValueError, match=r"must|method"):
            client.send(method, "http://127.0.0.1:1/", **options)


def test_a_redirect_is_an_answer(client: Client) -> None:
    """A redirect is returned, not followed, and the connection is kept."""
    with Peer(answer_all()) as other:
        location = f"Location: {other.url}".encode()
        redirect = b"HTTP/1.1 302 Found\r\n" + location + b"\r\nContent-Length: 2\r\n\r\nno"
        with Peer(answer_all(redirect)) as peer:
            for _ in range(2):
                answer = client.send("GET", peer.url, timeout=5)
                assert (answer.status, answer.headers["Location"]) == (302, other.url)
            assert peer.accepted == 1
        assert other.accepted == 0


def test_the_body_of_a_redirect_is_not_swallowed(client: Client) -> None:
    """A redirect with an endless packed body is cut like any other answer."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(
            b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Encoding: gzip\r\n"
            b"Content-Length: 200000000\r\n\r\n"
        )
        while True:
            connection.send(b"x" * 65536)

    with Peer(behave) as peer, lasting(0, 1):
        answer = client.send("GET", peer.url, timeout=5)
    assert (answer.status, answer.truncated) == (302, True)


def test_cookies_are_not_kept(client: Client) -> None:
    """A cookie that a server sets is not sent back."""
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\nok"
    with Peer(answer_all(cookie)) as peer:
        for _ in range(2):
            client.send("GET", peer.url, timeout=5)
        assert b"cookie" not in peer.requests[1].lower()


def test_the_environment_is_not_trusted(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Proxies and the .netrc of the environment are ignored."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    with Peer(answer_all()) as proxy, Peer(answer_all()) as peer:
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.upper(), proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        client.send("GET", peer.url, timeout=5)
        assert proxy.accepted == 0
        assert b"authorization" not in peer.requests[0].lower()


# Connections


def test_a_connection_is_reused(client: Client) -> None:
    """Twenty requests one after another take one connection."""
    with Peer(answer_all()) as peer:
        for _ in range(20):
            client.send("POST", peer.url, body=b"x", timeout=5)
        assert (peer.accepted, len(peer.requests)) == (1, 20)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n" + b"x" * 16384,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
)
def test_every_complete_answer_keeps_the_connection(client: Client, answer: bytes) -> None:
    """Empty, chunked and just fitting bodies leave the connection usable."""
    with Peer(answer_all(answer)) as peer:
        for _ in range(3):
            client.send("GET", peer.url, timeout=5)
        assert peer.accepted == 1


def test_an_expired_deadline_does_not_kill_the_next_request(client: Client) -> None:
    """A connection is reused after the deadline of the call before has passed."""
    with Peer(answer_all()) as peer:
        client.send("GET", peer.url, timeout=0.2)
        time.sleep(0.3)
        assert client.send("GET", peer.url, timeout=5).status == 200
        assert peer.accepted == 1


def test_a_slow_answer_after_a_short_deadline_is_waited_for(client: Client) -> None:
    """The deadline of an earlier call does not cut a later, slower one on its connection."""
    pauses = iter([0.0, 0.5])

    def behave(connection: Connection) -> None:
        while connection.read_request() is not None:
            time.sleep(next(pauses))
            connection.send(OK)

    with Peer(behave) as peer:
        client.send("GET", peer.url, timeout=0.3)
        assert client.send("GET", peer.url, timeout=5).status == 200
        assert peer.accepted == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_connection_closed_meanwhile_is_not_the_servers_fault(
    client: Client, method: str
) -> None:
    """A safe request on a connection that the server drops is sent again on a new one."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        connection.read_request()

    with Peer(behave) as peer:
        client.send(method, peer.url, timeout=5)
        assert client.send(method, peer.url, timeout=5).status == 204
        assert peer.accepted == 2


def test_a_post_is_never_sent_twice(client: Client) -> None:
    """A POST on a connection that the server drops fails: it may have been received."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(OK)
        connection.read_request()

    with Peer(behave) as peer:
        client.send("POST", peer.url, body=b"1", timeout=5)
        with pytest.raises(SendFailed) as caught:
            client.send("POST", peer.url, body=b"2", timeout=5)
        assert (caught.value.kind, caught.value.connected) == ("protocol", True)
        assert [request[-1:] for request in peer.requests] == [b"1", b"2"]


def test_a_get_on_a_new_connection_is_not_repeated(client: Client) -> None:
    """A server that drops a first request is reported and not asked again."""

    def behave(connection: Connection) -> None:
        connection.read_request()

    with Peer(behave) as peer:
        error = failure(client, peer.url)
        assert (error.kind, error.connected) == ("protocol", True)
        assert peer.accepted == 1


def test_an_old_idle_connection_is_not_trusted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that lay idle too long is replaced."""
    monkeypatch.setattr(pinned, "IDLE_SECONDS", 0.1)
    with Peer(answer_all()) as peer:
        client.send("GET", peer.url, timeout=5)
        client.send("GET", peer.url, timeout=5)
        assert peer.accepted == 1
        time.sleep(0.15)
        client.send("GET", peer.url, timeout=5)
        assert peer.accepted == 2


def test_one_client_serves_many_threads(client: Client) -> None:
    """32 threads get each its own answer and share at most 32 connections."""

    def behave(connection: Connection) -> None:
        while (request := connection.read_request()) is not None:
            body = request.partition(b"\r\n\r\n")[2]
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def work(number: int) -> bool:
        bodies = [f"{number}-{turn}".encode() * 50 for turn in range(20)]
        return all(
            client.send("POST", peer.url, body=body, timeout=10).body == body for body in bodies
        )

    with Peer(behave) as peer, ThreadPoolExecutor(32) as pool:
        assert all(pool.map(work, range(32)))
        assert len(peer.requests) == 640
        assert peer.accepted <= 32


def test_hanging_servers_do_not_delay_healthy_ones(client: Client) -> None:
    """While 30 calls wait for servers that never answer, another is answered at once."""
    with (
        Peer(Connection.hang) as stuck,
        Peer(answer_all()) as healthy,
        ThreadPoolExecutor(30) as pool,
    ):
        waiting = [pool.submit(failure, client, stuck.url, timeout=0.8) for _ in range(30)]
        for _ in range(20):
            assert client.send("GET", healthy.url, timeout=5).milliseconds < 300
        assert {call.result().kind for call in waiting} == {"timeout"}
        assert max(call.result().milliseconds for call in waiting) < 1300


# Limits


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
    with Peer(send_forever(head, piece)) as peer, lasting(0, 1):
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


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip"])
def test_a_packed_body_is_not_unpacked(client: Client, encoding: bytes) -> None:
    """A gzip bomb comes back as the bytes that were sent."""
    bomb = gzip.compress(b"\x00" * 10_000_000)[:10_000]
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    with Peer(answer_all(head % (encoding, len(bomb)) + bomb)) as peer:
        assert client.send("GET", peer.url, timeout=5, keep=20_000).body == bomb


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"x" * 60_000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000),
        (b"", b"x" * 65536),
        # http.client takes a chunk of size -1 for "read to the end".
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"x" * 65536),
    ],
    ids=["interim-answers", "long-headers", "many-headers", "no-line-end", "chunk-of-minus-one"],
)
def test_a_flood_is_cut(client: Client, head: bytes, piece: bytes) -> None:
    """A flood that is not body ends as a protocol failure and not only at the deadline."""
    with Peer(send_forever(head, piece)) as peer, lasting(0, 1.5):
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
        with lasting(0.35, 0.9):
            error = failure(client, peer.url, timeout=0.4, verify=False)
        assert (error.kind, error.connected) == ("timeout", True)
        assert 350 <= error.milliseconds <= 900


def test_a_body_that_nobody_reads_ends_at_the_deadline(client: Client) -> None:
    """Sending a large body to a server that does not read it ends at the deadline."""
    with Peer(Connection.hang) as peer, lasting(0.3, 0.9):
        error = failure(client, peer.url, body=b"x" * 30_000_000, timeout=0.4)
    assert (error.kind, error.connected) == ("timeout", True)


def test_a_connection_that_hangs_ends_at_the_deadline(client: Client) -> None:
    """A port that swallows connection attempts is a timeout before the request."""
    with silent_port() as port, lasting(0.3, 0.9):
        error = failure(client, f"http://127.0.0.1:{port}/", timeout=0.4)
    assert (error.kind, error.connected) == ("timeout", False)


def test_a_handshake_that_hangs_ends_at_the_deadline(client: Client) -> None:
    """A server that never answers the TLS hello is a timeout before the request."""
    with Peer(Connection.hang) as peer, lasting(0.3, 0.9):
        error = failure(client, peer.url.replace("http:", "https:"), timeout=0.4)
    assert (error.kind, error.connected) == ("timeout", False)


def test_a_slow_resolver_ends_at_the_deadline(local_policy: AddressPolicy) -> None:
    """The look-up counts against the same deadline as the rest."""
    release = threading.Event()

    def slow(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        release.wait(10)
        return []

    with Client(local_policy, resolver=slow) as client, lasting(0.3, 0.9):
        error = failure(client, "http://slow.test/", timeout=0.4)
    release.set()
    assert (error.kind, error.connected) == ("timeout", False)


# Failures


def test_a_closed_port_is_a_connect_failure(client: Client) -> None:
    """Nobody listening is kind connect, and the message says nothing about it."""
    error = failure(client, f"http://127.0.0.1:{closed_port()}/")
    assert (error.kind, error.connected) == ("connect", False)
    assert "127" not in str(error)
    assert "refused" not in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"\x16\x03\x01\x00\x00",
    ],
)
def test_a_broken_answer_is_a_protocol_failure(client: Client, answer: bytes) -> None:
    """What is not HTTP, or less than announced, is kind protocol."""
    with Peer(answer_once(answer)) as peer:
        error = failure(client, peer.url)
    assert (error.kind, error.connected) == ("protocol", True)


def test_a_failed_call_leaves_no_socket_open(client: Client) -> None:
    """The connection is closed at once, not when the garbage collector comes by."""
    closed = threading.Event()

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nshort")
        if connection.sock.recv(10) == b"":
            closed.set()

    with Peer(behave) as peer:
        error = failure(client, peer.url)
        assert error.kind == "protocol"
        assert closed.wait(2)


@pytest.mark.parametrize(
    ("url", "reason"),
    [("https://10.0.0.1/", "address"), ("http://a.com/", "scheme"), ("https://a/", "hostname")],
)
def test_a_refused_address_is_not_called(url: str, reason: str) -> None:
    """The guard judges at every send; its reason is the cause of the failure."""
    with Client(AddressPolicy()) as client:
        error = failure(client, url)
    assert (error.kind, error.connected) == ("refused_address", False)
    assert isinstance(error.__cause__, AddressRefused)
    assert error.__cause__.reason == reason


def resolver_of(*answers: list[str]) -> Any:
    """A resolver that gives these answers one after another, the last one for ever."""
    left = list(answers)

    def resolver(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        ips = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, type, 6, "", (ip, port)) for ip in ips]

    return resolver


def test_a_name_that_turns_inward_is_not_called() -> None:
    """A name that was public when saved and leads to loopback now is refused."""
    with Peer(answer_all()) as peer:
        policy = AddressPolicy(allow_http=True, ports=frozenset({peer.port}))
        for answers in (["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]):
            with Client(policy, resolver=resolver_of(answers)) as client:
                error = failure(client, f"http://rebind.com:{peer.port}/")
            assert (error.kind, error.connected) == ("refused_address", False)
        assert peer.accepted == 0


def test_the_name_is_resolved_once_per_connection(local_policy: AddressPolicy) -> None:
    """The connection goes to what was vetted: a second, different answer is never asked for."""
    resolver = resolver_of(["127.0.0.1"], ["169.254.169.254"])
    with Peer(answer_all()) as peer, Client(local_policy, resolver=resolver) as client:
        for _ in range(3):
            url = f"http://rebind.com:{peer.port}/"
            assert client.send("GET", url, timeout=5).status == 200
        assert (peer.accepted, len(peer.requests)) == (1, 3)
        assert f"Host: rebind.com:{peer.port}".encode() in peer.requests[0]
        client.close()
        assert failure(client, url).kind == "refused_address"


def test_the_next_address_is_tried(local_policy: AddressPolicy) -> None:
    """If the first vetted address does not accept, the second is used."""
    resolver = resolver_of(["127.0.0.2", "127.0.0.1"])
    with Peer(answer_all()) as peer, Client(local_policy, resolver=resolver) as client:
        assert client.send("GET", f"http://two.test:{peer.port}/", timeout=5).status == 200


def test_an_address_that_hangs_leaves_time_for_the_next(local_policy: AddressPolicy) -> None:
    """An address that swallows connections takes its share of the time and no more."""
    resolver = resolver_of(["127.0.0.2", "127.0.0.1"])
    with (
        Peer(answer_all()) as peer,
        silent_port("127.0.0.2", peer.port),
        Client(local_policy, resolver=resolver) as client,
    ):
        answer = client.send("GET", f"http://two.test:{peer.port}/", timeout=2)
    assert 900 < answer.milliseconds < 1500


def test_an_ipv6_literal_is_called(client: Client) -> None:
    """An IPv6 address is connected to and written in brackets in the Host header."""
    try:
        peer = Peer(answer_all(), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with peer:
        assert client.send("GET", f"http://[0:0::1]:{peer.port}/", timeout=5).status == 200
    assert f"\r\nHost: [::1]:{peer.port}\r\n".encode() in peer.requests[0]


def test_an_unknown_name_is_a_dns_failure(local_policy: AddressPolicy) -> None:
    """A name without an answer is kind dns."""

    def unknown(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    with Client(local_policy, resolver=unknown) as client:
        error = failure(client, "http://nowhere.test/")
    assert (error.kind, error.connected) == ("dns", False)


# TLS


def test_tls_is_verified(client: Client, certificate: Certificate) -> None:
    """A self-signed certificate is kind tls, and nothing is sent to its server."""
    with Peer(answer_all(), tls=certificate.server_context) as peer:
        error = failure(client, peer.url)
        assert (error.kind, error.connected) == ("tls", False)
        assert peer.requests == []


def test_tls_is_verified_against_the_name(
    local_policy: AddressPolicy, certificate: Certificate
) -> None:
    """The certificate must fit the host name, which is also sent as SNI."""
    resolver = resolver_of(["127.0.0.1"])
    with (
        Peer(answer_all(), tls=certificate.server_context) as peer,
        Client(local_policy, resolver=resolver) as client,
    ):
        good, bad = (f"https://{host}:{peer.port}/" for host in ("localhost", "other.test"))
        for _ in range(2):
            assert client.send("GET", good, timeout=5, verify=certificate.path).status == 200
        assert peer.accepted == 1
        assert failure(client, bad, verify=certificate.path).kind == "tls"
        assert peer.server_names == ["localhost", "other.test"]


@pytest.mark.filterwarnings("error")
def test_an_unverified_connection_is_never_used_for_a_verified_call(
    client: Client, certificate: Certificate
) -> None:
    """verify=False works without a warning, and its connection is not reused with verify=True."""
    with Peer(answer_all(), tls=certificate.server_context) as peer:
        assert client.send("GET", peer.url, timeout=5, verify=False).status == 200
        assert failure(client, peer.url).kind == "tls"
        assert client.send("GET", peer.url, timeout=5, verify=False).status == 200
        assert len(peer.requests) == 2


def test_plain_http_on_a_tls_port_is_a_tls_failure(client: Client) -> None:
    """A server that does not speak TLS is kind tls."""

    def behave(connection: Connection) -> None:
        connection.sock.recv(10)
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Peer(behave) as peer:
        error = failure(client, peer.url.replace("http:", "https:"))
    assert (error.kind, error.connected) == ("tls", False)


# Processes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_opens_its_own_connections(client: Client, certificate: Certificate) -> None:
    """Parent and child use the same client after a fork without sharing a connection."""
    for tls in (None, certificate.server_context):
        with Peer(answer_all(), tls=tls) as peer:
            assert client.send("GET", peer.url, timeout=5, verify=False).status == 200
            with warnings.catch_warnings():
                # Since Python 3.12 a fork beside threads warns; the peer has threads.
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if child == 0:
                code = 1
                with contextlib.suppress(BaseException):
                    client.send("GET", peer.url, timeout=5, verify=False)
                    client.send("GET", peer.url, timeout=5, verify=False)
                    code = 0
                os._exit(code)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert peer.accepted == 2
            client.send("GET", peer.url, timeout=5, verify=False)
            assert peer.accepted == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_hold_connections_open(client: Client) -> None:
    """A connection that the parent closes is closed although a child inherited it."""
    closed = threading.Event()

    def behave(connection: Connection) -> None:
        answer_all()(connection)
        closed.set()

    with Peer(behave) as peer:
        client.send("GET", peer.url, timeout=5)
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        client.close()
        seen = closed.wait(2)
        os.close(writer)
        os.close(reader)
        os.waitpid(child, 0)
        assert seen


def test_lookups_work_after_a_fork_during_a_lookup() -> None:
    """A child forked while the parent's look-up threads are busy can look names up."""
    program = """
import os, threading, time
from flask_statuspage.outgoing import AddressPolicy, AddressRefused, resolve

policy = AddressPolicy(allow_private=True)
release = threading.Event()

def stuck(host, port, *, type):
    release.wait(10)
    return []

def wait():
    try:
        resolve("stuck.test", 1, policy, deadline=time.monotonic() + 5, resolver=stuck)
    except AddressRefused:
        pass

# One thread is idle at the fork and one busy; the child has neither.
resolve("localhost", 1, policy, deadline=time.monotonic() + 3)
thread = threading.Thread(target=wait)
thread.start()
resolve("localhost", 1, policy, deadline=time.monotonic() + 3)
time.sleep(0.1)
child = os.fork()
found = resolve("localhost", 1, policy, deadline=time.monotonic() + 3)
if child == 0:
    os._exit(0 if found else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
release.set()
thread.join()
"""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        check=True,
        timeout=15,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
