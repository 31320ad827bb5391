from __future__ import annotations

import datetime
import ipaddress
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flask_statuspage.outgoing import AddressPolicy, Client
from tests.servers import dns
from tests.servers.dns import DnsServer


class Certificate(NamedTuple):
    """A self-signed certificate for ``localhost`` and ``127.0.0.1``."""

    path: str
    server_context: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return Certificate(str(folder / "certificate.pem"), context)


@pytest.fixture
def local_policy() -> AddressPolicy:
    return AddressPolicy(allow_http=True, allow_private=True)


@pytest.fixture
def client(local_policy: AddressPolicy) -> Iterator[Client]:
    with Client(local_policy) as client:
        yield client


@pytest.fixture
def name_server() -> Iterator[DnsServer]:
    with dns.running() as server:
        yield server


class Connects:
    """Every address that this process connects to; one that is not on loopback is not let out."""

    def __init__(self) -> None:
        self.places: list[tuple[str, int]] = []
        self.listening = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.listening or event != "socket.connect":
            return
        place = arguments[1]
        if not isinstance(place, tuple):
            return
        self.places.append(place[:2])
        if not ipaddress.ip_address(place[0]).is_loopback:
            raise OSError("tests call nobody outside")


# An audit hook stays for the life of the process, so there is one.
_connects = Connects()


@pytest.fixture
def connects() -> Iterator[list[tuple[str, int]]]:
    """Where sockets of this process connect to, as the interpreter itself reports it."""
    if not _hooked:
        sys.addaudithook(_connects)
        _hooked.append(True)
    _connects.places, _connects.listening = [], True
    yield _connects.places
    _connects.listening = False


_hooked: list[bool] = []
