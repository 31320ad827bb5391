"""Connections that go where the guard looked, and an adapter that uses them.

The chain is requests' adapter → urllib3's pools → these connections. A name is looked up when
a connection is opened, in the same step that connects, so there is no second look-up that
could answer differently (DNS rebinding). TLS is verified against the *name* all the same.

A connection learns for which call it works through a thread-local, because neither requests
nor urllib3 hands a value of ours that far down.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException, HTTPResponse
from typing import Any, Literal

import requests
import requests.utils
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from .certificates import certificate_end
from .connecting import connect_first
from .deadline import BoundedSocket, BoundedTLSSocket, Budget
from .guard import AddressPolicy, Target, resolve
from .lookup import Resolver
from .own import CannotCall

Stage = Literal["dns", "connect", "tls", "exchange"]

# An idle connection older than this is not trusted: routers on the way forget connections
# without telling either side, and the next request on one would look like a dead server.
IDLE_SECONDS = 75.0
# Nor is one in use for ever: it knows nothing of a listener that is gone, a name that leads
# elsewhere by now, or a certificate that was replaced or has expired.
LIFE_SECONDS = 120.0
_MOST_INTERIM_ANSWERS = 100
_LONGEST_LINE = 65536


@dataclass(slots=True)
class Call:
    """One call on its way: what it may do, what it may use, and how far it came."""

    target: Target
    policy: AddressPolicy
    resolver: Resolver
    budget: Budget
    context: ssl.SSLContext | None
    fresh_only: bool = False
    stage: Stage = "dns"
    reused: bool = False
    sock: BoundedSocket | None = None
    certificate_expires: datetime | None = None

    def discard(self) -> None:
        """Close the socket of a failed call at once.

        After some broken answers (two lengths) urllib3 leaves it to the garbage collector.
        """
        if self.sock is not None:
            _close_for_good(self.sock)
            self.sock = None


_current = threading.local()


class FinalResponse(HTTPResponse):
    """Reads past every interim answer (RFC 9110, 15.2).

    ``http.client`` does so for 100 alone. It takes 103 for the answer itself, and what follows
    for the answer to the next request on the connection.
    """

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_MOST_INTERIM_ANSWERS):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200:
                return version, status, reason
            if status == 101:
                raise HTTPException("the server changes a protocol that nobody asked it to change")
            while self.fp.readline(_LONGEST_LINE) not in (b"\r\n", b"\n", b""):
                pass
        raise HTTPException("the server sends one interim answer after another")

    def begin(self) -> None:
        super().begin()
        # A 204 has no body and announces none (RFC 9110, 8.6); what is announced all the same is
        # not waited for, but it might come later and be taken for the next answer. An answer to
        # HEAD and a 304 may name the length that there would be, and cost no connection.
        announced = self.getheader("Transfer-Encoding") or self.getheader("Content-Length")
        if self.status == 204 and (announced or "0").strip() != "0":
            self.will_close, self.chunked, self.length = True, False, 0


class PinnedConnection(HTTPConnection):
    """An http connection opened by :func:`dial` and bound to the budget of each call."""

    response_class = FinalResponse
    certificate_expires: datetime | None = None
    _exchanges = 0
    _last_used = 0.0
    _opened_at = 0.0

    def _new_conn(self) -> socket.socket:
        sys.audit("http.client.connect", self, self.host, self.port)
        self._exchanges = 0
        self._opened_at = time.monotonic()
        return dial(_current.call, self.socket_options or ())

    def request(self, *args: Any, **kwargs: Any) -> None:
        call: Call = _current.call
        now = time.monotonic()
        too_old = now - self._last_used > IDLE_SECONDS or now - self._opened_at > LIFE_SECONDS
        if self.sock is not None and self._exchanges and (call.fresh_only or too_old):
            self.close()
        if self.sock is None:
            self.connect()
        if not isinstance(self.sock, BoundedSocket):
            raise RuntimeError("The connection is not bound to a deadline, so it is not used.")
        call.sock, call.certificate_expires = self.sock, self.certificate_expires
        self.sock.budget = call.budget
        call.reused = self._exchanges > 0
        if not call.reused:
            _current.opened.add(self)
        call.stage = "exchange"
        self._exchanges += 1
        self._last_used = now
        super().request(*args, **kwargs)


class PinnedTLSConnection(PinnedConnection, HTTPSConnection):
    """The same over TLS; the handshake has what is left of the deadline."""

    def connect(self) -> None:
        super().connect()
        # Once for the connection, whose every answer tells it.
        self.certificate_expires = certificate_end(self.sock)


class PinnedPool(HTTPConnectionPool):
    """Connections to one http host."""

    ConnectionCls = PinnedConnection


class PinnedTLSPool(HTTPSConnectionPool):
    """Connections to one https host."""

    ConnectionCls = PinnedTLSConnection

    def _validate_conn(self, conn: Any) -> None:
        # Without urllib3's warning for verify=False at every call: it was asked for.
        if conn.is_closed:
            conn.connect()


class PinnedAdapter(HTTPAdapter):
    """A requests adapter without proxies, cookies and environment.

    It is used directly, not mounted on a ``requests.Session``: a session reads the body of a
    redirect to its end, unpacked, even when told not to follow it.
    """

    def __init__(self, *, hosts: int, connections_per_host: int) -> None:
        self._opened: weakref.WeakSet[PinnedConnection] = weakref.WeakSet()
        super().__init__(pool_connections=hosts, pool_maxsize=connections_per_host, max_retries=0)

    def exchange(self, request: requests.PreparedRequest, call: Call) -> BaseHTTPResponse:
        """Send `request` for `call` and return the response with its body unread."""
        _current.call, _current.opened = call, self._opened
        try:
            raw: BaseHTTPResponse = self.send(request, stream=True).raw
            return raw
        finally:
            del _current.call, _current.opened

    def abandon(self) -> None:
        """Close the inherited file descriptors in a forked child, and nothing more.

        The connections belong to the parent: nothing may be sent on them, and the locks of
        the pools may be held by a thread that does not exist here.
        """
        for connection in list(self._opened):
            sock, connection.sock = connection.sock, None
            if sock is not None:
                _close_for_good(sock)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs
        )
        self.poolmanager.pool_classes_by_scheme = {"http": PinnedPool, "https": PinnedTLSPool}

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        call: Call = _current.call
        target = call.target
        options = {} if call.context is None else {"ssl_context": call.context}
        return self.poolmanager.connection_from_host(
            target.host, port=target.port, scheme=target.scheme, pool_kwargs=options
        )

    # The name of the same hook in requests before 2.32.
    get_connection = get_connection_with_tls_context

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the TLS context of the call says all."""

    def request_url(self, *args: Any, **kwargs: Any) -> str:
        call: Call = _current.call
        return call.target.path

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        # Without the cookie jar that requests would fill here.
        response = requests.Response()
        response.raw = resp
        return response


def dial(call: Call, socket_options: Any) -> BoundedSocket:
    """Look the host of `call` up and connect to the first vetted address that answers.

    Raises :exc:`.AddressRefused` and :exc:`OSError`.
    """
    call.stage = "dns"
    target, budget = call.target, call.budget
    places = resolve(
        target.host,
        target.port,
        call.policy,
        deadline=budget.deadline,
        resolver=call.resolver,
    )
    call.stage = "connect"
    sock = connect_first(places, budget, socket_options)
    if target.scheme == "https":
        call.stage = "tls"
    return sock


def _close_for_good(sock: socket.socket) -> None:
    """Close the descriptor itself: close() would wait for the files made of the socket."""
    if sock.fileno() >= 0:
        socket.close(sock.detach())


def tls_context(verify: bool | str, authorities: str | None = None) -> ssl.SSLContext:
    """Make the TLS context for `verify`: True, False, or the path of a CA file or folder.

    `authorities` is a PEM file with further certificates to trust where any are checked.

    Made here and not by urllib3, so that it is the same with every version of it, takes no
    key-log file from the environment and makes sockets that keep to a budget.

    Raises :exc:`.CannotCall`, which names the file, if one cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = BoundedTLSSocket
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if authorities is not None:
        _trust(context, authorities)
        if not context.cert_store_stats()["x509"]:
            raise CannotCall(f"There is no certificate in {authorities}")
        # Who issues certificates is trusted as it stands there, without a root above it. The
        # public ones are roots, to all of which this changes nothing.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    _trust(context, requests.utils.DEFAULT_CA_BUNDLE_PATH if verify is True else verify)
    return context


def _trust(context: ssl.SSLContext, location: str) -> None:
    kind = "capath" if os.path.isdir(location) else "cafile"
    arguments: Mapping[str, str] = {kind: location}
    try:
        context.load_verify_locations(**arguments)
    except OSError as error:
        raise CannotCall(f"The certificates in {location} cannot be read: {error}") from error
