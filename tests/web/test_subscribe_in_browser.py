"""People subscribe with a browser, on the page and in a host's portal; the pictures are left in `tests/artefacts`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, render_template_string, session
from playwright.sync_api import Browser, Page, expect

from flask_statuspage.delivery import links
from flask_statuspage.storage.subscriptions import Subscription
from tests.servers.wsgi import serving
from tests.web.site import Site, SiteMaker

ARTEFACTS = Path(__file__).parent.parent / "artefacts"
VIEWS = {
    "phone": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
    "desk": {"viewport": {"width": 1024, "height": 800}, "color_scheme": "light"},
}
PORTAL = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Portal</title>
<body style="font-family: serif; margin: 1rem"><h1>Your orders</h1>
{{ statuspage_subscribe_form(components=["checkout"]) }}
<h2>For your programs</h2>
{{ statuspage_subscribe_form(channels=["webhook", "email"]) }}"""


def portal_host(app: Flask) -> None:
    @app.get("/login/<path:address>")
    def login(address: str) -> str:
        session["email"] = address
        return address

    @app.get("/orders")
    def orders() -> str:
        return render_template_string(PORTAL)


@pytest.fixture
def portal(make_site: SiteMaker) -> Iterator[tuple[Site, str]]:
    """A site on a port of this machine, and its URL."""
    site = make_site(host=portal_host, csrf="before")
    site.statuspage.subscriber_loader(lambda: session.get("email"))
    for name in ("Checkout", "Search", "A service with quite a long name for a small screen"):
        site.made("/components", name=name)
    with serving(site.app) as url:
        yield site, url


@pytest.fixture(params=list(VIEWS))
def visitor(request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[Page, str]]:
    """A page of a browser without JavaScript, small and dark or large and light."""
    context = browser.new_context(**VIEWS[request.param], java_script_enabled=False)
    context.set_default_timeout(20_000)
    yield context.new_page(), request.param
    context.close()


def picture(page: Page, name: str) -> None:
    """Leave a picture; nothing reaches beyond the screen's width."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"subscribe-{name}.png", full_page=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], name  # type: ignore[index]


def test_page_form(portal: tuple[Site, str], visitor: tuple[Page, str]) -> None:
    """Without a script: one way at a time, mistakes by their fields, then the mail's link and the choice."""
    site, url = portal
    page, view = visitor
    page.goto(f"{url}/status/subscribe")
    expect(page.get_by_label("Email address")).to_be_visible()
    expect(page.get_by_label("Webhook URL", exact=True)).to_be_hidden()
    expect(page.get_by_label("A new incident")).to_be_hidden()
    picture(page, f"{view}-1-form")
    page.get_by_label("Webhook", exact=True).check()
    expect(page.get_by_label("Webhook URL", exact=True)).to_be_visible()
    expect(page.get_by_label("Email address")).to_be_hidden()
    page.get_by_label("Webhook URL", exact=True).fill("ftp://1.1.1.1/")
    page.get_by_label("Format").select_option("statusgator")
    page.get_by_label("Secret").fill("hush hush hush hush")
    page.get_by_label("Only these services").check()
    page.get_by_label("Checkout").check()
    page.get_by_label("Only what I choose").check()
    picture(page, f"{view}-2-webhook")
    page.get_by_role("button", name="Subscribe").click()
    expect(page).to_have_title(re.compile("^Error: "))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("There is a problem")
    expect(alert).to_contain_text("StatusGator JSON")
    picture(page, f"{view}-3-mistakes")
    expect(page.get_by_label("Webhook URL", exact=True)).to_have_value("ftp://1.1.1.1/")
    expect(page.get_by_label("Webhook URL", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Format")).to_have_value("statusgator")
    expect(page.get_by_label("Secret")).to_have_value("")
    expect(page.get_by_label("Checkout")).to_be_checked()
    for link in alert.get_by_role("link").all():
        target = (link.get_attribute("href") or "").removeprefix("#")
        expect(page.locator(f"[id='{target}']")).to_be_visible()

    page.get_by_label("Email", exact=True).check()
    page.get_by_label("Email address").fill("bob@example.com")
    page.get_by_label("The usual").check()
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("status")).to_contain_text("just sent a message")
    picture(page, f"{view}-4-inbox")
    (row,) = site.rows(Subscription)
    page.goto(f"{url}/status/confirm/{site.token(links.CONFIRM, row)}")
    page.get_by_role("button", name="Confirm subscription").click()
    expect(page.get_by_role("status")).to_contain_text("You are subscribed")
    expect(page.get_by_label("Checkout")).to_be_checked()
    picture(page, f"{view}-5-choose")
    page.get_by_label("Only what I choose").check()
    page.get_by_label("News of an incident").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Your choice is saved")
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("status")).to_contain_text("No more status updates")
    picture(page, f"{view}-6-left")
    page.get_by_role("link", name="Subscribe again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Get status updates")
    page.goto(f"{url}/status/confirm/{site.token(links.CONFIRM, row)}")
    picture(page, f"{view}-7-used-link")
    expect(page.get_by_role("link", name="Get a new link")).to_be_visible()


def test_portal_form(portal: tuple[Site, str], visitor: tuple[Page, str]) -> None:
    """Without a script: mistakes and success stand in the host's page, and a customer sees what there is."""
    site, url = portal
    page, view = visitor
    page.goto(f"{url}/orders?month=5")
    picture(page, f"{view}-portal-1-form")
    first = page.locator("#sp-box")
    second = page.locator("#sp-box-2")
    second.get_by_label("Webhook URL", exact=True).fill("nonsense")
    second.get_by_role("button", name="Subscribe").click()
    expect(page).to_have_url(re.compile(r"/orders\?month=5&statuspage_subscribed=[^&]+#sp-box-2$"))
    expect(second.get_by_role("alert")).to_be_visible()
    expect(second.get_by_label("Webhook URL", exact=True)).to_have_value("nonsense")
    expect(first.get_by_role("alert")).to_have_count(0)
    picture(page, f"{view}-portal-2-mistake")
    first.get_by_label("Email address").fill("bob@example.com")
    first.get_by_role("button", name="Subscribe").click()
    expect(first.get_by_role("status")).to_contain_text("Check your inbox")
    picture(page, f"{view}-portal-3-inbox")
    page.goto(f"{url}/login/ann@example.com")
    page.goto(f"{url}/orders")
    picture(page, f"{view}-portal-4-customer")
    first.get_by_role("button", name="Subscribe").click()
    expect(first.get_by_role("status")).to_contain_text("You are subscribed")
    expect(first).to_contain_text("You receive updates on Checkout at ann@example.com")
    picture(page, f"{view}-portal-5-subscribed")
    first.get_by_role("link", name="Change or end the subscription").click()
    expect(page.get_by_label("Checkout")).to_be_checked()
    assert {row.state.value for row in site.rows(Subscription)} == {"active", "pending"}
