"""How services are, said on a phone, with and without scripts: chosen, saved, told, taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.console.member import EDITOR
from tests.servers.wsgi import serving
from tests.web.site import Site


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def phone(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """A phone of an editor, whose browser notes no trouble in the end."""
    with serving(site.app) as root:
        context = browser.new_context(
            java_script_enabled=request.param,
            extra_http_headers={"X-Who": EDITOR},
            viewport={"width": 390, "height": 844},
            has_touch=True,
            base_url=f"{root}/status/admin/",
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(told(message)))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        yield page
        context.close()
    assert [one for one in troubles if one] == []


def told(message: ConsoleMessage) -> str:
    """What the browser complains of; it reports every form with mistakes as well, which is none."""
    is_trouble = message.type in ("error", "warning") and "status of 422 " not in message.text
    return message.text if is_trouble else ""


def status(site: Site, slug: str) -> str:
    return str(site.ask("GET", f"/components/{slug}").get_json()["status"])


def fits(phone: Page) -> bool:
    return bool(phone.evaluate("document.documentElement.scrollWidth <= 390"))


def test_a_status_is_changed_and_taken_back(phone: Page, site: Site) -> None:
    """The list beside the service is on the screen; what was saved is told, counts for readers, and can be undone."""
    group = site.made("/component-groups", name="Platform for everybody who pays")["id"]
    site.made("/components", name="Billing and invoices", slug="billing", group=group)
    site.made("/components", name="Search", group=group)
    phone.goto("./")
    assert fits(phone)
    choice = phone.get_by_label("New status of Billing and invoices")
    choice.scroll_into_view_if_needed()
    box = choice.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["height"] >= 44
    choice.select_option(label="Partial outage")
    assert status(site, "billing") == "operational"  # nothing is sent by choosing
    phone.get_by_label("Note (optional)").fill("The disk is full")
    phone.get_by_role("button", name="Save status changes").tap()

    notice = phone.get_by_role("status").filter(has_text="The status changes are saved.")
    expect(notice).to_be_in_viewport()
    assert fits(phone)
    assert status(site, "billing") == "partial_outage"
    assert status(site, "search") == "operational"
    assert "Partial outage" in site.get("/").text

    undo = phone.get_by_role("button", name="Undo")
    expect(undo).to_be_in_viewport()
    undo.tap()
    expect(phone.get_by_role("status").filter(has_text="It is as it was before.")).to_be_visible()
    assert status(site, "billing") == "operational"
    assert fits(phone)


def test_nothing_chosen_is_named(phone: Page, site: Site) -> None:
    """Saving without a choice says what is missing, and what was typed stands there still."""
    site.made("/components", name="Search")
    phone.goto("./")
    phone.get_by_label("Note (optional)").fill("The disk is full")
    with phone.expect_navigation() as answer:
        phone.get_by_role("button", name="Save status changes").tap()
    assert answer.value is not None
    assert answer.value.status == 422
    expect(phone.get_by_role("alert")).to_contain_text("No service was chosen.")
    expect(phone.get_by_label("Note (optional)")).to_have_value("The disk is full")
    assert fits(phone)
