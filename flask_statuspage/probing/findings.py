"""Findings that several kinds share, in one wording."""

from __future__ import annotations

import time

from ..domain.verdict import Verdict
from ..outgoing import CertificateProblem
from .probe import Finding, ProbeOrder

NO_ANSWER = "No answer in time"

WORDS = {
    "dns": "The name could not be resolved",
    "connect": "Connection failed",
    "refused_address": "The address may not be called",
    "tls": "No secure connection could be made",
    "timeout": NO_ANSWER,
    "protocol": "The answer was not HTTP",
}
"""By the ``kind`` of a ``ConnectFailed`` or ``SendFailed`` of :mod:`flask_statuspage.outgoing`."""

CERTIFICATE_WORDS: dict[CertificateProblem, str] = {
    "expired": "The certificate has expired",
    "not_yet_valid": "The certificate is not valid yet",
    "wrong_name": "The certificate is for another name",
    "self_signed": "The certificate is self-signed",
    "unknown_issuer": "The certificate is from an unknown issuer",
    "revoked": "The certificate was revoked",
    "weak": "The certificate is too weak",
}


def failed(error: str, started: float, *, code: int | None = None) -> Finding:
    """The target is down. *started* is an instant of :func:`time.monotonic`."""
    return Finding(outcome=Verdict.DOWN, milliseconds=round(since(started)), code=code, error=error)


def answered(
    order: ProbeOrder, milliseconds: float, *, code: int | None = None, warning: str | None = None
) -> Finding:
    """The target answered rightly: it is up, or degraded by *warning* or because it took too long."""
    if warning is None and order.degraded_over_ms is not None:
        slow = milliseconds > order.degraded_over_ms
        warning = f"Slower than {order.degraded_over_ms} ms" if slow else None
    return Finding(
        outcome=Verdict.UP if warning is None else Verdict.DEGRADED,
        milliseconds=round(milliseconds),
        code=code,
        error=warning,
    )


def since(started: float) -> float:
    """Milliseconds since an instant of :func:`time.monotonic`."""
    return (time.monotonic() - started) * 1000
