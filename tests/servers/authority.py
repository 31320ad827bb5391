"""A certificate authority of the tests' own, and servers' certificates by it."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Whoever trusts the certificate at `path` trusts all that :meth:`issue` makes.

    :param above: the authority that it is of; None: it is a root.
    """

    def __init__(self, folder: Path, *, above: Authority | None = None) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("An authority for tests" if above is None else "One below it")
        issuer = above or self
        now = datetime.now(UTC)
        made = _builder(self._name, issuer._name, self._key, now - timedelta(days=900), now + _LONG)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.path = str(folder / "authority.pem")
        signed = made.sign(issuer._key, hashes.SHA256())
        Path(self.path).write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        *names: str,
        lasts: timedelta,
        begins: timedelta | None = None,
        chained: bool = False,
    ) -> ssl.SSLContext:
        """A server's context with a certificate for host names and addresses.

        :param lasts: from now on; below zero: it has expired. :param begins: from now on; None: long ago.
        :param chained: send the authority's certificate, too.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        begins = timedelta(days=-800) if begins is None else begins
        made = _builder(_name(names[0]), self._name, key, now + begins, now + lasts)
        made = made.add_extension(x509.SubjectAlternativeName(map(_alternative, names)), False)
        signed = made.sign(self._key, hashes.SHA256())
        path = self._folder / f"{signed.serial_number}.pem"
        path.write_bytes(
            signed.public_bytes(serialization.Encoding.PEM)
            + (Path(self.path).read_bytes() if chained else b"")
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def revoke_nothing(self) -> str:
        """The path of a PEM file with a list of revoked certificates, which is empty, and nothing else."""
        now = datetime.now(UTC)
        made = x509.CertificateRevocationListBuilder().issuer_name(self._name)
        made = made.last_update(now).next_update(now + _LONG)
        path = self._folder / "revoked.pem"
        path.write_bytes(
            made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        return str(path)


_LONG = timedelta(days=900)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
