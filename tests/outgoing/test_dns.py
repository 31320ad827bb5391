"""What a name server can do to us: a real one, asked over the network."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from flask_statuspage.outgoing import (
    AddressPolicy,
    AddressRefused,
    Client,
    SendFailed,
    resolve,
    vet_address,
)
from tests.servers.certificates import Certificate
from tests.servers.dns import DnsServer, Records

from .peer import OK, Connection, Peer, answer_all

STRICT = AddressPolicy()
PUBLIC = "93.184.215.14"
METADATA = "169.254.169.254"


@pytest.fixture
def listener() -> Iterator[Peer]:
    """What an attacker wants us to call: it counts its connections."""
    with Peer(answer_all()) as peer:
        yield peer


def open_to(port: int) -> AddressPolicy:
    """A policy for public addresses only, under which this port would be no obstacle."""
    return AddressPolicy(allow_http=True, ports=frozenset({port}))


def failed(client: Client, url: str, *, timeout: float = 5) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        client.send("POST", url, body=b"{}", timeout=timeout)
    return caught.value


def refusal(server: DnsServer, name: str, *, timeout: float = 5) -> str:
    with pytest.raises(AddressRefused) as caught:
        vet_address(f"https://{name}/", STRICT, timeout=timeout, resolver=server.resolver)
    return caught.value.reason


def test_every_public_answer_is_a_place_to_connect_to(name_server: DnsServer) -> None:
    """A name with addresses of both families is looked up with one question of each kind."""
    name_server.set("two.example.com", "8.8.8.8", "2606:4700:4700::1111")
    deadline = time.monotonic() + 5
    places = resolve(
        "two.example.com", 443, STRICT, deadline=deadline, resolver=name_server.resolver
    )
    assert [place.address[0] for place in places] == ["2606:4700:4700::1111", "8.8.8.8"]
    assert sorted(name_server.queries) == [("two.example.com", "A"), ("two.example.com", "AAAA")]


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.1", METADATA, "::1", "fd00::1"])
def test_an_alias_leads_to_the_judgement_of_its_end(name_server: DnsServer, inside: str) -> None:
    """A chain of public aliases that ends inside is refused."""
    name_server.set("hook.example.com", Records(alias="a.cdn.example.net"))
    name_server.set("a.cdn.example.net", Records(alias="b.cdn.example.net"))
    name_server.set("b.cdn.example.net", inside)
    assert refusal(name_server, "hook.example.com") == "address"


def test_an_alias_to_a_local_name_is_refused(name_server: DnsServer) -> None:
    """A public name that is an alias of localhost gets loopback's judgement."""
    name_server.set("localhost", "127.0.0.1", "::1")
    name_server.set("hook.example.com", Records(alias="localhost"))
    assert refusal(name_server, "hook.example.com") == "address"


def test_a_chain_of_aliases_may_end_in_public(name_server: DnsServer) -> None:
    """Ordinary aliases, as content networks use them, are no obstacle."""
    name_server.set("hook.example.com", Records(alias="edge.example.net"))
    name_server.set("edge.example.net", "8.8.8.8")
    assert vet_address("https://hook.example.com/", STRICT, resolver=name_server.resolver)


@pytest.mark.parametrize(
    "records",
    [
        Records(rcode="NXDOMAIN"),
        Records(rcode="SERVFAIL"),
        Records(rcode="REFUSED"),
        Records(),
        Records(alias="hook.example.com"),
    ],
    ids=["unknown", "servfail", "refused", "empty", "loop"],
)
def test_a_name_without_an_address_is_not_found(name_server: DnsServer, records: Records) -> None:
    """No such name, a broken server, no records and an alias of itself are all reason dns."""
    name_server.set("hook.example.com", records)
    assert refusal(name_server, "hook.example.com") == "dns"


def test_not_found_and_inside_read_alike(name_server: DnsServer) -> None:
    """Whoever types names learns not from the words which of them exist inside."""
    name_server.set("db.example.com", "10.9.8.7")
    words = set()
    for name in ("db.example.com", "nothing.example.com"):
        with pytest.raises(AddressRefused) as caught:
            vet_address(f"https://{name}/", STRICT, resolver=name_server.resolver)
        words.add(str(caught.value))
    assert len(words) == 1
    assert "10.9" not in words.pop()


@pytest.mark.parametrize("records", [Records(silent=True), Records(addresses=["8.8.8.8"], delay=9)])
def test_a_silent_or_slow_name_server_costs_the_deadline(
    name_server: DnsServer, records: Records, connects: list[tuple[str, int]]
) -> None:
    """No answer, or one that comes too late, ends at the deadline, at save and at the send; nothing is called."""
    name_server.set("slow.example.com", records)
    started = time.monotonic()
    assert refusal(name_server, "slow.example.com", timeout=0.3) == "dns"
    with Client(STRICT, resolver=name_server.resolver) as client:
        error = failed(client, "https://slow.example.com/", timeout=0.3)
    assert (error.kind, error.connected) == ("timeout", False)
    assert 0.5 < time.monotonic() - started < 5
    assert {port for _, port in connects} <= {name_server.port}


def test_a_slow_name_delays_no_other(name_server: DnsServer, listener: Peer) -> None:
    """While forty names hang, a name that answers is looked up and called at once."""
    for number in range(40):
        name_server.set(f"{number}.stuck.example", Records(silent=True))
    name_server.set("good.example.com", "127.0.0.1")
    policy = AddressPolicy(allow_http=True, allow_private=True)
    with Client(policy, resolver=name_server.resolver) as client:
        for number in range(40):
            failed(client, f"http://{number}.stuck.example/", timeout=0.01)
        url = f"http://good.example.com:{listener.port}/"
        assert client.send("GET", url, timeout=5).milliseconds < 1000


def test_a_huge_answer_is_judged_whole(name_server: DnsServer) -> None:
    """Of thousands of addresses, over TCP, one that is not public refuses them all, wherever it stands."""
    many = [f"8.{number // 250}.{number % 250}.8" for number in range(3000)]
    name_server.set("many.example.com", *many)
    assert vet_address("https://many.example.com/", STRICT, resolver=name_server.resolver)
    assert name_server.tcp_queries >= 1
    for place in (0, 1500, 3000):
        name_server.set("many.example.com", *many[:place], "127.0.0.1", *many[place:])
        assert refusal(name_server, "many.example.com") == "address"


def test_a_few_of_many_addresses_are_tried(
    name_server: DnsServer, connects: list[tuple[str, int]]
) -> None:
    """A name with hundreds of dead addresses does not make us knock at hundreds of doors."""
    name_server.set("many.example.com", *[f"8.8.{number}.8" for number in range(200)])
    with Client(STRICT, resolver=name_server.resolver) as client:
        assert failed(client, "https://many.example.com/").kind == "connect"
    assert len([place for place in connects if place[1] == 443]) == 8


# Rebinding


@pytest.mark.parametrize(
    "then",
    [
        ["127.0.0.1"],
        ["::1"],
        [METADATA],
        ["::ffff:127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
    ],
)
def test_a_name_that_turned_inward_after_the_save_is_not_called(
    name_server: DnsServer, listener: Peer, connects: list[tuple[str, int]], then: list[str]
) -> None:
    """A name that was public when it was saved is judged again at every send, by a new look-up."""
    policy, name = open_to(listener.port), "rebind.example.com"
    url = f"http://{name}:{listener.port}/"
    name_server.set(name, Records(addresses=[PUBLIC]), Records(addresses=then))
    vet_address(url, policy, resolver=name_server.resolver)
    with Client(policy, resolver=name_server.resolver) as client:
        for _ in range(3):
            error = failed(client, url)
            assert (error.kind, error.connected) == ("refused_address", False)
    assert listener.accepted == 0
    assert {port for _, port in connects} <= {name_server.port}
    assert name_server.count(name) == 4


@pytest.mark.parametrize("inside", ["127.0.0.1", METADATA])
def test_there_is_no_gap_between_look_up_and_connect(
    name_server: DnsServer, listener: Peer, connects: list[tuple[str, int]], inside: str
) -> None:
    """A name that changes with every question is asked once per send, and that one answer is called."""
    name, policy = "rebind.example.com", open_to(listener.port)
    name_server.set(name, Records(addresses=[PUBLIC]), Records(addresses=[inside]))
    with Client(policy, resolver=name_server.resolver) as client:
        error = failed(client, f"http://{name}:{listener.port}/")
    assert (error.kind, error.connected) == ("connect", False)
    called = [place for place in connects if place[1] == listener.port]
    assert called == [(PUBLIC, listener.port)]
    assert (name_server.count(name, "A"), name_server.count(name, "AAAA")) == (1, 1)
    assert listener.accepted == 0


def test_the_second_address_is_as_vetted_as_the_first(
    name_server: DnsServer, listener: Peer, connects: list[tuple[str, int]]
) -> None:
    """When the first address fails, the next of the same answer is tried and no new one is asked for."""
    name = "two.example.com"
    first, then = Records(addresses=["8.8.8.8", PUBLIC]), Records(addresses=["127.0.0.1"])
    name_server.set(name, first, then)
    with Client(open_to(listener.port), resolver=name_server.resolver) as client:
        failed(client, f"http://{name}:{listener.port}/")
    called = [place[0] for place in connects if place[1] == listener.port]
    assert sorted(called) == ["8.8.8.8", PUBLIC]
    assert (name_server.count(name), listener.accepted) == (1, 0)


def test_a_lost_connection_is_no_way_around(name_server: DnsServer) -> None:
    """A GET that is repeated after a dropped connection is looked up and judged anew."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(OK)
        connection.read_request()

    name, policy = "drops.example.com", AddressPolicy(allow_http=True, allow_private=True)
    name_server.set(name, Records(addresses=["127.0.0.1"]), Records(addresses=[METADATA]))
    with Peer(behave) as peer, Client(policy, resolver=name_server.resolver) as client:
        url = f"http://{name}:{peer.port}/"
        assert client.send("GET", url, timeout=5).status == 200
        with pytest.raises(SendFailed) as caught:
            client.send("GET", url, timeout=5)
    assert (caught.value.kind, peer.accepted) == ("refused_address", 1)


def test_tls_is_verified_against_the_name_not_the_address(
    name_server: DnsServer, certificate: Certificate
) -> None:
    """The vetted address is called, and its certificate must be that of the name that was typed."""
    policy = AddressPolicy(allow_private=True)
    name_server.set("localhost", "127.0.0.1")
    name_server.set("other.example.com", "127.0.0.1")
    with (
        Peer(answer_all(), tls=certificate.server_context) as peer,
        Client(policy, resolver=name_server.resolver) as client,
    ):
        good, bad = (f"https://{host}:{peer.port}/" for host in ("localhost", "other.example.com"))
        for _ in range(2):
            assert client.send("GET", good, timeout=5, verify=certificate.path).status == 200
        assert peer.accepted == 1
        # The certificate fits 127.0.0.1, which is where this name leads; it does not fit the name.
        with pytest.raises(SendFailed) as caught:
            client.send("GET", bad, timeout=5, verify=certificate.path)
        assert caught.value.kind == "tls"
        assert peer.server_names == ["localhost", "other.example.com"]
        assert len(peer.requests) == 2


def test_the_system_is_asked_through_the_function_of_the_day(
    name_server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever exchanges getaddrinfo after the import, as gevent does, is the one that is asked."""
    name_server.set("hook.example.com", "127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", name_server.resolver)
    with pytest.raises(AddressRefused) as caught:
        vet_address("https://hook.example.com/", STRICT)
    assert caught.value.reason == "address"
    assert name_server.count("hook.example.com") == 1
