"""The tls probe against real servers with certificates of every kind."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Invalid
from flask_statuspage.probing import Finding, probes
from flask_statuspage.probing.tls import TlsProbe
from tests.outgoing.peer import Behaviour, Connection, Peer, closed_port
from tests.servers import certificates
from tests.servers.authority import Authority
from tests.servers.dns import DnsServer, Records

from .asking import LOOPBACK, STRICT, ask, lasting, order

TLS = probes["tls"]
YEAR = timedelta(days=365)
NAMES = ("localhost", "127.0.0.1", "::1", "shop.example.com")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def trusting(authority: Authority) -> Settings:
    """A site that trusts the tests' authority, too."""
    return replace(LOOPBACK, ca_file=authority.path)


def server(context: ssl.SSLContext, **options: Any) -> Peer:
    return Peer(Connection.hang, tls=context, **options)


def told(finding: Finding) -> tuple[Verdict, str | None]:
    return finding.outcome, finding.error


def test_a_good_certificate_is_up(authority: Authority, trusting: Settings) -> None:
    """Trusted, for this host and with time left; the server is asked for by its name."""
    with server(authority.issue(*NAMES, lasts=YEAR)) as peer:
        finding = ask(TLS, f"localhost:{peer.port}", settings=trusting)
        assert told(finding) == (Verdict.UP, None)
        assert finding.milliseconds is not None
        assert 0 <= finding.milliseconds < 2000
        assert told(ask(TLS, f"127.0.0.1:{peer.port}", settings=trusting)) == (Verdict.UP, None)
        assert peer.server_names == ["localhost", None]


@pytest.mark.parametrize(
    ("days", "options", "outcome"),
    [
        (15, {}, Verdict.UP),
        (13, {}, Verdict.DEGRADED),
        (13, {"expiry_days": 7}, Verdict.UP),
        (29, {"expiry_days": 30}, Verdict.DEGRADED),
        (31, {"expiry_days": 30}, Verdict.UP),
        (0.5, {"expiry_days": 0}, Verdict.UP),
    ],
)
def test_a_certificate_that_expires_soon_is_degraded(
    authority: Authority, trusting: Settings, days: float, options: Any, outcome: Verdict
) -> None:
    """Within `expiry_days`, which are 14 unless something else is said."""
    with server(authority.issue("127.0.0.1", lasts=timedelta(days=days))) as peer:
        finding = ask(TLS, f"127.0.0.1:{peer.port}", settings=trusting, **options)
    assert told(finding) == (
        outcome,
        None if outcome is Verdict.UP else "The certificate expires soon",
    )


def test_the_databases_clock_says_how_soon(authority: Authority, trusting: Settings) -> None:
    """As for monitors of URLs, however wrong this machine's clock is."""
    with server(authority.issue("127.0.0.1", lasts=timedelta(days=40))) as peer:
        now = order(TLS, f"127.0.0.1:{peer.port}")
        later = replace(now, asked_at=now.asked_at + timedelta(days=30))
        with TLS.open(trusting) as asker:
            found = [asker.ask(one).outcome for one in (now, later)]
    assert found == [Verdict.UP, Verdict.DEGRADED]


def test_an_expired_certificate_is_down(authority: Authority, trusting: Settings) -> None:
    """Once the time is over, however many days were asked for; one that is not valid yet is down, too."""
    with server(authority.issue("127.0.0.1", lasts=timedelta(minutes=-1))) as peer:
        finding = ask(TLS, f"127.0.0.1:{peer.port}", settings=trusting, expiry_days=0)
    assert told(finding) == (Verdict.DOWN, "The certificate has expired")
    with server(authority.issue("127.0.0.1", begins=timedelta(hours=1), lasts=YEAR)) as peer:
        finding = ask(TLS, f"127.0.0.1:{peer.port}", settings=trusting)
    assert told(finding) == (Verdict.DOWN, "The certificate is not valid yet")


def test_a_certificate_for_another_name_is_down(authority: Authority, trusting: Settings) -> None:
    """The host of the target, name or address, must be in it, or the name that the options say."""
    with server(authority.issue("shop.example.com", lasts=YEAR)) as peer:
        for host in ("localhost", "127.0.0.1"):
            finding = ask(TLS, f"{host}:{peer.port}", settings=trusting)
            assert told(finding) == (Verdict.DOWN, "The certificate is for another name")
        finding = ask(
            TLS, f"127.0.0.1:{peer.port}", settings=trusting, server_name="Shop.Example.com."
        )
        assert told(finding) == (Verdict.UP, None)
        assert peer.server_names[-1] == "shop.example.com"


def test_an_unknown_issuer_is_down(
    authority: Authority, trusting: Settings, tmp_path: Path
) -> None:
    """A certificate that signs itself, or that nobody known has signed."""
    own = certificates.make(tmp_path)
    unknown = (Verdict.DOWN, "The certificate is from an unknown issuer")
    with server(own.server_context) as peer:
        finding = ask(TLS, f"127.0.0.1:{peer.port}", settings=trusting)
        assert told(finding) == (Verdict.DOWN, "The certificate is self-signed")
    with server(authority.issue("127.0.0.1", lasts=YEAR)) as peer:
        assert told(ask(TLS, f"127.0.0.1:{peer.port}")) == unknown


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_servers_of_one_version(
    authority: Authority, trusting: Settings, version: ssl.TLSVersion
) -> None:
    """A server that speaks nothing but TLS 1.2, or nothing but 1.3, is understood."""
    context = authority.issue("127.0.0.1", lasts=YEAR)
    context.minimum_version = context.maximum_version = version
    with server(context) as peer:
        assert ask(TLS, f"127.0.0.1:{peer.port}", settings=trusting).outcome is Verdict.UP


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_a_server_without_tls_is_down(trusting: Settings, answer: bytes) -> None:
    """One that speaks something else, or hangs up on the first message."""

    def behave(connection: Connection) -> None:
        connection.sock.recv(4096)
        connection.send(answer)

    with Peer(behave) as peer:
        finding = ask(TLS, f"127.0.0.1:{peer.port}", settings=trusting)
    assert told(finding) == (Verdict.DOWN, "The TLS handshake failed")


@pytest.mark.parametrize(
    "behave", [Connection.hang, lambda peer: peer.drip(b"\x16\x03\x03\x3f\xff" * 20, pause=0.1)]
)
def test_a_handshake_that_does_not_end_is_down_in_time(
    trusting: Settings, behave: Behaviour
) -> None:
    """A server that accepts and says nothing, or drips, costs the timeout and no more."""
    with Peer(behave) as peer, lasting(0.4, 4):
        finding = ask(TLS, f"127.0.0.1:{peer.port}", settings=trusting, timeout=0.4)
    assert told(finding) == (Verdict.DOWN, "No answer in time")


def test_failures_to_connect(trusting: Settings) -> None:
    """They have the same words as those of ports."""
    assert ask(TLS, f"127.0.0.1:{closed_port()}", settings=trusting).error == "Connection failed"
    assert ask(TLS, "nowhere.invalid", settings=trusting).error == "The name could not be resolved"


def test_a_slow_handshake_is_degraded(authority: Authority, trusting: Settings) -> None:
    """The time counts until the handshake is done; that a certificate ends is said first."""
    good, short = (authority.issue("127.0.0.1", lasts=timedelta(days=days)) for days in (90, 3))
    for context, error in ((good, "Slower than 100 ms"), (short, "The certificate expires soon")):

        def shake_late(connection: Connection, context: ssl.SSLContext = context) -> None:
            connection.stopping.wait(0.15)
            with context.wrap_socket(connection.sock, server_side=True):
                connection.hang()

        with Peer(shake_late) as peer:
            finding = ask(TLS, f"127.0.0.1:{peer.port}", settings=trusting, degraded_over_ms=100)
        assert told(finding) == (Verdict.DEGRADED, error)
        assert (finding.milliseconds or 0) >= 150


def test_ipv6(authority: Authority, trusting: Settings) -> None:
    """The address of an IPv6 target must be in the certificate."""
    with server(authority.issue("::1", lasts=YEAR), family=socket.AF_INET6) as peer:
        assert ask(TLS, f"[::1]:{peer.port}", settings=trusting).outcome is Verdict.UP


def test_a_name_that_leads_inside_is_not_called(
    authority: Authority, trusting: Settings, name_server: DnsServer
) -> None:
    """Neither when it is saved nor later."""
    probe = TlsProbe(resolver=name_server.resolver)
    public, inside = Records(addresses=["93.184.215.14"]), Records(addresses=["127.0.0.1"])
    name_server.set("shop.example.com", public, inside)
    with server(authority.issue("shop.example.com", lasts=YEAR)) as peer:
        target = f"shop.example.com:{peer.port}"
        probe.vet(target, STRICT)
        finding = ask(probe, target, settings=STRICT)
        assert told(finding) == (Verdict.DOWN, "The address may not be called")
        with pytest.raises(Invalid, match=r"^target: "):
            probe.vet(target, STRICT)
        assert peer.accepted == 0
        assert ask(probe, target, settings=trusting).outcome is Verdict.UP


def test_a_target_has_one_spelling() -> None:
    """443 need not be written, any other port must; private hosts need permission."""
    spelled = {
        "Shop.Example.com": "shop.example.com",
        "shop.example.com:443": "shop.example.com",
        "shop.example.com:8443": "shop.example.com:8443",
        "2606:4700:4700::1111": "[2606:4700:4700::1111]",
        "[2606:4700:4700::1111]:443": "[2606:4700:4700::1111]",
        "[2606:4700:4700::1111]:993": "[2606:4700:4700::1111]:993",
    }
    for written, stored in spelled.items():
        assert TLS.normalise(written, STRICT) == TLS.normalise(stored, STRICT) == stored
    for wrong in ("", "https://shop.example.com", "shop.example.com:0", "127.0.0.1", "localhost"):
        with pytest.raises(Invalid, match=r"^target: "):
            TLS.normalise(wrong, STRICT)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"expiry_days": -1}, "options.expiry_days"),
        ({"expiry_days": 826}, "options.expiry_days"),
        ({"expiry_days": "14"}, "options.expiry_days"),
        ({"expiry_days": 1.5}, "options.expiry_days"),
        ({"expiry_days": True}, "options.expiry_days"),
        ({"expiry_days": None}, "options.expiry_days"),
        ({"server_name": ""}, "options.server_name"),
        ({"server_name": "a b"}, "options.server_name"),
        ({"server_name": "a:443"}, "options.server_name"),
        ({"server_name": "*.example.com"}, "options.server_name"),
        ({"server_name": 1}, "options.server_name"),
        ({"server_name": "\ud800"}, "options.server_name"),
        ({"server_name": "a" * 5000}, "options.server_name"),
        ({"verify": False}, "options.verify"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], field: str) -> None:
    """Each option that cannot be used is refused by its name."""
    with pytest.raises(Invalid) as caught:
        TLS.check_options(options, STRICT)
    assert [error.field for error in caught.value.errors] == [field]


def test_options_have_defaults() -> None:
    """14 days, and the target's own name."""
    assert TLS.check_options({}, LOOPBACK) == {"expiry_days": 14, "server_name": None}


class Louder(TlsProbe):
    """A kind of another package's, built on this one."""

    kind = "louder"

    def ask(self, *args: Any) -> Finding:
        return replace(super().ask(*args), code=7)


def test_a_probe_made_of_this_one_is_asked_itself(authority: Authority, trusting: Settings) -> None:
    """It trusts what the site trusts, and what it does otherwise is done."""
    with server(authority.issue("127.0.0.1", lasts=YEAR)) as peer:
        finding = ask(Louder(), f"127.0.0.1:{peer.port}", settings=trusting)
    assert (finding.outcome, finding.code) == (Verdict.UP, 7)


def test_authorities_of_a_probe_of_ones_own(
    authority: Authority, trusting: Settings, tmp_path: Path
) -> None:
    """Those that it was made with come before those of the site, and are its alone."""
    with server(authority.issue("127.0.0.1", lasts=YEAR)) as peer:
        target = f"127.0.0.1:{peer.port}"
        assert told(ask(TlsProbe(authorities=authority.path), target)) == (Verdict.UP, None)
        other = TlsProbe(authorities=Authority(tmp_path).path)
        assert ask(other, target, settings=trusting).outcome is Verdict.DOWN
