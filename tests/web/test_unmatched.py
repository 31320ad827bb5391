"""What no route answers: below a page the error is ours, everywhere else it is the host's as before."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Blueprint, Flask
from flask_sqlalchemy import SQLAlchemy

from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html,*/*;q=0.8"}
JSON = {"Accept": "application/json"}

UNKNOWN = (
    *("/nothing-here", "/nothing/here", "/nothing/here/at/all/", "/history/2026/11", "/docs/"),
    *("/assets/", "/incidents", "/widget/x", "//twice//over", "/%00/x/y"),
)


def host_errors(app: Flask) -> None:
    @app.errorhandler(404)
    def missing(error: Exception) -> tuple[str, int]:
        return "the host's 404", 404

    @app.errorhandler(405)
    def refused(error: Exception) -> tuple[str, int]:
        return "the host's 405", 405

    @app.get("/status/of/the/host")
    def below() -> str:
        return "a route of the host below our prefix"

    @app.get("/status/with/slash/")
    def slash() -> str:
        return "a route of the host with a slash"


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_address_below_the_prefix(make_site: SiteMaker, path: str) -> None:
    """A browser gets our error page with the page's name and the way to it, in the language of the page."""
    site = make_site(host=host_errors)
    site.ask("PATCH", "/pages/main", {"name": "Acme status", "locale": "de"})
    answer = site.get(path, headers=HTML)
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert '<html lang="de"' in answer.text
    assert "Acme status" in answer.text
    assert 'class="sp-button" href="/status/"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert site.client.head(site.prefix + path, headers=HTML).status_code == 404


def test_the_language_that_was_chosen_is_kept(make_site: SiteMaker) -> None:
    """An error below a page speaks the language of the link, and its way back keeps that."""
    site = make_site()
    answer = site.get("/nothing/here?lang=fr", headers=HTML)
    assert '<html lang="fr"' in answer.text
    assert 'class="sp-button" href="/status/?lang=fr"' in answer.text


def test_below_another_page(make_site: SiteMaker) -> None:
    """What is unknown below a page under its slug leads back to that page."""
    site = make_site()
    site.made("/pages", name="Second", slug="second")
    answer = site.get("/second/nothing/here", headers=HTML)
    assert answer.status_code == 404
    assert "Second" in answer.text
    assert 'class="sp-button" href="/status/second/"' in answer.text


def test_below_a_page_that_is_not_for_everybody(make_site: SiteMaker) -> None:
    """Nothing of it is told, and the way leads to the page at the root."""
    site = make_site()
    site.made("/pages", name="Secret plans", slug="inside", visibility="signed-in")
    for method, path in (("GET", "/inside/nothing/here"), ("DELETE", "/inside/history")):
        answer = site.client.open(site.prefix + path, method=method, headers=HTML)
        assert answer.status_code == 404
        assert "Secret plans" not in answer.text
        assert 'class="sp-button" href="/status/"' in answer.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/components/api", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", "/subscribe", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/assets/statuspage.css", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/confirm/x", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("GET", "/sms/inbound", {"OPTIONS", "POST"}),
        ("POST", "/history", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/docs", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/live.json", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/widget", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_method_that_a_path_has_not(
    make_site: SiteMaker, method: str, path: str, allowed: set[str]
) -> None:
    """405 as a page with the way on and the methods that there are, and as problem details for programs."""
    site = make_site(host=host_errors)
    answer = site.client.open(site.prefix + path, method=method, headers=HTML)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed
    assert 'class="sp-button" href="/status/"' in answer.text
    program = site.client.open(site.prefix + path, method=method, headers=JSON)
    assert program.status_code == 405
    assert program.mimetype == "application/problem+json"
    assert program.get_json()["status"] == 405
    assert set(program.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/nothing-here", "/nothing/here", "/assets/nothing.css"])
def test_programs_get_problem_details(make_site: SiteMaker, path: str) -> None:
    """Whoever asks for JSON is answered as the API answers."""
    answer = make_site().get(path, headers=JSON)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def test_the_host_keeps_its_own(make_site: SiteMaker) -> None:
    """Errors outside of the prefix, and routes of the host below it with their slashes and methods, stay the host's."""
    site = make_site(host=host_errors)
    client = site.client
    for path in ("/", "/elsewhere", "/statuses", "/status-page/x", "/api/v2/status.json"):
        assert client.get(path).text == "the host's 404", path
    assert client.get("/status/of/the/host").text == "a route of the host below our prefix"
    assert client.post("/status/of/the/host").text == "the host's 405"
    assert client.get("/status/with/slash").headers["Location"].endswith("/status/with/slash/")
    assert client.options("/status/of/the/host").headers["Allow"]
    assert client.get("/status//history").status_code == 308
    assert client.options("/status/history").status_code == 200


def test_without_a_prefix_what_is_unknown_is_the_hosts(make_site: SiteMaker) -> None:
    """At the root the host's own 404 answers, also deep below; only a method of one of our paths is ours to refuse."""
    site = make_site(prefix=None, host=host_errors)
    for path in ("/nothing", "/nothing/", "/nothing/here", "/nothing/here/at/all", "/history/2026"):
        assert site.get(path, headers=HTML).text == "the host's 404", path
    assert site.post("/status/of/the/host").text == "the host's 405"
    refused = site.client.delete("/history", headers=HTML)
    assert refused.status_code == 405
    assert 'class="sp-button" href="/"' in refused.text


@pytest.mark.parametrize("prefix", ["/a/b/c", "/admin/status", "/ünï"])
def test_under_any_prefix(make_site: SiteMaker, prefix: str) -> None:
    """However deep the page is mounted, what is unknown right below it is ours and what is beside it is the host's."""
    site = make_site(prefix=prefix, host=host_errors)
    answer = site.get("/nothing/here", headers=HTML)
    assert answer.status_code == 404
    assert "sp-error" in answer.text
    beside = prefix.rpartition("/")[0] + "/beside/it/all"
    assert site.client.get(beside).text == "the host's 404"


def mounted(make_site: SiteMaker, outer: Blueprint, **options: Any) -> Site:
    """A site whose page is nested in *outer*, registered with *options*."""
    site = make_site()
    app = Flask("nested")
    app.config.update(site.app.config)
    db = SQLAlchemy()
    db.init_app(app)
    outer.register_blueprint(site.statuspage, url_prefix="/inner")
    app.register_blueprint(outer, **options)
    host_errors(app)
    return Site(app, db, site.statuspage, "")


def test_nested_in_a_blueprint_of_the_host(make_site: SiteMaker) -> None:
    """Below a nested page the error is ours, below the blueprint around it the host's."""
    site = mounted(make_site, Blueprint("outer", __name__, url_prefix="/outer"))
    try:
        ours = site.client.get("/outer/inner/nothing/here", headers=HTML)
        assert 'class="sp-button" href="/outer/inner/"' in ours.text
        refused = site.client.delete("/outer/inner/history", headers=HTML)
        assert 'class="sp-button" href="/outer/inner/"' in refused.text
        assert site.client.get("/outer/nothing/here").text == "the host's 404"
    finally:
        site.close()


def test_below_a_prefix_that_varies(make_site: SiteMaker) -> None:
    """Where only the host knows what a part of the prefix means, what is unknown below it stays the host's."""
    site = mounted(make_site, Blueprint("outer", __name__, url_prefix="/<tenant>"))
    try:
        assert site.client.get("/acme/inner/nothing/here").text == "the host's 404"
        assert site.client.delete("/acme/inner/docs").text == "the host's 405"
    finally:
        site.close()


def test_a_file_that_there_is_not(make_site: SiteMaker) -> None:
    """An asset of another version is 404 with our page for browsers, and not the host's."""
    answer = make_site(host=host_errors).get("/assets/nothing.css", headers=HTML)
    assert answer.status_code == 404
    assert 'class="sp-button" href="/status/"' in answer.text


def test_at_each_of_two_mounts(make_site: SiteMaker) -> None:
    """What is unknown below a second mount leads back to that one."""
    site = make_site()
    site.app.register_blueprint(site.statuspage, name="internal", url_prefix="/internal")
    for prefix in ("/status", "/internal"):
        answer = site.client.get(f"{prefix}/nothing/here", headers=HTML)
        assert f'class="sp-button" href="{prefix}/"' in answer.text


def test_without_a_database(make_site: SiteMaker) -> None:
    """What is not there is 404, also while nobody can say which page it would be below."""
    site = make_site(url="sqlite:////nowhere/at/all.db")
    answer = site.get("/nothing/here", headers=HTML)
    assert answer.status_code == 404
    assert 'class="sp-button" href="/status/"' in answer.text
