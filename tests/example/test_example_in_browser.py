"""A person with a browser goes through the example; the pictures are left in `tests/artefacts`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.example.example import ROOT, STORY_SECONDS, Example, running

ARTEFACTS = ROOT / "tests" / "artefacts"
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}
SCHEMES = {"wide": "light", "narrow": "dark"}


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Example]:
    with running(tmp_path, "--embedded") as example:
        yield example


@pytest.mark.parametrize("size", list(SIZES))
def test_a_visitor_breaks_and_mends_billing(browser: Browser, example: Example, size: str) -> None:
    """Sign in, break billing, see red and the mail, follow its link, mend, see green. No page asks elsewhere."""
    context = browser.new_context(viewport=SIZES[size], color_scheme=SCHEMES[size])
    context.set_default_timeout(STORY_SECONDS * 1000)
    page = context.new_page()
    asked: list[str] = []
    troubles: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(str(error)))

    page.goto(f"{example.url}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    picture(page, f"{size}-1-login")
    page.get_by_role("button", name="Ada Okafor").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Ada")
    picture(page, f"{size}-2-portal")
    follow(page, "Status")
    reload_until(page, "All systems operational")
    picture(page, f"{size}-3-status-green")

    page.goto(f"{example.url}/")
    page.get_by_role("button", name="Break billing").click()
    # Else the next click would take it back: it is a form on its way.
    expect(page.get_by_role("button", name="Mend billing")).to_be_visible()
    follow(page, "Status")
    reload_until(page, "Major outage: Billing")
    expect(page.get_by_role("link", name="Billing is down").first).to_be_visible()
    picture(page, f"{size}-4-status-red")
    page.goto(f"{example.url}/")
    expect(page.get_by_text("Major outage: Billing")).to_be_visible()
    picture(page, f"{size}-5-portal-red")
    follow(page, "Mails")
    reload_until(page, "Investigating: Billing is down")
    picture(page, f"{size}-6-mails")
    page.get_by_role("link", name="/status/incidents/").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Billing is down")
    picture(page, f"{size}-7-incident")

    page.goto(f"{example.url}/search/")
    page.get_by_label("What are you looking for?").fill("invoice")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("Download an invoice as PDF")).to_be_visible()
    picture(page, f"{size}-8-search")
    example_goes_on_without_billing = page.goto(f"{example.url}/billing/")
    assert example_goes_on_without_billing is not None
    assert example_goes_on_without_billing.status == 503
    picture(page, f"{size}-9-out-of-order")
    troubles.clear()  # the browser notes the 503, which is what was wanted
    page.get_by_role("button", name="Mend billing").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Billing")
    picture(page, f"{size}-10-billing")
    follow(page, "Webhooks")
    reload_until(page, "incident.resolved")
    page.locator("summary").first.click()
    picture(page, f"{size}-11-webhooks")
    follow(page, "Operations log")
    reload_until(page, "Incident resolved: Billing is down")
    picture(page, f"{size}-12-operations")
    follow(page, "Status")
    reload_until(page, "All systems operational")

    assert not [url for url in asked if not url.startswith((example.url, "data:"))]
    assert troubles == []
    context.close()
    assert example.stop() == 0


def follow(page: Page, name: str) -> None:
    """Click the link and be there: a reload before that would bring the page again on which the link stands."""
    with page.expect_navigation():
        page.get_by_role("link", name=name, exact=True).click()


def reload_until(page: Page, words: str) -> None:
    """Press reload, as a person would, until *words* are there."""
    for _ in range(STORY_SECONDS * 2):
        if page.get_by_text(words).first.is_visible():
            return
        page.wait_for_timeout(500)
        page.reload()
    expect(page.get_by_text(words).first).to_be_visible()


def picture(page: Page, name: str) -> None:
    """Keep a picture, and see that nothing is wider than the window."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"example-{name}.png", full_page=True)
    wider = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wider <= 0, f"{name} is {wider} px wider than the window"
