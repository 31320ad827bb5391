"""The status page as a guest in other people's sites."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Blueprint, Flask, render_template_string, session
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import generate_csrf
from sqlalchemy import event, text

from flask_statuspage import StatusPage
from flask_statuspage.errors import ConfigError, SetupError
from flask_statuspage.storage.subscriptions import Subscription
from tests.web import conftest
from tests.web.site import API, Site, SiteMaker

make_site = conftest.make_site
migrated = conftest.migrated

MACHINE_POST = {"type": "webhook", "url": "https://1.1.1.1/hook"}


def host_routes(app: Flask) -> None:
    """What a small site has of its own: pages, a form, errors that it words itself."""

    @app.get("/")
    def index() -> str:
        return "the host's front page"

    @app.get("/page/<name>")
    def named(name: str) -> str:
        return f"the host's page {name}"

    @app.post("/contact")
    def contact() -> str:
        return "thank you"

    @app.get("/csrf")
    def csrf() -> str:
        return generate_csrf()

    @app.errorhandler(404)
    def missing(error: Exception) -> tuple[str, int]:
        return "the host's 404", 404

    @app.errorhandler(500)
    def broken(error: Exception) -> tuple[str, int]:
        return "the host's 500", 500

    @app.get("/broken")
    def fail() -> str:
        raise RuntimeError("the host's own fault")


@pytest.mark.parametrize("prefix", ["/status", "/a/b/c", "/admin/status", "/api/v2", "/ünï"])
def test_any_prefix(make_site: SiteMaker, prefix: str) -> None:
    """Page, API, preflight, assets and manage API answer under whatever prefix the host chooses."""
    site = make_site(prefix=prefix)
    home = site.get("/")
    assert home.status_code == 200
    assert site.json("/api/v2/status.json")["status"]["indicator"] == "operational"
    assert site.get("/api/v2/status.json").headers["Access-Control-Allow-Origin"] == "*"
    preflight = site.client.options(f"{prefix}/api/v2/status.json")
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    with site.get("/assets/statuspage.css") as file:
        assert file.status_code == 200
    assert site.ask("GET", "/components").status_code == 200
    assert site.post("/?action=subscribe", data=MACHINE_POST).status_code == 201


def test_links_stay_below_the_prefix(make_site: SiteMaker) -> None:
    """Every link and file of the page carries the prefix, and the script root in front of it."""
    site = make_site(prefix="/health")
    html = site.client.get("/health/", base_url="http://host.example/portal/").text
    links = [part.split('"')[0] for part in html.split('href="')[1:]]
    assert links
    assert all(link.startswith(("/portal/health/", "#")) for link in links), links
    again = site.client.get("/health/", base_url="http://host.example/").text
    assert "/portal/" not in again


def test_at_the_root(make_site: SiteMaker) -> None:
    """Mounted without a prefix the page is the site's root, and the host keeps its /static and its other routes."""

    def host(app: Flask) -> None:
        @app.get("/page/<name>")
        def named(name: str) -> str:
            return f"the host's page {name}"

    folder = Path(conftest.__file__).parent / "host"
    site = make_site(prefix=None, host=host, templates=folder)
    assert "All systems operational" in site.get("/").text
    with site.get("/static/host.txt") as file:
        assert file.text.strip() == "a file of the host"
    assert site.get("/page/one").text == "the host's page one"
    with site.get("/assets/statuspage.css") as file:
        assert file.mimetype == "text/css"
    assert site.json("/api/v2/status.json")
    assert site.get("/nowhere/at/all").status_code == 404


def test_hosts_routes_and_errors_are_untouched(make_site: SiteMaker) -> None:
    """The host's routes, its own 404 and its own 500 are as they were; what is below our prefix is not passed to
    them."""
    site = make_site(host=host_routes, PROPAGATE_EXCEPTIONS=False)
    client = site.client
    assert client.get("/").text == "the host's front page"
    assert client.get("/elsewhere").text == "the host's 404"
    assert client.get("/broken").text == "the host's 500"
    assert "Access-Control-Allow-Origin" not in client.get("/").headers
    assert "Content-Security-Policy" not in client.get("/").headers
    unknown = site.get("/no-such-page/", headers={"Accept": "text/html"})
    assert unknown.status_code == 404
    assert "no-such-page" in unknown.text
    assert "sp-error" in site.get("/no/such/route/at/all").text


def test_nested_in_another_blueprint(make_site: SiteMaker) -> None:
    """Registered on a blueprint of the host, everything works below that one's prefix."""
    site = make_site()
    outer = Blueprint("outer", __name__, url_prefix="/outer")
    outer.register_blueprint(site.statuspage, url_prefix="/inner")
    app = Flask("nested")
    app.config.update(site.app.config)
    site_of = SQLAlchemy()
    site_of.init_app(app)
    app.register_blueprint(outer)
    nested = Site(app, site_of, site.statuspage, "/outer/inner")
    try:
        assert 'href="/outer/inner/subscribe"' in nested.get("/").text
        assert nested.json("/api/v2/status.json")["page"]["url"].endswith("/outer/inner")
        made = nested.made("/components", name="Checkout")
        assert nested.ask("GET", "/components/checkout").get_json()["id"] == made["id"]
        assert nested.post("/?action=subscribe", data=MACHINE_POST).status_code == 201
        link = nested.ask("GET", "/components?per_page=1").headers["Link"]
        assert f"/outer/inner{API}/components?per_page=1&page=1>" in link
    finally:
        nested.close()


def test_twice_under_two_names(make_site: SiteMaker) -> None:
    """One object mounted twice answers at both places, each with links to itself."""
    site = make_site()
    site.app.register_blueprint(site.statuspage, name="internal", url_prefix="/internal")
    site.made("/components", name="Checkout")
    public = site.client.get("/status/").text
    internal = site.client.get("/internal/").text
    assert 'href="/status/subscribe"' in public
    assert "/internal/" not in public
    assert 'href="/internal/subscribe"' in internal
    assert "/status/" not in internal
    both = [
        site.client.get(f"{place}/api/v2/components.json").get_json()
        for place in ("/status", "/internal")
    ]
    assert both[0] == both[1]
    assert both[0]["components"][0]["name"] == "Checkout"


def test_two_objects_on_one_app_are_refused(make_site: SiteMaker) -> None:
    """A second StatusPage on one app is refused with the way to mount one twice; the first goes on working."""
    site = make_site()
    with pytest.raises(SetupError, match="register the same object under another name"):
        site.app.register_blueprint(StatusPage("second"), url_prefix="/second")
    assert site.json("/api/v2/status.json")


@pytest.mark.parametrize("database", ["before", "after"])
def test_database_before_and_after(make_site: SiteMaker, database: str) -> None:
    """The order of ``db.init_app`` and ``register_blueprint`` does not matter."""
    site = make_site(database=database)
    site.made("/components", name="Checkout")
    assert site.json("/api/v2/components.json")["components"][0]["name"] == "Checkout"


@pytest.mark.parametrize("csrf", ["before", "after"])
def test_host_wide_csrf(make_site: SiteMaker, csrf: str) -> None:
    """Under a host-wide CSRFProtect programs reach our machine routes, and the host's forms stay protected."""
    site = make_site(csrf=csrf, host=host_routes)
    assert site.client.post("/contact").status_code == 400
    assert site.post("/?action=subscribe", data=MACHINE_POST).status_code == 201
    assert site.post("/subscribe", json=MACHINE_POST).status_code == 201
    component = site.made("/components", name="Checkout")
    assert (
        site.ask("PATCH", "/components/checkout", {"description": "d"}).get_json()["id"]
        == component["id"]
    )
    put = site.ask("PUT", "/components/checkout/status", {"status": "major_outage"})
    assert put.status_code == 200
    assert site.ask("POST", "/no/such/thing", {}).status_code == 404
    assert site.ask("DELETE", "/components/checkout").status_code == 204
    for path in ("/confirm/x", "/manage/x", "/unsubscribe/x"):
        assert site.post(path).status_code == 404, path
    assert site.client.post("/contact").status_code == 400
    token = site.client.get("/csrf").text
    assert site.client.post("/contact", data={"csrf_token": token}).text == "thank you"


def test_csrf_of_other_blueprints_stays(make_site: SiteMaker) -> None:
    """A host's blueprint with views of the same names as ours keeps needing its token."""

    def host(app: Flask) -> None:
        other = Blueprint("other", "other_package", url_prefix="/other")

        def subscribe() -> str:
            return "subscribed"

        other.add_url_rule("/subscribe", view_func=subscribe, methods=["POST"])
        app.register_blueprint(other)

    site = make_site(csrf="before", host=host)
    assert site.post("/subscribe", json=MACHINE_POST).status_code == 201
    assert site.client.post("/other/subscribe").status_code == 400


def test_host_overrides_a_template(make_site: SiteMaker, tmp_path: Path) -> None:
    """The host's templates/statuspage/home.html stands before ours; the other pages stay."""
    folder = tmp_path / "templates" / "statuspage"
    folder.mkdir(parents=True)
    (folder / "home.html").write_text(
        "Acme says: {{ snapshot.status.value }} for {{ request.args.get('who', 'all') }}"
    )
    site = make_site(templates=tmp_path)
    assert site.get("/").text == "Acme says: operational for all"
    assert "<h1" in site.get("/subscribe").text


def test_a_hosts_template_is_rendered_for_each_visitor(
    make_site: SiteMaker, tmp_path: Path
) -> None:
    """What a host's base template says to one visitor is neither kept for another nor cached on the way."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "site.html").write_text(
        "<title>{% block title %}{% endblock %}</title>{% block head %}{% endblock %}"
        "Hello {{ session.get('name', 'stranger') }}!{% block content %}{% endblock %}"
    )

    def host(app: Flask) -> None:
        @app.get("/login/<name>")
        def login(name: str) -> str:
            session["name"] = name
            return name

    site = make_site(templates=tmp_path, host=host, STATUSPAGE_BASE_TEMPLATE="site.html")
    incident = site.made("/incidents", title="Payments fail")
    site.client.get("/login/Ann")
    for path in ("/", f"/incidents/{incident['id']}"):
        anns = site.get(path)
        assert "Hello Ann!" in anns.text
        assert "Payments fail" in anns.text
        assert "public" not in anns.headers["Cache-Control"]
        assert "private" in anns.headers["Cache-Control"]
        strangers = site.app.test_client().get(site.prefix + path)
        assert "Hello stranger!" in strangers.text
        assert "Ann" not in strangers.text
    assert "public" in site.get("/api/v2/status.json").headers["Cache-Control"]


def test_base_template(make_site: SiteMaker, tmp_path: Path) -> None:
    """STATUSPAGE_BASE_TEMPLATE wraps every page, with the heading level asked for and without our policy."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "site.html").write_text(
        "<title>{% block title %}{% endblock %}</title>{% block head %}{% endblock %}"
        "<h1>Acme</h1>{% block content %}{% endblock %}<footer>of Acme</footer>"
    )
    site = make_site(
        templates=tmp_path,
        STATUSPAGE_BASE_TEMPLATE="site.html",
        STATUSPAGE_HEADING_LEVEL=2,
    )
    for path, status in (("/", 200), ("/subscribe", 200), ("/confirm/x", 404)):
        answer = site.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == status
        assert answer.text.count("<h1") == 1, path
        assert "of Acme" in answer.text
        assert "Content-Security-Policy" not in answer.headers


def test_standalone_pages_have_the_strict_policy(make_site: SiteMaker) -> None:
    """Without a host's template every page carries the policy that allows no inline script or style."""
    site = make_site()
    for path in ("/", "/subscribe", "/confirm/x", "/nowhere/"):
        policy = site.get(path, headers={"Accept": "text/html"}).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def banner_host(app: Flask) -> None:
    @app.get("/portal")
    def portal() -> str:
        return render_template_string(
            "<main>{{ statuspage_banner() }}|{{ statuspage_subscribe_form(components=['checkout']) }}</main>"
        )


def test_banner_and_form_in_a_hosts_template(make_site: SiteMaker) -> None:
    """The banner is empty while all is well and tells of an incident in the next request; the form posts to us."""
    site = make_site(host=banner_host)
    site.made("/components", name="Checkout")
    banner, _, form = site.client.get("/portal").text.partition("|")
    assert banner == "<main>"
    assert 'action="/status/subscribe"' in form
    assert 'name="components" value="checkout"' in form
    site.made("/incidents", title="Payments fail", impact="major", components=["checkout"])
    banner = site.client.get("/portal").text.partition("|")[0]
    assert "See the status page" in banner
    assert 'href="/status/"' in banner


def test_banner_leaves_the_hosts_transaction_alone(make_site: SiteMaker) -> None:
    """A banner that cannot be made neither flushes nor rolls back what the host's view has begun."""

    def host(app: Flask) -> None:
        @app.post("/order")
        def order() -> str:
            db = app.extensions["sqlalchemy"]
            db.session.execute(text("INSERT INTO host_order VALUES (1)"))
            html = render_template_string(
                "{{ statuspage_banner() }}{{ statuspage_subscribe_form() }}"
            )
            db.session.commit()
            return html

    site = make_site(host=host, SQLALCHEMY_ENGINE_OPTIONS={"connect_args": {"timeout": 5}})
    with site.app.app_context(), site.db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE host_order (id INTEGER)"))
        connection.execute(text("ALTER TABLE statuspage_page RENAME TO hidden"))
    assert site.client.post("/order").text == ""
    with site.app.app_context(), site.db.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM host_order")) == 1


def test_banner_does_not_show_what_is_not_committed(make_site: SiteMaker) -> None:
    """A banner inside a host's transaction shows the committed state, so a rollback leaves no false alarm behind."""

    def host(app: Flask) -> None:
        @app.post("/try")
        def attempt() -> str:
            site.statuspage.open_incident("Not for the public", impact="critical")
            html = render_template_string("{{ statuspage_banner() }}")
            app.extensions["sqlalchemy"].session.rollback()
            return html

    site = make_site(host=host)
    assert site.client.post("/try").text == ""
    assert site.json("/api/v2/status.json")["status"]["indicator"] == "operational"


def test_without_flask_sqlalchemy() -> None:
    """An app without a database is told at its first use what is missing, in a page and in problem details."""
    app = Flask("host")
    app.config["SECRET_KEY"] = "k"
    app.register_blueprint(StatusPage(), url_prefix="/status")
    banner_host(app)
    client = app.test_client()
    for path, accept in (
        ("/", "text/html"),
        ("/api/v2/status.json", "*/*"),
        (API + "/pages", "*/*"),
    ):
        answer = client.get("/status" + path, headers={"Accept": accept})
        assert answer.status_code == 503, path
        assert "db.init_app(app)" in answer.text
    assert client.get("/portal").text == "<main>|</main>"
    result = app.test_cli_runner().invoke(args=["statuspage", "db", "upgrade"])
    assert result.exit_code == 1
    assert "db.init_app(app)" in result.output
    assert "Traceback" not in result.output


def test_without_a_secret_key(make_site: SiteMaker) -> None:
    """Without a key the page is shown, and what needs one says which setting is missing and writes nothing."""
    site = make_site(SECRET_KEY=None, host=banner_host)
    assert site.get("/").status_code == 200
    assert site.client.get("/portal").status_code == 200
    assert site.ask("GET", "/components").status_code == 200
    before = site.contents()
    needing = [
        site.post("/subscribe", json={"channel": "email", "address": "ann@example.com"}),
        site.post("/subscribe", json={**MACHINE_POST, "secret": "a secret of mine"}),
        site.ask("POST", "/subscriptions", {"channel": "webhook", "address": "https://1.1.1.1/x"}),
        site.get("/confirm/x"),
    ]
    for answer in needing:
        assert answer.status_code == 503
        assert "SECRET_KEY" in answer.text
    assert site.contents() == before


def test_signed_in_customer_without_a_secret_key(make_site: SiteMaker) -> None:
    """A form for a signed-in customer needs SECRET_KEY and says so; the host's own page only lacks the form."""
    site = make_site(SECRET_KEY=None, STATUSPAGE_SECRET_KEYS="a key of ours", host=banner_host)
    site.statuspage.subscriber_loader(lambda: "ann@example.com")
    answer = site.get("/subscribe", headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert "SECRET_KEY" in answer.text
    assert site.client.get("/portal").text == "<main>|</main>"
    wish = {"channel": "email", "address": "ann@example.com", "csrf_token": "x"}
    assert site.post("/subscribe", json=wish).status_code == 202
    assert [row.state.value for row in site.rows(Subscription)] == ["pending"]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("STATUSPAGE_TIME_ZONE", "Mars/Olympus", "IANA"),
        ("STATUSPAGE_LEASE_SECONDS", 1, "40 to 3600"),
        ("STATUSPAGE_PAGENAME", "x", "STATUSPAGE_PAGE_NAME"),
        ("STATUSPAGE_PAGE_URL", "status.example.com", "http"),
    ],
)
def test_a_wrong_setting_stops_the_start(key: str, value: object, told: str) -> None:
    """A wrong key or value raises while the page is mounted, naming the key and what is allowed."""
    app = Flask("host")
    app.config[key] = value
    with pytest.raises(ConfigError) as caught:
        app.register_blueprint(StatusPage())
    assert key in str(caught.value)
    assert told in str(caught.value)


def test_import_changes_nothing(tmp_path: Path) -> None:
    """Importing the package starts no thread, opens nothing, listens to no signal or session class and logs nothing."""
    code = """
import logging, signal, sys, threading, warnings
warnings.simplefilter("error")
handlers = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
import sqlalchemy.orm, flask.signals, flask
from sqlalchemy.orm import Session
from sqlalchemy import create_engine
before = (Session.__init__, Session.commit, flask.Flask.__init__, flask.Flask.wsgi_app)
import flask_statuspage
assert threading.active_count() == 1, threading.enumerate()
assert not any(s.receivers for s in vars(flask.signals).values() if hasattr(s, "receivers"))
session, engine = Session(), create_engine("sqlite://")
for name in ("before_commit", "after_commit", "after_rollback", "before_flush", "after_flush", "after_transaction_end"):
    assert not list(getattr(session.dispatch, name)), name
assert not list(engine.dispatch.before_cursor_execute)
assert before == (Session.__init__, Session.commit, flask.Flask.__init__, flask.Flask.wsgi_app)
assert handlers == {n: signal.getsignal(n) for n in handlers}
assert not logging.getLogger().handlers
"""
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (result.stdout, result.stderr) == ("", "")


def test_hosts_requests_cost_no_query(make_site: SiteMaker) -> None:
    """A request to the host's own routes asks our tables nothing."""
    site = make_site(host=host_routes)
    asked: list[str] = []
    with site.app.app_context():
        event.listen(
            site.db.engine, "before_cursor_execute", lambda *args: asked.append(str(args[2]))
        )
    site.client.get("/")
    site.client.get("/page/one")
    assert asked == []


def test_render_functions_are_free_for_the_host(make_site: SiteMaker) -> None:
    """Mounting adds three names to the host's templates, and two hooks for the whole app: for `protect`, and for what
    no route answers."""
    bare = Flask("bare")
    site = make_site()
    added = set(site.app.jinja_env.globals) - set(bare.jinja_env.globals)
    assert added == {"statuspage_banner", "statuspage_strip", "statuspage_subscribe_form"}
    hooks = [f.__qualname__ for f in site.app.before_request_funcs[None]]
    assert hooks == ["Guard.check", "refuse"]
    assert None not in site.app.after_request_funcs
    assert None not in site.app.url_value_preprocessors
    assert not site.app.error_handler_spec[None]


def test_session_cookie_is_not_set(make_site: SiteMaker) -> None:
    """Readers and programs get no cookie from us."""
    site = make_site()
    answers = [
        site.get("/"),
        site.get("/subscribe"),
        site.get("/api/v2/summary.json"),
        site.post("/?action=subscribe", data=MACHINE_POST),
    ]
    assert all("Set-Cookie" not in answer.headers for answer in answers)
