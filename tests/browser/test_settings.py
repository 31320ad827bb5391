"""Pages in forced colours and on paper; what visitors set for their text, `test_pages.py` looks at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from . import checks
from .sites import Served
from .table import PAGES, Entry
from .views import PICTURES, SCREENSHOTS, picture, watching

SOME = (
    "home",
    "home_ar",
    "history",
    "incident",
    "maintenance",
    "component",
    "subscribe_errors",
    "docs",
)


@pytest.mark.parametrize(
    "entry", [e for e in PAGES if e.name in SOME], ids=lambda entry: entry.name
)
def test_forced_colours_and_paper(
    browser: Browser, find_site: Callable[[str], Served], entry: Entry
) -> None:
    """With forced colours nothing is lost for axe; on paper there are no buttons and all that was collapsed is seen."""
    served = find_site(entry.site)
    with watching(browser, served.root, anew=False) as watched:
        entry.visit(watched, served)
        page = watched.page
        page.emulate_media(forced_colors="active")
        assert checks.accessibility(page) == []
        picture(page, f"{entry.name}-1280-forced-script")
        page.emulate_media(forced_colors="none", media="print")
        page.set_viewport_size({"width": 718, "height": 1000})  # A4 with Chromium's margins
        picture(page, f"{entry.name}-718-print-script")
        if PICTURES:
            paper = SCREENSHOTS / f"{entry.name}-print.pdf"
            page.pdf(path=paper, format="A4", print_background=True)
        assert checks.overflow(page) == []
        shown = page.locator(".sp :is(button, nav, .sp-skip)").filter(visible=True)
        assert [one.evaluate("one => one.outerHTML") for one in shown.all()] == []
        hidden = page.evaluate(
            "() => [...document.querySelectorAll('details > :not(summary)')]"
            ".filter(one => !one.getClientRects().length || one.getBoundingClientRect().height === 0)"
            ".map(one => one.outerHTML.slice(0, 120))"
        )
        assert hidden == []
