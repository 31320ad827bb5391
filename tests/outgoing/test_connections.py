from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from flask_statuspage.outgoing import (
    Client,
    SendFailed,
    pinned,
)
from tests.servers.certificates import Certificate

from .failing import failure
from .peer import OK, Connection, Peer, answer_all


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
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n" + b"x" * 16384,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 102 Processing\r\n\r\n" * 3
        + b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        + OK,
    ],
)
def test_every_complete_answer_keeps_the_connection(client: Client, answer: bytes) -> None:
    """Empty, chunked and just fitting bodies leave the connection usable."""
    with Peer(answer_all(answer)) as peer:
        for _ in range(3):
            client.send("GET", peer.url, timeout=5)
        assert peer.accepted == 1


def test_an_interim_answer_is_not_the_answer(client: Client) -> None:
    """Early hints are passed over, and no later request gets the answer of an earlier one."""
    numbers = iter(range(10))

    def behave(connection: Connection) -> None:
        while connection.read_request() is not None:
            connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
            time.sleep(0.05)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % next(numbers))

    with Peer(behave) as peer:
        for number in range(3):
            answer = client.send("POST", peer.url, timeout=5)
            assert (answer.status, answer.body) == (200, b"%d" % number)
            assert "Link" not in answer.headers
        assert peer.accepted == 1


def test_an_answer_to_nobody_is_thrown_away(client: Client) -> None:
    """A second answer behind the first is never taken for that of the next request."""

    def behave(connection: Connection) -> None:
        while connection.read_request() is not None:
            connection.send(OK)
            connection.send(b"HTTP/1.1 500 Forged\r\nContent-Length: 0\r\n\r\n")

    with Peer(behave) as peer:
        for _ in range(3):
            assert client.send("GET", peer.url, timeout=5).status == 200
            time.sleep(0.05)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_body_that_may_not_be_is_nobodys_answer(client: Client, head: bytes) -> None:
    """Where one is announced all the same it may come late: no other call gets that connection."""

    def behave(connection: Connection) -> None:
        if b"/first" in (connection.read_request() or b""):
            connection.send(head)
            if connection.read_request() is None:
                return
            connection.send(b"ok")
        connection.send(OK)

    with Peer(behave) as peer:
        first = client.send("POST", peer.url.replace("/hook", "/first"), timeout=5)
        assert (first.body, first.truncated) == (b"", False)
        assert client.send("POST", peer.url, timeout=5).body == b"ok"
        assert peer.accepted == 2


def test_an_expired_deadline_does_not_kill_the_next_request(client: Client) -> None:
    """A connection is reused after the deadline of the call before has passed."""
    with Peer(answer_all()) as peer:
        client.send("GET", peer.url, timeout=1)
        time.sleep(1.1)
        assert client.send("GET", peer.url, timeout=5).status == 200
        assert peer.accepted == 1


def test_a_slow_answer_after_a_short_deadline_is_waited_for(client: Client) -> None:
    """The deadline of an earlier call does not cut a later, slower one on its connection."""
    pauses = iter([0.0, 1.5])

    def behave(connection: Connection) -> None:
        while connection.read_request() is not None:
            time.sleep(next(pauses))
            connection.send(OK)

    with Peer(behave) as peer:
        client.send("GET", peer.url, timeout=1)
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
    monkeypatch.setattr(pinned, "IDLE_SECONDS", 1.0)
    with Peer(answer_all()) as peer:
        client.send("GET", peer.url, timeout=5)
        client.send("GET", peer.url, timeout=5)
        assert peer.accepted == 1
        time.sleep(1.1)
        client.send("GET", peer.url, timeout=5)
        assert peer.accepted == 2


def test_no_connection_lives_for_ever(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection in steady use is replaced in time, so a server that takes no new ones is found out."""
    with Peer(answer_all()) as peer:
        for _ in range(3):
            client.send("GET", peer.url, timeout=5)
        peer.stop_listening()
        assert client.send("GET", peer.url, timeout=5).status == 200
        assert peer.accepted == 1
        monkeypatch.setattr(pinned, "LIFE_SECONDS", 0.05)
        time.sleep(0.1)
        error = failure(client, peer.url)
        assert (error.kind, error.connected) == ("connect", False)


def test_a_new_connection_has_a_life_of_its_own(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its age counts from when it was opened, not from when its predecessor was."""
    monkeypatch.setattr(pinned, "LIFE_SECONDS", 1.5)
    with Peer(answer_all()) as peer:
        client.send("GET", peer.url, timeout=5)
        time.sleep(1.6)
        for _ in range(3):
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
        waiting = [pool.submit(failure, client, stuck.url, timeout=3) for _ in range(30)]
        for _ in range(20):
            assert client.send("GET", healthy.url, timeout=5).milliseconds < 2000
        assert {call.result().kind for call in waiting} == {"timeout"}
        assert max(call.result().milliseconds for call in waiting) < 6000


# TLS


def test_tls_is_verified(client: Client, certificate: Certificate) -> None:
    """A self-signed certificate is kind tls, and nothing is sent to its server."""
    with Peer(answer_all(), tls=certificate.server_context) as peer:
        error = failure(client, peer.url)
        assert (error.kind, error.connected) == ("tls", False)
        assert peer.requests == []


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
