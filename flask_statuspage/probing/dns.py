"""Probe a name in the DNS: it has a record, and the expected ones are among its answers."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import field_validator

from ..config import Settings
from ..domain.verdict import Verdict
from ..errors import Invalid
from ..outgoing import (
    AddressPolicy,
    AddressRefused,
    Budget,
    Place,
    own_failure,
    vet_host,
    vet_place,
)
from ..outgoing.site import site_policy
from .extra import needed
from .findings import NO_ANSWER, WORDS, answered, failed, since
from .host import ANY_NAME
from .option_types import Printable
from .probe import Asker, Finding, Probe, ProbeOptions, ProbeOrder

PORT = 53
TRY_SECONDS = 2.0
"""How long one server is waited for before the next one, or the same again, is asked: UDP loses packets."""

MOST_EXPECTED = 50
LONGEST_EXPECTED = 2000
REVERSE = (".in-addr.arpa", ".ip6.arpa")

_RCODES = {
    2: "The name server failed",
    3: "The name does not exist",
    5: "The name server refused to answer",
}
_NXDOMAIN = 3


class DnsOptions(ProbeOptions):
    """:param expected: one text or several, each as a zone file writes it (TXT: the bare text); all must be answered.

    :param server: ``address`` or ``address:port`` of a name server; None: those of the system.
    """

    record: Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = "A"
    expected: list[Printable] | None = None
    server: Printable | None = None

    @field_validator("expected", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        listed = [value] if isinstance(value, str) else value
        if listed is None:
            return None
        if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_EXPECTED:
            raise ValueError(f"Must be a text or a list of 1 to {MOST_EXPECTED} texts")
        if not all(isinstance(item, str) and 0 < len(item) <= LONGEST_EXPECTED for item in listed):
            raise ValueError(f"Must be texts of 1 to {LONGEST_EXPECTED} characters")
        return listed


class DnsProbe(Probe):
    """The target is a name."""

    kind = "dns"
    Options = DnsOptions

    def normalise(self, target: str, settings: Settings) -> str:
        try:
            place = _read_name(target.strip(), site_policy(settings))
        except AddressRefused as error:
            raise Invalid.field("target", str(error)) from error
        if place.literal is not None:
            message = "Must be a name. The one of an address ends in in-addr.arpa or ip6.arpa."
            raise Invalid.field("target", message)
        return place.host

    def check_options(self, options: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
        needed("dns.rdata", field="kind")
        checked = super().check_options(options, settings)
        if checked["server"] is not None:
            checked["server"] = _vetted_server(checked["server"], site_policy(settings))
        for text in checked["expected"] or ():
            if _expected(checked["record"], text) is None:
                message = f"{text[:100]!r} is no {checked['record']} record."
                raise Invalid.field("options.expected", message)
        return checked

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Asker]:
        resolver = needed("dns.resolver", field="kind")
        try:
            known = resolver.Resolver()
        except resolver.NoResolverConfiguration:
            servers = []
        else:
            servers = [Place(address, known.port) for address in known.nameservers]
        yield DnsAsker(servers, site_policy(settings))


class DnsAsker:
    """:param servers: the system's, which the operator chose: they may be anywhere."""

    def __init__(self, servers: Sequence[Place], policy: AddressPolicy) -> None:
        self._servers = servers
        self._policy = policy

    def ask(self, order: ProbeOrder) -> Finding:
        started = time.monotonic()
        budget = Budget(started + order.timeout, 0)
        try:
            name = _read_name(order.target, self._policy).host
            typed = order.options.get("server")
            servers = [vet_place(typed, self._policy, default=PORT)] if typed else self._servers
        except AddressRefused:  # it was allowed when it was saved
            return failed(WORDS["refused_address"], started)
        if not servers:
            return Finding(outcome=Verdict.UNKNOWN, error="This machine has no name server")
        record = order.options.get("record", "A")
        try:
            reply = _reply(name, record, servers, budget, order.timeout)
        except OSError as error:
            if own_failure(error):
                raise
            return failed(NO_ANSWER if budget.expired else WORDS["connect"], started)
        return _judged(order, reply, record, started)


def _judged(order: ProbeOrder, reply: Any, record: str, started: float) -> Finding:
    milliseconds = since(started)
    code = int(reply.rcode())
    if code:
        words = _RCODES.get(code, "The name server answered with an error")
        return failed(words, started, code=code)
    try:
        found = reply.resolve_chaining().answer
    except needed("dns.exception", field="kind").DNSException:
        return failed("The answer was not DNS", started, code=code)
    if not found:
        return failed("There is no such record", started, code=code)
    answers = [_comparable(record, data) for data in found]
    expected = order.options.get("expected") or ()
    if not all(_expected(record, text) in answers for text in expected):
        return failed("An expected record is missing", started, code=code)
    return answered(order, milliseconds, code=code)


def _reply(name: str, record: str, servers: Sequence[Place], budget: Budget, timeout: float) -> Any:
    """What the first server answers that can say something of the name, or else the last one.

    :raises OSError: none answered; a :exc:`TimeoutError` at the deadline.
    """
    exception = needed("dns.exception", field="kind")
    message = needed("dns.message", field="kind")
    patience = min(TRY_SECONDS, timeout / (2 * len(servers)))
    query = message.make_query(f"{name}.", record)
    reply: Any = None
    failure: Exception | None = None
    waiting = list(servers)
    while waiting:
        for server in list(waiting):
            try:
                reply = _exchange(query, server, budget, patience)
            except exception.Timeout:
                continue
            except (OSError, EOFError, exception.DNSException) as error:
                failure = error
            else:
                if int(reply.rcode()) in (0, _NXDOMAIN):
                    return reply
            waiting.remove(server)
    if reply is None:
        raise OSError("no name server answered") from failure
    return reply


def _exchange(query: Any, server: Place, budget: Budget, patience: float) -> Any:
    """Ask over UDP, and over TCP what does not fit."""
    messages = needed("dns.message", field="kind")
    exchange = needed("dns.query", field="kind")
    try:
        return exchange.udp(
            query,
            server.host,
            port=server.port,
            timeout=min(patience, budget.seconds()),
            raise_on_truncation=True,
            # Whatever others send to our port meanwhile.
            ignore_unexpected=True,
            ignore_errors=True,
        )
    except messages.Truncated:
        return exchange.tcp(query, server.host, port=server.port, timeout=budget.seconds())


def _read_name(text: str, policy: AddressPolicy) -> Place:
    """*text* as a name without its final dot; special-use names as in URLs.

    Reverse names are for every address that could be called itself: others would tell what is inside the network.
    """
    lowered = text.lower().removesuffix(".")
    if not lowered.endswith(REVERSE):
        return vet_host(text, policy)
    address = _address(lowered)
    if address is not None and not policy.permits(address):
        raise AddressRefused("address")
    return vet_host(text, ANY_NAME)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of a reverse name; None if it is one of a network."""
    labels = name.split(".")[:-2][::-1]
    try:
        if name.endswith(REVERSE[0]):
            return ipaddress.IPv4Address(".".join(labels))
        return ipaddress.IPv6Address(int("".join(labels), 16)) if len(labels) == 32 else None
    except ValueError:
        return None


def _vetted_server(text: str, policy: AddressPolicy) -> str:
    try:
        place = vet_place(text.strip(), policy, default=PORT)
    except AddressRefused as error:
        raise Invalid.field("options.server", str(error)) from error
    if place.literal is None:
        raise Invalid.field("options.server", "Must be an IP address, with a port if need be.")
    return place.spelled(default=PORT)


def _expected(record: str, text: str) -> Any:
    """*text* as it is compared; None if it is no such record."""
    if record == "TXT":
        return text.encode()
    rdata, name = needed("dns.rdata", field="kind"), needed("dns.name", field="kind")
    exception = needed("dns.exception", field="kind")
    try:
        return rdata.from_text("IN", record, text, origin=name.root, relativize=False)
    except (exception.DNSException, ValueError):
        return None


def _comparable(record: str, data: Any) -> Any:
    """Names compare without case and final dot already; a TXT is its strings put together."""
    return b"".join(data.strings) if record == "TXT" else data
