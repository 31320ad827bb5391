# ruff: noqa: RUF001 - look-alike characters are what is tested here
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
    is_public,
    resolve,
    vet_address,
    vet_url,
)
from flask_statuspage.outgoing.lookup import LookupThreads

STRICT = AddressPolicy()
HTTP_TOO = AddressPolicy(allow_http=True)
LOCAL = AddressPolicy(allow_http=True, allow_private=True)


def words(text: str) -> list[str]:
    return text.split()


NOT_PUBLIC = words("""
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.255.255.254 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192
192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.1 198.19.255.255
198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16
:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
::ffff:0:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::a00:1 100::1 100:0:0:1::1
2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:3::1 2001:4:112::1 2001:10::1
2001:1f:ffff::1 2001:20::1 2001:30::1 2001:1ff::1 2001:db8::1 2001:db8:ffff::1 2002:7f00:1::1
2002:808:808::1 2620:4f:8000::1 3ffe::1 3ffe:ffff::1 3fff::1 3fff:fff::1 4000::1 5f00::1 fc00::1
fd00:ec2::254 fdff::1 fe80::1 fec0::1 feff::1 ff00::1 ff02::1 ff0e::1
2606:4700::5efe:127.0.0.1 2606:4700::200:5efe:10.0.0.1 2a00:1450:4001:831:0:5efe:808:808
fe80::1%eth0 2606:4700:4700::1111%1
""")

PUBLIC = words("""
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1
168.63.129.15 168.63.129.17 169.253.255.255 172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255
198.17.255.255 198.20.0.1 223.255.255.255 2606:4700:4700::1111 2001:4860:4860::8888 2001:200::1
2003::1 2a00:1450:4001:831::200e 2620:4f:7fff::1 3ffd::1 2606:4700::5eff:1
""")

HOSTILE: list[tuple[str, str]] = [
    # length
    ("", "length"),
    ("https://a.com/" + "x" * 2048, "length"),
    # characters
    (" https://a.com/", "characters"),
    ("https://a.com/ ", "characters"),
    ("https://a.com/a b", "characters"),
    ("https://a.com/\r\nHost: b.com", "characters"),
    ("https://a.com/\n", "characters"),
    ("ht\ttps://a.com/", "characters"),
    ("https://a.\tcom/", "characters"),
    ("https://a.com/\x00", "characters"),
    ("\x00https://a.com/", "characters"),
    ("https://a.com\x7f/", "characters"),
    ("https:\\\\a.com\\", "characters"),
    ("https://a.com\\@b.com/", "characters"),
    ("https://a.com/\\..\\x", "characters"),
    ("https://a.com/ä", "characters"),
    ("https://a.com/?q=€", "characters"),
    # scheme
    ("http://a.com/", "scheme"),
    ("ftp://a.com/", "scheme"),
    ("file:///etc/passwd", "scheme"),
    ("gopher://a.com:70/", "scheme"),
    ("javascript:alert(1)", "scheme"),
    ("data:text/plain,x", "scheme"),
    ("unix:///run/docker.sock", "scheme"),
    ("a.com/hook", "scheme"),
    ("//a.com/hook", "scheme"),
    ("/hook", "scheme"),
    ("httpsx://a.com/", "scheme"),
    ("hTTp://a.com/", "scheme"),
    ("http\u017f://a.com/", "scheme"),
    ("://a.com/", "scheme"),
    ("url:https://a.com/", "scheme"),
    # syntax
    ("https:a.com", "syntax"),
    ("https:/a.com", "syntax"),
    ("https:", "syntax"),
    ("https:?x", "syntax"),
    # fragment
    ("https://a.com/#x", "fragment"),
    ("https://a.com/#", "fragment"),
    ("https://a.com#@b.com/", "fragment"),
    ("https://a.com?x#y", "fragment"),
    # userinfo
    ("https://user@a.com/", "userinfo"),
    ("https://user:pass@a.com/", "userinfo"),
    ("https://@a.com/", "userinfo"),
    ("https://:@a.com/", "userinfo"),
    ("https://a.com@127.0.0.1/", "userinfo"),
    ("https://a.com:443@b.com/", "userinfo"),
    ("https://a@b@c.com/", "userinfo"),
    # port
    ("https://a.com:80/", "port"),
    ("https://a.com:22/", "port"),
    ("https://a.com:6379/", "port"),
    ("https://a.com:8443/", "port"),
    ("https://a.com:0/", "port"),
    ("https://a.com:/", "port"),
    ("https://a.com:0443/", "port"),
    ("https://a.com:65979/", "port"),
    ("https://a.com:+443/", "port"),
    ("https://a.com:-1/", "port"),
    ("https://a.com:443x/", "port"),
    ("https://a.com:４４３/", "port"),
    ("https://a.com:x/", "port"),
    ("https://2606:4700:4700::1111/", "port"),
    ("https://[::1]:8080/", "port"),
    # hostname: shape
    ("https://", "hostname"),
    ("https:///hook", "hostname"),
    ("https://?x", "hostname"),
    ("https://:443/", "hostname"),
    ("https://./", "hostname"),
    ("https://.a.com/", "hostname"),
    ("https://a..com/", "hostname"),
    ("https://a.com../", "hostname"),
    ("https://-a.com/", "hostname"),
    ("https://a-.com/", "hostname"),
    ("https://a.com%00/", "hostname"),
    ("https://a%2ecom/", "hostname"),
    ("https://127.0.0.1%2f@x/", "userinfo"),
    ("https://%31%32%37.0.0.1/", "hostname"),
    ("https://a.com%23/", "hostname"),
    ("https://a,b.com/", "hostname"),
    ("https://a!b.com/", "hostname"),
    ("https://*.a.com/", "hostname"),
    ("https://a.com;b.com/", "hostname"),
    ("https://$(id).a.com/", "hostname"),
    ("https://" + "a" * 64 + ".com/", "hostname"),
    ("https://" + "a." * 127 + "com/", "hostname"),
    # hostname: single label and special use
    ("https://localhost/", "hostname"),
    ("https://LOCALHOST/", "hostname"),
    ("https://localhost./", "hostname"),
    ("https://redis/", "hostname"),
    ("https://a.localhost/", "hostname"),
    ("https://localhost.localdomain/", "hostname"),
    ("https://printer.local/", "hostname"),
    ("https://metadata.google.internal/", "hostname"),
    ("https://metadata.google.internal./", "hostname"),
    ("https://nas.home.arpa/", "hostname"),
    ("https://1.0.0.127.in-addr.arpa/", "hostname"),
    ("https://abc.onion/", "hostname"),
    ("https://a.test/", "hostname"),
    ("https://a.invalid/", "hostname"),
    ("https://a.example/", "hostname"),
    ("https://router.lan/", "hostname"),
    ("https://srv.corp/", "hostname"),
    ("https://a.alt/", "hostname"),
    # hostname: numbers in another dress
    ("https://2130706433/", "hostname"),
    ("https://0x7f000001/", "hostname"),
    ("https://0X7F.0.0.1/", "hostname"),
    ("https://017700000001/", "hostname"),
    ("https://0177.0.0.1/", "hostname"),
    ("https://127.1/", "hostname"),
    ("https://127.0.1/", "hostname"),
    ("https://127.0.0.01/", "hostname"),
    ("https://127.0.0.1./", "hostname"),
    ("https://127.0.0.0x1/", "hostname"),
    ("https://127.0.0.256/", "hostname"),
    ("https://1.2.3.4.5/", "hostname"),
    ("https://a.com.1/", "hostname"),
    ("https://a.0x/", "hostname"),
    ("https://0/", "hostname"),
    ("https://０x7f.1/", "hostname"),
    ("https://１２７.０.０.１/", "hostname"),
    ("https://①②⑦.⓪.⓪.①/", "hostname"),
    # hostname: IDNA 2008, nothing folded
    ("https://ｅxample.com/", "hostname"),
    ("https://a。com/", "hostname"),
    ("https://a．com/", "hostname"),
    ("https://a｡com/", "hostname"),
    ("https://ⓔxample.com/", "hostname"),
    ("https://faceboo\u212a.com/", "hostname"),
    ("https://BÜCHER.com/", "hostname"),
    ("https://a\u200db.com/", "hostname"),
    ("https://a\u00adb.com/", "hostname"),
    ("https://a\u202eb.com/", "hostname"),
    ("https://☃.com/", "hostname"),
    ("https://xn--n3h.com/", "hostname"),
    ("https://xn--.com/", "hostname"),
    ("https://xn--a.com/", "hostname"),
    ("https://a℀b.com/", "hostname"),
    ("https://a\uff0fb.com/", "hostname"),
    ("https://a\uff20b.com/", "hostname"),
    # hostname: brackets
    ("https://[/", "hostname"),
    ("https://[]/", "hostname"),
    ("https://[::1/", "port"),
    ("https://[::1]x/", "port"),
    ("https://[127.0.0.1]/", "hostname"),
    ("https://[fe80::1%25eth0]/", "hostname"),
    ("https://[fe80::1%eth0]/", "hostname"),
    ("https://[a.com]/", "hostname"),
    ("https://[v1.x]/", "hostname"),
    ("https://[::1]]/", "hostname"),
    # address
    *[(f"https://{ip}/", "address") for ip in NOT_PUBLIC if ":" not in ip],
    *[(f"https://[{ip}]/", "address") for ip in NOT_PUBLIC if ":" in ip and "%" not in ip],
    ("https://[0:0:0:0:0:0:0:1]/", "address"),
    ("https://[::FFFF:7F00:1]/", "address"),
    ("https://127.0.0.1?x=a.com", "address"),
]


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


@pytest.mark.parametrize("ip", NOT_PUBLIC)
def test_special_addresses_are_not_public(ip: str) -> None:
    """No address of a special range, and none that carries an IPv4 address, is public."""
    assert not is_public(ip)


@pytest.mark.parametrize("ip", PUBLIC)
def test_ordinary_addresses_are_public(ip: str) -> None:
    """The neighbours of the special ranges and well-known servers are public."""
    assert is_public(ip)


@pytest.mark.parametrize(("url", "reason"), HOSTILE)
def test_a_hostile_address_is_refused(url: str, reason: str) -> None:
    """Each of these is refused for the reason given, before any look-up."""
    with pytest.raises(AddressRefused) as caught:
        vet_url(url, STRICT)
    assert caught.value.reason == reason


def test_the_hostile_list_is_long() -> None:
    """The list above has at least 120 different addresses."""
    assert len({url for url, _ in HOSTILE}) >= 120


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


@pytest.mark.parametrize("ip", NOT_PUBLIC)
def test_one_bad_answer_refuses_all(ip: str) -> None:
    """A name with one answer that is not public is refused, wherever it stands."""
    for order in (("8.8.8.8", ip), (ip, "8.8.8.8")):
        with pytest.raises(AddressRefused) as caught:
            resolve("a.com", 443, STRICT, deadline=soon(), resolver=answers(*order))
        assert caught.value.reason == "address"


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
    assert 0.15 < time.monotonic() - started < 1


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
    assert time.monotonic() - started < 1
    release.set()
    for caller in callers:
        caller.join()
    assert calls.count("stuck.com") == 1
    assert threads.threads <= 2


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
            threads.ask(resolver, host, 443, kind=1, deadline=time.monotonic() + 0.05)
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
