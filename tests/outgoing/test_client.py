from __future__ import annotations

import math
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flask_statuspage.outgoing import (
    AddressPolicy,
    AddressRefused,
    Client,
    check_headers,
)

from .failing import failure, lasting
from .peer import Connection, Peer, answer_all, answer_once, closed_port, silent_port


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
        {"Host": "inside.example.com"},
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
        ("GET", {"timeout": math.nan}),
        ("GET", {"timeout": math.inf}),
        ("GET", {"timeout": 5, "keep": -1}),
        ("GET", {"timeout": 5, "read_limit": -1}),
    ]:
        with pytest.raises(ValueError, match=r"must|method"):
            client.send(method, "http://127.0.0.1:1/", **options)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_is_an_answer(client: Client, status: int, method: str) -> None:
    """A redirect of every kind is returned, not followed, whatever its address, and the connection is kept."""
    with Peer(answer_all()) as other:
        for location in (other.url, f"//127.0.0.1:{other.port}/", "http://169.254.169.254/", "/x"):
            redirect = (
                f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nRefresh: 0;{location}\r\n"
            )
            with Peer(answer_all(redirect.encode() + b"Content-Length: 2\r\n\r\nno")) as peer:
                for _ in range(2):
                    answer = client.send(method, peer.url, timeout=5)
                    assert (answer.status, answer.headers["Location"]) == (status, location)
                assert (peer.accepted, len(peer.requests)) == (1, 2)
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

    with Peer(behave) as peer, lasting(0, 4):
        answer = client.send("GET", peer.url, timeout=5)
    assert (answer.status, answer.truncated) == (302, True)


def test_cookies_are_not_kept(client: Client) -> None:
    """A cookie that a server sets is not sent back."""
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\nok"
    with Peer(answer_all(cookie)) as peer:
        for _ in range(2):
            client.send("GET", peer.url, timeout=5)
        assert b"cookie" not in peer.requests[1].lower()


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
    assert 900 < answer.milliseconds < 2000


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
