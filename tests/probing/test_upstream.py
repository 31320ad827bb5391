"""The upstream probe against real servers: which document it asks for, what it finds, and when it cannot know."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import Thresholds, Verdict
from flask_statuspage.errors import Invalid
from flask_statuspage.probing import Finding, ProbeOrder, probes
from flask_statuspage.probing.upstream import MAX_BYTES, UpstreamProbe
from flask_statuspage.services import components, incidents
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_session
from tests.apps import running
from tests.outgoing.peer import Peer, answer_all, closed_port
from tests.servers import wsgi
from tests.servers.http import Answer, Target

from .test_upstream_documents import CAPTURES

LOOPBACK = Settings(allow_http_targets=True, allow_private_targets=True)
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SUMMARY = "/api/v2/summary.json"
UNREADABLE = "The status page could not be read: "


@pytest.fixture
def probe() -> UpstreamProbe:
    """A probe that remembers nothing yet."""
    return UpstreamProbe()


def ask(
    probe: UpstreamProbe,
    url: str,
    *,
    settings: Settings = LOOPBACK,
    timeout: float = 5.0,
    at: datetime = NOW,
    **options: Any,
) -> Finding:
    order = ProbeOrder(
        monitor_id=new_id(),
        region="eu",
        kind="upstream",
        target=url,
        timeout=timeout,
        degraded_over_ms=1,
        options=probe.check_options(options, settings),
        asked_at=at,
    )
    with probe.open(settings) as asker:
        return asker.ask(order)


def publish(target: Target, name: str, path: str = SUMMARY, **headers: str) -> str:
    """Serve a capture; the address of the page."""
    target.set(path, Answer(body=(CAPTURES / name).read_bytes(), headers=headers))
    return target.url


def paths(target: Target) -> list[str]:
    return [request.path for request in target.requests]


def test_the_kind_is_known() -> None:
    """It stands in the registry, believes each answer, and asks nobody more often than every half minute."""
    assert probes["upstream"].thresholds == Thresholds(failure=1, recovery=1)
    assert probes["upstream"].intervals == (30, 86_400)


def test_a_page_in_trouble(probe: UpstreamProbe, target: Target) -> None:
    """The page's word is the outcome; what was observed is plain data that a message can be made of. The time that the
    page took is nobody's response time."""
    found = ask(probe, publish(target, "statuspage.json"))
    assert (found.outcome, found.code, found.milliseconds) == (Verdict.DEGRADED, 200, None)
    assert found.error == "Its status page tells of degraded performance"
    assert json.loads(json.dumps(found.observed)) == {
        "name": "Halvorsen Cloud",
        "slug": "halvorsen-cloud",
        "status": "degraded_performance",
        "components": [
            {"id": "b13yz5g2cw10", "name": "Apps", "group": None, "status": "degraded_performance"},
            {"id": "7w2mfl6zqp11", "name": "Data", "group": None, "status": "operational"},
            {"id": "k9v1dd3xns12", "name": "Tools", "group": None, "status": "operational"},
        ],
        "title": "Application deployment performance",
        "text": "Some users are experiencing deployment delays.",
        "status_page_url": "https://status.halvorsen.example",
        "home_page_url": "https://status.halvorsen.example/",
        "favicon_url": "https://status.halvorsen.example/favicon.ico",
        "as_of": "2026-03-02T09:41:12.512000+00:00",
        "watched": [target.url, None],
    }
    assert target.requests[0].headers["User-Agent"] == "Flask-StatusPage monitor"


@pytest.mark.parametrize(
    ("name", "component", "outcome"),
    [
        ("incident_io.json", None, Verdict.UP),
        ("statuspage_groups.json", None, Verdict.DEGRADED),
        ("statuspage_groups.json", "Europe - Edge", Verdict.DOWN),
        ("statuspage_groups.json", "Asia", Verdict.UP),
        ("statuspage_groups.json", "c102", Verdict.UP),
        ("instatus.json", "Login", Verdict.DOWN),
        ("native.json", None, Verdict.DEGRADED),
        ("native.json", "Hosting - Mail", Verdict.DEGRADED),
        ("native.json", "Client Portal (WHMCS)", Verdict.UP),
        ("native_components.json", None, Verdict.DOWN),
        ("aws.rss", None, Verdict.DEGRADED),
        ("google_cloud.atom", None, Verdict.DOWN),
        ("statuspage.rss", None, Verdict.UP),
    ],
)
def test_every_dialect_is_told_by_its_document(
    probe: UpstreamProbe, target: Target, name: str, component: str | None, outcome: Verdict
) -> None:
    """Native and Statuspage lie at one address, and a feed may lie anywhere: one request tells them apart."""
    assert ask(probe, publish(target, name), component=component).outcome is outcome
    assert paths(target) == [SUMMARY]


def test_what_a_page_says_can_be_overruled(probe: UpstreamProbe, target: Target) -> None:
    """Name and addresses of messages are the owner's where given; hostile ones of the page are not taken over."""
    document = json.loads((CAPTURES / "statuspage.json").read_text())
    document["page"]["url"] = "javascript:alert(1)"
    target.set(SUMMARY, Answer(body=json.dumps(document).encode()))
    found = ask(probe, target.url).observed or {}
    assert found["status_page_url"] == target.url + "/"
    said = {
        "name": "Heroku",
        "home_page_url": "https://www.heroku.com",
        "status_page_url": "https://status.heroku.com",
        "favicon_url": "https://favicons.statusgator.com/heroku.ico",
    }
    found = ask(probe, target.url, **said).observed or {}
    assert {name: found[name] for name in said} == said
    assert found["slug"] == "heroku"


def test_one_request_a_check(probe: UpstreamProbe, target: Target) -> None:
    """Where the page has no summary the address itself is tried, and remembered until it fails."""
    target.set(SUMMARY, Answer(status=404))
    target.set("/", Answer(body=(CAPTURES / "aws.rss").read_bytes()))
    url = target.url + "/"
    assert [ask(probe, url).outcome for _ in range(3)] == [Verdict.DEGRADED] * 3
    assert paths(target) == [SUMMARY, "/", "/", "/"]
    target.clear()
    target.set("/", Answer(status=410))
    assert ask(probe, url).error == UNREADABLE + "it answered 410"
    publish(target, "incident_io.json")
    assert ask(probe, url).outcome is Verdict.UP
    assert paths(target) == ["/", SUMMARY]


@pytest.mark.parametrize(
    ("path", "options", "asked"),
    [
        ("/status/", {"dialect": "statuspage"}, "/status/api/v2/summary.json"),
        ("/status/api/v2", {"dialect": "native"}, "/status/api/v2/summary.json"),
        ("/api/v2/components.json", {"dialect": "native"}, "/api/v2/components.json"),
        ("/summary.json", {}, "/summary.json"),
        ("/history.atom", {}, "/history.atom"),
        ("/feed", {}, "/feed"),
        ("/history?format=rss", {}, "/history?format=rss"),
        ("/anything", {"dialect": "feed"}, "/anything"),
    ],
)
def test_where_it_asks(
    probe: UpstreamProbe, target: Target, path: str, options: dict[str, Any], asked: str
) -> None:
    """The address of a document is asked for as it is; of a page its summary."""
    ask(probe, target.url + path, **options)
    assert paths(target) == [asked]


def test_an_unchanged_page_is_not_sent_again(probe: UpstreamProbe, target: Target) -> None:
    """The page's ETag is sent along; 304 stands for the bytes that are known."""
    url = publish(target, "statuspage.json", ETag='W/"7"')
    first = ask(probe, url)
    target.set(SUMMARY, Answer(status=304))
    assert ask(probe, url).observed == first.observed
    assert target.requests[-1].headers["If-None-Match"] == 'W/"7"'
    assert ask(UpstreamProbe(), url + SUMMARY).error == UNREADABLE + "it has moved"


@pytest.mark.parametrize("tag", [b'"7" ', b'"7"\t \t', b" ", b'"\x01"', b'"\xe9"', b'"7'])
def test_a_tag_that_cannot_be_sent_back_is_no_outage(probe: UpstreamProbe, tag: bytes) -> None:
    """What stands around it is left out, and what is none is not sent."""
    body = (CAPTURES / "statuspage.json").read_bytes()
    head = b"HTTP/1.1 200 OK\r\nETag: %b\r\nContent-Length: %d\r\n\r\n" % (tag, len(body))
    with Peer(answer_all(head + body)) as peer:
        first, second = (ask(probe, peer.url.removesuffix("/hook")) for _ in range(2))
        lines = peer.requests[1].splitlines()
    assert second.observed == first.observed is not None
    sent = [line for line in lines if line.lower().startswith(b"if-none-match:")]
    assert sent == ([b"If-None-Match: " + tag.strip()] if tag.startswith(b'"7') else [])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(status=500), "it answered 500"),
        (Answer(status=301, headers={"Location": "https://x.example/"}), "it has moved"),
        (Answer(body=b"<html><body>All fine</body></html>"), "it is not what was expected"),
        (Answer(body=b"{}"), "it is not what was expected"),
        (Answer(body=b"<!DOCTYPE rss><rss/>"), "it is not what was expected"),
        (Answer(body=b" " * (MAX_BYTES + 1)), "it is too large"),
        (Answer(hang=True), "no complete answer in time"),
    ],
)
def test_a_page_that_cannot_be_read(
    probe: UpstreamProbe, target: Target, answer: Answer, error: str
) -> None:
    """It says nothing of the service: not known, with why, and nothing observed."""
    started = time.monotonic()
    found = ask(probe, target.set("/summary.json", answer), timeout=0.6)
    assert time.monotonic() - started < 3
    assert (found.outcome, found.observed, found.error) == (
        Verdict.UNKNOWN,
        None,
        UNREADABLE + error,
    )


def test_fifty_megabytes_are_not_read(probe: UpstreamProbe, target: Target) -> None:
    """Of a huge document no more than the limit is taken, in little time."""
    url = target.set("/summary.json", Answer(body=b"[" * 50 * 1024 * 1024))
    assert ask(probe, url, timeout=20).error == UNREADABLE + "it is too large"


def test_a_server_in_trouble_is_asked_once(probe: UpstreamProbe, target: Target) -> None:
    """Where it cannot be reached, is overloaded or fails, no second place is tried."""
    for status in (429, 503):
        target.set(SUMMARY, Answer(status=status))
        assert ask(probe, target.url).code == status
    assert paths(target) == [SUMMARY] * 2
    found = ask(probe, f"http://127.0.0.1:{closed_port()}/")
    assert found.error == UNREADABLE + "the connection failed"


def test_a_component_that_is_not_there(probe: UpstreamProbe, target: Target) -> None:
    """Renamed, removed or ambiguous: it is not known how it is, and clear why."""
    url = publish(target, "statuspage_groups.json")
    for name, words in (
        ("Nowhere", "The status page has no such component"),
        ("Edge", "The status page has several components of that name"),
    ):
        found = ask(probe, url, component=name)
        assert (found.outcome, found.error, found.observed) == (Verdict.UNKNOWN, words, None)


def test_a_page_that_knows_nothing(probe: UpstreamProbe, target: Target) -> None:
    """Where all is unknown there is nothing to believe."""
    url = target.set("/summary.json", Answer(body=b'{"components":[{"id":"a","name":"A"}]}'))
    found = ask(probe, url)
    assert (found.outcome, found.observed) == (Verdict.UNKNOWN, None)
    assert found.error == "The status page does not say how it is"


def test_a_private_page_is_not_called(probe: UpstreamProbe, target: Target) -> None:
    """The guard of all outgoing requests holds, when it is saved and when it is asked."""
    strict = Settings(allow_http_targets=True)
    found = ask(probe, target.url, settings=strict)
    assert found.error == UNREADABLE + "the address may not be called"
    assert target.requests == []
    for check in (probe.normalise, probe.vet):
        with pytest.raises(Invalid, match=r"^target: "):
            check(target.url, strict)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dialect", "klingon"),
        ("dialect", None),
        ("component", ""),
        ("component", 5),
        ("component", "a\nb"),
        ("component", "a\ud800"),
        ("component", "x" * 401),
        ("name", " "),
        ("name", "x" * 201),
        ("home_page_url", "www.heroku.com"),
        ("status_page_url", "javascript:alert(1)"),
        ("favicon_url", "https://"),
        ("favicon_url", "https://x.example/" + "x" * 500),
        ("favicon_url", "https://x.example/\r\nX: y"),
        ("colour", "red"),
    ],
)
def test_a_wrong_option_is_named(probe: UpstreamProbe, name: str, value: Any) -> None:
    """Each option that cannot be used is refused by its name."""
    with pytest.raises(Invalid) as caught:
        probe.check_options({name: value}, LOOPBACK)
    assert [error.field for error in caught.value.errors] == [f"options.{name}"]


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[str]:
    """The address of a real page of this extension with one component down, one fine, and an open incident."""
    with running(f"sqlite:///{tmp_path / 'upstream.db'}") as app:
        with app.app_context():
            session = current_session()
            page = default_page(session)
            for name in ("API", "Web"):
                components.create(session, page, name=name)
            down = {"api": ComponentStatus.MAJOR_OUTAGE}
            incidents.open(session, page, title="Fire", body="It burns.", affected=down)
            session.commit()
        with wsgi.serving(app) as url:
            yield url + "/status"


@pytest.mark.parametrize(
    ("path", "component", "outcome"),
    [
        ("", None, Verdict.DOWN),
        ("", "API", Verdict.DOWN),
        ("", "Web", Verdict.UP),
        ("/api/v2/components.json", "API", Verdict.DOWN),
        ("/statuspage", None, Verdict.DOWN),
        ("/statuspage/api/v2/summary.json", "API", Verdict.DOWN),
        ("/statuspage", "Web", Verdict.UP),
        ("/api/feed.xml", None, Verdict.DOWN),
        ("/api/feed.atom", "API", Verdict.DOWN),
        ("/feed", "Web", Verdict.UP),
    ],
)
def test_a_page_of_our_own(
    probe: UpstreamProbe, ours: str, path: str, component: str | None, outcome: Verdict
) -> None:
    """One site of ours can watch another: natively, as a Statuspage, or by its feeds."""
    found = ask(probe, ours + path, at=datetime.now(UTC), component=component)
    assert found.outcome is outcome
    if outcome is Verdict.DOWN and "components" not in path:
        assert (found.observed or {})["title"] == "Fire"
        assert "It burns." in (found.observed or {})["text"]
