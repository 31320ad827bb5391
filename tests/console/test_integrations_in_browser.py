"""Integrations in a real browser: Slack is set up and tested, with and without scripts, on a narrow phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import checks, validator
from tests.browser.sites import MODULES
from tests.browser.views import picture
from tests.console import endpoints
from tests.console.endpoints import webhook, working
from tests.console.member import ADMIN, Member
from tests.servers import http, slack
from tests.servers.http import Answer
from tests.servers.presence import absent
from tests.servers.wsgi import serving
from tests.web.conftest import make_site, migrated  # noqa: F401
from tests.web.site import Site, SiteMaker

WIDTH = 320


@pytest.fixture
def site(make_site: SiteMaker) -> Site:  # noqa: F811
    return endpoints.build(make_site)


PHONE = {"who": ADMIN, "viewport": {"width": WIDTH, "height": 800}}


def fits(page: Page, name: str) -> None:
    """Nothing of the page is wider than the phone."""
    page.wait_for_load_state()
    picture(page, f"console-integrations-{name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, name


def test_a_slack_integration(phone: Page, site: Site) -> None:
    """It is set up, tested, and found to have arrived; its address is nowhere on the way."""
    with slack.running() as workspace, working(site):
        hook = workspace.webhook()
        phone.goto("integrations")
        fits(phone, "index")
        phone.get_by_role("link", name="Add an integration by Slack").click()
        expect(phone.get_by_role("heading", level=1)).to_have_text("New integration: Slack")
        fits(phone, "new")
        address = hook.replace("127.0.0.1", "localhost")
        phone.get_by_label("Incoming webhook URL of Slack").fill(address)
        phone.get_by_role("button", name="Set it up").click()
        expect(phone.get_by_role("status")).to_contain_text("The integration is set up.")
        fits(phone, "one")
        phone.get_by_role("button", name="Send a test").click()
        heading = phone.get_by_role("heading", level=1)
        expect(heading).to_have_text("The test arrived", timeout=30_000)
        expect(phone.get_by_text("200", exact=True)).to_be_visible()
        fits(phone, "tested")
        (message,) = workspace.wait_for(hook, 1)
        assert "This is a test" in str(message)
        phone.goto("integrations")
        expect(phone.get_by_role("region", name="Slack")).to_contain_text("Last success")
        fits(phone, "index-after")
        assert hook.rpartition("/")[2] not in phone.content()


def test_a_webhook_with_a_secret(phone: Page, site: Site) -> None:
    """The secret that was made is shown once; long addresses and answers do not widen the page."""
    with http.receiver() as receiver, working(site):
        receiver.answer = Answer(status=500, body=b"x" * 2000)
        phone.goto("integrations/new?channel=webhook&format=statusmate")
        fits(phone, "new-webhook")
        expect(phone.get_by_role("radio", name="StatusMate JSON")).to_be_checked()
        phone.get_by_label("Webhook URL").fill(f"{receiver.url}/{'long' * 60}")
        phone.get_by_role("button", name="Set it up").click()
        expect(phone.get_by_role("heading", level=1)).to_have_text("The signing secret")
        secret = phone.get_by_label("Secret").input_value()
        assert secret.startswith("whsec_")
        fits(phone, "secret")
        phone.get_by_role("link", name="I have copied it").click()
        expect(phone.get_by_role("button", name="Send a test")).to_be_visible()
        assert secret not in phone.content()
        fits(phone, "one-webhook")
        phone.get_by_role("button", name="Send a test").click()
        heading = phone.get_by_role("heading", level=1)
        expect(heading).to_have_text("The test failed", timeout=30_000)
        expect(phone.get_by_role("status")).to_contain_text("The endpoint answered 500.")
        fits(phone, "failed")
        phone.goto("integrations")
        fits(phone, "index-failed")


def test_a_desk(browser: Browser, site: Site) -> None:
    """On a desk all of it fits, too."""
    webhook(site, "https://1.1.1.1/hook", components=["core"])
    site.made("/subscriptions", channel="slack", address="http://localhost:9/services/T/B/secret")
    with serving(site.app) as root:
        page = browser.new_page(
            extra_http_headers={"X-Who": ADMIN}, viewport={"width": 1280, "height": 900}
        )
        page.set_default_timeout(20_000)
        page.goto(f"{root}/status/admin/integrations")
        picture(page, "console-integrations-desk")
        names = page.get_by_role("link", name="Edit").all_inner_texts()
        assert len(names) == len(set(names)) == 2
        page.get_by_role("link", name="Edit https://1.1.1.1/hook").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Webhook: https://1.1.1.1/hook")
        picture(page, "console-integrations-desk-one")
        page.close()


def test_the_pages_are_sound(browser: Browser, site: Site, tmp_path: Path) -> None:
    """Valid HTML, nothing that hinders assistive technology, and nothing too wide or too small to hit, also in a form
    with mistakes and with all details open."""
    if not (MODULES / "axe-core").exists():
        absent("npm", "axe-core not installed: run `npm ci --prefix tests/browser`")
    made = webhook(site, "https://1.1.1.1/hook", components=["core"])
    ann, found = Member(site, ADMIN), []
    paths = ("", "/new?channel=webhook", "/new?channel=slack", f"/{made['id']}")
    with serving(site.app) as root, validator.running(tmp_path) as valid:
        page = browser.new_page(extra_http_headers={"X-Who": ADMIN}, bypass_csp=True)
        page.set_default_timeout(20_000)

        def look(what: str) -> None:
            page.wait_for_load_state()
            for width in (WIDTH, 1280):
                page.set_viewport_size({"width": width, "height": 900})
                for check in (checks.accessibility, checks.overflow, checks.small_targets):
                    found.extend(f"{what} at {width}: {word}" for word in check(page))
                if checks.open_details(page):
                    found.extend(f"{what} open: {word}" for word in checks.accessibility(page))
                    found.extend(f"{what} open: {word}" for word in checks.overflow(page))

        for path in paths:
            found.extend(valid.found_in(ann.get(f"/integrations{path}").data))
            page.goto(f"{root}/status/admin/integrations{path}")
            look(path)
        page.get_by_role("button", name="Make a new secret").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The signing secret")
        look("secret")
        page.goto(f"{root}/status/admin/integrations/new?channel=webhook")
        page.get_by_label("Webhook URL").fill("http://127.0.0.1:9/")
        page.get_by_label("Secret to sign with").fill("short")
        page.get_by_role("button", name="Set it up").click()
        expect(page.get_by_role("alert")).to_contain_text("There is a problem")
        look("wrong")
        page.close()
    assert found == []
