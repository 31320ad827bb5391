"""A member signs in with X in a real browser, which holds our policy against every step."""

from __future__ import annotations

from collections.abc import Callable

import flask
import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from flask_statuspage import StatusPage
from flask_statuspage.domain.roles import Role
from flask_statuspage.services import members
from flask_statuspage.storage.accounts import Account
from flask_statuspage.storage.session import current_session
from tests.servers import x as fake
from tests.servers.process import free_port
from tests.servers.wsgi import serving
from tests.web.site import SiteMaker

from .console import ANN, Console


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_sign_in(
    browser: Browser, make_console: Callable[..., Console], x: fake.FakeX, scripts: bool
) -> None:
    """The button leads to X and back, the page says so; declined, it says that; then it is disconnected."""
    port = free_port()
    home = f"http://127.0.0.1:{port}/status"
    console = make_console(x, STATUSPAGE_PAGE_URL=home)
    with serving(console.site.app, port):
        context = browser.new_context(
            java_script_enabled=scripts, extra_http_headers={"X-Who": ANN}
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))

        page.goto(f"{home}/admin/integrations")
        expect(page.get_by_role("heading", level=1)).to_have_text("Integrations")
        expect(page.get_by_text(f"{home}/admin/x/callback")).to_be_visible()
        page.get_by_role("button", name="Sign in with X").click()
        expect(page.get_by_role("status")).to_contain_text("The account is connected.")
        expect(page.get_by_role("heading", name="@acme")).to_be_visible()
        assert "code=" not in page.url

        x.declines = True
        page.get_by_role("button", name="Sign in with X again").click()
        expect(page.get_by_role("alert")).to_contain_text("X was not allowed to let us in.")

        page.get_by_role("button", name="Disconnect @acme").click()
        expect(page.get_by_role("status")).to_contain_text("The account is disconnected.")
        expect(page.get_by_role("heading", name="@acme")).to_have_count(0)
        context.close()
    # A browser notes the answer 400 of the declined one, and nothing else.
    errors = [text for text in troubles if text.startswith(("error", "warning"))]
    assert [text for text in errors if "400" not in text] == []
    assert console.kept()[0] == []


def test_a_strict_cookie(browser: Browser, make_site: SiteMaker, x: fake.FakeX) -> None:
    """Where the host's cookie is SameSite=Strict whoever comes back from X is a stranger until one more click."""
    port = free_port()
    home = f"http://127.0.0.1:{port}/status"
    statuspage = StatusPage()
    statuspage.member_loader(lambda: flask.session.get("who"))

    def login(app: Flask) -> None:
        @app.route("/login")
        def sign_in() -> str:
            flask.session["who"] = ANN
            return "Hello"

    # Another port is the same site, another name is not.
    asked = x.url.replace("127.0.0.1", "localhost") + "/i/oauth2/authorize"
    options = {"STATUSPAGE_PAGE_URL": home, "SESSION_COOKIE_SAMESITE": "Strict"}
    settings = x.settings(**options, STATUSPAGE_X_AUTHORIZE_URL=asked)
    site = make_site(statuspage=statuspage, host=login, **settings)
    with site.app.app_context():
        members.add(current_session(), ANN, role=Role.ADMIN, actor=None, actor_role=None)
        current_session().commit()
    with serving(site.app, port):
        context = browser.new_context()
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/login")
        page.goto(f"{home}/admin/integrations")
        x.shows_a_page = True
        page.get_by_role("button", name="Sign in with X").click()
        page.get_by_role("link", name="Authorize app").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in first")
        page.get_by_role("link", name="Try again").click()
        expect(page.get_by_role("status")).to_contain_text("The account is connected.")
        context.close()
    assert [row.name for row in site.rows(Account)] == ["@acme"]
