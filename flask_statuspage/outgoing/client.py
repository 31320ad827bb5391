"""The HTTP client for webhooks and probes.

One call, one deadline: over the look-up, the connection, the TLS handshake, the headers and
the body. No redirects, cookies, proxies, ``.netrc`` or unpacking, and never more than a fixed
number of bytes.

Exceptions::

    ValueError
    ├── AddressRefused    (guard) the address may not be called
    └── (plain)           a header, method or number of the caller that cannot be sent
    Exception
    ├── SendFailed        the call got no complete answer
    └── CannotCall        (own) this process could not call, which says nothing of the other side
"""

from __future__ import annotations

import math
import os
import ssl
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from types import TracebackType
from typing import Literal

import requests
from requests.structures import CaseInsensitiveDict
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from .certificates import CertificateProblem, certificate_problem
from .deadline import Budget
from .guard import AddressPolicy, AddressRefused, vet_url
from .headers import TOKEN, check_headers
from .lookup import Resolver, system_resolver
from .own import CannotCall, own_failure
from .pinned import Call, PinnedAdapter, tls_context

FailureKind = Literal["dns", "connect", "tls", "timeout", "refused_address", "protocol"]

# What may come over the wire beside the body: headers, interim 1xx answers, chunk frames.
_OVERHEAD_BYTES = 64 * 1024
_FRAME_FACTOR = 8


class SendFailed(Exception):
    """The call got no complete answer.

    * ``kind``: ``dns`` (name not found), ``connect`` (refused, unreachable), ``tls``
      (handshake or certificate), ``timeout`` (the deadline passed, wherever it was),
      ``refused_address`` (see :class:`.AddressRefused`, the ``__cause__``) or ``protocol``
      (broken or oversized answer, connection lost).
    * ``milliseconds``: how long the call took.
    * ``connected``: False if the failure was one to connect, so that the request was
      certainly not sent: ``dns``, ``connect``, ``tls``, ``refused_address``, and a ``timeout``
      before the request was sent.
    * ``certificate``: what was wrong with the certificate, if that was it and OpenSSL told.

    ``str()`` is one fixed sentence, safe to show to a subscriber; ``kind`` is for the owner.
    """

    def __init__(
        self,
        kind: FailureKind,
        *,
        milliseconds: float,
        connected: bool,
        certificate: CertificateProblem | None = None,
    ) -> None:
        super().__init__("The request did not get a complete answer.")
        self.kind: FailureKind = kind
        self.milliseconds = milliseconds
        self.certificate = certificate
        self._connected = connected

    @property
    def connected(self) -> bool:
        """Whether the connection stood and the request was being sent."""
        return self._connected


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    ``headers`` ignores case. ``body`` is as sent, not unpacked; ``truncated`` tells that the
    answer had more than that. ``milliseconds`` is the whole call with look-up and body.
    ``certificate_expires`` is aware, UTC; None without TLS.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    milliseconds: float
    certificate_expires: datetime | None = None


class Client:
    """A pinned HTTP client; one serves all threads of a process.

    Connections are kept alive and reused by whichever thread calls the same host next: at
    most `pool_size` idle ones per host, for the `hosts` hosts called last. After a fork the
    child opens connections of its own. Settings of a call (`verify`) never mix.

    `resolver` looks names up; by default the system's :func:`socket.getaddrinfo`. `authorities`
    is the path of a PEM file with certificates that are trusted besides the public ones.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        pool_size: int = 64,
        hosts: int = 256,
        user_agent: str = "Flask-StatusPage",
        resolver: Resolver = system_resolver,
        authorities: str | None = None,
    ) -> None:
        check_headers({"User-Agent": user_agent})
        self.policy = policy
        self._pool_size = pool_size
        self._hosts = hosts
        self._user_agent = user_agent
        self._resolver = resolver
        self._authorities = authorities
        self._contexts: dict[bool | str, ssl.SSLContext] = {}
        self._abandoned: list[PinnedAdapter] = []
        self._start()
        _clients.add(self)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float,
        verify: bool | str = True,
        read_limit: int = 16 * 1024,
        keep: int = 4096,
    ) -> Answer:
        """Send one request and return the answer, whatever its status.

        * `timeout`: seconds for everything together.
        * `verify`: check the certificate of an https host; a string is the path of the CA
          file or folder to check it with.
        * `read_limit`: bytes of the body that are read; a longer one costs the connection.
        * `keep`: bytes of it that the answer holds. A caller that searches the body sets
          both alike.

        The request is not repeated, with one exception: a GET, HEAD or OPTIONS on a
        kept-alive connection that the server had closed meanwhile goes out again on a new
        one, because this says nothing about the server.

        Raises :exc:`SendFailed`, :exc:`.CannotCall` if it is this process's own fault, and
        :exc:`ValueError` before anything is done if an argument cannot be sent.
        """
        started = time.monotonic()
        if not TOKEN.fullmatch(method):
            raise ValueError("The method is not a valid HTTP method.")
        if not 0 < timeout < math.inf or read_limit < 0 or keep < 0:
            raise ValueError("The timeout must be above zero and no limit below zero.")
        fields = self._fields(headers or {}, body)
        try:
            target = vet_url(url, self.policy)
        except AddressRefused as error:
            raise SendFailed(
                "refused_address", milliseconds=_since(started), connected=False
            ) from error
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, target.url, body
        request.headers = fields
        call = Call(
            target,
            self.policy,
            self._resolver,
            Budget(started + timeout, _OVERHEAD_BYTES + _FRAME_FACTOR * read_limit),
            self._context(verify) if target.scheme == "https" else None,
        )
        try:
            return self._attempt(request, call, started, read_limit, keep)
        except SendFailed as failure:
            stale = call.reused and not call.budget.received and failure.kind == "protocol"
            if not stale or method not in _SAFE_METHODS:
                raise
        call.fresh_only = True
        return self._attempt(request, call, started, read_limit, keep)

    def close(self) -> None:
        """Close the idle connections; the client may be used again afterwards."""
        self._adapter.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _attempt(
        self,
        request: requests.PreparedRequest,
        call: Call,
        started: float,
        read_limit: int,
        keep: int,
    ) -> Answer:
        try:
            raw = self._adapter.exchange(request, call)
            try:
                body, complete = _read(raw, read_limit)
            except BaseException:
                raw.close()
                raise
        # ValueError: AddressRefused, and what http.client lets out (a chunk of size -5).
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            call.discard()
            if own := own_failure(error):
                raise CannotCall(f"This process cannot call: {own}") from error
            kind = _kind(error, call)
            raise SendFailed(
                kind,
                milliseconds=_since(started),
                connected=call.stage == "exchange",
                certificate=certificate_problem(error) if kind == "tls" else None,
            ) from error
        return Answer(
            raw.status,
            raw.headers,
            body[:keep],
            not complete or len(body) > keep,
            _since(started),
            call.certificate_expires,
        )

    def _fields(self, headers: Mapping[str, str], body: bytes | None) -> CaseInsensitiveDict[str]:
        check_headers(headers)
        fields: CaseInsensitiveDict[str] = CaseInsensitiveDict()
        fields["User-Agent"] = self._user_agent
        fields["Accept"] = "*/*"
        for name, value in headers.items():
            fields[name] = value
        fields["Accept-Encoding"] = "identity"
        if body is not None:
            fields["Content-Length"] = str(len(body))
        return fields

    def _context(self, verify: bool | str) -> ssl.SSLContext:
        context = self._contexts.get(verify)
        if context is None:
            with self._lock:
                context = self._contexts.get(verify)
                if context is None:
                    context = self._contexts[verify] = tls_context(verify, self._authorities)
        return context

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._adapter = PinnedAdapter(hosts=self._hosts, connections_per_host=self._pool_size)

    def _start_afresh(self) -> None:
        self._adapter.abandon()
        # Kept, not freed: freeing a pool takes a lock that may have been held at the fork.
        self._abandoned.append(self._adapter)
        self._start()


def _read(raw: BaseHTTPResponse, limit: int) -> tuple[bytes, bool]:
    """Read at most `limit` bytes; return them and whether that was all.

    One byte more is asked for, to know. A connection with something left on it is closed: to
    read on would be to obey the server.
    """
    body = b""
    while len(body) <= limit:
        piece = raw.read(limit + 1 - len(body), decode_content=False)
        if not piece:
            raw.release_conn()
            return body, True
        body += piece
    raw.close()
    return body[:limit], False


def _kind(error: Exception, call: Call) -> FailureKind:
    # First of all: at the deadline the same moment may show up as any of the others.
    if call.budget.expired:
        return "timeout"
    if isinstance(error, AddressRefused):
        return "dns" if error.reason == "dns" else "refused_address"
    if call.stage == "exchange":
        return "protocol"
    return call.stage


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000


_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _start_all_afresh() -> None:
    for client in list(_clients):
        client._start_afresh()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_all_afresh)
