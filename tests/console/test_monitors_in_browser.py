"""Monitors in a real browser: on a narrow phone and on a desk, with and without scripts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.storage.base import utc_now
from tests.console import watching
from tests.console.member import EDITOR
from tests.servers.http import Answer, Target
from tests.web.site import Site, SiteMaker

UP, DOWN = Verdict.UP, Verdict.DOWN
LONG = "Averyveryverylongnamewithoutanyspaceinit" * 3


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return watching.build(make_site)


PHONE = {"who": EDITOR, "viewport": {"width": 320, "height": 700}}


def fill(site: Site) -> None:
    """Monitors of all looks, with long names, errors and a day of results."""
    site.made("/components", name=LONG, slug="shop")
    ident = site.made(
        "/monitors",
        name=LONG,
        slug="long",
        target=f"http://127.0.0.1:9/{LONG}",
        component="shop",
        regions=["default", "eu"],
        failure_threshold=1,
        escalation_intervals=[300, 900],
        options={"headers": {"X-Key": "swordfish"}, "keyword": LONG},
    )["id"]
    now = utc_now()
    for hours in range(24, 0, -1):
        at = now - timedelta(hours=hours)
        outcome = DOWN if hours in (7, 8) else UP
        watching.record(
            site, ident, UP, outcome, at=at, milliseconds=80 + 9 * hours, error=f"<b>{LONG}</b>"
        )
        watching.record(site, ident, UP, region="eu", at=at, milliseconds=300)
    watching.record(site, ident, DOWN, error=f"<b>{LONG}</b>")
    site.made("/monitors", name="Backup", kind="heartbeat", interval=3600)
    site.made("/monitors/backup/pause")
    front = site.made("/monitors", name="Front", target="http://127.0.0.1:9/")["id"]
    watching.record(site, front, UP, UP, milliseconds=42)


PATHS = (
    "monitors",
    "monitors/long",
    "monitors/long/edit",
    "monitors/long/delete",
    "monitors/backup",
    "monitors/new",
    "monitors/new?kind=http",
)


def test_nothing_is_wider_than_a_phone(phone: Page, site: Site) -> None:
    """No page needs scrolling sideways, with all that is collapsed opened; nothing is without a name or label."""
    fill(site)
    for width in (320, 390, 1280):
        phone.set_viewport_size({"width": width, "height": 800})
        for path in PATHS:
            phone.goto(path)
            for summary in phone.locator("summary").all():
                summary.click()
            assert phone.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
            assert phone.locator("h1").count() == 1
            unnamed = phone.evaluate(
                "[...document.querySelectorAll('.sp-console :is(input, select, textarea):not([type=hidden])')]"
                ".filter(one => !one.labels.length).map(one => one.name)"
            )
            assert unnamed == [], path


def test_a_monitor_is_made_run_and_paused(phone: Page, site: Site, target: Target) -> None:
    """From the menu to a first result, by labels and buttons alone."""
    url = target.set("/health", Answer(status=500))
    phone.goto("./")
    phone.get_by_role("link", name="Monitors", exact=True).click()
    phone.get_by_role("link", name="New monitor").click()
    phone.get_by_role("link", name="Web address").click()
    phone.get_by_label("Name", exact=True).fill("Front")
    phone.get_by_label("Address", exact=True).fill(url)
    phone.get_by_label("Down after so many failed checks in a row").fill("1")
    phone.get_by_label("Good answers").fill("600")
    phone.get_by_role("button", name="Make the monitor").click()
    alert = phone.get_by_role("alert")
    expect(phone.locator(".sp-problems")).to_be_focused()
    expect(alert).to_contain_text("Good answers: Must be a status")
    expect(phone.get_by_label("Good answers")).to_have_attribute("aria-invalid", "true")
    phone.get_by_label("Good answers").fill("2xx")
    phone.get_by_role("button", name="Make the monitor").click()
    expect(phone.get_by_role("status")).to_contain_text("The monitor is made.")
    phone.get_by_role("button", name="Run now").click()
    expect(phone.get_by_role("status")).to_contain_text("Down, status 500")
    expect(phone.get_by_role("table")).to_contain_text("Answered 500")
    phone.get_by_role("button", name="Pause").click()
    expect(phone.get_by_role("status")).to_contain_text("The monitor is paused.")
    phone.get_by_role("link", name="Monitors", exact=True).first.click()
    expect(phone.get_by_role("listitem").filter(has_text="Front")).to_contain_text("Paused")
    assert target.count("/health") == 1
