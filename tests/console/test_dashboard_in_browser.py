"""How services are, said on a phone, with and without scripts: chosen, saved, told, taken back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console.member import EDITOR
from tests.web.site import Site

PHONE = {"who": EDITOR, "has_touch": True}


def status(site: Site, slug: str) -> str:
    return str(site.ask("GET", f"/components/{slug}").get_json()["status"])


def fits(phone: Page) -> bool:
    phone.wait_for_load_state()
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


def test_undo_can_be_read_on_a_phone(phone: Page, site: Site) -> None:
    """Beside a long notice the button stands in one line, however narrow the screen is."""
    site.made("/components", name="API")
    phone.set_viewport_size({"width": 320, "height": 700})
    phone.goto("./")
    phone.get_by_label("New status of API").select_option("major_outage")
    phone.get_by_role("button", name="Save status changes").click()
    undo = phone.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    phone.wait_for_load_state()
    box = undo.bounding_box()
    assert box is not None
    assert box["width"] > box["height"]
    assert phone.evaluate("document.documentElement.scrollWidth") <= 320
