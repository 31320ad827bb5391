# ruff: noqa: RUF001 - look-alike characters are what is tested here
"""Addresses that visitors and members type, through the whole product: at the save and at every send."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import update

from flask_statuspage.jobs import tasks
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.outbox import Attempt, Delivery
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from tests.outgoing.addresses import BLOCKS, SINGLE
from tests.outgoing.peer import Peer, answer_all, closed_port
from tests.servers import dns
from tests.servers.dns import DnsServer, Records
from tests.web.site import Site, SiteMaker

PUBLIC = "93.184.215.14"
METADATA = "169.254.169.254"

# One of each class, and spellings that other parsers take for an address inside.
ONE_OF_EACH = [str(ip_network(block)[-1]) for block in BLOCKS.values()]
SPELLINGS = [
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://１２７.０.０.１/",
    "https://[::1%25lo]/",
    "https://a.com@127.0.0.1/",
    "https://a.com\\@127.0.0.1/",
    "https://a.com#@127.0.0.1/",
    "https://a.com:22/",
    "https://local\thost/",
    "https://a.com/\r\nX: y",
    "https://localhost/",
    "https://redis/",
    "https://metadata.google.internal/",
    "http://8.8.8.8/",
    "ftp://8.8.8.8/",
]


def url_of(address: str) -> str:
    return f"https://[{address}]/hook" if ":" in address else f"https://{address}/hook"


LITERAL = [url_of(one) for one in dict.fromkeys([*ONE_OF_EACH, *SINGLE.values()])]


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[DnsServer]:
    """What the system asks for every name but those of this machine."""
    with dns.running() as server:
        system = socket.getaddrinfo

        def ask(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
            if not isinstance(host, str) or not host.endswith(".example.com"):
                return system(host, port, *arguments, **options)
            return server.resolver(host, port, type=options["type"])

        monkeypatch.setattr(socket, "getaddrinfo", ask)
        yield server


@pytest.fixture
def strict(make_site: SiteMaker) -> Site:
    """A site with the settings that it has out of the box."""
    site = make_site()
    site.made("/components", name="API", slug="api")
    return site


def by_manage_api(site: Site, url: str) -> tuple[str, Any]:
    return "address", site.ask("POST", "/subscriptions", {"channel": "webhook", "address": url})


def by_sign_up(site: Site, url: str) -> tuple[str, Any]:
    return "address", site.post("/?action=subscribe", data={"type": "webhook", "url": url})


def by_sign_up_json(site: Site, url: str) -> tuple[str, Any]:
    return "address", site.post("/subscribe", json={"channel": "webhook", "address": url})


def by_monitor(site: Site, url: str) -> tuple[str, Any]:
    body = {"name": "API", "target": url, "component": "api"}
    return "target", site.ask("POST", "/monitors", body)


DOORS = [by_manage_api, by_sign_up, by_sign_up_json, by_monitor]
Door = Callable[[Site, str], tuple[str, Any]]


def unlimited(site: Site) -> None:
    """Let a stranger sign up as often as a test likes."""
    number = next(_origins)
    site.client.environ_base["REMOTE_ADDR"] = f"198.51.100.{number % 250 + 1}"


_origins = itertools.count()


@pytest.mark.parametrize("door", DOORS)
def test_no_address_inside_is_saved(strict: Site, door: Door) -> None:
    """A literal address of every class and every deceptive spelling is 422 with the field, and no row."""
    for url in [*LITERAL, *SPELLINGS]:
        unlimited(strict)
        field, answer = door(strict, url)
        assert answer.status_code == 422, (url, answer.text)
        assert [error["field"] for error in answer.get_json()["errors"]] == [field], url
    assert strict.rows(Subscription) == strict.rows(Monitor) == []


@pytest.mark.parametrize("door", DOORS)
def test_no_name_that_leads_inside_is_saved(
    strict: Site, door: Door, name_server: DnsServer
) -> None:
    """A name with an answer of any class, beside a public one, is 422; the words are always the same."""
    words = set()
    for number, address in enumerate(dict.fromkeys([*ONE_OF_EACH, *SINGLE.values()])):
        unlimited(strict)
        name = name_server.set(f"n{number}.example.com", "8.8.8.8", address)
        field, answer = door(strict, f"https://{name}/hook")
        assert answer.status_code == 422, (address, answer.text)
        assert name_server.count(name) == 1
        (error,) = answer.get_json()["errors"]
        assert error["field"] == field
        words.add(error["message"])
    assert len(words) == 1
    assert strict.rows(Subscription) == strict.rows(Monitor) == []


@pytest.mark.parametrize("door", DOORS)
def test_a_public_name_is_saved(strict: Site, door: Door, name_server: DnsServer) -> None:
    """The same doors are open to an ordinary name."""
    name_server.set("hook.example.com", "8.8.8.8", "2606:4700:4700::1111")
    _, answer = door(strict, "https://hook.example.com/hook")
    assert answer.status_code in (200, 201, 202), answer.text


@pytest.mark.parametrize("door", [by_manage_api, by_sign_up, by_sign_up_json])
def test_names_inside_cannot_be_told_from_names_that_are_not(
    strict: Site, door: Door, name_server: DnsServer
) -> None:
    """Unknown, broken and private names get one answer, word for word."""
    name_server.set("private.example.com", "10.0.0.1")
    name_server.set("broken.example.com", Records(rcode="SERVFAIL"))
    name_server.set("empty.example.com", Records())
    answers = set()
    for name in ("private", "broken", "empty", "unknown"):
        unlimited(strict)
        _, answer = door(strict, f"https://{name}.example.com/")
        assert answer.status_code == 422
        answers.add(answer.get_data())
    assert len(answers) == 1


# At the send


@pytest.fixture
def inside() -> Iterator[Peer]:
    """A service inside, which counts its connections."""
    with Peer(answer_all()) as peer:
        yield peer


def open_site(make_site: SiteMaker, port: int, **config: Any) -> Site:
    """A site on which nothing but the addresses' own nature protects *port*."""
    site = make_site(STATUSPAGE_ALLOW_HTTP_TARGETS=True, STATUSPAGE_TARGET_PORTS=[port], **config)
    site.made("/components", name="API", slug="api")
    return site


def deliver(site: Site) -> list[Attempt]:
    """An incident, told to all subscribers now; returns the log of attempts."""
    site.made("/incidents", title="API is slow", components=[])
    with site.app.app_context():
        tasks.run("fan_out")
        tasks.run("deliver")
    return site.rows(Attempt)


@pytest.mark.parametrize(
    "then",
    [["127.0.0.1"], [METADATA], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], ["10.0.0.1"]],
)
def test_a_webhook_that_turned_inward_is_not_called(
    make_site: SiteMaker, name_server: DnsServer, inside: Peer, then: list[str]
) -> None:
    """A name that was public at the save and leads inside at the send is not connected to, again and again."""
    site = open_site(make_site, inside.port)
    name = name_server.set("hook.example.com", PUBLIC)
    site.made(
        "/subscriptions",
        channel="webhook",
        address=f"http://{name}:{inside.port}/",
        format="native",
    )
    name_server.set(name, *then)
    (attempt,) = deliver(site)
    assert (attempt.code, attempt.answer) == (None, None)
    with site.app.app_context():
        current_session().execute(update(Delivery).values(due_at=datetime.now(UTC) - timedelta(1)))
        current_session().commit()
        tasks.run("deliver")
    assert len(site.rows(Attempt)) == 2
    assert inside.accepted == 0
    assert name_server.count(name) >= 2


def test_a_monitor_that_turned_inward_is_not_called(
    make_site: SiteMaker, name_server: DnsServer, inside: Peer
) -> None:
    """A probe's name is judged at every check as well."""
    site = open_site(make_site, inside.port)
    name = name_server.set("site.example.com", PUBLIC)
    url = f"http://{name}:{inside.port}/"
    site.made("/monitors", name="API", target=url, component="api")
    name_server.set(name, "127.0.0.1")
    with site.app.app_context():
        past = datetime.now(UTC) - timedelta(seconds=5)
        current_session().execute(update(MonitorRegion).values(due_at=past))
        current_session().commit()
        region = current_session().query(MonitorRegion).first()
        assert region is not None
        assert tasks.run(f"probe:{region.region}") == 1
    assert inside.accepted == 0
    assert name_server.count(name) == 2  # at the save and at the check


def test_the_log_of_attempts_gives_nothing_away(
    make_site: SiteMaker, name_server: DnsServer
) -> None:
    """Refused, unknown and forbidden read alike in the log, and no address is in it."""
    port = closed_port()
    site = open_site(make_site, port, STATUSPAGE_ALLOW_PRIVATE_TARGETS=True)
    now = {
        "refused": ["127.0.0.1"],
        "inside": [METADATA],
        "unknown": [],
        "two": ["10.0.0.1", METADATA],
    }
    for name in now:
        name_server.set(f"{name}.example.com", "127.0.0.1")
        url = f"http://{name}.example.com:{port}/"
        site.made("/subscriptions", channel="webhook", address=url)
    for name, addresses in now.items():
        name_server.set(f"{name}.example.com", Records(addresses=addresses))
    assert len(deliver(site)) == 4
    shown = []
    for delivery in site.ask("GET", "/deliveries").get_json()["items"]:
        log = site.ask("GET", f"/deliveries/{delivery['id']}/attempts")
        shown += log.get_json()["items"]
        for secret in ("127.0.0.1", "169.254", "10.0.0.1", "refused", "Errno"):
            assert secret not in log.text.replace("refused_address", "")
    assert [attempt["error"] for attempt in shown] == ["The endpoint could not be reached."] * 4
