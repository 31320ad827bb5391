"""Probe a server's TLS: the handshake, and its certificate with the time that is left."""

from __future__ import annotations

import copy
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field

from ..config import Settings
from ..outgoing import (
    AddressPolicy,
    AddressRefused,
    Budget,
    Place,
    Resolver,
    certificate_problem,
    connect,
    own_failure,
    system_resolver,
    tls_context,
    vet_host,
)
from ..outgoing.site import site_policy
from .findings import CERTIFICATE_WORDS, NO_ANSWER, answered, failed, since
from .host import ANY_NAME, HostAsker, HostProbe
from .probe import Asker, Finding, ProbeOptions, ProbeOrder

DAY_SECONDS = 86_400


def _server_name(text: str) -> str:
    """Nothing is called by this name, so any will do that a certificate can have."""
    try:
        return vet_host(text, ANY_NAME).host
    except AddressRefused as error:
        raise ValueError("Must be a host name or an IP address") from error


class TlsOptions(ProbeOptions):
    """:param expiry_days: degraded once the certificate has so many days left or fewer.

    :param server_name: what is asked for (SNI) and must be in the certificate; None: the target's host.
    """

    expiry_days: Annotated[int, Field(strict=True, ge=0, le=825)] = 14
    server_name: Annotated[str, AfterValidator(_server_name)] | None = None


class TlsProbe(HostProbe):
    """The target is ``host`` or ``host:port``.

    :param authorities: path of a PEM file with certificates that are trusted besides the public ones; None: that of the
        settings.
    """

    kind = "tls"
    Options = TlsOptions
    port = 443

    def __init__(
        self, *, authorities: str | None = None, resolver: Resolver = system_resolver
    ) -> None:
        super().__init__(resolver=resolver)
        self.authorities = authorities

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Asker]:
        trusting = copy.copy(self)  # of a subclass it is one, too
        trusting.authorities = self.authorities or settings.ca_file
        yield HostAsker(trusting, site_policy(settings))

    def ask(
        self, order: ProbeOrder, place: Place, policy: AddressPolicy, budget: Budget
    ) -> Finding:
        started = time.monotonic()
        name = order.options.get("server_name") or place.host
        trust = _context(self.authorities)  # what cannot be read is not the target's fault
        with closing(connect(place, policy, budget, resolver=self.resolver)) as sock:
            try:
                with trust.wrap_socket(sock, server_hostname=name) as secure:
                    certificate = secure.getpeercert()
            except ssl.SSLCertVerificationError as error:
                problem = certificate_problem(error)
                words = (
                    CERTIFICATE_WORDS[problem] if problem else "The certificate was not accepted"
                )
                return failed(words, started)
            except OSError as error:
                if own_failure(error):
                    raise
                late = budget.expired or isinstance(error, TimeoutError)
                return failed(NO_ANSWER if late else "The TLS handshake failed", started)
        taken = since(started)
        ends = ssl.cert_time_to_seconds(str((certificate or {})["notAfter"]))
        # By the database's clock, which judges monitors of URLs, too.
        soon = (
            ends - order.asked_at.timestamp() <= order.options.get("expiry_days", 14) * DAY_SECONDS
        )
        return answered(order, taken, warning="The certificate expires soon" if soon else None)


@cache
def _context(authorities: str | None) -> ssl.SSLContext:
    """Once a process: to read all authorities takes longer than a handshake."""
    return tls_context(True, authorities)
