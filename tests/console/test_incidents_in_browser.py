"""The main tasks with incidents in a real browser, with and without scripts, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.console.member import EDITOR
from tests.web.site import Site

PHONE = {"who": EDITOR}


def test_report_from_a_template_and_post_an_update(phone: Page, site: Site) -> None:
    """An incident is reported from a template in fewer than six interactions, then an update is posted."""
    site.made("/components", name="Billing")
    site.made("/subscriptions", channel="email", address="reader@example.com")
    site.made(
        "/templates",
        kind="incident",
        name="Payments",
        title="Payments fail",
        body="{{ components }} refuses **cards**.",
        impact="major",
        components=["billing"],
    )
    phone.goto("incidents")
    # What is pressed, and what is seen before the next press: "Publish" stands on the page before the template does.
    interactions: list[tuple[Callable[[], object], Callable[[], object]]] = [
        (
            lambda: phone.get_by_role("link", name="Report an incident").click(),
            lambda: expect(phone.get_by_label("Title")).to_have_value(""),
        ),
        (
            lambda: phone.get_by_label("Template").select_option(label="Payments"),
            lambda: None,
        ),
        (
            lambda: phone.get_by_role("button", name="Load").click(),
            lambda: expect(phone.get_by_label("Title")).to_have_value("Payments fail"),
        ),
        (
            lambda: phone.get_by_role("button", name="Publish").click(),
            lambda: expect(phone.get_by_role("status")).to_contain_text(
                "The incident is published."
            ),
        ),
    ]
    for interact, see in interactions:
        interact()
        see()
    assert len(interactions) < 6
    expect(phone.get_by_role("heading", level=1)).to_have_text("Payments fail")

    phone.get_by_label("State").select_option(label="Identified")
    phone.get_by_label("Message").fill("A **disk** is full.")
    phone.get_by_label("Billing").select_option(label="Degraded performance")
    phone.get_by_role("button", name="Preview and count").click()
    preview = phone.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("1 by email")
    expect(preview.locator("strong", has_text="disk")).to_be_visible()
    expect(preview).to_be_in_viewport()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.get_by_role("button", name="Post update").click()
    expect(phone.get_by_role("status")).to_contain_text("The update is posted.")

    (incident,) = site.ask("GET", "/incidents").get_json()["items"]
    assert incident["updates"][0]["body"] == "A **disk** is full."
    assert incident["components"][0]["status"] == "degraded_performance"


def test_enter_in_a_field_publishes_nothing(phone: Page, site: Site) -> None:
    """Who presses Enter in the title sees a preview."""
    phone.goto("incidents/new")
    phone.get_by_label("Title").fill("Down")
    phone.get_by_label("Title").press("Enter")
    expect(phone.get_by_role("region", name="Preview")).to_be_visible()
    assert site.ask("GET", "/incidents").get_json()["items"] == []


def test_long_names_fit_a_small_phone(phone: Page, site: Site) -> None:
    """Selects are no wider than a screen of 320 points, whatever services and templates are called."""
    name = "Customer payment gateway (EU west), the one of the second contract"
    site.made("/components", name=name)
    for kind in ("incident", "maintenance"):
        site.made("/templates", kind=kind, name=name, title="T", body="B")
    phone.set_viewport_size({"width": 320, "height": 700})
    for path in ("incidents", "maintenance", "incidents/new", "maintenance/new"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 320, path
