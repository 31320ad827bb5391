"""Which addresses this site may call.

An address that a visitor or a member typed makes *our* server open a connection, from inside
our network. The rule is: read the address strictly, look its name up once, and go on only if
every answer is public; then connect to exactly what was looked up (:mod:`.pinned`).

Sources: RFC 6761 (special-use names), RFC 5891 (IDNA 2008), WHATWG URL ("ends in a number");
for the addresses see :mod:`.ranges`.
"""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple, NoReturn

import idna

from ..translation import said
from . import lookup
from .lookup import Resolver, system_resolver
from .ranges import IPAddress, is_private, is_public

MAX_LENGTH = 2048
_STANDARD_PORTS = frozenset({443})
_PORT_OF_SCHEME = {"https": 443, "http": 80}

_NOT_PUBLIC = said(
    "The address cannot be used: its host does not lead to a server on the public internet."
)
_SENTENCES = {
    "length": said("The address must have between 1 and {most} characters.", most=MAX_LENGTH),
    "characters": said("The address must be printable ASCII without spaces or backslashes."),
    "scheme": said("The address must start with https:// (or http:// where that is allowed)."),
    "syntax": said("The address must have the form https://host/path."),
    "fragment": said("The address must not have a part after #."),
    "userinfo": said("The address must not contain a user name or a password."),
    "port": said("The address uses a port that is not allowed."),
    "hostname": said("The host name of the address is not valid or not allowed."),
    "place": "The target must be a host and a port, such as mail.example.org:25 or [2001:db8::1]:25.",
    "port_number": "The port must be a number from 1 to 65535.",
    # The same words for both: whoever types addresses must not learn from the answer which
    # names exist inside our network.
    "address": _NOT_PUBLIC,
    "dns": _NOT_PUBLIC,
}


class AddressRefused(ValueError):
    """The address may not be called.

    ``reason`` is one of ``length``, ``characters``, ``scheme``, ``syntax``, ``fragment``,
    ``userinfo``, ``port``, ``hostname``, ``place`` (not host:port), ``port_number``,
    ``address`` (not public), ``dns`` (not found, or not in time). ``str()`` is a fixed
    sentence, safe to show: it never names what was looked up.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(_SENTENCES[reason])
        self.reason = reason

    def __reduce__(self) -> tuple[type[AddressRefused], tuple[str]]:
        return type(self), (self.reason,)


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What an address may be.

    * ``allow_http``: plain http too, and with the standard ``ports`` also port 80.
    * ``allow_private``: loopback and private addresses, single-label and special-use names
      (``localhost``, ``db.internal``), and any port. Link-local addresses and the metadata
      services of cloud hosts stay refused.
    * ``ports``: the ports that may be called.
    """

    allow_http: bool = False
    allow_private: bool = False
    ports: frozenset[int] = _STANDARD_PORTS

    def permits_scheme(self, scheme: str) -> bool:
        """Tell whether the scheme (in lower case) may be used."""
        return scheme == "https" or (scheme == "http" and self.allow_http)

    def permits_port(self, port: int) -> bool:
        """Tell whether the port may be called."""
        if self.allow_private or port in self.ports:
            return True
        return port == 80 and self.allow_http and self.ports == _STANDARD_PORTS

    def permits(self, ip: IPAddress) -> bool:
        """Tell whether a connection to this address may be opened."""
        return is_public(ip) or (self.allow_private and is_private(ip))


@dataclass(frozen=True, slots=True)
class Target:
    """An address that passed :func:`vet_url`, in canonical form.

    ``host`` is lower case, an A-label if international, without brackets or final dot.
    ``literal`` is the IP address if the host is one. ``url`` is built from the other parts,
    so whoever parses it again finds the same host.
    """

    scheme: str
    host: str
    port: int
    url: str
    literal: IPAddress | None = None

    @property
    def path(self) -> str:
        """Path and query as sent in the request line; begins with ``/``."""
        return self.url[self.url.index("/", len(self.scheme) + 3) :]


class SocketAddress(NamedTuple):
    """Where to connect: a family and the address that :meth:`socket.socket.connect` takes."""

    family: socket.AddressFamily
    address: tuple[str, int] | tuple[str, int, int, int]


def vet_url(url: str, policy: AddressPolicy) -> Target:
    """Read an address strictly, without any look-up; raise :exc:`AddressRefused`.

    Stricter than a browser on purpose: where two parsers could disagree, the address is
    refused. A host that is an IP address is judged here.
    """
    if not isinstance(url, str) or not 0 < len(url) <= MAX_LENGTH:
        _refuse("length")
    return _read_url(url, policy)


def resolve(
    host: str,
    port: int,
    policy: AddressPolicy,
    *,
    deadline: float,
    resolver: Resolver = system_resolver,
) -> list[SocketAddress]:
    """Look `host` up once and return where to connect, in the order of the answers.

    `host` is the one of a :class:`Target`; `deadline` is an instant of
    :func:`time.monotonic`. One answer that the policy does not permit refuses them all:
    a name with a public and a private answer is an attack or a mistake. Raises
    :exc:`AddressRefused` with reason ``address`` or ``dns``.
    """
    try:
        found = [ip_address(host)]
    except ValueError:
        try:
            answers = lookup.ask(resolver, host, port, kind=socket.SOCK_STREAM, deadline=deadline)
        except OSError as error:
            raise AddressRefused("dns") from error
        found = [_read_answer(answer) for answer in answers]
    if not found:
        _refuse("dns")
    if not all(policy.permits(ip) for ip in found):
        _refuse("address")
    # Built from the vetted value alone, so nothing else of an answer reaches connect().
    return [_socket_address(ip, port) for ip in dict.fromkeys(found)]


def vet_address(
    url: str,
    policy: AddressPolicy,
    *,
    timeout: float = 5.0,
    resolver: Resolver = system_resolver,
) -> Target:
    """Do :func:`vet_url` and :func:`resolve`: for an address that is about to be saved.

    `timeout` is in seconds. It does not replace the check at every send, because a name may
    lead elsewhere by then. Raises :exc:`AddressRefused`.
    """
    target = vet_url(url, policy)
    deadline = time.monotonic() + timeout
    resolve(target.host, target.port, policy, deadline=deadline, resolver=resolver)
    return target


def _refuse(reason: str) -> NoReturn:
    raise AddressRefused(reason)


# What is remembered is how an address is written and judged, never where its name leads.
@lru_cache(maxsize=2048)
def _read_url(url: str, policy: AddressPolicy) -> Target:
    if _CONTROL_OR_BACKSLASH.search(url):
        _refuse("characters")
    scheme, _, rest = url.partition(":")
    scheme = scheme.lower() if scheme.isascii() else ""
    if not policy.permits_scheme(scheme):
        _refuse("scheme")
    if not rest.startswith("//"):
        _refuse("syntax")
    if "#" in rest:
        _refuse("fragment")
    authority, path = _split_authority(rest[2:])
    if not path.isascii():
        _refuse("characters")
    if "@" in authority:
        _refuse("userinfo")
    written_host, port = _split_port(authority, default=_PORT_OF_SCHEME[scheme])
    if not policy.permits_port(port):
        _refuse("port")
    literal, host = read_host(written_host, policy)
    if literal is not None and not policy.permits(literal):
        _refuse("address")
    bracketed = f"[{host}]" if literal is not None and literal.version == 6 else host
    shown_port = "" if port == _PORT_OF_SCHEME[scheme] else f":{port}"
    return Target(scheme, host, port, f"{scheme}://{bracketed}{shown_port}{path}", literal)


def _split_authority(rest: str) -> tuple[str, str]:
    """Split what follows ``//`` into the authority and a path that begins with ``/``."""
    end = _END_OF_AUTHORITY.search(rest)
    if end is None:
        return rest, "/"
    path = rest[end.start() :]
    return rest[: end.start()], path if path.startswith("/") else f"/{path}"


def _split_port(authority: str, *, default: int) -> tuple[str, int]:
    host, colon, digits = authority.rpartition(":")
    if not colon or digits.endswith("]"):
        return authority, default
    if not _PORT.fullmatch(digits) or int(digits) > 65535:
        _refuse("port")
    return host, int(digits)


def read_host(written: str, policy: AddressPolicy) -> tuple[IPAddress | None, str]:
    """Return the IP address (if the host is one) and the canonical spelling; raise :exc:`AddressRefused`.

    An IPv6 address stands in brackets and comes back without. An address is not judged yet.
    """
    if written.startswith("["):
        return _read_bracketed(written)
    if not written.isascii():
        written = _to_a_labels(written)
    # ASCII only by now. str.lower() before would have turned the Kelvin sign into a "k".
    host = written.lower()
    if _ENDS_IN_NUMBER.search(host):
        # 127.1, 0x7f000001 and 017700000001 all are 127.0.0.1 to some resolver.
        try:
            address = IPv4Address(host)
        except ValueError:
            _refuse("hostname")
        return address, str(address)
    host = host.removesuffix(".")
    if len(host) > 253 or not _HOSTNAME.fullmatch(host):
        _refuse("hostname")
    labels = host.split(".")
    for label in labels:
        if label.startswith("xn--"):
            try:
                idna.ulabel(label)
            except UnicodeError:
                _refuse("hostname")
    if not policy.allow_private and (len(labels) == 1 or labels[-1] in _SPECIAL_NAMES):
        _refuse("hostname")
    return None, host


def _read_bracketed(written: str) -> tuple[IPAddress, str]:
    inner = written[1:-1]
    if not written.endswith("]") or "%" in inner:
        _refuse("hostname")
    try:
        address = IPv6Address(inner)
    except ValueError:
        _refuse("hostname")
    return address, str(address)


def _to_a_labels(host: str) -> str:
    """Encode by IDNA 2008 without UTS 46: look-alikes are refused, not folded."""
    lowered = host.translate(_ASCII_LOWER)
    try:
        # strict: only "." separates labels, not the ideographic full stops.
        return idna.encode(lowered, strict=True).decode("ascii")
    except UnicodeError:
        _refuse("hostname")


def _read_answer(answer: tuple[object, ...]) -> IPAddress:
    """Return the IP address of one ``getaddrinfo`` answer."""
    address = answer[4]
    if not isinstance(address, tuple) or not address:
        _refuse("address")
    try:
        ip = ip_address(str(address[0]))
    except ValueError:
        _refuse("address")
    # The scope of a link-local answer stands in the fourth field or after a "%".
    if ip.version == 6 and len(address) > 3 and address[3]:
        _refuse("address")
    return ip


def _socket_address(ip: IPAddress, port: int) -> SocketAddress:
    if ip.version == 4:
        return SocketAddress(socket.AF_INET, (str(ip), port))
    return SocketAddress(socket.AF_INET6, (str(ip), port, 0, 0))


_CONTROL_OR_BACKSLASH = re.compile(r"[\x00-\x20\x7f\\]")
_END_OF_AUTHORITY = re.compile(r"[/?]")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_HOSTNAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_ENDS_IN_NUMBER = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)\.?$")
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

# Last labels that never lead to the public internet: RFC 6761, 6762, 7686, 8375, 9476,
# ICANN's .internal, the names ICANN will not delegate, and what routers like to use.
_SPECIAL_NAMES = frozenset(
    {
        "alt",
        "arpa",
        "corp",
        "example",
        "home",
        "internal",
        "intranet",
        "invalid",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "mail",
        "onion",
        "private",
        "test",
    }
)
