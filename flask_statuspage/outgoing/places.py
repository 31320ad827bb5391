"""Hosts and ports that somebody typed without a URL around them.

The host is read as strictly as that of a URL (:mod:`.guard`). Any port may be named: the setting of allowed ports is
for URLs, to which a body of somebody's choice can be sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .guard import AddressPolicy, AddressRefused, read_host
from .ranges import IPAddress

_LONGEST = 300
"""Characters. A name has 253 at most; IDNA takes its time with long ones."""


@dataclass(frozen=True, slots=True)
class Place:
    """A host that passed :func:`vet_host`, with a port; 0 where there is none.

    ``host`` is lower case, an A-label if international, without brackets or final dot. ``literal`` is the IP address
    if the host is one.
    """

    host: str
    port: int = 0
    literal: IPAddress | None = None

    def spelled(self, *, default: int | None = None) -> str:
        """As it is written: an IPv6 address in brackets, the port unless it is the *default*."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == default else f"{host}:{self.port}"


def vet_host(text: str, policy: AddressPolicy) -> Place:
    """Read a host without any look-up; raise :exc:`.AddressRefused`. An IP address is judged here.

    IPv6 addresses may stand in brackets or not.
    """
    if not 0 < len(text) <= _LONGEST:
        raise AddressRefused("hostname")
    if ":" in text and not text.startswith("["):
        text = f"[{text}]"
    literal, host = read_host(text, policy)
    if literal is not None and not policy.permits(literal):
        raise AddressRefused("address")
    return Place(host, literal=literal)


def vet_place(text: str, policy: AddressPolicy, *, default: int | None = None) -> Place:
    """Read ``host:port`` without any look-up; raise :exc:`.AddressRefused`.

    :param default: the port where none is written; None: one must be. IPv6 addresses stand in brackets, but may do
        without where a port may be left out.
    """
    host, port = _split(text)
    if port is None:
        if default is None:
            raise AddressRefused("place")
        port = default
    found = vet_host(host, policy)
    return Place(found.host, port, found.literal)


def _split(text: str) -> tuple[str, int | None]:
    host, colon, digits = text.rpartition(":")
    bare_address = ":" in host and not host.endswith("]")
    if not colon or bare_address or digits.endswith("]"):
        return text, None
    if not _PORT.fullmatch(digits) or int(digits) > 65535:
        raise AddressRefused("port_number")
    return host, int(digits)


_PORT = re.compile(r"[1-9][0-9]{0,4}")
