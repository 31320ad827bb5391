"""A name server on loopback, over UDP and TCP, whose every answer a test decides.

`DnsServer.resolver` is a look-up of the kind of ``socket.getaddrinfo`` that really asks this server over the network.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

LONGEST_CHAIN = 12
UDP_BYTES = 512


@dataclass(frozen=True, kw_only=True)
class Records:
    """What a name answers: `addresses` of both families, or the name that it is an alias of, and `others`: what a
    zone file says of it, by type, such as ``{"MX": ["10 mail.example.org."]}``.

    The answer comes after `delay` seconds; with `silent` there is none at all. `rcode` is that of
    the answer, such as "SERVFAIL"; a name that was never set answers NXDOMAIN.
    """

    addresses: Sequence[str] = ()
    alias: str | None = None
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rcode: str = "NOERROR"
    delay: float = 0.0
    silent: bool = False


NOWHERE = Records(rcode="NXDOMAIN")


class DnsServer:
    """Answers at 127.0.0.1:`port`. `queries` holds the name and type of every question, in order of arrival."""

    def __init__(self) -> None:
        self.queries: list[tuple[str, str]] = []
        self.tcp_queries = 0
        self._names: dict[str, list[Records]] = {}
        self._asked: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._udp, self._tcp = _listeners(self)
        self.port: int = self._udp.server_address[1]

    def set(self, name: str, *answers: Records | str) -> str:
        """Let `name` answer so from now on; returns the name.

        Addresses in plain words are one answer of them all: ``set("a.com", "8.8.8.8", "127.0.0.1")``. Several `Records`
        are given one after another, one to each question of a type, the last one for ever.
        """
        words = [answer for answer in answers if isinstance(answer, str)]
        records = [answer for answer in answers if isinstance(answer, Records)]
        with self._lock:
            self._names[name] = records or [Records(addresses=words)]
            for kind in ("A", "AAAA"):
                self._asked.pop((name, kind), None)
        return name

    def count(self, name: str, kind: str = "A") -> int:
        """How often `name` was asked for."""
        return self.queries.count((name, kind))

    def resolver(self, host: str, port: int, *, type: int, **_: Any) -> list[tuple[Any, ...]]:
        """Ask this server for both families, and answer or raise like ``socket.getaddrinfo``."""
        asker = dns.resolver.Resolver(configure=False)
        asker.nameservers, asker.port = ["127.0.0.1"], self.port
        asker.timeout = asker.lifetime = 10
        found: list[tuple[Any, ...]] = []
        for kind, family in (("AAAA", socket.AF_INET6), ("A", socket.AF_INET)):
            try:
                answer = asker.resolve(host, kind, raise_on_no_answer=False, search=False)
            except dns.resolver.NXDOMAIN as error:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from error
            except dns.exception.DNSException as error:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure") from error
            for record in answer.rrset or ():
                tail = (port, 0, 0) if family == socket.AF_INET6 else (port,)
                found.append((family, type, socket.IPPROTO_TCP, "", (record.address, *tail)))
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "No address associated with hostname")
        return found

    def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """The answer to one message; None: say nothing."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = str(question.name).rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        with self._lock:
            self.queries.append((name, kind))
            self.tcp_queries += tcp
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        for _ in range(LONGEST_CHAIN):
            records = self._next(name, kind)
            if self.stopping.wait(records.delay) or records.silent:
                return None
            reply.set_rcode(dns.rcode.from_text(records.rcode))
            if records.alias is None:
                _add(reply, name, kind, records)
                break
            owner = dns.name.from_text(name)
            reply.answer.append(dns.rrset.from_text(owner, 0, "IN", "CNAME", f"{records.alias}."))
            name = records.alias
        try:
            return reply.to_wire(max_size=65535 if tcp else UDP_BYTES)
        except dns.exception.TooBig:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
            return reply.to_wire()

    def start(self) -> list[threading.Thread]:
        listeners = (self._udp, self._tcp)
        threads = [
            threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True)
            for one in listeners
        ]
        for thread in threads:
            thread.start()
        return threads

    def close(self, threads: Sequence[threading.Thread]) -> None:
        self.stopping.set()
        for listener in (self._udp, self._tcp):
            listener.shutdown()
        for thread in threads:
            thread.join()
        for listener in (self._udp, self._tcp):
            listener.server_close()

    def _next(self, name: str, kind: str) -> Records:
        with self._lock:
            records = self._names.get(name, [NOWHERE])
            turn = self._asked.get((name, kind), 0)
            self._asked[name, kind] = turn + 1
            return records[min(turn, len(records) - 1)]


@contextmanager
def running() -> Iterator[DnsServer]:
    server = DnsServer()
    threads = server.start()
    try:
        yield server
    finally:
        server.close(threads)


def _add(reply: dns.message.Message, name: str, kind: str, records: Records) -> None:
    version = {"A": 4, "AAAA": 6}.get(kind)
    fitting = [one for one in records.addresses if ip_address(one).version == version]
    fitting += records.others.get(kind, ())
    if fitting:
        reply.answer.append(dns.rrset.from_text(dns.name.from_text(name), 0, "IN", kind, *fitting))


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, sock = self.request
        reply = self.server.names.answer(wire, tcp=False)  # type: ignore[attr-defined]
        if reply is not None:
            sock.sendto(reply, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while length := self.rfile.read(2):
            wire = self.rfile.read(int.from_bytes(length, "big"))
            reply = self.server.names.answer(wire, tcp=True)  # type: ignore[attr-defined]
            if reply is None:
                return
            self.wfile.write(len(reply).to_bytes(2, "big") + reply)


class _UdpListener(socketserver.ThreadingUDPServer):
    daemon_threads = True
    max_packet_size = 65535


class _TcpListener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def _listeners(names: DnsServer) -> tuple[_UdpListener, _TcpListener]:
    """One port of both protocols: a port free for UDP may be taken for TCP."""
    for _ in range(20):
        udp = _UdpListener(("127.0.0.1", 0), _Datagram)
        try:
            tcp = _TcpListener(("127.0.0.1", udp.server_address[1]), _Stream)
        except OSError:
            udp.server_close()
            continue
        udp.names = tcp.names = names  # type: ignore[attr-defined]
        return udp, tcp
    raise OSError("no port is free for both UDP and TCP")
