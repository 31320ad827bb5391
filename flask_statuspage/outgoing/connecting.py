"""Sockets to vetted addresses: what was looked up and judged is what is connected to."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from .deadline import BoundedSocket, Budget
from .guard import AddressPolicy, AddressRefused, SocketAddress, resolve
from .lookup import Resolver, system_resolver
from .own import LACKS, own_failure
from .places import Place

MOST_ADDRESSES = 8
_LEAST_SECONDS_PER_ADDRESS = 1.0


class ConnectFailed(Exception):
    """There is no connection.

    ``kind`` is ``dns`` (name not found), ``refused_address`` (see :class:`.AddressRefused`),
    ``connect`` (refused, unreachable) or ``timeout`` (the deadline passed, wherever it was).
    """

    def __init__(self, kind: Literal["dns", "refused_address", "connect", "timeout"]) -> None:
        super().__init__("There is no connection.")
        self.kind = kind


def look_up(
    place: Place,
    policy: AddressPolicy,
    budget: Budget,
    *,
    resolver: Resolver = system_resolver,
) -> list[SocketAddress]:
    """Do :func:`.resolve` for `place`; raise :exc:`ConnectFailed`."""
    try:
        found = resolve(place.host, place.port, policy, deadline=budget.deadline, resolver=resolver)
    except AddressRefused as error:
        if error.reason != "dns":
            raise ConnectFailed("refused_address") from error
        raise ConnectFailed("timeout" if budget.expired else "dns") from error
    return found[:MOST_ADDRESSES]


def connect(
    place: Place,
    policy: AddressPolicy,
    budget: Budget,
    *,
    resolver: Resolver = system_resolver,
) -> BoundedSocket:
    """Look `place` up once and connect to the first vetted address that answers.

    The socket keeps to `budget`, a TLS handshake on it too. Raises :exc:`ConnectFailed`.
    """
    places = look_up(place, policy, budget, resolver=resolver)
    try:
        sock = connect_first(places, budget)
    except OSError as error:
        raise ConnectFailed("timeout" if budget.expired else "connect") from error
    sock.budget = budget
    return sock


def connect_first(
    places: Sequence[SocketAddress], budget: Budget, socket_options: Iterable[Any] = ()
) -> BoundedSocket:
    """Connect to the first of `places` that answers; raise :exc:`OSError`.

    One that does not answer gets a share of the time left, so that a broken IPv6 route leaves
    enough for IPv4. What an address said counts more than that another cannot be called from here.
    """
    places = places[:MOST_ADDRESSES]
    failure: OSError | None = None
    for tried, place in enumerate(places):
        share = budget.seconds() / (len(places) - tried)
        try:
            seconds = max(share, _LEAST_SECONDS_PER_ADDRESS)
            return _connect(place, seconds, budget, socket_options)
        except OSError as error:
            if error.errno in LACKS:
                raise  # no other address would do better
            if failure is None or not own_failure(error):
                failure = error
    raise failure or OSError("no address to connect to")


def _connect(
    place: SocketAddress, seconds: float, budget: Budget, socket_options: Iterable[Any]
) -> BoundedSocket:
    sock = BoundedSocket(place.family, socket.SOCK_STREAM)
    try:
        for option in socket_options:
            sock.setsockopt(*option)
        sock.settimeout(min(seconds, budget.seconds()))
        sock.connect(place.address)
        # The TLS handshake inherits this timeout and counts it over the whole handshake.
        sock.settimeout(budget.seconds())
    except BaseException:
        sock.close()
        raise
    return sock
