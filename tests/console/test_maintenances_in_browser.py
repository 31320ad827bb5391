"""Maintenance in a real browser, with and without scripts, on a phone in another zone than the page's."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console import member
from tests.console.member import EDITOR
from tests.web.site import Site, SiteMaker


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return member.build(make_site, STATUSPAGE_TIME_ZONE="Europe/Berlin")


PHONE = {"who": EDITOR, "timezone_id": "America/New_York"}


def test_schedule_maintenance_and_end_it(phone: Page, site: Site) -> None:
    """From the dashboard a window is previewed by the page's clock and UTC, scheduled, begun and completed."""
    site.made("/components", name="Billing")
    site.made("/subscriptions", channel="email", address="reader@example.com")
    phone.goto("./")
    phone.get_by_role("link", name="Schedule maintenance").click()
    phone.get_by_label("Title").fill("New disks")
    phone.get_by_label("Message").fill("We **swap** them.")
    phone.get_by_label("Billing").check()
    phone.get_by_label("Start (Europe/Berlin)").fill("2030-01-05T02:00")
    phone.get_by_label("End (Europe/Berlin)").fill("2030-01-05T04:00")
    phone.get_by_role("button", name="Preview and count").click()
    preview = phone.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("1 by email")
    expect(preview).to_contain_text("5 Jan 2030, 02:00 CET")
    expect(preview).to_contain_text("5 Jan 2030, 01:00 UTC")
    expect(preview).to_be_in_viewport()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.get_by_role("button", name="Schedule", exact=True).click()
    expect(phone.get_by_role("status")).to_contain_text("The maintenance is scheduled.")
    for word, button, told in (
        ("Start now…", "Start now", "The maintenance has begun."),
        ("Complete…", "Complete", "The maintenance is complete."),
    ):
        phone.get_by_role("link", name=word).click()
        phone.get_by_role("button", name=button, exact=True).click()
        expect(phone.get_by_role("status")).to_contain_text(told)
    (row,) = site.ask("GET", "/maintenances").get_json()["items"]
    assert [update["status"] for update in row["updates"]] == [
        "completed",
        "in_progress",
        "scheduled",
    ]


def test_an_outage_leads_to_an_incident(phone: Page, site: Site) -> None:
    """A service is set to an outage, and the notice leads to a report of it in two presses."""
    site.made("/components", name="Billing")
    phone.goto("./")
    phone.get_by_label("New status of Billing").select_option(label="Major outage")
    phone.get_by_role("button", name="Save status changes").click()
    phone.get_by_role("status").get_by_role("link", name="Open an incident?").click()
    expect(phone.get_by_label("Billing")).to_have_value("major_outage")
    phone.get_by_label("Title").fill("Payments fail")
    phone.get_by_role("button", name="Publish").click()
    expect(phone.get_by_role("status")).to_contain_text("The incident is published.")
    phone.get_by_role("link", name="Dashboard").click()
    events = phone.get_by_role("listitem").filter(has_text="Payments fail")
    events.get_by_role("link", name="Resolve").click()
    phone.get_by_role("button", name="Resolve").click()
    expect(phone.get_by_role("status")).to_contain_text("The incident is resolved.")
