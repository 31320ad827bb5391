"""Monitors of ports, certificates, names and hosts over the manage API."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.probing import Probe, ProbeOrder, probes
from tests.outgoing.peer import Connection, Peer, closed_port
from tests.servers import dns
from tests.servers.dns import DnsServer
from tests.web.site import Site, SiteMaker

PUBLIC = {
    "tcp": "8.8.8.8:25",
    "tls": "8.8.8.8",
    "dns": "example.com",
    "ping": "8.8.8.8",
}
OPTIONS: dict[str, dict[str, Any]] = {
    "tcp": {"banner": "220"},
    "tls": {"expiry_days": 7, "server_name": "example.com"},
    "dns": {"record": "TXT", "expected": ["x"], "server": "9.9.9.9"},
    "ping": {"count": 5, "max_loss": 20},
}


@pytest.fixture
def name_server() -> Iterator[DnsServer]:
    with dns.running() as server:
        yield server


def wrong(site: Site, **body: Any) -> list[str]:
    """The fields that are refused; nothing is left of the attempt."""
    answer = site.ask("POST", "/monitors", {"name": "M", **body})
    assert answer.status_code == 422, answer.text
    assert site.ask("GET", "/monitors").get_json()["total"] == 0
    return [error["field"] for error in answer.get_json()["errors"]]


@pytest.mark.parametrize("kind", PUBLIC)
def test_a_monitor_of_each_kind(make_site: SiteMaker, kind: str) -> None:
    """It is stored with its options, changed and read again; ports other than 443 need no setting."""
    site = make_site()
    body = {"kind": kind, "target": f" {PUBLIC[kind]} ", "options": OPTIONS[kind]}
    site.made("/monitors", name="Probe", **body)
    read = site.ask("GET", "/monitors/probe").get_json()
    assert (read["kind"], read["target"]) == (kind, PUBLIC[kind])
    assert read["options"] == OPTIONS[kind]
    changed = site.ask("PATCH", "/monitors/probe", {"options": {}}).get_json()
    assert changed["options"].keys() == OPTIONS[kind].keys()
    assert changed["options"] != OPTIONS[kind]


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("tcp", "127.0.0.1:25"),
        ("tcp", "[::1]:25"),
        ("tcp", "10.0.0.1:6379"),
        ("tcp", "169.254.169.254:80"),
        ("tcp", "localhost:25"),
        ("tcp", "8.8.8.8"),
        ("tcp", "8.8.8.8:70000"),
        ("tcp", "https://example.com"),
        ("tls", "127.0.0.1"),
        ("tls", "example.com:x"),
        ("dns", "db.internal"),
        ("dns", "8.8.8.8"),
        ("ping", "192.168.0.1"),
        ("ping", "example.com:80"),
    ],
)
def test_a_target_that_cannot_be_used(make_site: SiteMaker, kind: str, target: str) -> None:
    """Private without permission, a bad host, a bad port: 422 that names `target`."""
    assert wrong(make_site(), kind=kind, target=target) == ["target"]


@pytest.mark.parametrize(
    ("kind", "options", "field"),
    [
        ("tcp", {"banner": ""}, "options.banner"),
        ("tcp", {"port": 25}, "options.port"),
        ("tls", {"expiry_days": -1}, "options.expiry_days"),
        ("tls", {"server_name": "/"}, "options.server_name"),
        ("dns", {"record": "ANY"}, "options.record"),
        ("dns", {"expected": "not an address"}, "options.expected"),
        ("dns", {"server": "127.0.0.53"}, "options.server"),
        ("ping", {"count": 11}, "options.count"),
        ("ping", {"max_loss": 100}, "options.max_loss"),
    ],
)
def test_an_option_that_cannot_be_used(
    make_site: SiteMaker, kind: str, options: dict[str, Any], field: str
) -> None:
    """422 that names the option."""
    assert wrong(make_site(), kind=kind, target=PUBLIC[kind], options=options) == [field]


def test_a_check_out_of_turn(site: Site) -> None:
    """`run` asks the port and tells what was found."""

    def greet(connection: Connection) -> None:
        connection.send(b"220 mail.example.org ESMTP\r\n")
        connection.hang()

    with Peer(greet) as peer:
        body = {"kind": "tcp", "target": f"127.0.0.1:{peer.port}", "options": {"banner": "ESMTP"}}
        site.made("/monitors", name="Mail", **body)
        assert site.ask("POST", "/monitors/mail/run").get_json()["outcome"] == "up"
    site.ask("PATCH", "/monitors/mail", {"target": f"127.0.0.1:{closed_port()}"})
    told = site.ask("POST", "/monitors/mail/run").get_json()
    assert (told["outcome"], told["error"]) == ("down", "Connection failed")


def test_a_name_that_leads_inside(
    make_site: SiteMaker, name_server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused when a monitor is made, and when the kind of one changes whose name leads there by now."""
    monkeypatch.setattr(socket, "getaddrinfo", name_server.resolver)
    site = make_site()
    name_server.set("inside.example.com", "93.184.215.14", "10.0.0.1")
    for kind, target in (("tcp", "inside.example.com:25"), ("tls", "inside.example.com")):
        assert wrong(site, kind=kind, target=target) == ["target"]
    name_server.set("later.example.com", "93.184.215.14")
    site.made("/monitors", name="Later", kind="dns", target="later.example.com")
    assert site.ask("PATCH", "/monitors/later", {"kind": "tls", "options": {}}).status_code == 200
    name_server.set("later.example.com", "10.0.0.1")
    answer = site.ask("PATCH", "/monitors/later", {"kind": "ping", "options": {}})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == ["target"]
    told = site.ask("POST", "/monitors/later/run").get_json()
    assert told["error"] == "The address may not be called"


@pytest.mark.parametrize("kind", ["dns", "ping"])
def test_a_kind_whose_package_is_missing(
    site: Site, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Without the extra the kind is refused with the words that help."""
    module = {"dns": "dns.rdata", "ping": "icmplib"}[kind]
    monkeypatch.setitem(sys.modules, module, None)
    answer = site.ask("POST", "/monitors", {"name": "M", "kind": kind, "target": "example.com"})
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["field"] == "kind"
    assert "install Flask-StatusPage[probes]" in error["message"]


class Nothing(Probe):
    """Of another package, and finds nothing."""

    kind = "nothing"

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Any]:
        yield self

    def ask(self, order: ProbeOrder) -> None:
        return None


def test_a_probe_that_finds_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """To run it has an answer all the same: the check failed."""
    monkeypatch.setattr(probes, "_all", {**dict(probes.items()), "nothing": Nothing()})
    site.made("/monitors", name="Odd", kind="nothing", target="x")
    told = site.ask("POST", "/monitors/odd/run").get_json()
    assert (told["outcome"], told["error"]) == ("down", "The probe failed: TypeError")
