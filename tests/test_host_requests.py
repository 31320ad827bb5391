"""What the status page does within requests of the host: it neither holds them up nor touches their transaction."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from flask import Flask, Response, render_template_string, request
from sqlalchemy import event, text, update

from flask_statuspage import StatusPage
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.pages import Page
from tests.test_protect import (
    BOX,
    HTML,
    PAGE,
    Working,
    asked,
    get,
    hidden,
    protected,
    shop_host,
)
from tests.web import conftest
from tests.web.site import Site, SiteMaker

make_site = conftest.make_site
migrated = conftest.migrated


def banner_host(app: Flask) -> None:
    shop_host(app)

    @app.get("/banner")
    def banner() -> str:
        return render_template_string("[{{ statuspage_banner() }}]")

    @app.get("/form")
    def form() -> str:
        return render_template_string("[{{ statuspage_subscribe_form() }}]")


def as_link_page(site: Site) -> None:
    with site.app.app_context(), site.db.engine.begin() as connection:
        connection.execute(
            update(Page).values(
                visibility="link", slug="quiet", link_token="t" * 40, version=Page.version + 1
            )
        )
    site.app.extensions["statuspage"].page_changed()


def test_a_page_seen_by_link_costs_no_more(make_site: SiteMaker) -> None:
    """One look a second, and what is known of it counts while the database is away."""
    site = make_site(host=shop_host)
    site.made("/components", name="Checkout")
    as_link_page(site)
    site.statuspage.protect("checkout", component="checkout", page="quiet")
    with Working(site, page="quiet"):
        assert get(site).status_code == 503
        many = asked(site, lambda: [get(site) for _ in range(20)])
        assert len(many) <= 2, many
        with hidden(site):
            site.app.extensions["statuspage"].page_changed()
            assert get(site).status_code == 503


def test_rows_of_the_host_survive_a_failed_look() -> None:
    """In memory there is one connection for all: a look that fails must not roll back what the host wrote."""
    from flask_sqlalchemy import SQLAlchemy

    app = Flask("host")
    app.config.update(SECRET_KEY="k", SQLALCHEMY_DATABASE_URI="sqlite://")
    db, page = SQLAlchemy(app), StatusPage()
    app.register_blueprint(page, url_prefix="/status")  # its tables are missing
    with app.test_request_context():
        db.session.execute(text("CREATE TABLE shop_order (id INTEGER)"))
        db.session.commit()
        db.session.execute(text("INSERT INTO shop_order VALUES (1)"))
        assert render_template_string("[{{ statuspage_banner() }}]") == "[]"
        db.session.commit()
        assert db.session.execute(text("SELECT id FROM shop_order")).all() == [(1,)]


@pytest.mark.parametrize("path", ["/banner", "/form"])
def test_a_loader_that_fails(
    make_site: SiteMaker, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    site = make_site(host=banner_host)
    site.made("/incidents", title="Down", status="investigating", body="x", impact="major")

    @site.statuspage.subscriber_loader
    def broken() -> str | None:
        raise RuntimeError("the host's own fault")

    with site.app.app_context(), site.db.engine.begin() as connection:
        connection.execute(update(Page).values(visibility="signed-in", version=Page.version + 1))
    site.app.extensions["statuspage"].page_changed()
    assert site.client.get(path).text == "[]"
    assert "the host's own fault" in caplog.text


def test_no_store_stays(make_site: SiteMaker) -> None:
    """What the host wants stored nowhere is stored nowhere, note or not."""

    def host(app: Flask) -> None:
        shop_host(app)

        @app.get("/shop/secret", endpoint="checkout.secret")
        def secret() -> Response:
            return Response(PAGE, headers={"Cache-Control": "no-store, max-age=0"})

    site = protected(make_site, mode="banner", host=host)
    with Working(site):
        answer = get(site, "/shop/secret")
    assert BOX in answer.text
    assert answer.headers["Cache-Control"] == "no-store, max-age=0"


def test_the_hosts_304_does_not_hide_the_note(make_site: SiteMaker) -> None:
    """A visitor who has the page from before gets it anew, with the note."""
    modified = utc_now()

    def host(app: Flask) -> None:
        shop_host(app)

        @app.get("/shop/conditional", endpoint="checkout.conditional")
        def conditional() -> Response:
            response = Response(PAGE)
            response.add_etag()
            response.last_modified = modified
            return response.make_conditional(request)

    site = protected(make_site, mode="banner", host=host)
    first = get(site, "/shop/conditional")
    conditions = [
        {"If-None-Match": first.headers["ETag"]},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ]
    for condition in conditions:
        assert get(site, "/shop/conditional", headers={**HTML, **condition}).status_code == 304
    with Working(site):
        for condition in conditions:
            answer = get(site, "/shop/conditional", headers={**HTML, **condition})
            assert (answer.status_code, BOX in answer.text) == (200, True)


# A database that hangs


class Hanging:
    """Looks at a page's version hang while the ``with`` lasts."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._go_on = threading.Event()
        self.reached = threading.Event()

    def _on_execute(self, conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "statuspage_page.version" in statement and statement.startswith("SELECT"):
            self.reached.set()
            self._go_on.wait(30)

    def __enter__(self) -> Hanging:
        with self._site.app.app_context():
            self._engine = self._site.db.engine
        event.listen(self._engine, "before_cursor_execute", self._on_execute)
        return self

    def __exit__(self, *error: Any) -> None:
        self._go_on.set()
        event.remove(self._engine, "before_cursor_execute", self._on_execute)


def while_one_hangs(site: Site, path: str) -> tuple[Hanging, threading.Thread]:
    hanging = Hanging(site).__enter__()
    thread = threading.Thread(target=lambda: site.app.test_client().get(path))
    thread.start()
    assert hanging.reached.wait(20)
    return hanging, thread


@pytest.mark.parametrize("path", ["/banner", "/shop/"])
def test_requests_do_not_wait_for_a_hanging_look(make_site: SiteMaker, path: str) -> None:
    """One request of the host hangs with the database; the others wait a second at most, together."""
    site = protected(make_site, mode="block", host=banner_host)
    get(site, "/")
    site.app.extensions["statuspage"].documents._held.clear()
    hanging, thread = while_one_hangs(site, path)
    try:
        began = time.monotonic()
        for _ in range(10):
            answer = site.app.test_client().get(path, headers=HTML)
            assert answer.status_code == 200
        assert time.monotonic() - began < 8
    finally:
        hanging.__exit__()
        thread.join()


def test_an_unknown_page_holds_nobody_up(make_site: SiteMaker) -> None:
    """A look for a page that hangs keeps readers of another one from nothing."""
    site = make_site()
    assert site.get("/").status_code == 200
    hanging, thread = while_one_hangs(site, "/status/no-such-page/")
    event.remove(hanging._engine, "before_cursor_execute", hanging._on_execute)
    try:
        site.app.extensions["statuspage"].documents._held.clear()
        got: list[int] = []
        reader = threading.Thread(
            target=lambda: got.append(site.app.test_client().get("/status/").status_code)
        )
        reader.start()
        reader.join(20)
        assert got == [200]
    finally:
        hanging._go_on.set()
        thread.join()


# Which app a protection is for


def test_a_name_in_an_app_context_means_that_app(make_site: SiteMaker) -> None:
    shared = StatusPage()
    one, other = (make_site(statuspage=shared, host=shop_host) for _ in range(2))
    with one.app.app_context():
        shared.protect("checkout", component="checkout")
    for site in (one, other):
        site.made("/components", name="Checkout")
    with Working(one), Working(other):
        assert get(one).status_code == 503
        assert get(other).text == PAGE
    shared.protect("checkout", component="checkout")
    with Working(other):
        assert get(other).status_code == 503, "at module level it counts for both"


# What strangers can fill


def test_labels_of_badges_do_not_push_out_pages(make_site: SiteMaker) -> None:
    """Any number of labels is kept by the hundred, beside the pages."""
    site = make_site()
    site.get("/")
    for number in range(150):
        assert site.get(f"/api/v2/badge.svg?label=l{number}").status_code == 200
    cache = site.app.extensions["statuspage"].documents
    assert len(cache._documents) <= 3
    assert len(cache._rare) <= 100


def test_one_page_is_kept_once(make_site: SiteMaker) -> None:
    """However its path is spelt."""
    site = make_site()
    made = site.made("/incidents", title="Down", status="investigating", body="x", impact="major")
    ident = made["id"]
    for spelt in (ident, ident.upper()):
        assert site.get(f"/incidents/{spelt}").status_code == 200
    assert site.get("/").status_code == 200
    assert site.client.get("/status").status_code == 200
    cache = site.app.extensions["statuspage"].documents
    assert len(cache._documents) == 2
