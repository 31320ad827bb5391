"""What a worker lacks itself is nobody's outage: it could not ask, of which nothing follows."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.outgoing import Budget
from flask_statuspage.outgoing.connecting import connect_first
from flask_statuspage.outgoing.guard import SocketAddress
from flask_statuspage.probing import CheckResult, probes
from flask_statuspage.probing.batch import ask_all
from flask_statuspage.probing.ping import FORBIDDEN
from tests.lacking import no_descriptors
from tests.outgoing.peer import Peer, answer_all, closed_port
from tests.servers.authority import Authority

from .asking import order

LOOPBACK = Settings(allow_http_targets=True, allow_private_targets=True)
COULD_NOT = (Verdict.UNKNOWN, "This worker cannot ask this")
YEAR = timedelta(days=365)


def asked(kind: str, target: str, settings: Settings, **options: Any) -> CheckResult:
    given = order(probes[kind], target, saved=settings, **options)
    (result,) = ask_all([given], settings)
    return result


def told(result: CheckResult) -> tuple[Verdict, str | None]:
    return result.outcome, result.error


@pytest.mark.parametrize(
    ("kind", "target", "options"),
    [
        ("http", "http://127.0.0.1:{port}/", {}),
        ("http", "http://localhost:{port}/", {}),
        ("upstream", "http://127.0.0.1:{port}/", {}),
        ("tcp", "127.0.0.1:{port}", {}),
        ("tls", "127.0.0.1:{port}", {}),
        ("dns", "localhost.example.com", {"server": "127.0.0.1:{port}"}),
        ("ping", "127.0.0.1", {}),
    ],
)
def test_without_descriptors_nobody_is_down(
    caplog: pytest.LogCaptureFixture, kind: str, target: str, options: Mapping[str, str]
) -> None:
    """Whatever is asked; the log has the reason."""
    port = closed_port()
    options = {name: text.format(port=port) for name, text in options.items()}
    # What it needs is loaded.
    before = asked(kind, target.format(port=port), LOOPBACK, timeout=1.0, **options)
    if before.error == FORBIDDEN:
        pytest.skip(FORBIDDEN)
    caplog.clear()
    with no_descriptors():
        result = asked(kind, target.format(port=port), LOOPBACK, timeout=5.0, **options)
    assert told(result) == COULD_NOT
    assert f"{result.monitor_id} could not be asked here: " in caplog.text
    assert "Too many open files" in caplog.text


@pytest.mark.parametrize("broken", ["gone", "empty"])
@pytest.mark.parametrize("kind", ["http", "tls"])
def test_authorities_that_cannot_be_read_any_more_are_no_outage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, broken: str
) -> None:
    """Of those that need them; the log names the file, and once it is back the target is up."""
    authority = Authority(tmp_path)
    settings = replace(LOOPBACK, ca_file=authority.path)
    path, text = Path(authority.path), Path(authority.path).read_text()
    with Peer(answer_all(), tls=authority.issue("127.0.0.1", lasts=YEAR)) as peer:
        target = peer.url if kind == "http" else f"127.0.0.1:{peer.port}"
        path.unlink() if broken == "gone" else path.write_text("")
        assert told(asked(kind, target, settings)) == COULD_NOT
        assert authority.path in caplog.text
        if kind == "http":
            assert asked(kind, target, settings, verify_tls=False).outcome is Verdict.UP
        path.write_text(text)
        assert told(asked(kind, target, settings)) == (Verdict.UP, None)


IP_LOCAL_PORT_RANGE = 51  # of Linux 6.3; the module socket has no name for it


class NoPort:
    """Options of a socket under which this machine has no port left, from the nth socket on."""

    def __init__(self, taken: int, *, first: int) -> None:
        self._option = (
            socket.IPPROTO_IP,
            IP_LOCAL_PORT_RANGE,
            struct.pack("I", taken << 16 | taken),
        )
        self._first, self._sockets = first, 0

    def __iter__(self) -> Iterator[Any]:
        self._sockets += 1
        return iter([self._option] if self._sockets >= self._first else [])


@pytest.mark.parametrize(
    ("first", "error"), [(1, errno.EADDRNOTAVAIL), (2, errno.ECONNREFUSED)], ids=["all", "second"]
)
def test_what_one_address_said_counts_more_than_that_there_is_no_way_to_another(
    first: int, error: int
) -> None:
    """A name with two addresses is down where one refuses, also from a machine that has only its family."""
    with Peer(answer_all()) as peer:
        options = NoPort(peer.port, first=first)
        with socket.socket() as sock:
            try:
                sock.setsockopt(*options._option)
            except OSError:
                pytest.skip("this system's ports cannot be limited")
        place = SocketAddress(socket.AF_INET, ("127.0.0.1", closed_port()))
        with pytest.raises(OSError, match=os.strerror(error)):
            connect_first([place, place], Budget(time.monotonic() + 5, 0), options)
