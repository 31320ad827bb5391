"""What a server's certificate says of itself, and why it was not accepted."""

from __future__ import annotations

import ssl
from datetime import datetime
from typing import Literal

CertificateProblem = Literal[
    "expired", "not_yet_valid", "wrong_name", "self_signed", "unknown_issuer", "revoked", "weak"
]

# X509_V_ERR_* of OpenSSL's x509_vfy.h; they are part of its ABI.
_PROBLEMS: dict[int, CertificateProblem] = {
    2: "unknown_issuer",  # the issuer's certificate is missing
    9: "not_yet_valid",
    10: "expired",
    18: "self_signed",
    19: "unknown_issuer",  # a chain that ends in a root nobody knows
    20: "unknown_issuer",
    21: "unknown_issuer",
    23: "revoked",
    62: "wrong_name",
    63: "wrong_name",
    64: "wrong_name",  # an IP address that the certificate does not name
    66: "weak",  # a key that is too short
    67: "weak",
    68: "weak",  # a digest that is not trusted any more
}

_LONGEST_CHAIN = 20


def certificate_end(sock: object) -> datetime | None:
    """Until when the certificate of the other side of *sock* is valid; None where there is none that can be read.

    It is read whether it was verified or not, for which :meth:`ssl.SSLSocket.getpeercert` alone would not do.
    """
    if not isinstance(sock, ssl.SSLSocket):
        return None
    written = sock.getpeercert(binary_form=True)
    if not written:
        return None
    from cryptography import x509  # most processes call nobody over TLS

    try:
        return x509.load_der_x509_certificate(written).not_valid_after_utc
    except (ValueError, x509.InvalidVersion):
        return None


def certificate_problem(error: BaseException) -> CertificateProblem | None:
    """What was wrong with the certificate, as far as OpenSSL told; None: it was something else."""
    found: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if found is None:
            break
        if isinstance(found, ssl.SSLCertVerificationError):
            return _PROBLEMS.get(found.verify_code)
        found = found.__cause__ or found.__context__
    return None
