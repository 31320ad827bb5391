"""The ping probe, where a test may say what the network does and what it forbids."""

from __future__ import annotations

from typing import Any

import pytest

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Invalid
from flask_statuspage.probing import probes
from flask_statuspage.probing.ping import PingProbe, judged
from tests.servers import namespace
from tests.servers.dns import DnsServer, Records
from tests.servers.presence import absent
from tests.servers.process import Absent

from .asking import LOOPBACK, STRICT, ask, order

pytest.importorskip("icmplib")

PING = probes["ping"]

PROGRAM = """
import json, threading, time
from pathlib import Path
from flask_statuspage.probing import probes
from flask_statuspage.probing.ping import is_allowed
from tests.probing.asking import ask

SETTINGS = Path("/proc/sys/net/ipv4")

def set(name, value):
    (SETTINGS / name).write_text(value)

def found(target, **options):
    began = time.monotonic()
    finding = ask(probes["ping"], target, **options)
    took = time.monotonic() - began
    return [finding.outcome.value, finding.error, finding.milliseconds, took]

def requests():
    lines = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()]
    names, values = [line for line in lines if line[0] == "Icmp:"]
    return int(dict(zip(names, values))["InEchos"])

def sent(**options):
    before = requests()
    finding = found("127.0.0.1", **options)
    return [requests() - before, finding]

def silence(after):
    while requests() < after:
        time.sleep(0.002)
    set("icmp_echo_ignore_all", "1")

def lossy(**options):
    thread = threading.Thread(target=silence, args=[requests() + 1])
    thread.start()
    finding = found("127.0.0.1", count=4, timeout=1, **options)
    thread.join()
    set("icmp_echo_ignore_all", "0")
    return finding

told = {}
set("ping_group_range", "1 0")
told["allowed"] = [is_allowed()]
told["forbidden"] = [found("127.0.0.1"), found("::1")]
set("ping_group_range", "0 0")
told["allowed"].append(is_allowed())
told["up"] = [found("127.0.0.1"), found("::1"), found("localhost")]
told["sent"] = [sent(), sent(count=1), sent(count=10, timeout=1)]
told["no route"] = [found("10.9.9.9"), found("fd00::9")]
told["lossy"] = [lossy(), lossy(max_loss=74), lossy(max_loss=75)]
set("icmp_echo_ignore_all", "1")
told["silent"] = [found("127.0.0.1", timeout=0.5, count=count) for count in (1, 3, 10)]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def findings() -> Any:
    """What the probe finds out in a network of its own: outcome, error, milliseconds, and the seconds that it took."""
    try:
        return namespace.told(PROGRAM)
    except Absent as error:
        absent("network", str(error))


def test_a_host_that_answers_is_up(findings: Any) -> None:
    """By IPv4, IPv6 or a name; three requests with a pause between them, or as many as were asked for."""
    for outcome, error, milliseconds, took in findings["up"]:
        assert (outcome, error) == ("up", None)
        assert 0 <= milliseconds < 500
        assert 0.4 <= took < 2
    assert [count for count, _ in findings["sent"]] == [3, 1, 10]
    assert all(finding[0] == "up" and finding[3] < 2 for _, finding in findings["sent"])


def test_a_machine_that_forbids_it_knows_nothing(findings: Any) -> None:
    """The finding is not held against the target, and says why there is none."""
    for outcome, error, milliseconds, _ in findings["forbidden"]:
        assert (outcome, error) == ("unknown", "This machine does not allow pings")
        assert milliseconds is None
    assert findings["allowed"] == [False, True]


def test_a_host_without_a_route_is_down(findings: Any) -> None:
    """At once: nothing can be sent there."""
    for outcome, error, _, took in findings["no route"]:
        assert (outcome, error) == ("down", "Connection failed")
        assert took < 3


def test_a_host_that_is_silent_is_down_in_time(findings: Any) -> None:
    """All requests together cost the timeout and no more."""
    for outcome, error, _, took in findings["silent"]:
        assert (outcome, error) == ("down", "No answer in time")
        assert 0.5 <= took < 2


def test_answers_that_are_lost(findings: Any) -> None:
    """More loss than is allowed makes the host degraded; as long as one answer comes it is not down."""
    first, second, third = findings["lossy"]
    assert first[:2] == second[:2] == ["degraded", "Answers were lost"]
    assert third[:2] == ["up", None]
    assert all(0.9 <= took < 2 for *_, took in (first, second, third))


def test_a_slow_host_is_degraded() -> None:
    """The average round trip is what is slow or not."""
    given = order(PING, "host.example.com", degraded_over_ms=100)
    fast, slow = (judged(given, times, 3, 0.0) for times in ([20, 90, 150], [20, 90, 250]))
    assert (fast.outcome, fast.milliseconds) == (Verdict.UP, 87)
    assert (slow.outcome, slow.error) == (Verdict.DEGRADED, "Slower than 100 ms")


def test_a_name_that_leads_inside_is_not_called(name_server: DnsServer) -> None:
    """Neither when it is saved nor later, whatever this machine allows."""
    probe = PingProbe(resolver=name_server.resolver)
    public, inside = Records(addresses=["93.184.215.14"]), Records(addresses=["::1"])
    name_server.set("host.example.com", public, inside)
    probe.vet("host.example.com", STRICT)
    finding = ask(probe, "host.example.com", settings=STRICT)
    assert (finding.outcome, finding.error) == (Verdict.DOWN, "The address may not be called")
    with pytest.raises(Invalid, match=r"^target: "):
        probe.vet("host.example.com", STRICT)
    assert ask(PING, "nowhere.invalid").error == "The name could not be resolved"


def test_a_target_is_a_host() -> None:
    """In one spelling, without a port; private ones need permission."""
    for written, stored in {
        " Host.Example.COM. ": "host.example.com",
        "8.8.8.8": "8.8.8.8",
        "2606:4700:4700::1111": "2606:4700:4700::1111",
        "[2606:4700:4700:0::1111]": "2606:4700:4700::1111",
    }.items():
        assert PING.normalise(written, STRICT) == PING.normalise(stored, STRICT) == stored
    for private in ("127.0.0.1", "::1", "localhost", "db.internal"):
        assert PING.normalise(private, LOOPBACK) == private
        with pytest.raises(Invalid, match=r"^target: "):
            PING.normalise(private, STRICT)
    for wrong in ("", "a b", "example.com:80", "8.8.8.8:80", "https://example.com", "224.0.0.1"):
        with pytest.raises(Invalid, match=r"^target: "):
            PING.normalise(wrong, LOOPBACK)


@pytest.mark.parametrize("value", [-1, 1000, "3", 1.5, True, None, [3], {}])
@pytest.mark.parametrize("name", ["count", "max_loss"])
def test_a_wrong_option_is_named(name: str, value: Any) -> None:
    """Each option that cannot be used is refused by its name."""
    with pytest.raises(Invalid) as caught:
        PING.check_options({name: value}, LOOPBACK)
    assert [error.field for error in caught.value.errors] == [f"options.{name}"]


def test_options_have_bounds_and_defaults() -> None:
    """Three requests, and no loss, unless something else is said."""
    assert PING.check_options({}, LOOPBACK) == {"count": 3, "max_loss": 0}
    for options in ({"count": 1, "max_loss": 99}, {"count": 10, "max_loss": 0}):
        assert PING.check_options(options, LOOPBACK) == options
    for wrong in ({"count": 0}, {"count": 11}, {"max_loss": 100}):
        with pytest.raises(Invalid, match=rf"^options\.{next(iter(wrong))}: "):
            PING.check_options(wrong, LOOPBACK)
