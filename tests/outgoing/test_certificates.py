"""Until when a server's certificate is valid, and what is wrong with one that is not accepted."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.outgoing import Client, tls_context
from flask_statuspage.outgoing.site import operator_client, site_client
from tests.outgoing.failing import failure
from tests.outgoing.peer import OK, Peer, answer_all
from tests.servers import certificates
from tests.servers.authority import Authority
from tests.servers.certificates import Certificate


@pytest.mark.parametrize("verified", [True, False])
def test_every_answer_tells_when_the_certificate_ends(
    client: Client, certificate: Certificate, verified: bool
) -> None:
    """The first answer of a connection and the next ones, whether the certificate was verified or not."""
    verify: Any = certificate.path if verified else False
    with Peer(answer_all(), tls=certificate.server_context) as peer:
        answers = [client.send("GET", peer.url, timeout=5, verify=verify) for _ in range(3)]
        assert peer.accepted == 1
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for answer in answers:
        assert answer.certificate_expires is not None
        assert abs(answer.certificate_expires - tomorrow) < timedelta(hours=1)


def test_what_the_site_trusts_is_trusted_besides_the_public_authorities(
    certificate: Certificate,
) -> None:
    """By what visitors and members typed, and by what the operator set; another site of the process does not."""
    known = len(tls_context(True).get_ca_certs())
    assert len(tls_context(True, certificate.path).get_ca_certs()) == known + 1 > 50
    plain = Settings(allow_private_targets=True)
    with Peer(answer_all(), tls=certificate.server_context) as peer:
        for client_of in (site_client, operator_client):
            trusting = client_of(replace(plain, ca_file=certificate.path), "Page/1")
            assert trusting.send("GET", peer.url, timeout=5).status == 200
            assert failure(client_of(plain, "Page/1"), peer.url).certificate == "self_signed"


def test_without_tls_there_is_no_certificate(client: Client) -> None:
    """An http answer has no end of a certificate, also from a client that has seen one."""
    with Peer(answer_all()) as peer:
        assert client.send("GET", peer.url, timeout=5).certificate_expires is None


@pytest.mark.parametrize(
    ("made", "trusted", "problem"),
    [
        ({"days": (-9, -2)}, True, "expired"),
        ({"days": (2, 9)}, True, "not_yet_valid"),
        ({"names": ["other.example", "127.0.0.2"]}, True, "wrong_name"),
        ({}, False, "self_signed"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told(
    client: Client, tmp_path: Path, made: dict[str, Any], trusted: bool, problem: str
) -> None:
    """As OpenSSL tells it, in one word; the failure is one of TLS and nothing was sent."""
    bad = certificates.make(tmp_path, **made)
    with Peer(answer_all(), tls=bad.server_context) as peer:
        verify: Any = bad.path if trusted else True
        failed = failure(client, peer.url, verify=verify)
        assert peer.requests == []
    assert (failed.kind, failed.certificate, failed.connected) == ("tls", problem, False)


def test_other_failures_name_no_certificate(client: Client) -> None:
    """A server that speaks no TLS has none that could be wrong."""
    with Peer(lambda connection: connection.send(OK)) as peer:
        failed = failure(client, peer.url.replace("http:", "https:"))
    assert (failed.kind, failed.certificate) == ("tls", None)


@pytest.mark.parametrize("sent", ["alone", "with its chain"])
def test_an_authority_below_a_root_is_trusted_without_it(tmp_path: Path, sent: str) -> None:
    """Whoever names the issuing authority alone trusts what it issued, and not what its root issued besides."""
    for name in ("root", "below"):
        (tmp_path / name).mkdir()
    root = Authority(tmp_path / "root")
    below = Authority(tmp_path / "below", above=root)
    settings = Settings(allow_private_targets=True, ca_file=below.path)
    trusting = site_client(settings, "Page/1")
    context = below.issue("127.0.0.1", lasts=timedelta(days=9), chained=sent == "with its chain")
    with Peer(answer_all(), tls=context) as peer:
        assert trusting.send("GET", peer.url, timeout=5).status == 200
    with Peer(answer_all(), tls=root.issue("127.0.0.1", lasts=timedelta(days=9))) as peer:
        assert failure(trusting, peer.url).certificate == "unknown_issuer"


def test_to_trust_authorities_changes_nothing_for_the_public_ones(
    certificate: Certificate,
) -> None:
    """Without a file of one's own chains end in a root; and with one, since each of the public ones is a root."""
    assert not tls_context(True).verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert tls_context(True, certificate.path).verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert all(one["subject"] == one["issuer"] for one in tls_context(True).get_ca_certs())
