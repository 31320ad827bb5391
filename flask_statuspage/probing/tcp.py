"""Probe a port over TCP: it can be connected to, and greets as expected."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Annotated

from pydantic import Field

from ..outgoing import AddressPolicy, BoundedSocket, Budget, Place, connect
from .findings import NO_ANSWER, answered, failed, since
from .host import HostProbe
from .option_types import Printable
from .probe import Finding, ProbeOptions, ProbeOrder

BANNER_BYTES = 4096
"""How much of what the server says is searched for the banner."""


class TcpOptions(ProbeOptions):
    """:param banner: what the server's first bytes must contain, in UTF-8; None: to connect is enough."""

    banner: Annotated[Printable, Field(min_length=1, max_length=200)] | None = None


class TcpProbe(HostProbe):
    """The target is ``host:port``. Nothing is sent."""

    kind = "tcp"
    Options = TcpOptions

    def ask(
        self, order: ProbeOrder, place: Place, policy: AddressPolicy, budget: Budget
    ) -> Finding:
        started = time.monotonic()
        banner = order.options.get("banner")
        with closing(connect(place, policy, budget, resolver=self.resolver)) as sock:
            error = None if banner is None else _listen(sock, banner.encode(), budget)
        if error is not None:
            return failed(error, started)
        return answered(order, since(started))


def _listen(sock: BoundedSocket, banner: bytes, budget: Budget) -> str | None:
    """What is wrong with what the server says by itself; None: the *banner* came."""
    said, silence = b"", "The connection was closed"
    try:
        while len(said) < BANNER_BYTES and (piece := sock.recv(BANNER_BYTES - len(said))):
            said += piece
            if banner in said:
                return None
    except OSError:
        silence = NO_ANSWER if budget.expired else silence
    return "The expected banner did not come" if said else silence
