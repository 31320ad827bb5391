"""The tcp probe against real servers."""

from __future__ import annotations

import queue
import socket
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Invalid
from flask_statuspage.probing import Finding, probes
from flask_statuspage.probing.tcp import BANNER_BYTES, TcpProbe
from tests.outgoing.peer import Behaviour, Connection, Peer, closed_port, silent_port
from tests.servers.dns import DnsServer, Records

from .asking import LOOPBACK, STRICT, ask, lasting

TCP = probes["tcp"]
GREETING = b"220 mail.example.org ESMTP caf\xc3\xa9\r\n"


def greet(connection: Connection) -> None:
    connection.send(GREETING)
    connection.hang()


def told(finding: Finding) -> tuple[Verdict, str | None]:
    return finding.outcome, finding.error


def test_a_port_that_can_be_connected_to_is_up() -> None:
    """A server that accepts is up, though it says nothing; nothing is sent to it."""
    received: queue.Queue[bytes] = queue.Queue()
    with Peer(lambda connection: received.put(connection.sock.recv(10))) as peer:
        finding = ask(TCP, f"127.0.0.1:{peer.port}")
        assert received.get(timeout=5) == b""
    assert told(finding) == (Verdict.UP, None)
    assert 0 <= (finding.milliseconds or 0) < 2000


@pytest.mark.parametrize(
    ("banner", "outcome"),
    [
        ("220 ", Verdict.UP),
        ("ESMTP", Verdict.UP),
        ("café", Verdict.UP),
        ("esmtp", Verdict.DOWN),
        ("550", Verdict.DOWN),
    ],
)
def test_the_banner_decides(banner: str, outcome: Verdict) -> None:
    """What the server says first must contain the text, case and all."""

    def greet_and_go(connection: Connection) -> None:
        connection.send(GREETING)

    with Peer(greet_and_go) as peer:
        finding = ask(TCP, f"127.0.0.1:{peer.port}", banner=banner)
    error = None if outcome is Verdict.UP else "The expected banner did not come"
    assert told(finding) == (outcome, error)


def test_a_banner_may_come_in_pieces() -> None:
    """Bytes that come one by one are put together, and reading ends with the banner."""
    with Peer(lambda connection: connection.drip(GREETING, pause=0.01)) as peer:
        assert ask(TCP, f"127.0.0.1:{peer.port}", banner="mail.example.org").outcome is Verdict.UP


def test_only_the_first_bytes_are_searched() -> None:
    """A server that talks without end is not listened to for long."""

    def talk(connection: Connection) -> None:
        connection.send(b"x" * BANNER_BYTES + b"220")
        connection.hang()

    with Peer(talk) as peer, lasting(0, 4):
        finding = ask(TCP, f"127.0.0.1:{peer.port}", banner="220")
    assert told(finding) == (Verdict.DOWN, "The expected banner did not come")


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (Connection.hang, "No answer in time"),
        (greet, "The expected banner did not come"),
        (
            lambda connection: connection.drip(b"550".rjust(100), pause=0.1),
            "The expected banner did not come",
        ),
    ],
)
def test_what_does_not_come_in_time_is_down(behave: Behaviour, error: str) -> None:
    """A server that says nothing, something else, or drips is down at the deadline, not later."""
    with Peer(behave) as peer, lasting(0.4, 4):
        finding = ask(TCP, f"127.0.0.1:{peer.port}", banner="550", timeout=0.4)
    assert told(finding) == (Verdict.DOWN, error)


def test_a_server_that_hangs_up_is_down() -> None:
    """Closed before the first byte: there is no banner to compare."""
    with Peer(lambda connection: None) as peer:
        finding = ask(TCP, f"127.0.0.1:{peer.port}", banner="220")
    assert told(finding) == (Verdict.DOWN, "The connection was closed")


def test_failures_to_connect_are_told_apart() -> None:
    """Refused, not accepted in time, and not found each have their words."""
    assert ask(TCP, f"127.0.0.1:{closed_port()}").error == "Connection failed"
    with silent_port() as port, lasting(0.3, 4):
        assert ask(TCP, f"127.0.0.1:{port}", timeout=0.3).error == "No answer in time"
    assert ask(TCP, "nowhere.invalid:25").error == "The name could not be resolved"


def test_a_slow_banner_is_degraded() -> None:
    """The time counts until the banner is there."""

    def wait(connection: Connection) -> None:
        connection.stopping.wait(1)
        greet(connection)

    with Peer(wait) as peer:
        place = f"127.0.0.1:{peer.port}"
        finding = ask(TCP, place, banner="220", degraded_over_ms=700)
        assert told(finding) == (Verdict.DEGRADED, "Slower than 700 ms")
        assert (finding.milliseconds or 0) >= 990
        assert ask(TCP, place, degraded_over_ms=700).outcome is Verdict.UP


def test_ipv6() -> None:
    """An IPv6 address stands in brackets."""
    with Peer(greet, family=socket.AF_INET6) as peer:
        assert ask(TCP, f"[::1]:{peer.port}", banner="220").outcome is Verdict.UP


def test_a_target_has_one_spelling() -> None:
    """Case, final dots, spaces and long forms of IPv6 are not kept; any port will do."""
    spelled = {
        " Mail.Example.COM.:25 ": "mail.example.com:25",
        "bücher.de:1": "xn--bcher-kva.de:1",
        "8.8.8.8:65535": "8.8.8.8:65535",
        "[2606:4700:4700:0::1111]:53": "[2606:4700:4700::1111]:53",
    }
    for written, stored in spelled.items():
        assert TCP.normalise(written, STRICT) == TCP.normalise(stored, STRICT) == stored


@pytest.mark.parametrize(
    "target",
    [
        "",
        ":25",
        "mail.example.com",
        "mail.example.com:",
        "mail.example.com:0",
        "mail.example.com:65536",
        "mail.example.com:025",
        "mail.example.com:٢٥",
        "mail.example.com:smtp",
        "mail.example.com:25:25",
        "https://mail.example.com:25",
        "user@mail.example.com:25",
        "mail.example.com/x:25",
        "mail example.com:25",
        "mail.example.com\n:25",
        "2606:4700:4700::1111",
        "[2606:4700:4700::1111]",
        "[2606:4700:4700::1111%eth0]:25",
        "[mail.example.com]:25",
        "8.8.8:25",
        "0x08080808:25",
        "a" * 5000 + ".com:25",
        "\ud800.com:25",
    ],
)
def test_a_target_that_is_no_place(target: str) -> None:
    """Whatever is not exactly a host and a port is refused by name."""
    with pytest.raises(Invalid, match=r"^target: "):
        TCP.normalise(target, LOOPBACK)


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.1:25",
        "10.0.0.1:25",
        "169.254.169.254:80",
        "[::1]:25",
        "[::ffff:127.0.0.1]:25",
        "localhost:25",
        "db:5432",
        "db.internal:5432",
    ],
)
def test_private_targets_need_permission(target: str) -> None:
    """Without STATUSPAGE_ALLOW_PRIVATE_TARGETS nothing inside the network can be named."""
    with pytest.raises(Invalid, match=r"^target: "):
        TCP.normalise(target, STRICT)
    with pytest.raises(Invalid, match=r"^target: "):
        TCP.vet(target, STRICT)
    assert ask(TCP, target, settings=STRICT).error == "The address may not be called"
    if not target.startswith(("169.254", "[::ffff")):
        assert TCP.normalise(target, LOOPBACK) == target


def test_metadata_services_stay_closed() -> None:
    """What hands out credentials is refused with permission, too."""
    with pytest.raises(Invalid, match=r"^target: "):
        TCP.normalise("169.254.169.254:80", LOOPBACK)


def test_a_name_that_leads_inside_later_is_not_called(name_server: DnsServer) -> None:
    """What a name leads to is judged at each check: a public answer when it was saved says nothing."""
    with Peer(greet) as peer:
        probe = TcpProbe(resolver=name_server.resolver)
        target = f"rebound.example.com:{peer.port}"
        name_server.set(
            "rebound.example.com",
            Records(addresses=["93.184.215.14"]),
            Records(addresses=["127.0.0.1"]),
        )
        probe.vet(probe.normalise(target, STRICT), STRICT)
        finding = ask(probe, target, settings=STRICT)
        assert told(finding) == (Verdict.DOWN, "The address may not be called")
        name_server.set("mixed.example.com", "93.184.215.14", "127.0.0.1")
        assert ask(probe, f"mixed.example.com:{peer.port}", settings=STRICT).error == finding.error
        with pytest.raises(Invalid, match=r"^target: "):
            probe.vet(target, STRICT)
        assert peer.accepted == 0
        assert ask(probe, target, settings=LOOPBACK).outcome is Verdict.UP


def test_a_name_is_looked_up_once(name_server: DnsServer) -> None:
    """The address that was judged is the one that is connected to."""
    with Peer(greet) as peer:
        name_server.set("once.example.com", "127.0.0.1")
        probe = TcpProbe(resolver=name_server.resolver)
        assert ask(probe, f"once.example.com:{peer.port}").outcome is Verdict.UP
    assert name_server.count("once.example.com") == 1


def test_a_name_server_that_is_silent_costs_no_more_than_the_timeout(
    name_server: DnsServer,
) -> None:
    """The look-up has the same deadline as all else; a name that is not found may be saved."""
    name_server.set("silent.example.com", Records(silent=True))
    probe = TcpProbe(resolver=name_server.resolver)
    with lasting(0.3, 4):
        finding = ask(probe, "silent.example.com:25", timeout=0.3)
    assert told(finding) == (Verdict.DOWN, "No answer in time")
    probe.vet("nowhere.example.com:25", Settings())


@pytest.mark.parametrize(
    "banner", ["", "x" * 201, 220, True, ["220"], {}, "a\x00b", "a\nb", "\ud800"]
)
def test_a_wrong_banner_is_named(banner: Any) -> None:
    """A banner is a text of 1 to 200 printable characters."""
    with pytest.raises(Invalid) as caught:
        TCP.check_options({"banner": banner}, LOOPBACK)
    assert [error.field for error in caught.value.errors] == ["options.banner"]


def test_options_have_defaults() -> None:
    """No banner; what is not an option is refused by name."""
    assert TCP.check_options({}, LOOPBACK) == {"banner": None}
    assert TCP.check_options({"banner": "x" * 200}, LOOPBACK) == {"banner": "x" * 200}
    with pytest.raises(Invalid, match=r"^options\.expected: "):
        TCP.check_options({"expected": "x"}, LOOPBACK)
