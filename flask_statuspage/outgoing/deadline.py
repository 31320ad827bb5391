"""A limit of time and bytes for one exchange, kept by the socket itself.

A socket timeout counts from the last byte, so a server that sends one byte a second holds a
caller for ever. Here the socket is given the instant at which everything must be over, and
before each operation it waits for what is left until then and no longer.

There is no timer and no thread, so nothing can fire late: a connection that went back to the
pool is never touched, a fork has nothing to repair, and a call costs no wake-up. It holds
for TLS too, because CPython's ``ssl`` counts its timeout over a whole read, write or
handshake and not over each packet of it.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class TooManyBytes(OSError):
    """The peer sent more than the exchange may take from the wire."""


@dataclass(slots=True)
class Budget:
    """What one exchange may still use.

    ``deadline`` is an instant of :func:`time.monotonic` in seconds. ``bytes_left`` counts
    bytes from the wire (after TLS): status line, headers, chunk frames and body.
    """

    deadline: float
    bytes_left: int
    received: int = 0

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline

    def seconds(self) -> float:
        """Return the seconds left, always above zero; raise :exc:`TimeoutError` after that."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def spend(self, count: int) -> None:
        """Take `count` received bytes off; raise :exc:`TooManyBytes` when none are left."""
        self.received += count
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise TooManyBytes("the peer sent too many bytes")


class BoundedSocket(socket.socket):
    """A TCP socket that keeps to a :class:`Budget`; without one it is an ordinary socket.

    Each exchange on a kept-alive connection sets its own budget.
    """

    budget: Budget | None = None

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        budget = self.budget
        if budget is None:
            return super().recv_into(buffer, nbytes, flags)
        self.settimeout(budget.seconds())
        count = super().recv_into(buffer, nbytes, flags)
        budget.spend(count)
        return count

    def recv(self, bufsize: int = 1024, flags: int = 0) -> bytes:
        budget = self.budget
        if budget is None:
            return super().recv(bufsize, flags)
        self.settimeout(budget.seconds())
        data = super().recv(bufsize, flags)
        budget.spend(len(data))
        return data

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        if self.budget is not None:
            self.settimeout(self.budget.seconds())
        return super().send(data, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        # A plain socket counts its timeout over the whole call; a TLS socket goes through
        # send() for each piece and is checked there.
        if self.budget is not None:
            self.settimeout(self.budget.seconds())
        super().sendall(data, flags)


class BoundedTLSSocket(BoundedSocket, ssl.SSLSocket):  # type: ignore[misc]
    """The same over TLS; set it as :attr:`ssl.SSLContext.sslsocket_class`."""
