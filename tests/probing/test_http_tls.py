"""The http probe and the certificates of servers: bad ones, and good ones that end soon."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import Finding
from tests.outgoing.peer import OK, Peer, answer_all
from tests.probing.asking_http import HTTP, LOOPBACK, ask, order
from tests.servers import certificates
from tests.servers.certificates import Certificate


def trusting(certificate: Certificate) -> Settings:
    return replace(LOOPBACK, ca_file=certificate.path)


def over_tls(certificate: Certificate, *, trusted: bool = True, **options: Any) -> Finding:
    with Peer(answer_all(), tls=certificate.server_context) as peer:
        settings = trusting(certificate) if trusted else LOOPBACK
        return ask(peer.url, settings=settings, **options)


@pytest.mark.parametrize(
    ("made", "trusted", "error"),
    [
        ({"days": (-9, -2)}, True, "The certificate has expired"),
        ({"days": (2, 9)}, True, "The certificate is not valid yet"),
        ({"names": ["other.example"]}, True, "The certificate is for another name"),
        ({}, False, "The certificate is self-signed"),
    ],
)
def test_a_bad_certificate_is_down(
    tmp_path: Path, made: dict[str, Any], trusted: bool, error: str
) -> None:
    """In words that say what is wrong; a monitor that does not verify sees an answer all the same."""
    bad = certificates.make(tmp_path, **made)
    found = over_tls(bad, trusted=trusted, tls_expiry_days=0)
    assert (found.outcome, found.code, found.error) == (Verdict.DOWN, None, error)
    found = over_tls(bad, trusted=trusted, tls_expiry_days=0, verify_tls=False)
    assert (found.outcome, found.code, found.error) == (Verdict.UP, 200, None)


def test_a_server_without_tls_is_down() -> None:
    """The certificate is not blamed where there is none."""
    with Peer(lambda connection: connection.send(OK)) as peer:
        found = ask(peer.url.replace("http:", "https:"))
    assert found.error == "No secure connection could be made"


@pytest.mark.parametrize(
    ("left", "options", "error"),
    [
        (13.9, {}, "The certificate expires in 13 days"),
        (14.1, {}, None),
        (3.5, {}, "The certificate expires in 3 days"),
        (3.5, {"tls_expiry_days": 3}, None),
        (3.5, {"tls_expiry_days": 4}, "The certificate expires in 3 days"),
        (1.5, {}, "The certificate expires in 1 day"),
        (0.5, {}, "The certificate expires in less than a day"),
        (0.5, {"tls_expiry_days": 0}, None),
        (0.5, {"tls_expiry_days": None}, None),
        (-0.5, {"verify_tls": False}, "The certificate has expired"),
    ],
)
def test_a_certificate_that_ends_soon_is_degraded(
    tmp_path: Path,
    left: float,
    options: dict[str, Any],
    error: str | None,
) -> None:
    """Within fourteen days unless told otherwise, with the days that are left."""
    made = certificates.make(tmp_path, days=(-2, left))
    found = over_tls(made, **options)
    assert (found.outcome, found.error) == (Verdict.DEGRADED if error else Verdict.UP, error)


def test_days_are_those_of_the_databases_clock(tmp_path: Path) -> None:
    """A worker whose clock is wrong warns of nothing; a kept-alive connection warns as its first answer did."""
    made = certificates.make(tmp_path, days=(-1, 20))
    with Peer(answer_all(), tls=made.server_context) as peer, HTTP.open(trusting(made)) as asker:
        first = order(peer.url, options=HTTP.check_options({}, LOOPBACK))
        assert asker.ask(first).outcome is Verdict.UP
        object.__setattr__(first, "asked_at", datetime.now(UTC) + timedelta(days=10))
        assert asker.ask(first).error == "The certificate expires in 9 days"
        assert peer.accepted == 1


def test_a_wrong_answer_is_worse_than_an_old_certificate(tmp_path: Path) -> None:
    """Down stays down, and slowness is told before the certificate."""
    made = certificates.make(tmp_path, days=(-1, 2))
    found = over_tls(made, expected_status=500)
    assert (found.outcome, found.error) == (Verdict.DOWN, "Answered 200")


def test_a_certificate_of_a_version_that_nobody_knows_has_no_end(tmp_path: Path) -> None:
    """To a monitor that does not verify, the server has answered all the same."""
    certificates.make(tmp_path)
    written = ssl.PEM_cert_to_DER_cert((tmp_path / "certificate.pem").read_text())
    third, fourth = bytes.fromhex("a003020102"), bytes.fromhex("a003020103")
    odd = written.replace(third, fourth, 1)
    assert odd != written
    (tmp_path / "odd.pem").write_text(ssl.DER_cert_to_PEM_cert(odd))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "odd.pem", tmp_path / "key.pem")
    with Peer(answer_all(), tls=context) as peer:
        found = ask(peer.url, verify_tls=False)
    assert (found.outcome, found.code, found.error) == (Verdict.UP, 200, None)
