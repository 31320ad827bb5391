"""Subscribers on a phone: looked up, added, changed and brought in from a file, with and without scripts."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from flask_statuspage.storage.subscriptions import Subscription
from tests.console.member import ADMIN
from tests.web.site import Site

LONG = f"{'long' * 15}@{'name' * 15}.{'host' * 15}.example.com"
WIDTH = 320


PHONE = {"who": ADMIN, "viewport": {"width": WIDTH, "height": 700}}


def fits(page: Page) -> None:
    """Nothing is wider than the phone."""
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH


def test_one_is_added_and_changed(phone: Page, site: Site) -> None:
    """From the list to a new subscriber, whose services are then changed; nothing is wider than the phone."""
    for name in ("API", "A service with a name that is long enough for two lines"):
        site.made("/components", name=name)
    site.made("/subscriptions", channel="email", address=LONG, locale="pt-BR")
    phone.goto("subscribers")
    fits(phone)
    phone.get_by_role("link", name="Add a subscriber").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Add a subscriber")
    fits(phone)
    phone.get_by_label("Address").fill("reader@example.com")
    phone.get_by_label("API").check()
    phone.get_by_label("Confirmation").select_option(label="Confirmed by you")
    phone.get_by_role("button", name="Add the subscriber").click()
    expect(phone.get_by_role("status")).to_contain_text("The subscriber is added.")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Subscriber reader@example.com")
    fits(phone)
    phone.get_by_label("A service with a name").check()
    phone.get_by_label("Language").fill("de")
    phone.get_by_role("button", name="Save").click()
    expect(phone.get_by_role("status")).to_contain_text("is saved.")
    (row,) = [r for r in site.rows(Subscription) if r.address == "reader@example.com"]
    assert row.locale == "de"
    phone.locator(".sp-back a").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Subscribers")
    phone.get_by_label("Address has").fill("long")
    phone.get_by_label("Channel").select_option(label="Email")
    phone.get_by_role("button", name="Show").click()
    expect(phone.get_by_role("link", name="reader@example.com")).to_have_count(0)
    phone.get_by_role("link", name=LONG).click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text(LONG)
    fits(phone)


def test_a_file_is_checked_and_brought_in(phone: Page, site: Site, tmp_path: Path) -> None:
    """The download of a spreadsheet, mended after what the check says, is added by one more button."""
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(f"channel;address\nemail;{'x' * 200}\nemail;a@example.com\n")
    right = tmp_path / "right.csv"
    right.write_text(f"channel;address\nemail;{LONG}\nemail;a@example.com\n")
    phone.goto("subscribers/import")
    fits(phone)
    phone.get_by_label("CSV file").set_input_files(wrong)
    phone.get_by_role("button", name="Check").click()
    problems = phone.get_by_role("region", name="What is wrong")
    expect(problems).to_contain_text("Line 2, address: This is not an email address")
    fits(phone)
    phone.get_by_label("CSV file").set_input_files(right)
    phone.get_by_label("Lines without a state").select_option("active")
    phone.get_by_role("button", name="Check").click()
    preview = phone.get_by_role("region", name="This would add 2 subscribers")
    expect(preview).to_contain_text("Active at once")
    expect(preview).to_be_in_viewport()
    fits(phone)
    assert site.rows(Subscription) == []
    phone.get_by_role("button", name="Add 2 subscribers").click()
    expect(phone.get_by_role("status")).to_contain_text("The subscribers of the file are added.")
    fits(phone)
    with phone.expect_download() as download:
        phone.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename == "subscribers.csv"
    assert LONG in Path(download.value.path()).read_text(encoding="utf-8")
