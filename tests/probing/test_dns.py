"""The dns probe against a real name server, over UDP and TCP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Invalid
from flask_statuspage.outgoing import AddressPolicy, Place
from flask_statuspage.probing import Finding, probes
from flask_statuspage.probing.dns import DnsAsker
from tests.outgoing.peer import closed_port
from tests.servers.dns import DnsServer, Records

from .asking import LOOPBACK, STRICT, ask, lasting, order

DNS = probes["dns"]
NAME = "example.com"
OTHERS = {
    "CAA": ['0 issue "letsencrypt.org"'],
    "MX": ["10 mail.example.org.", "20 spare.example.org."],
    "NS": ["a.ns.example.net.", "b.ns.example.net."],
    "SOA": ["a.ns.example.net. host.example.com. 7 3600 600 86400 60"],
    "SRV": ["5 10 5060 sip.example.org."],
    "TXT": ['"v=spf1 include:_spf." "example.org -all"', '"Caf\\195\\169"'],
}
ZONE = Records(addresses=["192.0.2.1", "192.0.2.2", "2001:db8::1"], others=OTHERS)


@pytest.fixture
def zone(name_server: DnsServer) -> DnsServer:
    """A name server that knows `example.com`."""
    name_server.set(NAME, ZONE)
    return name_server


def asked(server: DnsServer, name: str = NAME, **options: Any) -> Finding:
    return ask(DNS, name, server=f"127.0.0.1:{server.port}", **options)


def told(finding: Finding) -> tuple[Verdict, int | None, str | None]:
    return finding.outcome, finding.code, finding.error


UP = (Verdict.UP, 0, None)
MISSING = (Verdict.DOWN, 0, "An expected record is missing")


def test_a_name_with_an_answer_is_up(zone: DnsServer) -> None:
    """Without an expectation any record of that type will do."""
    finding = asked(zone)
    assert told(finding) == UP
    assert 0 <= (finding.milliseconds or 0) < 2000
    assert zone.queries == [(NAME, "A")]
    for record in ("AAAA", *OTHERS):
        assert told(asked(zone, record=record)) == UP
    assert [kind for _, kind in zone.queries[1:]] == ["AAAA", *OTHERS]


@pytest.mark.parametrize(
    ("record", "expected", "finding"),
    [
        ("A", "192.0.2.1", UP),
        ("A", ["192.0.2.2", "192.0.2.1"], UP),
        ("A", ["192.0.2.1", "192.0.2.9"], MISSING),
        ("AAAA", "2001:DB8:0:0::1", UP),
        ("AAAA", "2001:db8::2", MISSING),
        ("CAA", '0 issue "letsencrypt.org"', UP),
        ("CAA", '0 issue "other.org"', MISSING),
        ("MX", "10 mail.example.org", UP),
        ("MX", "10 MAIL.Example.org.", UP),
        ("MX", ["10 mail.example.org", "20 spare.example.org"], UP),
        ("MX", "20 mail.example.org", MISSING),
        ("NS", "B.ns.example.net", UP),
        ("NS", "c.ns.example.net", MISSING),
        ("SOA", "A.ns.example.net host.example.com 7 3600 600 86400 60", UP),
        ("SOA", "a.ns.example.net host.example.com 8 3600 600 86400 60", MISSING),
        ("SRV", "5 10 5060 SIP.example.org", UP),
        ("SRV", "5 10 5061 sip.example.org", MISSING),
        ("TXT", "v=spf1 include:_spf.example.org -all", UP),
        ("TXT", "Café", UP),
        ("TXT", "café", MISSING),
        ("TXT", "v=spf1", MISSING),
    ],
)
def test_what_is_expected_decides(
    zone: DnsServer, record: str, expected: Any, finding: tuple[Any, ...]
) -> None:
    """Every expected record must be among the answers; names are compared as the DNS does."""
    assert told(asked(zone, record=record, expected=expected)) == finding


def test_aliases_are_followed(zone: DnsServer) -> None:
    """The answer is what an alias leads to; asked for as CNAME it is the alias itself."""
    zone.set("www.example.com", Records(alias=NAME, others={"CNAME": ["example.com."]}))
    assert told(asked(zone, "www.example.com", expected="192.0.2.1")) == UP
    zone.set("www.example.com", Records(others={"CNAME": ["Example.com."]}))
    finding = asked(zone, "www.example.com", record="CNAME", expected="example.com")
    assert told(finding) == UP


def test_names_of_addresses(zone: DnsServer) -> None:
    """Reverse names are names like others, also where private ones are forbidden."""
    name = "8.8.8.8.in-addr.arpa"
    zone.set(name, Records(others={"PTR": ["dns.google."]}))
    assert told(asked(zone, name, record="PTR", expected="DNS.google")) == UP


@pytest.mark.parametrize(
    ("rcode", "code", "error"),
    [
        ("NXDOMAIN", 3, "The name does not exist"),
        ("SERVFAIL", 2, "The name server failed"),
        ("REFUSED", 5, "The name server refused to answer"),
        ("NOTIMP", 4, "The name server answered with an error"),
    ],
)
def test_errors_have_their_own_words(zone: DnsServer, rcode: str, code: int, error: str) -> None:
    """What the name server says instead of an answer is told, with its number."""
    zone.set("bad.example.com", Records(rcode=rcode))
    assert told(asked(zone, "bad.example.com")) == (Verdict.DOWN, code, error)


def test_a_name_without_that_record_is_down(zone: DnsServer) -> None:
    """It exists, but has no such record; an alias that leads nowhere is the same."""
    zone.set("empty.example.com", Records(others={"TXT": ["x"]}))
    none = (Verdict.DOWN, 0, "There is no such record")
    assert told(asked(zone, "empty.example.com")) == none
    zone.set("alias.example.com", Records(alias="empty.example.com"))
    assert told(asked(zone, "alias.example.com", record="MX")) == none


def test_silence_is_down_in_time(zone: DnsServer) -> None:
    """A server that says nothing is asked again, and down at the deadline."""
    zone.set("silent.example.com", Records(silent=True))
    with lasting(1, 4):
        finding = asked(zone, "silent.example.com", timeout=1)
    assert told(finding) == (Verdict.DOWN, None, "No answer in time")
    assert zone.count("silent.example.com") == 2


def test_a_packet_that_is_lost_is_sent_again(zone: DnsServer) -> None:
    """The second question is answered."""
    zone.set("lossy.example.com", Records(silent=True), ZONE)
    assert told(asked(zone, "lossy.example.com", timeout=1)) == UP


def test_what_does_not_fit_comes_over_tcp(zone: DnsServer) -> None:
    """A truncated answer is asked for again over TCP, within the same deadline."""
    addresses = [f"192.0.2.{number}" for number in range(1, 101)]
    zone.set("big.example.com", Records(addresses=addresses))
    assert told(asked(zone, "big.example.com", expected=addresses[:50])) == UP
    assert zone.tcp_queries == 1
    big = Records(addresses=addresses)
    for second, error in (
        (Records(delay=9), "No answer in time"),
        (Records(silent=True), "Connection failed"),  # over TCP the server hangs up
    ):
        zone.set("big.example.com", big, second)
        with lasting(0, 4):
            finding = asked(zone, "big.example.com", timeout=1)
        assert told(finding) == (Verdict.DOWN, None, error)


def test_a_port_without_a_server_is_down() -> None:
    """Nothing says that nobody is there, so it takes the time."""
    with lasting(0.3, 4):
        finding = ask(DNS, NAME, server=f"127.0.0.1:{closed_port()}", timeout=0.3)
    assert told(finding) == (Verdict.DOWN, None, "No answer in time")


@contextmanager
def noise(answer: bytes) -> Iterator[int]:
    """A port that answers every datagram with the same bytes."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))

        def answer_all() -> None:
            while (got := sock.recvfrom(4096))[0] != b"stop":
                sock.sendto(answer, got[1])

        thread = threading.Thread(target=answer_all)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            sock.sendto(b"stop", sock.getsockname())
            thread.join()


@pytest.mark.parametrize("answer", [b"", b"x", b"\x00" * 12, b"\xff" * 600])
def test_noise_is_no_answer(answer: bytes) -> None:
    """What is no DNS, or answers another question, is passed over until the deadline; IPv6 servers may be named."""
    with noise(answer) as port, lasting(0.3, 4):
        finding = ask(DNS, NAME, server=f"[::1]:{port}", timeout=0.3)
    assert told(finding) == (Verdict.DOWN, None, "No answer in time")


def test_a_slow_answer_is_degraded(zone: DnsServer) -> None:
    """A right answer that took longer than the threshold."""
    zone.set("slow.example.com", Records(addresses=["192.0.2.1"], delay=0.15))
    finding = asked(zone, "slow.example.com", degraded_over_ms=100)
    assert told(finding) == (Verdict.DEGRADED, 0, "Slower than 100 ms")


def test_the_systems_servers(zone: DnsServer) -> None:
    """The next one is asked when one is silent or fails; they are the operator's, so they may be anywhere."""
    strict = AddressPolicy()
    here, nobody = Place("127.0.0.1", zone.port), Place("127.0.0.1", closed_port())
    assert told(DnsAsker([nobody, here], strict).ask(order(DNS, NAME, timeout=1))) == UP
    zone.set("broken.example.com", Records(rcode="SERVFAIL"), ZONE)
    asker = DnsAsker([here, here], strict)
    assert told(asker.ask(order(DNS, "broken.example.com", timeout=1))) == UP
    zone.set("gone.example.com", Records(rcode="NXDOMAIN"), ZONE)
    assert asker.ask(order(DNS, "gone.example.com", timeout=1)).code == 3
    none = DnsAsker([], strict).ask(order(DNS, NAME))
    assert (none.outcome, none.error) == (Verdict.UNKNOWN, "This machine has no name server")


def test_a_private_server_needs_permission(zone: DnsServer) -> None:
    """One that a member typed is vetted like any address, when it is saved and at each check."""
    wrong = "The address may not be called"
    for server in (f"127.0.0.1:{zone.port}", "10.0.0.1", "::1", "[fd00::1]:53", "169.254.169.254"):
        with pytest.raises(Invalid, match=r"^options\.server: "):
            DNS.check_options({"server": server}, STRICT)
    finding = asked(zone, settings=STRICT)
    assert (finding.outcome, finding.error) == (Verdict.DOWN, wrong)
    assert zone.queries == []


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("9.9.9.9", "9.9.9.9"),
        (" 9.9.9.9:53 ", "9.9.9.9"),
        ("9.9.9.9:5353", "9.9.9.9:5353"),
        ("2620:fe::FE", "[2620:fe::fe]"),
        ("[2620:fe::fe]:5353", "[2620:fe::fe]:5353"),
    ],
)
def test_a_server_has_one_spelling(written: str, stored: str) -> None:
    """The port is kept if it is not 53."""
    assert DNS.check_options({"server": written}, STRICT)["server"] == stored
    assert DNS.check_options({"server": stored}, STRICT)["server"] == stored


def test_a_target_is_a_name() -> None:
    """In one spelling; no address, and nothing that only exists inside a network unless that is allowed."""
    for written, stored in {
        " Example.COM. ": "example.com",
        "_dmarc.example.com": "_dmarc.example.com",
        "bücher.de": "xn--bcher-kva.de",
        "8.8.8.8.in-addr.arpa": "8.8.8.8.in-addr.arpa",
        "8.8.in-addr.arpa.": "8.8.in-addr.arpa",
    }.items():
        assert DNS.normalise(written, STRICT) == stored
    reverse = "1." + "0." * 31 + "ip6.arpa"
    private = ("localhost", "db.internal", "com", "1.0.0.10.in-addr.arpa", reverse)
    for name in private:
        with pytest.raises(Invalid, match=r"^target: "):
            DNS.normalise(name, STRICT)
        assert DNS.normalise(name, LOOPBACK) == name
        assert ask(DNS, name, settings=STRICT).error == "The address may not be called"
    for wrong in ("", ".", "8.8.8.8", "::1", "[::1]", "a..b", "a b.com", "a.com:53", "*.a.com"):
        with pytest.raises(Invalid, match=r"^target: "):
            DNS.normalise(wrong, LOOPBACK)
    DNS.vet("nowhere.example.com", Settings())


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"record": "a"}, "options.record"),
        ({"record": "ANY"}, "options.record"),
        ({"record": None}, "options.record"),
        ({"record": ["A"]}, "options.record"),
        ({"expected": []}, "options.expected"),
        ({"expected": ""}, "options.expected"),
        ({"expected": [""]}, "options.expected"),
        ({"expected": 1}, "options.expected"),
        ({"expected": [None]}, "options.expected"),
        ({"expected": {}}, "options.expected"),
        ({"expected": ["192.0.2.1"] * 51}, "options.expected"),
        ({"record": "TXT", "expected": "x" * 2001}, "options.expected"),
        ({"record": "TXT", "expected": "a\x00b"}, "options.expected.0"),
        ({"record": "TXT", "expected": "\ud800"}, "options.expected.0"),
        ({"expected": "2001:db8::1"}, "options.expected"),
        ({"expected": "192.0.2.1 192.0.2.2"}, "options.expected"),
        ({"expected": "192.0.2"}, "options.expected"),
        ({"record": "MX", "expected": "mail.example.org"}, "options.expected"),
        ({"record": "MX", "expected": "99999 mail.example.org"}, "options.expected"),
        ({"record": "NS", "expected": "a..b"}, "options.expected"),
        ({"record": "NS", "expected": '"'}, "options.expected"),
        ({"record": "CAA", "expected": "issue"}, "options.expected"),
        ({"record": "SRV", "expected": "1 2 sip.example.org"}, "options.expected"),
        ({"record": "NS", "expected": "\\"}, "options.expected"),
        ({"server": ""}, "options.server"),
        ({"server": "dns.example.com"}, "options.server"),
        ({"server": "9.9.9.9:0"}, "options.server"),
        ({"server": "9.9.9.9:x"}, "options.server"),
        ({"server": "fe80::1%eth0"}, "options.server"),
        ({"server": 9}, "options.server"),
        ({"type": "A"}, "options.type"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], field: str) -> None:
    """Each option that cannot be used is refused by its name."""
    with pytest.raises(Invalid) as caught:
        DNS.check_options(options, LOOPBACK)
    assert [error.field for error in caught.value.errors] == [field]


def test_options_have_defaults() -> None:
    """An address of the fourth version, by the system's servers; one expected text becomes a list."""
    usual = {"record": "A", "expected": None, "server": None}
    assert DNS.check_options({}, STRICT) == usual
    checked = DNS.check_options({"expected": "192.0.2.1"}, STRICT)
    assert checked == DNS.check_options(checked, STRICT) == {**usual, "expected": ["192.0.2.1"]}
