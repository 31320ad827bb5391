"""A member signs in with X in a real browser, which holds our policy against every step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from tests.servers import x as fake
from tests.servers.process import free_port

from .console import ANN, Console


@contextmanager
def serving(app: Flask, port: int) -> Iterator[None]:
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
        page.on("console", lambda message: troubles.append(message.text))

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
    assert [text for text in troubles if "400" not in text] == []
    assert console.kept()[0] == []
