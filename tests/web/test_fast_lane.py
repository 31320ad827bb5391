"""The fast lane: answers like the app for what everybody may have, and lets all else through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

import pytest
from flask import Flask, request

from flask_statuspage import StatusPage
from flask_statuspage.documents import catalogue
from flask_statuspage.errors import SetupError
from flask_statuspage.state import state_of
from flask_statuspage.web import cache as caching
from flask_statuspage.web import fast_lane
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker

DOCUMENTS = [item for item in catalogue.documents().values() if not item.stream]
PATHS = ["/", "/docs", *(f"/{d.paths[0].replace('<component_slug>', 'api')}" for d in DOCUMENTS)]


class Counter:
    """A host that counts the requests that reach it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, app: Flask) -> None:
        @app.before_request
        def note() -> None:
            self.seen.append(request.path)


@dataclass
class Clock:
    """The time that the cache goes by; it stands until it is moved, however slow the machine is."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(caching, "time", clock)
    return clock


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def site(make_site: SiteMaker, counter: Counter) -> Site:
    site = make_site(host=counter)
    site.app.wsgi_app = site.statuspage.fast_lane(site.app)  # type: ignore[method-assign]
    site.made("/components", name="API")
    return site


@contextmanager
def reached(counter: Counter) -> Iterator[list[str]]:
    """The paths of requests that reach the host meanwhile."""
    counter.seen.clear()
    found: list[str] = []
    yield found
    found += counter.seen


@pytest.mark.parametrize("path", PATHS)
def test_the_second_answer_is_the_first(site: Site, counter: Counter, path: str) -> None:
    """A document's next answer does not reach the host, and is the same to the last header, also compressed,
    unchanged and to HEAD."""
    etag = site.get(path).headers["ETag"]
    for method, headers in (
        ("GET", {}),
        ("HEAD", {}),
        ("GET", {"Accept-Encoding": "gzip"}),
        ("GET", {"If-None-Match": etag}),
        ("GET", {"If-None-Match": '"other"'}),
    ):
        direct = through_the_app(site, method, path, headers)
        with reached(counter) as seen:
            fast = site.client.open(site.prefix + path, method=method, headers=headers)
        assert seen == []
        assert fast.status == direct.status
        assert fast.data == direct.data
        assert sorted(fast.headers) == sorted(direct.headers)


def through_the_app(site: Site, method: str, path: str, headers: dict[str, str]) -> Any:
    lane = site.app.wsgi_app
    site.app.wsgi_app = lane._inner  # type: ignore[method-assign,attr-defined]
    try:
        return site.client.open(site.prefix + path, method=method, headers=headers)
    finally:
        site.app.wsgi_app = lane  # type: ignore[method-assign]


def test_own_change_is_in_the_next_answer(site: Site) -> None:
    """What this process changes is in the very next answer."""
    for status, indicator in (("major_outage", "major_outage"), (None, "operational")) * 3:
        site.ask("PUT", "/components/api/status", {"status": status})
        for _ in range(3):
            assert site.json("/api/v2/status.json")["status"]["indicator"] == indicator


def test_other_change_is_seen_within_a_second(
    site: Site, make_site: SiteMaker, clock: Clock
) -> None:
    """What another process changes is seen as soon as the version is looked up again, as without the lane."""
    other = make_site(url=site.app.config["SQLALCHEMY_DATABASE_URI"])
    for _ in range(3):
        assert site.json("/api/v2/status.json")["status"]["indicator"] == "operational"
    other.ask("PUT", "/components/api/status", {"status": "major_outage"})
    clock.now += 1.1
    for _ in range(3):
        assert site.json("/api/v2/status.json")["status"]["indicator"] == "major_outage"


def test_once_a_second_the_app_is_asked(site: Site, counter: Counter, clock: Clock) -> None:
    """While the version is fresh nothing is asked; then one small query."""
    path = "/api/v2/summary.json"
    site.get(path)
    with reached(counter) as seen, Queries(site) as queries:
        for _ in range(20):
            site.get(path)
    assert (seen, queries.sent) == ([], [])
    clock.now += 1.1
    with reached(counter) as seen, Queries(site) as queries:
        for _ in range(20):
            site.get(path)
    assert seen == [site.prefix + path]
    assert len(queries.sent) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v2/badge.svg?label=x"),
        ("GET", "/api/v2/incidents.json?page=2"),
        ("GET", "/api/incidents.csv"),
        ("GET", "/subscribe"),
        ("GET", "/nothing"),
        ("GET", "/api/v2/nothing.json"),
        ("OPTIONS", "/api/v2/summary.json"),
        ("POST", "/api/v2/summary.json"),
        ("POST", "/"),
    ],
)
def test_all_else_reaches_the_app(site: Site, counter: Counter, method: str, path: str) -> None:
    """Forms, lists with a query, errors and other methods are the app's."""
    for _ in range(2):
        with reached(counter) as seen:
            site.client.open(site.prefix + path, method=method)
        assert seen == [site.prefix + path.partition("?")[0]]


@pytest.mark.parametrize("visibility", ["signed-in", "link"])
def test_private_pages_never(site: Site, counter: Counter, visibility: str) -> None:
    """A page that is not public goes through the app each time; one that becomes so is closed at once."""
    site.statuspage.member_loader(lambda: request.cookies.get("member"))
    site.made("/pages", name="Inside", slug="inside")
    paths = ["/", "/api/v2/summary.json", "/api/feed.xml"]
    for path in paths * 2:
        assert site.get(f"/inside{path}").status_code == 200
    changed = site.ask("PATCH", "/pages/inside", {"visibility": visibility}).get_json()
    for path in paths * 2:
        assert site.get(f"/inside{path}").status_code == (403 if visibility == "signed-in" else 404)
    site.client.set_cookie("member", "ann@example.com")
    place = changed["link"].rpartition("/")[2] if visibility == "link" else "inside"
    for path in paths * 2:
        with reached(counter) as seen:
            answer = site.get(f"/{place}{path}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert len(seen) == 1


def test_pages_that_greet_somebody_never(
    make_site: SiteMaker, counter: Counter, tmp_path: Any
) -> None:
    """With a template of the host in it a page may differ from visitor to visitor: the app makes each."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "own.html").write_text(
        "{{ request.args.get('who') or request.cookies.get('who') }}"
        "{% block title %}{% endblock %}{% block head %}{% endblock %}{% block content %}{% endblock %}"
    )
    site = make_site(host=counter, templates=tmp_path, STATUSPAGE_BASE_TEMPLATE="own.html")
    site.app.wsgi_app = site.statuspage.fast_lane(site.app)  # type: ignore[method-assign]
    for who in ("Ann", "Bob"):
        site.client.set_cookie("who", who)
        assert site.get("/").text.strip().startswith(who)


def test_stale_answers_are_the_apps(site: Site) -> None:
    """While the database is away every answer says so; once it is back none does."""
    from tests.web.test_public import broken_file

    path = "/api/v2/summary.json"
    site.get(path)
    mend = broken_file(site)
    state_of(site.app).documents.expire_versions()
    for _ in range(3):
        assert site.get(path).headers["Warning"].startswith("110 ")
    mend()
    state_of(site.app).documents.expire_versions()
    for _ in range(3):
        assert "Warning" not in site.get(path).headers


def test_mounts_have_their_own_links(site: Site) -> None:
    """Below another SCRIPT_NAME links are others: one answer is not given for the other."""
    plain = site.get("/").text
    moved = site.get("/", environ_overrides={"SCRIPT_NAME": "/shop"}).text
    assert 'href="/status/subscribe"' in plain
    assert 'href="/shop/status/subscribe"' in moved
    assert site.get("/").text == plain


def test_strangers_cannot_fill_the_memory(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for, the lane knows few answers, and goes on learning."""
    monkeypatch.setattr(fast_lane, "MAX_KNOWN", 5)
    for number in range(12):
        site.get("/", environ_overrides={"SCRIPT_NAME": f"/{number}"})
        site.get(f"/nothing-{number}")
        site.get(f"/api/v2/badge.svg?label={number}")
        known = site.app.wsgi_app._known  # type: ignore[attr-defined]
        assert 1 <= len(known) <= 5


def test_readers_at_once_while_it_changes(site: Site) -> None:
    """Sixteen readers meanwhile see only whole answers, and the last change in the end."""
    wrong: list[Any] = []
    going = True

    def read() -> None:
        client = site.app.test_client()
        while going:
            answer = client.get(site.prefix + "/api/v2/status.json")
            if answer.status_code != 200 or "indicator" not in answer.get_json()["status"]:
                wrong.append(answer.text)

    threads = [Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    for status in ("major_outage", "operational") * 5:
        site.ask("PUT", "/components/api/status", {"status": status})
        assert site.json("/api/v2/status.json")["status"]["indicator"] == status
    going = False
    for thread in threads:
        thread.join()
    assert wrong == []


def test_it_wants_the_page_first() -> None:
    """Before the blueprint is registered, or with another one, the error says what to do."""
    with pytest.raises(SetupError, match="Register the status page first"):
        StatusPage().fast_lane(Flask("host"))


def test_old_answers_are_let_go(site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many answers are known, each language counted; of what is not current nothing stays."""
    lane = site.app.wsgi_app
    monkeypatch.setattr(fast_lane, "MAX_KNOWN", 6)

    def number() -> int:
        known = lane._known.values()  # type: ignore[attr-defined]
        return sum(fast_lane._measured(answers)[0] for answers in known)

    for language in ("en", "de", "fr", "es", "ja"):
        for path in ("/", "/docs", "/history"):
            for _ in range(2):
                site.get(path, headers={"Accept-Language": language})
            assert number() == lane._count <= 6  # type: ignore[attr-defined]
    assert number() > 0
    monkeypatch.setattr(fast_lane, "SWEEP_SECONDS", 0.0)
    clock.now += 100
    site.get("/")
    assert number() == 1


def test_the_bytes_are_limited(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """All answers together keep few bytes, each language counted; one that is larger than that is never kept."""
    lane: Any = site.app.wsgi_app
    site.get("/")
    (known,) = lane._known.values()
    home = lane._size
    assert home == sum(found.size for _, found, _ in known.values()) > 2000
    monkeypatch.setattr(fast_lane, "MAX_BYTES", 3 * home)
    for language in ("en", "de", "fr", "es", "ja", "ar"):
        for path in ("/", "/docs", "/history", "/api/v2/summary.json"):
            site.get(path, headers={"Accept-Language": language})
            measured = [fast_lane._measured(answers) for answers in lane._known.values()]
            assert sum(size for _, size in measured) == lane._size <= 3 * home
            assert sum(number for number, _ in measured) == lane._count > 0
    monkeypatch.setattr(fast_lane, "MAX_BYTES", home // 2)
    lane._known.clear()
    for _ in range(2):
        site.get("/")
        site.get("/api/v2/status.json")
    assert [key[2] for key in lane._known] == ["/status/api/v2/status.json"]
