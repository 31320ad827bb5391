"""Uptime strips in a browser: keys, mouse, directions, narrow places, and without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, render_template_string
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import update

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import StatusInterval
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.session import current_session
from tests.servers.wsgi import serving
from tests.web.site import Site, SiteMaker

ARTEFACTS = Path(__file__).parent.parent / "artefacts"
BAD = 3
"""So many days ago the API failed."""

NARROW = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Portal</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>svg { max-width: 100%; height: auto } p { color: red } input { width: 50% }</style>
<body><h1>Orders</h1><aside style="width: 20rem">{{ statuspage_strip("api") }}</aside>
<div style="width: 36rem">{{ statuspage_strip("api") }}</div>"""


def portal(app: Flask) -> None:
    @app.get("/orders")
    def orders() -> str:
        return render_template_string(NARROW)


@pytest.fixture
def shown(make_site: SiteMaker) -> Iterator[str]:
    """The URL of a site whose API failed for 90 minutes three days ago, at noon, with an incident."""
    site = make_site(host=portal)
    api = site.made("/components", name="API")
    site.made("/components", name="Search")
    noon = utc_now().replace(hour=12, minute=0, second=0) - timedelta(days=BAD)
    made = site.made("/incidents", title="Elevated errors", impact="none", components=["api"])
    site.made(f"/incidents/{made['id']}/resolve", body="Over")
    fail(site, UUID(api["id"]), UUID(made["id"]), noon, noon + timedelta(minutes=90))
    with serving(site.app) as url:
        yield url


def fail(site: Site, api: UUID, incident: UUID, start: datetime, end: datetime) -> None:
    with site.app.app_context():
        session = current_session()
        begun = update(StatusInterval).values(started_at=utc_now() - timedelta(days=100))
        session.execute(begun)
        session.execute(begun.where(StatusInterval.component_id == api).values(ended_at=start))
        for status, since, until in (
            (ComponentStatus.MAJOR_OUTAGE, start, end),
            (ComponentStatus.OPERATIONAL, end, None),
        ):
            session.add(
                StatusInterval(component_id=api, status=status, started_at=since, ended_at=until)
            )
        session.execute(
            update(Incident)
            .where(Incident.id == incident)
            .values(started_at=start, resolved_at=end)
        )
        session.commit()
    site.app.extensions["statuspage"].page_changed()


def opened(browser: Browser, url: str, width: int = 1280, **options: Any) -> tuple[Page, list[str]]:
    """A page and what its console complains of."""
    context = browser.new_context(
        **{"locale": "en-GB", "viewport": {"width": width, "height": 800}, **options}
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    return page, complaints


def slider(page: Page, number: int = 0) -> Locator:
    return page.get_by_role("slider").nth(number)


def readout(page: Page) -> Locator:
    return page.locator(".sp-read").first


def day(back: int) -> str:
    then = today() - timedelta(days=back)
    return f"{then.day} {then:%b %Y}".replace("Sep", "Sept")  # as en-GB has it


def today() -> date:
    return datetime.now(UTC).date()


def failed() -> str:
    return f"{day(BAD)}: Major outage 1 h 30 min, 93.75% · Elevated errors"


def picture(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"strip-{name}.png", full_page=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], name  # type: ignore[index]


def test_keys(browser: Browser, shown: str) -> None:
    """One stop for Tab; arrows go by a day, Page keys by more, Home and End to the ends, Esc closes the readout."""
    page, complaints = opened(browser, f"{shown}/status/")
    thumb = slider(page)
    expect(page.get_by_role("slider")).to_have_count(2)
    expect(thumb).to_have_accessible_name("API: history by day")
    expect(readout(page)).to_be_hidden()
    page.locator(".sp-service a").first.focus()
    page.keyboard.press("Tab")
    expect(thumb).to_be_focused()
    expect(readout(page)).to_have_text(f"{day(0)}: Operational")
    for _ in range(BAD):
        page.keyboard.press("ArrowLeft")
    expect(readout(page)).to_have_text(failed())
    expect(thumb).to_have_attribute("aria-valuetext", failed())
    picture(page, "wide-read")
    page.keyboard.press("ArrowUp")
    expect(readout(page)).to_have_text(f"{day(BAD - 1)}: Operational")
    page.keyboard.press("PageDown")
    back = today() - date_of(page)
    assert 5 <= back.days - (BAD - 1) <= 12
    page.keyboard.press("Home")
    expect(readout(page)).to_have_text(f"{day(89)}: Operational")
    page.keyboard.press("End")
    expect(readout(page)).to_have_text(f"{day(0)}: Operational")
    page.keyboard.press("Escape")
    expect(readout(page)).to_be_hidden()
    expect(page.locator(".sp-windows").first).to_be_visible()
    expect(thumb).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(readout(page)).to_have_text(f"{day(1)}: Operational")
    page.keyboard.press("Tab")
    expect(readout(page)).to_be_hidden()
    expect(page.locator("summary:focus")).to_have_attribute(
        "aria-label", "1 day with events of API"
    )
    assert complaints == []


def date_of(page: Page) -> date:
    said = (readout(page).text_content() or "").partition(":")[0].replace("Sept", "Sep")
    return datetime.strptime(said, "%d %b %Y").date()


def at_day(page: Page, back: int, *, of: int, rtl: bool = False) -> tuple[float, float]:
    """The middle of a day in the first strip, where *of* days are shown."""
    box = page.locator(".sp-strip").first.bounding_box()
    assert box is not None
    part = (of - back - 0.5) / of
    x = box["x"] + box["width"] * (1 - part if rtl else part)
    return x, box["y"] + box["height"] / 2


def test_mouse(browser: Browser, shown: str) -> None:
    """The day under the mouse is read, a click keeps it, and all is as before when the mouse leaves."""
    page, complaints = opened(browser, f"{shown}/status/")
    for back in (0, BAD, 45, 89):
        page.mouse.move(*at_day(page, back, of=90))
        expect(readout(page)).to_have_text(failed() if back == BAD else f"{day(back)}: Operational")
    page.mouse.move(0, 0)
    expect(readout(page)).to_be_hidden()
    expect(slider(page)).to_have_value("89")
    page.mouse.click(*at_day(page, BAD, of=90))
    expect(readout(page)).to_have_text(failed())
    page.mouse.move(0, 0)
    expect(readout(page)).to_have_text(failed())
    assert complaints == []


def test_touch(browser: Browser, shown: str) -> None:
    """A tap reads the day that it hits, on a phone too, where thirty days are shown."""
    page, complaints = opened(browser, f"{shown}/status/", 390, has_touch=True, is_mobile=True)
    expect(slider(page)).to_have_attribute("min", "60")  # else it would be the day of ninety
    page.touchscreen.tap(*at_day(page, BAD, of=30))
    expect(readout(page)).to_have_text(failed())
    picture(page, "phone-read")
    assert complaints == []


def test_right_to_left(browser: Browser, shown: str) -> None:
    """The newest day is at the left, and so are the steps that lead there."""
    page, complaints = opened(browser, f"{shown}/status/?lang=ar")
    thumb = slider(page)
    thumb.focus()
    page.keyboard.press("ArrowRight")
    expect(thumb).to_have_value("88")
    page.keyboard.press("ArrowLeft")
    expect(thumb).to_have_value("89")
    page.keyboard.press("Escape")
    page.mouse.move(*at_day(page, BAD, of=90, rtl=True))
    expect(thumb).to_have_value(str(89 - BAD))
    expect(readout(page)).to_contain_text("\u2068Elevated errors\u2069")
    # The mark of the failure is where the mouse is.
    bad = page.locator(".sp-strip [data-tone=major]").first.bounding_box()
    assert bad is not None
    assert abs(bad["x"] + bad["width"] / 2 - at_day(page, BAD, of=90, rtl=True)[0]) < 4
    picture(page, "arabic")
    assert complaints == []


@pytest.mark.parametrize(("width", "days"), [(1280, 90), (640, 60), (390, 30), (320, 30)])
def test_windows(browser: Browser, shown: str, width: int, days: int) -> None:
    """Where there is less room there are fewer days, the newest; what is said below is of just these."""
    page, complaints = opened(browser, f"{shown}/status/", width)
    said = page.locator(".sp-windows").first
    expect(said.locator("span:visible")).to_have_count(3)
    expect(said.locator("span:visible").first).to_have_text(f"{days} days ago")
    expect(said.locator("span:visible").nth(1)).to_contain_text(f"uptime over {days} days")
    slider(page).focus()
    expect(slider(page)).to_have_attribute("min", str(90 - days))
    page.keyboard.press("Home")
    expect(readout(page)).to_have_text(f"{day(days - 1)}: Operational")
    bad = page.locator(".sp-strip [data-tone=major]").first.bounding_box()
    assert bad is not None
    assert abs(bad["x"] + bad["width"] / 2 - at_day(page, BAD, of=days)[0]) < 6
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(slider(page)).to_have_attribute("min", "0")
    picture(page, f"{width}")
    assert complaints == []


def test_in_a_hosts_page(browser: Browser, shown: str) -> None:
    """Two strips of one service, each as its place has room, each with its own slider; the host's styles stay out."""
    page, complaints = opened(browser, f"{shown}/orders")
    expect(page.get_by_role("slider")).to_have_count(2)
    for number, days in ((0, 30), (1, 60)):
        thumb = slider(page, number)
        expect(thumb).to_have_attribute("min", str(90 - days))
        strip = page.locator(".sp-strip").nth(number).bounding_box()
        over = thumb.bounding_box()
        assert strip is not None
        assert over is not None
        assert (over["x"], over["width"]) == (strip["x"], strip["width"])
    slider(page, 1).focus()
    for _ in range(BAD):
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".sp-read").nth(1)).to_have_text(failed())
    expect(page.locator(".sp-read").nth(0)).to_be_hidden()
    picture(page, "host")
    assert complaints == []


def test_without_a_script(browser: Browser, shown: str) -> None:
    """The drawing has its name, and the list has the same text with a link to the incident."""
    page, complaints = opened(browser, f"{shown}/status/", 390, java_script_enabled=False)
    expect(page.get_by_role("slider")).to_have_count(0)
    # The last of the 90 days is not over: how much is lost depends on the hour.
    drawn = page.get_by_role("img", name=re.compile(r"^API: 99\.9[23]% uptime over 90 days"))
    expect(drawn).to_be_visible()
    expect(page.locator(".sp-windows").first).to_contain_text("uptime over 30 days")
    page.locator("summary", has_text="1 day with events").click()
    item = page.locator(".sp-events li")
    then = today() - timedelta(days=BAD)
    expect(item).to_have_text(
        f"{then.day} {then:%b %Y}: Major outage 1 h 30 min, 93.75% · Elevated errors"
    )
    picture(page, "no-script")
    item.get_by_role("link", name="Elevated errors").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Elevated errors")
    assert complaints == []
