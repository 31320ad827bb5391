from __future__ import annotations

import pickle
import socket
import threading
import time
from typing import Any

import pytest

from flask_statuspage.outgoing import (
    AddressPolicy,
    AddressRefused,
    lookup,
    resolve,
    vet_address,
    vet_url,
)
from flask_statuspage.outgoing.lookup import LookupThreads

STRICT = AddressPolicy()
HTTP_TOO = AddressPolicy(allow_http=True)
LOCAL = AddressPolicy(allow_http=True, allow_private=True)


def answers(*ips: str) -> Any:
    """A resolver that gives these answers, shaped like those of ``getaddrinfo``."""

    def resolver(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for ip in ips:
            if ":" in ip:
                found.append((socket.AF_INET6, type, 6, "", (ip, port, 0, 0)))
            else:
                found.append((socket.AF_INET, type, 6, "", (ip, port)))
        return found

    return resolver


def soon() -> float:
    return time.monotonic() + 5


@pytest.mark.parametrize(
    ("url", "canonical", "host", "path"),
    [
        ("https://a.com", "https://a.com/", "a.com", "/"),
        ("HTTPS://A.Com/Hook", "https://a.com/Hook", "a.com", "/Hook"),
        ("https://a.com:443/x", "https://a.com/x", "a.com", "/x"),
        ("https://a.com./x", "https://a.com/x", "a.com", "/x"),
        ("https://a.com?x=1", "https://a.com/?x=1", "a.com", "/?x=1"),
        ("https://a.com/?u=https://b.com/@:", None, "a.com", "/?u=https://b.com/@:"),
        ("https://a.com//b.com/", None, "a.com", "//b.com/"),
        ("https://my_app.a.com/", None, "my_app.a.com", "/"),
        ("https://8.8.8.8/", None, "8.8.8.8", "/"),
        ("https://[2606:4700:4700:0::1111]/", "https://[2606:4700:4700::1111]/", None, "/"),
        ("https://bücher.de/", "https://xn--bcher-kva.de/", "xn--bcher-kva.de", "/"),
        ("https://xn--bcher-kva.de/", None, "xn--bcher-kva.de", "/"),
        ("https://例え.jp/", "https://xn--r8jz45g.jp/", "xn--r8jz45g.jp", "/"),
        ("https://1a.2b.com/", None, "1a.2b.com", "/"),
    ],
)
def test_an_ordinary_address_gets_one_spelling(
    url: str, canonical: str | None, host: str | None, path: str
) -> None:
    """A good address passes in canonical form, and that form is its own canonical form."""
    target = vet_url(url, STRICT)
    assert target.url == (canonical or url)
    assert target.host == (host or "2606:4700:4700::1111")
    assert target.path == path
    assert vet_url(target.url, STRICT) == target


def test_http_brings_port_80_only_beside_the_standard_ports() -> None:
    """allow_http adds port 80 to the standard ports but not to ports somebody chose."""
    assert vet_url("http://a.com/", HTTP_TOO).port == 80
    assert vet_url("https://a.com/", HTTP_TOO).port == 443
    chosen = AddressPolicy(allow_http=True, ports=frozenset({8443}))
    assert vet_url("https://a.com:8443/", chosen).url == "https://a.com:8443/"
    for url in ("http://a.com/", "https://a.com/"):
        with pytest.raises(AddressRefused) as caught:
            vet_url(url, chosen)
        assert caught.value.reason == "port"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080/",
        "http://redis:6379/",
        "http://db.internal/",
        "http://127.0.0.1:1/",
        "https://[::1]:65535/",
        "http://10.1.2.3/",
        "http://[fd12::1]/",
        "http://100.64.1.1/",
    ],
)
def test_allow_private_opens_our_own_network(url: str) -> None:
    """With allow_private, private addresses, local names and any port pass."""
    assert vet_url(url, LOCAL)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://u:p@localhost/", "userinfo"),
        ("http://localhost/#x", "fragment"),
        ("http://localhost\\x/", "characters"),
        ("ftp://localhost/", "scheme"),
        ("http://localhost:65536/", "port"),
        ("http://127.1/", "hostname"),
        ("http://2130706433/", "hostname"),
        ("http://169.254.169.254/latest/meta-data/", "address"),
        ("http://100.100.100.200/", "address"),
        ("http://[fd00:ec2::254]/", "address"),
        ("http://[fe80::1]/", "address"),
        ("http://168.63.129.16/", "address"),
        ("http://0.0.0.0/", "address"),
        ("http://224.0.0.1/", "address"),
        ("http://[::ffff:127.0.0.1]/", "address"),
    ],
)
def test_allow_private_is_no_free_pass(url: str, reason: str) -> None:
    """With allow_private, the form is still checked and metadata services stay closed."""
    with pytest.raises(AddressRefused) as caught:
        vet_url(url, LOCAL)
    assert caught.value.reason == reason


def test_resolve_returns_every_public_answer_once_and_in_order() -> None:
    """The answers come back as places to connect to, without doubles."""
    found = resolve(
        "a.com",
        443,
        STRICT,
        deadline=soon(),
        resolver=answers("2606:4700:4700::1111", "8.8.8.8", "8.8.8.8"),
    )
    assert found == [
        (socket.AF_INET6, ("2606:4700:4700::1111", 443, 0, 0)),
        (socket.AF_INET, ("8.8.8.8", 443)),
    ]


def test_a_scope_in_an_answer_is_refused() -> None:
    """An answer with a scope id is refused although its address looks public."""

    def resolver(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET6, type, 6, "", ("2606:4700:4700::1111", port, 0, 2))]

    with pytest.raises(AddressRefused):
        resolve("a.com", 443, STRICT, deadline=soon(), resolver=resolver)


def test_no_answer_is_a_dns_failure() -> None:
    """A name without answers, and one whose look-up fails, are refused as dns."""

    def failing(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    for resolver in (answers(), failing):
        with pytest.raises(AddressRefused) as caught:
            vet_address("https://a.com/", STRICT, resolver=resolver)
        assert caught.value.reason == "dns"


def test_a_slow_lookup_ends_at_the_deadline() -> None:
    """A resolver that hangs costs the timeout and no more."""
    release = threading.Event()

    def slow(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        release.wait(10)
        return []

    started = time.monotonic()
    with pytest.raises(AddressRefused) as caught:
        vet_address("https://slow.com/", STRICT, timeout=0.2, resolver=slow)
    release.set()
    assert caught.value.reason == "dns"
    assert 0.15 < time.monotonic() - started < 5


def test_lookups_of_one_stuck_name_take_one_thread() -> None:
    """Fifty callers of a stuck name share one look-up, and another name is not delayed."""
    threads = LookupThreads(limit=2)
    release = threading.Event()
    calls: list[str] = []

    def resolver(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        calls.append(host)
        if host == "stuck.com":
            release.wait(10)
        return [()]

    def ask(host: str) -> None:
        threads.ask(resolver, host, 443, kind=1, deadline=time.monotonic() + 5)

    callers = [threading.Thread(target=ask, args=("stuck.com",)) for _ in range(50)]
    for caller in callers:
        caller.start()
    started = time.monotonic()
    ask("healthy.com")
    assert time.monotonic() - started < 4
    release.set()
    for caller in callers:
        caller.join()
    assert calls.count("stuck.com") == 1
    assert threads.threads <= 2


@pytest.mark.parametrize(
    ("owned", "other"),
    [
        ("stuck.com", "healthy.com"),
        ("stuck.co.uk", "healthy.co.uk"),
        ("stuck.com.au", "healthy.com.au"),
        ("deep.name.stuck.de", "healthy.de"),
    ],
)
def test_one_domain_cannot_take_every_thread(owned: str, other: str) -> None:
    """However many names of one domain are stuck, the names of others are looked up at once."""
    threads = LookupThreads(limit=8)
    release = threading.Event()
    calls: list[str] = []

    def resolver(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        calls.append(host)
        if host.endswith(owned):
            release.wait(10)
        return [()]

    def ask(host: str) -> None:
        threads.ask(resolver, host, 443, kind=1, deadline=time.monotonic() + 5)

    names = [f"n{number}.{owned}" for number in range(30)]
    callers = [threading.Thread(target=ask, args=(name,)) for name in names]
    for caller in callers:
        caller.start()
    started = time.monotonic()
    for number in range(20):
        ask(f"n{number}.{other}")
    assert time.monotonic() - started < 4
    assert len([name for name in calls if name.endswith(owned)]) == 2
    release.set()
    for caller in callers:
        caller.join()
    assert {name for name in calls if name.endswith(owned)} == set(names)
    assert threads.threads <= 8


def test_a_lookup_that_is_given_up_is_joined_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks at the moment in which it is given up has time left, and gets a look-up of its own."""
    threads = LookupThreads(limit=1)
    release, giving_up, asked_again = threading.Event(), threading.Event(), threading.Event()

    def resolver(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        if host == "stuck.com":
            release.wait(10)
        return [(host,)]

    class GivenUp(TimeoutError):
        """Made at that moment, which lasts until somebody has asked."""

        def __init__(self, text: str) -> None:
            super().__init__(text)
            if threading.current_thread().name == "statuspage-lookup":
                giving_up.set()
                asked_again.wait(0.5)

    monkeypatch.setattr(lookup, "TimeoutError", GivenUp, raising=False)
    for host in ("stuck.com", "late.com"):
        with pytest.raises(TimeoutError):
            threads.ask(resolver, host, 443, kind=1, deadline=time.monotonic() + 0.2)
    release.set()
    assert giving_up.wait(10)
    answers = threads.ask(resolver, "late.com", 443, kind=1, deadline=soon())
    asked_again.set()
    assert answers == [("late.com",)]


def test_an_abandoned_lookup_is_not_made() -> None:
    """A look-up that nobody waits for any more is skipped, and idle threads end."""
    threads = LookupThreads(limit=1, idle_seconds=0.05)
    release = threading.Event()
    calls: list[str] = []

    def resolver(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        calls.append(host)
        if host == "stuck.com":
            release.wait(10)
        return [()]

    for host in ("stuck.com", "late.com"):
        with pytest.raises(TimeoutError):
            threads.ask(resolver, host, 443, kind=1, deadline=time.monotonic() + 0.5)
    release.set()
    threads.ask(resolver, "healthy.com", 443, kind=1, deadline=soon())
    assert calls == ["stuck.com", "healthy.com"]
    end = soon()
    while threads.threads and time.monotonic() < end:
        time.sleep(0.01)
    assert threads.threads == 0


def test_a_literal_needs_no_lookup() -> None:
    """An IP address is used as it is; the resolver is not asked."""

    def never(host: str, port: int, *, type: int) -> list[tuple[Any, ...]]:
        raise AssertionError("asked")

    assert vet_address("https://8.8.8.8/", STRICT, resolver=never).host == "8.8.8.8"
    assert vet_address("http://127.0.0.1:9/", LOCAL, resolver=never).port == 9


def test_localhost_resolves_with_the_system_resolver() -> None:
    """The default resolver is the real one; it finds localhost where that is allowed."""
    assert vet_address("http://localhost:9/", LOCAL).host == "localhost"


def test_the_message_gives_nothing_away() -> None:
    """Not found and not public read alike, and no message names an address."""
    messages = set()
    for resolver in (answers(), answers("10.9.8.7")):
        with pytest.raises(AddressRefused) as caught:
            vet_address("https://db.a.com/", STRICT, resolver=resolver)
        messages.add(str(caught.value))
    assert len(messages) == 1
    assert "10.9" not in messages.pop()


def test_a_refusal_survives_pickling() -> None:
    """The exception can cross a process boundary with its reason."""
    error = pickle.loads(pickle.dumps(AddressRefused("port")))
    assert (error.reason, str(error)) == ("port", str(AddressRefused("port")))
