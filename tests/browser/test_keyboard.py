"""Everything by the keyboard alone: the way to a subscription, its mistakes, the days of a strip."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .sites import Served
from .views import Watched, watching

MOST_STOPS = 80
"""Tab stops of a page of twelve services; 90 days of each as stops of their own would be 1080."""

FOCUSED = """
() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  return {
    html: one.outerHTML.slice(0, 160),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}
"""


@pytest.fixture
def visitor(browser: Browser, busy: Served) -> Iterator[Watched]:
    with watching(browser, busy.root) as watched:
        watched.page.goto(busy.url("/"))
        yield watched
        assert watched.complaints == []


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until *target* has the focus."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if target.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{target} cannot be reached by Tab")


@pytest.mark.parametrize("path", ["/", "/?lang=ar", "/subscribe", "/docs"])
def test_every_stop_is_seen(browser: Browser, busy: Served, path: str) -> None:
    """Tab goes through the page once, the skip link first; each stop has a ring and is on the screen."""
    with watching(browser, busy.root) as watched:
        page = watched.page
        page.goto(busy.url(path))
        stops = []
        for _ in range(MOST_STOPS + 1):
            page.keyboard.press("Tab")
            stop = page.evaluate(FOCUSED)
            if stop is None:
                break
            stops.append(stop)
        assert 5 < len(stops) <= MOST_STOPS
        assert "sp-skip" in stops[0]["html"]
        assert [stop["html"] for stop in stops if not (stop["ring"] and stop["seen"])] == []


def test_the_skip_link_skips(visitor: Watched) -> None:
    """The first stop leads past the header."""
    page = visitor.page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_subscribing(visitor: Watched) -> None:
    """From the home page to a sign-up: a mistake is told where the focus is, what was typed stays, success is told."""
    page = visitor.page
    tab_to(page, page.get_by_role("main").get_by_role("link", name="Subscribe to updates"))
    page.keyboard.press("Enter")
    # Either a page of its own or a dialog in this one.
    form = page.locator("form", has=page.get_by_label("Email address")).filter(visible=True)
    expect(form).to_be_visible()
    address = form.get_by_label("Email address")
    if not address.evaluate("one => one === document.activeElement"):
        tab_to(page, address)
    page.keyboard.type("nobody")
    visitor.expected = 422
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert").filter(visible=True)
    expect(alert).to_contain_text("There is a problem")
    address = page.get_by_label("Email address").filter(visible=True)
    expect(address).to_have_value("nobody")
    expect(address).to_have_attribute("aria-invalid", "true")
    tab_to(page, alert.get_by_role("link").first)
    page.keyboard.press("Enter")
    expect(address).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("ada@customer.example")
    tab_to(page, page.get_by_role("button", name="Subscribe", exact=True).filter(visible=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(visible=True).last).to_contain_text("message")


def test_the_focus_is_on_the_mistakes(browser: Browser, busy: Served) -> None:
    """After a form came back with mistakes, the focus is on their summary, and the title begins with the word."""
    with watching(browser, busy.root) as watched:
        page = watched.page
        page.goto(busy.url("/subscribe"))
        page.get_by_label("Email address").fill("nobody")
        page.keyboard.press("Enter")
        summary = page.locator(".sp-problems")
        expect(summary).to_be_focused()
        expect(summary.get_by_role("alert")).to_be_visible()
        expect(page).to_have_title(re.compile("^Error: "))


@pytest.mark.parametrize("query", ["", "?lang=ar"])
def test_the_days_of_a_strip(browser: Browser, busy: Served, query: str) -> None:
    """A strip is one stop: arrows go by days, Home and End to the ends, and each day is told in words."""
    with watching(browser, busy.root) as watched:
        page = watched.page
        page.goto(busy.url(f"/{query}"))
        slider = page.locator(".sp-uptime input[type=range]").filter(visible=True).first
        slider.focus()
        older, newer = ("ArrowRight", "ArrowLeft") if query else ("ArrowLeft", "ArrowRight")
        page.keyboard.press("End")
        today = told(slider)
        page.keyboard.press(older)
        yesterday = told(slider)
        page.keyboard.press("Home")
        first = told(slider)
        assert len({today, yesterday, first}) == 3
        page.keyboard.press(older)
        assert told(slider) == first
        page.keyboard.press("End")
        assert told(slider) == today
        page.keyboard.press("PageDown")
        assert told(slider) not in (today, yesterday, first)
        page.keyboard.press("End")
        page.keyboard.press(older)
        page.keyboard.press(newer)
        assert told(slider) == today
        readout = page.get_by_text(today, exact=True).filter(visible=True)
        expect(readout).to_have_count(1)
        page.keyboard.press("Escape")
        expect(readout).to_have_count(0)
        assert watched.complaints == []


def told(slider: Locator) -> str:
    """What a screen reader says of the day."""
    text = slider.get_attribute("aria-valuetext")
    assert text
    return text
