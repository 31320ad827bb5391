from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from flask_statuspage.outgoing import AddressPolicy, Client
from tests.servers import dns
from tests.servers.dns import DnsServer


@pytest.fixture
def local_policy() -> AddressPolicy:
    return AddressPolicy(allow_http=True, allow_private=True)


@pytest.fixture
def client(local_policy: AddressPolicy) -> Iterator[Client]:
    with Client(local_policy) as client:
        yield client


@pytest.fixture
def name_server() -> Iterator[DnsServer]:
    with dns.running() as server:
        yield server


class Connects:
    """Every address that this process connects to; one that is not on loopback is not let out."""

    def __init__(self) -> None:
        self.places: list[tuple[str, int]] = []
        self.listening = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.listening or event != "socket.connect":
            return
        place = arguments[1]
        if not isinstance(place, tuple):
            return
        self.places.append(place[:2])
        if not ipaddress.ip_address(place[0]).is_loopback:
            raise OSError("tests call nobody outside")


# An audit hook stays for the life of the process, so there is one.
_connects = Connects()


@pytest.fixture
def connects() -> Iterator[list[tuple[str, int]]]:
    """Where sockets of this process connect to, as the interpreter itself reports it."""
    if not _hooked:
        sys.addaudithook(_connects)
        _hooked.append(True)
    _connects.places, _connects.listening = [], True
    yield _connects.places
    _connects.listening = False


_hooked: list[bool] = []
