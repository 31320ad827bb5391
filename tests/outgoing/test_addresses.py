"""Every class of addresses that may not be called: literal, by name, and in a name's company."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from flask_statuspage.outgoing import (
    AddressPolicy,
    AddressRefused,
    is_public,
    resolve,
    vet_address,
    vet_url,
)
from tests.servers import dns
from tests.servers.dns import DnsServer

from .addresses import BLOCKS, FORBIDDEN, NEIGHBOURS, PUBLIC, SINGLE
from .hostile import HOSTILE

STRICT = AddressPolicy()
LOCAL = AddressPolicy(allow_http=True, allow_private=True)


@pytest.fixture(scope="module")
def name_server() -> Iterator[DnsServer]:
    """One for the whole module: every address is asked for."""
    with dns.running() as server:
        yield server


def url_of(address: str) -> str:
    return f"https://[{address}]/hook" if ":" in address else f"https://{address}/hook"


def refusal(server: DnsServer, *addresses: str) -> str:
    """Why a name with these answers is refused when it is saved."""
    name = server.set("hook.example.com", *addresses)
    with pytest.raises(AddressRefused) as caught:
        vet_address(f"https://{name}/", STRICT, resolver=server.resolver)
    return caught.value.reason


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_forbidden_address_is_refused_as_it_is_written(address: str) -> None:
    """A literal address of each class, and at each edge of each block, is refused without a look-up."""
    assert not is_public(address)
    with pytest.raises(AddressRefused) as caught:
        vet_url(url_of(address), STRICT)
    assert caught.value.reason == "address"


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_name_that_leads_to_a_forbidden_address_is_refused(
    name_server: DnsServer, address: str
) -> None:
    """A real A or AAAA answer of each class is refused: alone, and before, after and between public ones."""
    assert refusal(name_server, address) == "address"
    for public in ("8.8.8.8", "2606:4700:4700::1111"):
        assert refusal(name_server, address, public) == "address"
        assert refusal(name_server, public, address) == "address"
    assert refusal(name_server, "8.8.8.8", "1.1.1.1", address, "9.9.9.9") == "address"


@pytest.mark.parametrize("address", PUBLIC)
def test_the_neighbours_of_each_block_may_be_called(name_server: DnsServer, address: str) -> None:
    """The public addresses around each block pass, literal and by name, and are where to connect."""
    assert is_public(address)
    assert vet_url(url_of(address), STRICT).literal == ip_address(address)
    name = name_server.set("neighbour.example.com", address)
    deadline = time.monotonic() + 5
    (place,) = resolve(name, 443, STRICT, deadline=deadline, resolver=name_server.resolver)
    assert place.address[:2] == (address, 443)


def test_a_zone_does_not_make_an_address_public() -> None:
    """An address with a zone belongs to a link, whatever its number."""
    for address in ("fe80::1%eth0", "2606:4700:4700::1111%1"):
        assert not is_public(address)


def test_the_table_is_long() -> None:
    """At least 200 forbidden addresses of 50 classes, and at least 40 public neighbours."""
    assert len(FORBIDDEN) >= 200
    assert len(BLOCKS) + len(SINGLE) >= 50
    assert len(NEIGHBOURS) >= 40


@pytest.mark.parametrize("address", [one for name, one in SINGLE.items() if "metadata" in name])
def test_no_policy_opens_the_metadata_services(name_server: DnsServer, address: str) -> None:
    """Where private addresses may be called, those that hand out credentials may not, literal or by name."""
    with pytest.raises(AddressRefused):
        vet_url(url_of(address), LOCAL)
    name = name_server.set("metadata.example.com", address, "10.0.0.1")
    with pytest.raises(AddressRefused):
        vet_address(f"http://{name}/", LOCAL, resolver=name_server.resolver)


@pytest.mark.parametrize(("url", "reason"), HOSTILE)
def test_a_hostile_address_is_refused(url: str, reason: str) -> None:
    """Each of these is refused for the reason given, before any look-up."""
    with pytest.raises(AddressRefused) as caught:
        vet_url(url, STRICT)
    assert caught.value.reason == reason


def test_the_hostile_list_is_long() -> None:
    """The list of deceptions has at least 120 different addresses."""
    assert len({url for url, _ in HOSTILE}) >= 120


def test_a_refusal_is_judged_anew_under_another_policy() -> None:
    """What was read once under one policy is not remembered for another, nor is a refusal forgotten."""
    for _ in range(2):
        assert vet_url("http://127.0.0.1:9/", LOCAL).port == 9
        with pytest.raises(AddressRefused):
            vet_url("http://127.0.0.1:9/", AddressPolicy(allow_http=True, ports=frozenset({9})))
