"""The whole way with a browser and a mail server: ask, read the mail, sign in, set up a second factor, make a key."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from flask_statuspage.domain import totp
from tests.console import sign_in
from tests.console.member import OWNER
from tests.console.sign_in import Club
from tests.servers.process import free_port
from tests.servers.smtp import SmtpServer
from tests.servers.wsgi import serving
from tests.web.site import SiteMaker

ARTEFACTS = Path(__file__).parent.parent / "artefacts"


@pytest.fixture
def club(make_site: SiteMaker, smtp: SmtpServer) -> Iterator[tuple[Club, str]]:
    """The site on a port of this machine, and the URL of its console."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/status"
    club = sign_in.build(make_site, smtp, STATUSPAGE_PAGE_URL=url, csrf="before")
    with serving(club.site.app, port):
        yield club, f"{url}/admin"


@pytest.fixture(params=["desk", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Without JavaScript."""
    is_phone = request.param == "phone"
    context = browser.new_context(
        viewport={"width": 320 if is_phone else 1280, "height": 800},
        color_scheme="dark" if is_phone else "light",
        java_script_enabled=False,
    )
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def picture(page: Page, name: str) -> None:
    """Leave a picture; nothing reaches beyond the screen's width."""
    assert page.viewport_size is not None
    page.wait_for_load_state()
    width = page.viewport_size["width"]
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"console-{name}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def mailed(club: Club, page: Page) -> str:
    page.get_by_label("Email address").fill(OWNER)
    picture(page, "login")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    picture(page, "link-sent")
    assert club.send() == 1
    return sign_in.url_in(club.smtp.messages[-1])


def test_the_whole_way(club: tuple[Club, str], page: Page) -> None:
    """From a closed door to a key, out, and in again with a code; on a desk and on a phone."""
    here, console = club
    page.goto(f"{console}/team")
    page.get_by_role("link", name="Sign in").click()
    page.goto(mailed(here, page))
    picture(page, "enter")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{console}/team")
    picture(page, "team")

    page.get_by_label("Email address").fill("new@acme.example")
    page.get_by_label("Role", exact=True).select_option("editor")
    page.get_by_label("Mail them").check()
    page.get_by_role("button", name="Add the member").click()
    expect(page.get_by_role("status")).to_contain_text("The member is added.")
    page.get_by_role("link", name="new@acme.example").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Member new@acme.example")
    picture(page, "member")
    page.get_by_role("link", name="Remove from the team").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remove from the team")
    page.get_by_role("button", name="Remove from the team").click()
    expect(page.get_by_role("status")).to_contain_text("The member is removed")

    page.get_by_role("link", name="API keys").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("API keys")
    page.get_by_label("Name").fill("Deploy")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_label("Key", exact=True)).to_have_value(re.compile(r"sp_[\w-]{43}"))
    picture(page, "key-made")
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("button", name="Make the key")).to_be_visible()
    picture(page, "keys")

    page.get_by_role("link", name=OWNER).click()
    page.get_by_role("button", name="Set up a second factor").click()
    expect(page.get_by_role("button", name="Turn on")).to_be_visible()
    picture(page, "account")
    secret = page.locator(".sp-secret").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(_code(secret))
    page.get_by_role("button", name="Turn on").click()
    codes = page.locator(".sp-codes code")
    expect(codes).to_have_count(8)
    written = codes.all_inner_texts()
    picture(page, "recovery")
    page.get_by_role("link", name="I have written them down").click()
    expect(page.get_by_role("button", name="Turn off the second factor")).to_be_visible()
    picture(page, "account-on")

    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out.")
    page.goto(mailed(here, page))
    page.get_by_label("Code of your app").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is wrong")
    picture(page, "enter-wrong")
    page.get_by_label("Code of your app").fill(written[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{console}/")
    page.get_by_role("link", name=OWNER).click()
    page.get_by_label("Code", exact=True).fill(written[1])
    page.get_by_role("button", name="Turn off the second factor").click()
    expect(page.get_by_role("status")).to_contain_text("The second factor is off.")


def _code(secret: str) -> str:
    return totp.code(secret, int(time.time()) // totp.SECONDS)
