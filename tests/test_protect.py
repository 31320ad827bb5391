"""Maintenance for the host's own blueprints: turned away with 503, or told by a note in the page."""

from __future__ import annotations

import gzip
import io
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort, jsonify, render_template_string, send_file
from sqlalchemy import event, text, update
from werkzeug.test import TestResponse

from flask_statuspage import StatusPage
from flask_statuspage.errors import Invalid
from flask_statuspage.host import HostMaintenance
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.maintenances import Maintenance
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_session
from flask_statuspage.web import protection
from flask_statuspage.web.injection import after_body_tag
from tests.web import conftest
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker

make_site = conftest.make_site
migrated = conftest.migrated

PAGE = "<!doctype html><title>Shop</title><body class='shop'><main>The shop</main></body>"
HTML = {"Accept": "text/html,*/*;q=0.8"}
BOX = "data-statuspage-banner"


def shop() -> Blueprint:
    """A part of the host with answers of every kind."""
    blueprint = Blueprint(
        "checkout",
        "checkout",
        url_prefix="/shop",
        static_folder=str(Path(conftest.__file__).parent / "host/static"),
    )

    @blueprint.route("/", methods=["GET", "POST"])
    def index() -> str:
        return PAGE

    @blueprint.get("/json")
    def data() -> Response:
        return jsonify(shop="open")

    @blueprint.get("/cached")
    def cached() -> Response:
        response = Response(PAGE, headers={"Cache-Control": "public, max-age=600", "Expires": "x"})
        response.add_etag()
        response.last_modified = utc_now()
        return response

    @blueprint.get("/streamed")
    def streamed() -> Response:
        return Response(iter([PAGE, "more"]), mimetype="text/html")

    @blueprint.get("/file")
    def file() -> Response:
        return send_file(io.BytesIO(PAGE.encode()), mimetype="text/html")

    @blueprint.get("/gzip")
    def zipped() -> Response:
        return Response(
            gzip.compress(PAGE.encode(), mtime=0),
            mimetype="text/html",
            headers={"Content-Encoding": "gzip"},
        )

    @blueprint.get("/download")
    def download() -> Response:
        return Response(PAGE, mimetype="text/html", headers={"Content-Disposition": "attachment"})

    @blueprint.get("/bare")
    def bare() -> str:
        return "<p>a fragment that a script asked for</p>"

    @blueprint.get("/latin")
    def latin() -> Response:
        return Response(
            PAGE.replace("The", "Öffne the").encode("latin-1"),
            content_type="text/html; charset=latin-1",
        )

    @blueprint.get("/unknown-charset")
    def unknown_charset() -> Response:
        return Response(PAGE, content_type="text/html; charset=nonsense")

    @blueprint.get("/own-banner")
    def own_banner() -> str:
        return render_template_string("<body>{{ statuspage_banner() }}The shop</body>")

    @blueprint.get("/teapot")
    def teapot() -> str:
        abort(418)

    @blueprint.get("/broken")
    def broken() -> str:
        raise RuntimeError("the host's own fault")

    return blueprint


def shop_host(app: Flask) -> None:
    app.register_blueprint(shop())

    @app.get("/")
    def front() -> str:
        return PAGE


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site whose shop is protected by the component `checkout`; it has the component `search` too."""
    return protected(make_site, mode="block")


def protected(make_site: SiteMaker, *, mode: str, **options: Any) -> Site:
    site = make_site(**{"host": shop_host, **options})
    site.statuspage.protect("checkout", component="checkout", mode=mode)
    for name in ("Checkout", "Search"):
        site.made("/components", name=name)
    return site


class Working:
    """A maintenance while the ``with`` lasts; requests come in between as they do for a host in another process."""

    def __init__(self, site: Site, title: str = "Deploy 1.4", **options: Any) -> None:
        options = {"components": ["checkout"], **options}
        self._site = site
        self._block: AbstractContextManager[HostMaintenance] = site.statuspage.maintenance(
            title, **options
        )

    def __enter__(self) -> HostMaintenance:
        with self._site.app.app_context():
            return self._block.__enter__()

    def __exit__(self, *error: Any) -> None:
        with self._site.app.app_context():
            self._block.__exit__(*error)


def change(site: Site, **values: Any) -> None:
    """Set *values* of the maintenance from outside, as another process would; this one has to look."""
    with site.app.app_context(), site.db.engine.begin() as connection:
        connection.execute(update(Maintenance).values(**values))
        connection.execute(update(Page).values(version=Page.version + 1))
    site.app.extensions["statuspage"].page_changed()


def get(site: Site, path: str = "/shop/", **options: Any) -> TestResponse:
    return site.client.get(path, **{"headers": HTML, **options})


# Turned away


def test_only_while_it_lasts(site: Site) -> None:
    """503 from the beginning to the end of the maintenance, and nowhere else on the site."""
    assert get(site).text == PAGE
    with Working(site):
        assert get(site).status_code == 503
        assert get(site, "/").text == PAGE
        assert site.get("/").status_code == 200
    assert get(site).text == PAGE


def test_what_a_visitor_reads(site: Site) -> None:
    """The page says what is maintained, until when in the page's zone, why, and leads to the status page."""
    with Working(site, "Deploy <1.4>", body="We **move** the database.") as work:
        with site.app.app_context():
            work.update("Half of it is done.")
        answer = get(site)
    assert answer.status_code == 503
    assert answer.mimetype == "text/html"
    assert "Checkout</bdi> is under maintenance" in answer.text
    assert "Deploy &lt;1.4&gt;" in answer.text
    assert "Half of it is done." in answer.text
    assert "<strong>move</strong>" not in answer.text, "only the latest word"
    assert f'href="/status/maintenance/{work.id}"' in answer.text
    assert 'data-tone="maintenance"' in answer.text
    assert "The shop" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    assert 3590 <= int(answer.headers["Retry-After"]) <= 3600


def test_times_are_in_the_pages_zone(site: Site) -> None:
    with site.app.app_context(), site.db.engine.begin() as connection:
        connection.execute(update(Page).values(time_zone="Asia/Tokyo"))
    with Working(site):
        answer, program = get(site), get(site, headers={"Accept": "application/json"})
    assert "JST</time>" in answer.text
    assert "Times are in Asia/Tokyo." in answer.text
    assert " JST: Deploy 1.4" in program.get_json()["detail"]


@pytest.mark.parametrize(
    ("left", "shortest", "longest"), [(7200, 7195, 7200), (5, 30, 30), (-600, 60, 60)]
)
def test_retry_after(site: Site, left: int, shortest: int, longest: int) -> None:
    """Seconds to the planned end, 30 at least; a minute once that has passed, and the page says so."""
    with Working(site):
        change(site, scheduled_end=utc_now() + timedelta(seconds=left))
        answer = get(site)
        program = get(site, headers={"Accept": "application/json"})
    assert answer.status_code == 503
    assert shortest <= int(answer.headers["Retry-After"]) <= longest
    assert ("This takes longer than planned" in answer.text) is (left < 0)
    assert ("longer than planned" in program.get_json()["detail"]) is (left < 0)


def test_what_a_program_reads(site: Site) -> None:
    """Who asks for JSON, or sends it, gets problem details."""
    with Working(site):
        answers = [
            get(site, headers={"Accept": "application/json"}),
            site.client.post("/shop/", json={}),
        ]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.mimetype == "application/problem+json"
        assert answer.get_json()["status"] == 503
        assert answer.get_json()["title"] == "Service Unavailable"
        assert answer.get_json()["detail"].startswith("Checkout is under maintenance until ")
        assert int(answer.headers["Retry-After"]) > 3500
        assert answer.headers["Cache-Control"] == "no-store"


def test_methods(site: Site) -> None:
    """Forms are turned away as well, HEAD without a body; preflights pass, and so do files."""
    with Working(site):
        assert site.client.post("/shop/", data={"a": "b"}).status_code == 503
        head = site.client.head("/shop/")
        assert (head.status_code, head.data) == (503, b"")
        assert "Retry-After" in head.headers
        assert site.client.options("/shop/").status_code == 200
        with site.client.get("/shop/static/host.txt") as file:
            assert file.status_code == 200
        assert site.client.get("/shop/nowhere").status_code == 404


@pytest.mark.parametrize(
    ("status", "blocked"),
    [
        ("scheduled", False),
        ("in_progress", True),
        ("verifying", True),
        ("completed", False),
        ("cancelled", False),
    ],
)
def test_by_status(site: Site, status: str, blocked: bool) -> None:
    """Only what is going on counts, verifying included."""
    with Working(site):
        change(site, status=status)
        assert (get(site).status_code == 503) is blocked
        change(site, status="in_progress")


@pytest.mark.parametrize("components", [["search"], []])
def test_maintenance_of_something_else(site: Site, components: list[str]) -> None:
    """A maintenance of other components, or of none by name, turns nobody away."""
    with Working(site, components=components):
        assert get(site).text == PAGE
    with Working(site, components=["search", "checkout"]):
        assert get(site).status_code == 503


def test_members_pass_and_know(site: Site) -> None:
    """A member uses the part as ever and reads that others cannot; a visitor beside does not pass."""
    who: list[str | None] = ["Ann@example.com"]
    site.statuspage.member_loader(lambda: who[0])
    site.take_in("ann@example.com", "viewer")
    with Working(site):
        answer = get(site)
        assert answer.status_code == 200
        assert "The shop" in answer.text
        assert "you can, as a member of the team" in answer.text
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert get(site, "/shop/json").get_json() == {"shop": "open"}
        for other in (None, "", " ", "customer@example.com", "x" * 300):
            who[0] = other
            assert get(site).status_code == 503
    who[0] = "ann@example.com"
    assert get(site).text == PAGE


@pytest.mark.parametrize(
    ("who", "queries"),
    [("ann@example.com", 1), ("customer@example.com", 1), (None, 0)],
    ids=["member", "customer", "nobody"],
)
def test_what_it_costs_to_know_members(make_site: SiteMaker, who: str | None, queries: int) -> None:
    """One look into the team for somebody whom the host knows, in a request that it matters to; else none."""
    site = protected(make_site, mode="block", STATUSPAGE_BUILTIN_LOGIN=True)
    site.statuspage.member_loader(lambda: who)
    site.take_in("ann@example.com")
    with Working(site), Queries(site) as asked:
        get(site)
    assert len([one for one in asked.sent if "statuspage_member" in one]) == queries
    with Queries(site) as asked:
        assert get(site).text == PAGE
    assert not [one for one in asked.sent if "statuspage_member" in one]


def test_members_are_looked_up_beside_the_host(make_site: SiteMaker) -> None:
    """Nothing that the host has begun is flushed or ended by it."""
    seen = []

    def host(app: Flask) -> None:
        shop_host(app)

        @app.after_request
        def look(response: Response) -> Response:
            seen.append([type(one) for one in current_session().new])
            current_session().rollback()
            return response

    site = protected(make_site, mode="block", host=host)
    site.take_in("ann@example.com")

    @site.statuspage.member_loader
    def loader() -> str:
        current_session().add(Page(slug="unfinished", name="x"))
        return "ann@example.com"

    with Working(site):
        seen.clear()
        assert get(site).status_code == 200
    assert seen[0] == [Page]


def test_while_the_team_cannot_be_looked_up(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is a member, and not every request waits for the database to say so."""
    who: list[str | None] = ["ann@example.com"]
    site.statuspage.member_loader(lambda: who[0])
    site.take_in("ann@example.com")
    with Working(site):
        assert get(site).status_code == 200
        with site.app.app_context(), site.db.engine.begin() as connection:
            connection.execute(text("ALTER TABLE statuspage_member RENAME TO gone"))
        with Queries(site) as asked:
            assert [get(site).status_code for _ in range(3)] == [503] * 3
        assert len([one for one in asked.sent if "statuspage_member" in one]) == 1
        assert "the team cannot be looked up" in caplog.text
        with site.app.app_context(), site.db.engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO statuspage_member"))


def test_a_member_loader_that_fails(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """It names nobody: the maintenance stays in force, and the log says why."""

    def loader() -> str:
        raise AttributeError("the anonymous user has no email")

    site.statuspage.member_loader(loader)
    with Working(site):
        assert get(site).status_code == 503
    assert "the member loader failed" in caplog.text
    assert get(site).text == PAGE


# Which requests


@pytest.mark.parametrize("when", ["first", "between", "last"])
@pytest.mark.parametrize("by", ["object", "name"])
def test_any_order(make_site: SiteMaker, when: str, by: str) -> None:
    """protect() may come before both registrations, between them or after; with the blueprint or its name."""
    page, blueprint = StatusPage(), shop()

    def protect() -> None:
        page.protect(blueprint if by == "object" else "checkout", component="checkout")

    def host(app: Flask) -> None:
        if when == "between":
            protect()
        app.register_blueprint(blueprint)
        if when == "last":
            protect()

    if when == "first":
        protect()
    site = make_site(statuspage=page, host=host)
    site.made("/components", name="Checkout")
    with Working(site):
        assert get(site).status_code == 503
    assert get(site).text == PAGE


def test_before_the_host_registers_the_page() -> None:
    """A host that registers its blueprint first and the status page last is protected as well."""
    app, page = Flask("host"), StatusPage()
    app.register_blueprint(shop())
    app.register_blueprint(page, url_prefix="/status")
    page.protect("checkout", component="checkout")
    hooks = [hook.__qualname__ for hook in app.before_request_funcs[None]]
    assert hooks == ["Guard.check", "refuse"]


@pytest.mark.parametrize(
    "name", ["outer", "outer.inner", "inner", "outer.inner.checkout", "checkout"]
)
def test_nested_blueprints(make_site: SiteMaker, name: str) -> None:
    """A parent's protection covers its children; a child is found by its own or its full name."""

    def host(app: Flask) -> None:
        outer = Blueprint("outer", __name__, url_prefix="/outer")
        inner = Blueprint("inner", __name__, url_prefix="/inner")
        outer.add_url_rule("/", "index", lambda: PAGE)
        inner.register_blueprint(shop())
        outer.register_blueprint(inner)
        app.register_blueprint(outer)
        other = Blueprint("checkout2", __name__, url_prefix="/other")
        other.add_url_rule("/", "outer", lambda: PAGE)
        app.register_blueprint(other)

    site = make_site(host=host)
    site.made("/components", name="Checkout")
    site.statuspage.protect(name, component="checkout")
    with Working(site):
        assert get(site, "/outer/inner/shop/").status_code == 503
        assert (get(site, "/outer/").status_code == 503) is (name == "outer")
        assert get(site, "/other/").text == PAGE


def test_one_of_two_registrations_by_name(make_site: SiteMaker) -> None:
    """A blueprint that is registered twice is protected at both places by itself, at one by a name."""
    blueprint = shop()

    def host(app: Flask) -> None:
        app.register_blueprint(blueprint)
        app.register_blueprint(blueprint, name="second", url_prefix="/second")

    for protect, both in ((blueprint, True), ("checkout", False)):
        site = make_site(host=host)
        site.made("/components", name="Checkout")
        site.statuspage.protect(protect, component="checkout")
        with Working(site):
            assert get(site).status_code == 503
            assert (get(site, "/second/").status_code == 503) is both


def test_the_status_page_stays_reachable(make_site: SiteMaker) -> None:
    """Mounted inside of a protected blueprint it answers all the same; to protect itself is refused."""
    page = StatusPage()
    outer = Blueprint("outer", __name__, url_prefix="/outer")
    outer.add_url_rule("/", "index", lambda: PAGE)
    outer.register_blueprint(page, url_prefix="/status")
    page.protect(outer, component="checkout")
    with pytest.raises(Invalid, match="stays reachable"):
        page.protect(page, component="checkout")
    site = make_site()
    app = Flask("nested")
    app.config.update(site.app.config)
    site.db.init_app(app)
    app.register_blueprint(outer)
    nested = Site(app, site.db, page, "/outer/status")
    try:
        nested.made("/components", name="Checkout")
        with Working(nested):
            assert get(nested, "/outer/").status_code == 503
            assert 'href="/outer/status/maintenance/' in get(nested, "/outer/").text
            assert "Deploy 1.4" in nested.get("/").text
            assert nested.ask("GET", "/components").status_code == 200
    finally:
        nested.close()


def test_another_page(make_site: SiteMaker) -> None:
    """A component of a further page protects too, and the link leads to that page."""
    site = make_site(host=shop_host)
    site.made("/pages", name="Partners", slug="partners")
    site.made("/components?status_page=partners", name="Checkout")
    site.statuspage.protect("checkout", component="checkout", page="partners")
    with Working(site, page="partners") as work:
        answer = get(site)
    assert answer.status_code == 503
    assert f'href="/status/partners/maintenance/{work.id}"' in answer.text


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("mode", {"mode": "off"}),
        ("mode", {"mode": ""}),
        ("component", {"component": "Check out"}),
        ("component", {"component": ""}),
        ("component", {"component": None}),
        ("component", {"component": ["checkout"]}),
        ("page", {"page": "No Slug"}),
        ("blueprint", {"blueprint": ""}),
        ("blueprint", {"blueprint": Flask("app")}),
    ],
)
def test_wrong_arguments(field: str, arguments: dict[str, Any]) -> None:
    """They are refused where they are written, by name."""
    page = StatusPage()
    with pytest.raises(Invalid) as caught:
        page.protect(**{"blueprint": "checkout", "component": "checkout", **arguments})
    assert [error.field for error in caught.value.errors] == [field]


def test_unknown_component_and_page(make_site: SiteMaker, caplog: pytest.LogCaptureFixture) -> None:
    """Each is said once in the log and lets everything pass; a component that is made later counts from then on."""
    site = make_site(host=shop_host)
    site.statuspage.protect("checkout", component="checkout")
    site.statuspage.protect("checkout", component="checkout", page="nowhere")
    for _ in range(3):
        assert get(site).text == PAGE
    told = [record.getMessage() for record in caplog.records if "protect()" in record.getMessage()]
    assert len(told) == 2
    assert "There is no component 'checkout'." in told[0]
    assert "There is no page 'nowhere'." in told[1]
    site.made("/components", name="Checkout")
    with Working(site):
        assert get(site).status_code == 503


# What it costs, and what may fail


def asked(site: Site, work: Callable[[], Any]) -> list[str]:
    statements: list[str] = []

    def note(*args: Any) -> None:
        statements.append(str(args[2]))

    with site.app.app_context():
        engine = site.db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return statements


def test_queries(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other requests ask nothing; protected ones share the cache's one look at the version a second."""
    monkeypatch.setattr(
        "flask_statuspage.web.cache.VERSION_SECONDS", 3600.0
    )  # however slow the machine is
    assert asked(site, lambda: [get(site, "/") for _ in range(5)]) == []
    with Working(site):
        get(site)
        assert asked(site, lambda: [get(site) for _ in range(20)]) == []
        monkeypatch.setattr("flask_statuspage.web.cache.VERSION_SECONDS", 0.0)
        assert len(asked(site, lambda: get(site))) == 1


def test_the_database_is_away(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host's requests pass, and the log is not flooded; once it is back, maintenance counts again."""
    with Working(site):
        site.app.extensions["statuspage"].documents._held.clear()
        with hidden(site):
            for _ in range(3):
                assert get(site).text == PAGE
        assert caplog.text.count("is not protected") == 1
        assert get(site).text == PAGE, "no look for some seconds"
        monkeypatch.setattr(protection.time, "monotonic", lambda: 1e9)
        assert get(site).status_code == 503


def test_the_database_goes_away_during_the_maintenance(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be what is maintained: what is known counts until the planned end, and not a second longer."""
    with Working(site, expected=timedelta(minutes=10)):
        assert get(site).status_code == 503
        now = utc_now()
        with hidden(site):
            site.app.extensions["statuspage"].page_changed()
            assert get(site).status_code == 503
            monkeypatch.setattr(protection, "utc_now", lambda: now + timedelta(minutes=9))
            assert get(site).status_code == 503
            monkeypatch.setattr(protection, "utc_now", lambda: now + timedelta(minutes=11))
            assert get(site).text == PAGE


class hidden:
    """The page's table is away, as far as queries can tell."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def _rename(self, old: str, new: str) -> None:
        with self._site.app.app_context(), self._site.db.engine.begin() as connection:
            connection.execute(text("PRAGMA legacy_alter_table=ON"))
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    def __enter__(self) -> None:
        self._rename("statuspage_page", "hidden_page")

    def __exit__(self, *error: Any) -> None:
        self._rename("hidden_page", "statuspage_page")


def test_without_a_database() -> None:
    """An app without flask-sqlalchemy is not taken down by a protection."""
    app, page = Flask("host"), StatusPage()
    app.register_blueprint(page, url_prefix="/status")
    shop_host(app)
    page.protect("checkout", component="checkout")
    assert app.test_client().get("/shop/").text == PAGE


def test_the_hosts_transaction_is_left_alone(make_site: SiteMaker) -> None:
    """The look at the maintenance neither begins nor ends anything in the host's session."""
    seen: list[bool] = []

    def host(app: Flask) -> None:
        shop_host(app)

        @app.after_request
        def look(response: Response) -> Response:
            seen.append(app.extensions["sqlalchemy"].session().in_transaction())
            return response

    site = protected(make_site, mode="banner", host=host)
    with Working(site):
        assert BOX in get(site).text
    assert seen[-1] is False


@pytest.mark.parametrize("csrf", ["before", "after"])
def test_with_csrf_protection(make_site: SiteMaker, csrf: str) -> None:
    """Functions of the host that were there before ours come first, so a form without its token is a 400 then."""
    site = protected(make_site, mode="block", csrf=csrf)
    with Working(site):
        assert get(site).status_code == 503
        assert site.client.post("/shop/").status_code == (400 if csrf == "before" else 503)


def test_two_apps(make_site: SiteMaker) -> None:
    """One object in two apps: a maintenance in one of them turns away nobody of the other."""
    shared = StatusPage()
    one, other = (make_site(statuspage=shared, host=shop_host) for _ in range(2))
    shared.protect("checkout", component="checkout")
    for site in (one, other):
        site.made("/components", name="Checkout")
    with Working(one):
        assert get(one).status_code == 503
        assert get(other).text == PAGE


# Templates and visibility


def test_a_page_that_is_not_public(make_site: SiteMaker) -> None:
    """It protects all the same; nothing leads the visitor to it."""
    site = protected(make_site, mode="block")
    site.statuspage.protect("checkout", component="search", mode="banner")
    with site.app.app_context(), site.db.engine.begin() as connection:
        connection.execute(update(Page).values(visibility="signed-in"))
    with Working(site):
        answer = get(site)
        assert answer.status_code == 503
        assert "is under maintenance" in answer.text
        assert links(answer.text) == []
    with Working(site, components=["search"]):
        answer = get(site)
        assert "Search</bdi> is under maintenance" in answer.text
        assert links(answer.text) == []


def links(html: str) -> list[str]:
    found = [
        part.split('"')[0] for part in html.split("<a ")[1:] for part in part.split('href="')[1:2]
    ]
    return [link for link in found if not link.startswith("#")]


def test_the_hosts_templates(make_site: SiteMaker, tmp_path: Path) -> None:
    """The page stands in the host's base template, and the host may write its own."""
    folder = tmp_path / "templates"
    (folder / "statuspage").mkdir(parents=True)
    (folder / "site.html").write_text(
        "<html><head><title>{% block title %}{% endblock %}</title>{% block head %}{% endblock %}</head>"
        "<body>{% block header %}Our shop{% endblock %}{% block content %}{% endblock %}</body></html>"
    )
    site = protected(
        make_site, mode="block", templates=tmp_path, STATUSPAGE_BASE_TEMPLATE="site.html"
    )
    with Working(site):
        answer = get(site)
        assert "Our shop" in answer.text
        assert "is under maintenance" in answer.text
        (folder / "statuspage" / "maintenance_503.html").write_text(
            "Back soon: {{ maintenance.title }}"
        )
        site.app.jinja_env.cache.clear()
        assert get(site).text == "Back soon: Deploy 1.4"
        assert get(site).status_code == 503


def test_a_base_template_that_fails(
    make_site: SiteMaker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that needs what the host's later functions would have set: our own base takes its place."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "site.html").write_text(
        "{{ g.user.name }}{% block content %}{% endblock %}"
    )
    site = protected(
        make_site, mode="block", templates=tmp_path, STATUSPAGE_BASE_TEMPLATE="site.html"
    )
    with Working(site):
        answer = get(site)
    assert answer.status_code == 503
    assert "is under maintenance" in answer.text
    assert "ours takes its place" in caplog.text


# A note in the host's pages


@pytest.fixture
def noted(make_site: SiteMaker) -> Iterator[Site]:
    """A site whose shop goes on under a note, during a maintenance."""
    site = protected(make_site, mode="banner", PROPAGATE_EXCEPTIONS=False)
    with Working(site, "Deploy <1.4>"):
        yield site


def test_the_note(noted: Site) -> None:
    """The page is as it was but for the note at the beginning of its body."""
    answer = get(noted)
    before, _, rest = answer.text.partition("<body class='shop'>")
    box, _, after = rest.partition("<main>")
    assert (before + "<body class='shop'><main>" + after) == PAGE
    assert "Maintenance in progress: <bdi>Deploy &lt;1.4&gt;</bdi>" in box
    assert 'href="/status/maintenance/' in box
    assert "member" not in box
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert noted.client.head("/shop/").headers["Content-Length"] == str(len(answer.data))
    assert noted.client.post("/shop/", data={}).status_code == 200


def test_nothing_of_the_old_page_is_promised(noted: Site) -> None:
    """A validator or a lifetime that the host gave would keep the note, or the page without it, in caches."""
    headers = get(noted, "/shop/cached").headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert not {"ETag", "Last-Modified", "Expires"} & set(headers.keys())
    assert BOX in get(noted, "/shop/cached").text


@pytest.mark.parametrize(
    "path",
    ["json", "streamed", "file", "gzip", "download", "bare", "unknown-charset", "teapot", "broken"],
)
def test_answers_that_take_no_note(make_site: SiteMaker, path: str) -> None:
    """Whatever is no whole HTML page with status 200 leaves as the host made it, headers and all."""
    site = protected(make_site, mode="banner", PROPAGATE_EXCEPTIONS=False)
    plain = get(site, f"/shop/{path}")
    with Working(site):
        noted = get(site, f"/shop/{path}")
        assert BOX in get(site).text
    assert (noted.status_code, noted.data) == (plain.status_code, plain.data)
    ignored = {"Date", "Last-Modified"}
    assert [item for item in noted.headers if item[0] not in ignored] == [
        item for item in plain.headers if item[0] not in ignored
    ]


def test_never_twice(noted: Site) -> None:
    """A page that shows the status page's banner already gets no second one, whatever protects it."""
    noted.statuspage.protect("checkout", component="checkout", mode="banner", page="status")
    assert get(noted).text.count(BOX) == 1
    own = get(noted, "/shop/own-banner")
    assert own.text.count(BOX) == 1
    assert "Maintenance in progress: Checkout" in own.text


def test_other_charsets(noted: Site) -> None:
    """The note is written in the page's own charset."""
    answer = get(noted, "/shop/latin")
    assert BOX in answer.data.decode("latin-1")
    assert "Öffne the shop" in answer.data.decode("latin-1")


def test_the_hosts_own_functions_come_after(make_site: SiteMaker) -> None:
    """What the host does to finished answers, such as compressing or signing them, sees the page with the note."""
    seen: list[str] = []

    def host(app: Flask) -> None:
        shop_host(app)

        @app.after_request
        def look(response: Response) -> Response:
            if not response.direct_passthrough:
                seen.append(response.get_data(as_text=True))
            return response

    site = protected(make_site, mode="banner", host=host)
    with Working(site):
        answer = get(site)
    assert BOX in answer.text
    assert answer.text in seen


def test_a_note_that_fails(
    make_site: SiteMaker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The host's page leaves without it."""
    folder = tmp_path / "templates" / "statuspage"
    folder.mkdir(parents=True)
    (folder / "_maintenance_box.html").write_text("{{ no.such.thing }}")
    site = protected(make_site, mode="banner", templates=tmp_path)
    with Working(site):
        assert get(site).text == PAGE
    assert "no note in a protected blueprint's page" in caplog.text


def test_block_wins_over_banner(site: Site) -> None:
    """Of two protections of one blueprint the stricter one decides while both are under maintenance."""
    site.statuspage.protect("checkout", component="search", mode="banner")
    with Working(site, components=["search"]):
        assert BOX in get(site).text
        with Working(site):
            assert get(site).status_code == 503


@pytest.mark.parametrize(
    ("html", "place"),
    [
        ("<body>x", 6),
        ("<BODY>x", 6),
        ("<body\n class=a>x", 15),
        ("""<body data-a="1>2" data-b='>'>x""", 30),
        ("<html><head><title><body></title></head><body>x", 46),
        ("<!-- <body> --><body>x", 21),
        ("<script>'<body>'</script><body>x", 31),
        ("<style>a{content:'<body>'}</STYLE ><body>x", 41),
        ("<bodyguard></bodyguard>x", None),
        ("<p>no body</p>", None),
        ("<body", None),
        ("<body class='open", None),
        ("<!-- <body>", None),
        ("<script><body>", None),
        ("", None),
    ],
)
def test_where_the_body_begins(html: str, place: int | None) -> None:
    """After the tag itself, and not where a comment, script or title only speaks of it."""
    assert after_body_tag(html.encode()) == place


@pytest.mark.parametrize("unit", ["<!--", "<script>", "<body ", "<body a='", "<title></title>"])
def test_hostile_pages_take_no_time(unit: str) -> None:
    """A megabyte of unfinished tags is read in one pass."""
    began = time.process_time()
    after_body_tag(unit.encode() * (1_000_000 // len(unit)))
    assert time.process_time() - began < 2


def test_the_log_of_a_quiet_day(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """While all goes well nothing is logged."""
    with caplog.at_level(logging.INFO), Working(site):
        get(site)
    assert [r for r in caplog.records if r.name.startswith(("host", "flask_statuspage"))] == []
