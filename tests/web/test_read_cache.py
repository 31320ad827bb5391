"""What readers get while others look: no page that was closed, no green without a word; and what is kept."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from flask import Blueprint, Flask, g
from flask_sqlalchemy import SQLAlchemy

from flask_statuspage import StatusPage
from flask_statuspage.documents import catalogue
from flask_statuspage.documents.document import JSON, Document
from flask_statuspage.documents.snapshot import Snapshot
from flask_statuspage.services import component_history, overview
from flask_statuspage.state import state_of
from flask_statuspage.storage import pages
from flask_statuspage.web import cache as caching
from flask_statuspage.web.ready import Variants
from tests.web.site import Site, SiteMaker

PATH = "/api/v2/status.json"


@dataclass
class Look:
    """A look at a version that hangs: whether it has begun, and what ends it."""

    began: threading.Event = field(default_factory=threading.Event)
    answer: threading.Event = field(default_factory=threading.Event)


@contextmanager
def slow_look() -> Iterator[Look]:
    """The next look at a version hangs until it is answered, as a database does that does not answer."""
    slow = Look()
    real = pages.version_of
    waits = [True]

    def look(*arguments: Any, **options: Any) -> Any:
        if waits.pop() if waits else False:
            slow.began.set()
            slow.answer.wait(20)
        return real(*arguments, **options)

    with mock.patch.object(pages, "version_of", look):
        yield slow


def reading(site: Site, path: str, found: list[Any]) -> threading.Thread:
    thread = threading.Thread(target=lambda: found.append(site.app.test_client().get(path)))
    thread.start()
    return thread


@contextmanager
def slow_year() -> Iterator[Look]:
    """The next reading of a component's year hangs until it is answered."""
    slow = Look()
    real = component_history.of_year
    waits = [True]

    def read(*given: Any) -> Any:
        if waits.pop() if waits else False:
            slow.began.set()
            slow.answer.wait(20)
        return real(*given)

    with mock.patch.object(component_history, "of_year", read):
        yield slow


def age(site: Site, seconds: float) -> None:
    """As if nobody had asked for so long."""
    for held in state_of(site.app).documents._held.values():
        held.looked_at -= seconds


def test_a_page_that_was_closed_long_ago(site: Site, make_site: SiteMaker) -> None:
    """While one reader looks after an idle hour, another one is not given what was public an hour ago."""
    site.made("/pages", name="Moon", slug="moon")
    assert site.get("/moon" + PATH).status_code == 200
    other = make_site(url=site.app.config["SQLALCHEMY_DATABASE_URI"])
    other.ask("PATCH", "/pages/moon", {"visibility": "signed-in"})
    age(site, 3600)
    found: list[Any] = []
    with slow_look() as look:
        first = reading(site, f"{site.prefix}/moon{PATH}", found)
        assert look.began.wait(20)
        second = reading(site, f"{site.prefix}/moon{PATH}", found)
        time.sleep(0.2)
        look.answer.set()
        first.join()
        second.join()
    assert [response.status_code for response in found] == [403, 403]


def test_a_database_that_hangs(site: Site) -> None:
    """While it does not answer, those who need not wait are told that what they get may be out of date."""
    site.get(PATH)
    age(site, 3600)
    found: list[Any] = []
    with slow_look() as look:
        first = reading(site, site.prefix + PATH, found)
        assert look.began.wait(20)
        started = time.monotonic()
        told = site.get(PATH)
        assert time.monotonic() - started < 10
        assert told.status_code == 200
        assert told.headers["Warning"].startswith("110 ")
        assert told.headers["Cache-Control"] == "no-cache"
        look.answer.set()
        first.join()
    assert "Warning" not in site.get(PATH).headers


def test_a_page_whose_query_hangs(site: Site) -> None:
    """The others get what the snapshot has of it, which says so; once the query is answered, all is fresh."""
    site.made("/components", name="API")
    site.get("/")
    found: list[Any] = []
    with slow_year() as year:
        first = reading(site, f"{site.prefix}/components/api", found)
        assert year.began.wait(20)
        others = [reading(site, f"{site.prefix}/components/api", found) for _ in range(3)]
        for other in others:
            other.join(10)
        assert len(found) == 3
        for told in found:
            assert told.status_code == 200
            assert told.headers["Warning"].startswith("110 ")
            assert told.headers["Cache-Control"] == "no-cache"
            assert "may be out of date" in told.text
        assert site.get("/").status_code == 200
        year.answer.set()
        first.join()
    assert "Warning" not in found[-1].headers
    assert "Warning" not in site.get("/components/api").headers


def test_a_query_that_hangs_in_what_only_the_database_has(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an incident that no snapshot has its last page is given, and 503 without one; nobody hangs but two readers."""
    made = site.made("/incidents", title="Old", status="resolved")
    path = f"{site.prefix}/incidents/{made['id']}"
    began, answer = threading.Barrier(3), threading.Event()
    real = overview.incident

    def hang(*given: Any) -> Any:
        began.wait(20)
        answer.wait(20)
        return real(*given)

    monkeypatch.setattr(overview, "NEWEST_INCIDENTS", 1)
    site.made("/incidents", title="Newer", status="resolved")
    for is_kept in (False, True):
        if is_kept:
            assert site.client.get(path).status_code == 200
            site.made("/components", name="API")
        site.get("/")
        found: list[Any] = []
        answer.clear()
        with mock.patch.object(overview, "incident", hang):
            hung = [reading(site, path, found), reading(site, path, found)]
            began.wait(20)
            time.sleep(1.1)
            told = site.client.get(path, headers={"Accept": "text/html"})
            answer.set()
            for one in hung:
                one.join()
        assert told.status_code == (200 if is_kept else 503)
        if is_kept:
            assert told.headers["Warning"].startswith("110 ")
            assert told.headers["Cache-Control"] == "no-cache"


def test_bytes_that_are_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not more bytes are kept than are meant for documents, nor one document that is larger than all of them."""
    cache = state_of(site.app).documents
    for number in range(6):
        site.made("/components", name=f"C {number}")
    monkeypatch.setattr(caching, "MAX_BYTES", 300_000)
    monkeypatch.setattr(caching, "MAX_RARE_BYTES", 300_000)
    for number in range(6):
        for query in ("", "?range=7d"):
            assert site.get(f"/components/c-{number}{query}").status_code == 200
    for shelf in (cache._documents, cache._rare):
        assert 0 < shelf.size <= 300_000
        assert shelf.size == sum(shelf.get(key).size for key in shelf)
    monkeypatch.setattr(caching, "MAX_BYTES", 2500)
    assert site.get("/components/c-0").status_code == 200
    assert site.get("/components/c-0").status_code == 200
    assert all("c-0" not in key[1].split() for key in cache._documents)


def test_nobody_waits_for_a_fresh_look(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked at a moment ago is given at once while another reader looks."""
    now = time.monotonic()
    monkeypatch.setattr(caching, "time", SimpleNamespace(monotonic=lambda: now))
    site.get(PATH)
    age(site, 1.1)
    found: list[Any] = []
    with slow_look() as look:
        first = reading(site, site.prefix + PATH, found)
        assert look.began.wait(20)
        told = site.get(PATH)
        assert found == []
        assert (told.status_code, "Warning" in told.headers) == (200, False)
        look.answer.set()
        first.join()


def test_documents_do_not_keep_the_past(site: Site) -> None:
    """A document that is never asked for again does not keep its whole snapshot."""

    def snapshots() -> int:
        gc.collect()
        return sum(isinstance(item, Snapshot) for item in gc.get_objects())

    before = snapshots()
    for number in range(12):
        made = site.made("/incidents", title=f"I {number}")
        site.get(f"/incidents/{made['id']}")
    assert snapshots() - before <= 2


def test_few_documents_are_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all that strangers may ask for few are kept, and those that were made last."""
    monkeypatch.setattr(caching, "MAX_RARE", 5)
    monkeypatch.setattr(caching, "MAX_DOCUMENTS", 5)
    for number in range(12):
        site.get(f"/api/v2/badge.svg?label={number}")
        site.made("/components", name=f"C {number}")
    for number in range(12):
        site.get(f"/components/c-{number}/feed.xml")
    kept = state_of(site.app).documents
    assert [key[1].split()[-1] for key in kept._documents] == [f"c-{n}" for n in range(7, 12)]
    assert len(kept._rare) == 5


def test_two_versions_within_a_second(site: Site) -> None:
    """Whoever asks by time only is not told that nothing changed when it changed within that very second."""
    site.made("/components", name="API")
    first = site.get(PATH)
    site.ask("PUT", "/components/api/status", {"status": "major_outage"})
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert site.get(PATH, headers=since).status_code == 200
    assert site.get(PATH, headers=since).get_json()["status"]["indicator"] == "major_outage"


def test_a_later_time_is_not_ours(site: Site) -> None:
    """A time that this process never named says nothing about what it has."""
    later = {"If-Modified-Since": "Wed, 01 Jan 2098 00:00:00 GMT"}
    assert site.get(PATH, headers=later).status_code == 200


def test_personal_and_stale(make_site: SiteMaker, tmp_path: Any) -> None:
    """A page that greets somebody stays private while the database is away."""
    from tests.web.test_public import broken_file

    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "own.html").write_text(
        "Ann {% block title %}{% endblock %}{% block content %}{% endblock %}"
    )
    site = make_site(templates=tmp_path, STATUSPAGE_BASE_TEMPLATE="own.html")
    assert site.get("/").headers["Cache-Control"] == "private, no-cache"
    mend = broken_file(site)
    state_of(site.app).documents.expire_versions()
    answer = site.get("/")
    mend()
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Warning"].startswith("110 ")


def test_compressed_once_for_all() -> None:
    """Sixteen readers who ask at once for the compressed bytes get the very same ones."""
    variants = Variants(
        b"status " * 5000, etag="x", last_modified=None, content_type=JSON, headers=[]
    )
    barrier, seen = threading.Barrier(16), []

    def read() -> None:
        barrier.wait()
        seen.append(variants.choose({"HTTP_ACCEPT_ENCODING": "gzip"}))

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one is seen[0] for one in seen)
    assert len(seen[0].body) < 1000


def test_headers_do_not_break_out() -> None:
    """A line break in a header is refused where the answer is made."""
    with pytest.raises(ValueError, match="newline"):
        Variants(
            b"x", etag="x", last_modified=None, content_type=JSON, headers=[("Link", "a\r\nB: c")]
        )


@pytest.mark.parametrize(
    "url", ["https://例え.jp/s", "https://a.example/ü", "https://a.example/<b>"]
)
def test_links_of_any_page_url(site: Site, url: str) -> None:
    """Whatever a member takes for the page's URL, its list can be sent."""
    assert site.ask("PATCH", "/pages/main", {"url": url}).status_code == 200
    link = site.get("/api/v2/incidents.json").headers["Link"]
    assert link.isascii()
    assert link.count("<") == link.count(">") == link.count(";")


def tenants() -> Blueprint:
    """A parent whose prefix is a tenant's name."""
    parent = Blueprint("tenant", __name__, url_prefix="/<tenant>")

    @parent.url_value_preprocessor
    def pull(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.tenant = (values or {}).pop("tenant", None)

    @parent.url_defaults
    def push(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("tenant", g.get("tenant", "none"))

    return parent


def test_prefixes_have_their_own_links(make_site: SiteMaker) -> None:
    """Below a prefix with a name in it each page leads to its own prefix."""
    uri = make_site().app.config["SQLALCHEMY_DATABASE_URI"]
    app, db, parent = Flask("tenants"), SQLAlchemy(), tenants()
    app.config.update(SECRET_KEY="a key for tests", SQLALCHEMY_DATABASE_URI=uri)
    app.config["STATUSPAGE_PAGE_URL"] = "https://status.example.com"
    db.init_app(app)
    parent.register_blueprint(StatusPage(), url_prefix="/status")
    app.register_blueprint(parent)
    client = app.test_client()
    for tenant in ("acme", "other", "acme"):
        assert f'href="/{tenant}/status/subscribe"' in client.get(f"/{tenant}/status/").text
    with app.app_context():
        db.engine.dispose()


def test_behind_a_layer_that_moves_the_app(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """With ProxyFix behind the lane, which cannot tell its addresses apart, the lane closes and says what to do."""
    from werkzeug.middleware.proxy_fix import ProxyFix

    site.app.wsgi_app = ProxyFix(site.app.wsgi_app, x_prefix=1)  # type: ignore[method-assign]
    site.app.wsgi_app = site.statuspage.fast_lane(site.app)  # type: ignore[method-assign]
    prefix = {"X-Forwarded-Prefix": "/shop"}
    assert 'href="/shop/status/subscribe"' in site.get("/", headers=prefix).text
    assert "ProxyFix(statuspage.fast_lane(app)" in caplog.text
    for _ in range(2):
        assert 'href="/status/subscribe"' in site.get("/").text
        assert 'href="/shop/status/subscribe"' in site.get("/", headers=prefix).text


def test_around_the_lane(site: Site) -> None:
    """With ProxyFix around it, the lane gives each prefix its own links."""
    from werkzeug.middleware.proxy_fix import ProxyFix

    lane = site.statuspage.fast_lane(site.app)
    site.app.wsgi_app = ProxyFix(lane, x_prefix=1)  # type: ignore[method-assign]
    for _ in range(2):
        moved = site.get("/", headers={"X-Forwarded-Prefix": "/shop"}).text
        assert 'href="/shop/status/subscribe"' in moved
        assert 'href="/status/subscribe"' in site.get("/").text
    assert len(lane._known) == 2  # type: ignore[attr-defined]


def test_views_have_names(site: Site) -> None:
    """Extensions of the host that look at views by their names find them."""
    for endpoint, view in site.app.view_functions.items():
        assert view.__name__, endpoint
        assert view.__module__, endpoint


@pytest.mark.parametrize("csrf", ["before", "after"])
def test_refusals_with_protection_of_the_host(make_site: SiteMaker, csrf: str) -> None:
    """With a host-wide CSRFProtect, too, a POST to a document is answered as a program expects."""
    site = make_site(csrf=csrf)
    for path in ("/api/feed.xml", "/feed", "/api/nothing", "/statuspage/api/v2/nothing"):
        answer = site.post(path)
        assert answer.status_code == 405, path
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("csrf", ["before", "after"])
def test_reading_with_protection_of_the_host(make_site: SiteMaker, csrf: str) -> None:
    """A host-wide CSRFProtect keeps nobody from reading any document."""
    site = make_site(csrf=csrf)
    site.made("/components", name="API")
    for document in catalogue.documents().values():
        path = document.paths[0].replace("<component_slug>", "api")
        assert site.get(f"/{path}").status_code == 200, path


def test_pages_beyond_the_end_cost_nothing(site: Site) -> None:
    """A stranger who asks for the millionth page costs no query beyond the look at the version."""
    from tests.web.queries import Queries

    site.made("/incidents", title="One")
    site.get(PATH)
    with Queries(site) as queries:
        for number in range(5, 15):
            assert site.json(f"/api/v2/incidents.json?page={number}") == {"incidents": []}
    assert not [sent for sent in queries.sent if "FROM statuspage_incident" in sent]


def test_csv_cut_short_has_no_tag(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds less than all incidents is not taken for all of them once the database is back."""
    from tests.web.test_public import broken_file

    monkeypatch.setattr(overview, "NEWEST_INCIDENTS", 2)
    for number in range(6):
        site.made(
            "/incidents", title=f"I {number}", status="resolved", started_at="2026-01-01T00:00:00Z"
        )
    whole = site.get("/api/incidents.csv")
    tag = {"If-None-Match": whole.headers["ETag"]}
    site.get(PATH)
    mend = broken_file(site)
    state_of(site.app).documents.expire_versions()
    short = site.get("/api/incidents.csv", headers=tag)
    mend()
    assert short.status_code == 200
    assert len(short.data) < len(whole.data)
    assert not {"ETag", "Last-Modified"} & set(short.headers.keys())
    state_of(site.app).documents.expire_versions()
    assert site.get("/api/incidents.csv").data == whole.data


def test_csv_takes_one_connection(make_site: SiteMaker) -> None:
    """Readers of CSV do not starve a small pool whose connections the host's own hooks hold."""

    def host(app: Flask) -> None:
        @app.before_request
        def look() -> None:
            from sqlalchemy import text

            app.extensions["sqlalchemy"].session.execute(text("SELECT 1"))

    options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 2}
    site = make_site(host=host, SQLALCHEMY_ENGINE_OPTIONS=options)
    answer = site.get("/api/incidents.csv")
    assert answer.status_code == 200
    assert "Warning" not in answer.headers


def offered(name: str = "weather", *paths: str, **more: Any) -> Document:
    values: dict[str, Any] = {"content_type": JSON, "says": "Weather.", "render": lambda s: b"{}"}
    return Document(name=name, paths=paths or ("api/weather.json",), **(values | more))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("home", offered("home")),
        ("weather", object()),
        ("weather", offered("rain")),
        ("weather", offered("weather", "api/v2/status.json")),
        ("weather", offered("weather", "weather/today.json")),
        ("weather", offered("weather", "api/../../x")),
        ("weather", offered("weather", "/api/x")),
        ("weather", offered("weather", "api/openapi.json")),
        ("We ather", offered("We ather")),
    ],
)
def test_documents_that_do_not_fit(
    name: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    """What another package offers and cannot be served is left out and logged; the site starts all the same."""
    assert not catalogue._is_fit(name, value)
    assert "left out" in caplog.text


def test_a_document_that_fits(caplog: pytest.LogCaptureFixture) -> None:
    """One with a name and a path of its own is served."""
    assert catalogue._is_fit("weather", offered())
    assert catalogue._is_fit("weather", offered("weather", "weather.json"))
    assert caplog.text == ""


@pytest.mark.parametrize("path", ["/", PATH, "/api/incidents.csv"])
def test_a_page_that_goes_while_it_is_looked_at(site: Site, path: str) -> None:
    """Who does not wait for the look that finds the page gone is told the same: there is none, and not 500."""
    site.made("/pages", name="Moon", slug="moon")
    site.get(f"/moon{path}")
    age(site, 1.1)
    held, place = state_of(site.app).documents._held, ("moon", False)
    found: list[Any] = []

    class Going(dict[Any, Any]):
        """Forgets the page once the reader has seen that it is there, as the other one's look does."""

        def get(self, key: Any, default: Any = None) -> Any:
            return self.pop(key, default) if key == place else super().get(key, default)

    with slow_look() as look:
        first = reading(site, f"{site.prefix}/moon{path}", found)
        assert look.began.wait(20)
        state_of(site.app).documents._held = Going(held)
        answer = site.get(f"/moon{path}")
        state_of(site.app).documents._held = held
        look.answer.set()
        first.join()
    assert answer.status_code == 404
