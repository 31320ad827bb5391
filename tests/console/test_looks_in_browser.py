"""What holds of the looks of all pages of the console, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.console.member import ADMIN
from tests.servers.wsgi import serving
from tests.web.site import Site

SCROLLING = """() => {
    const make = (parent, name, style) => {
        const made = parent.appendChild(document.createElement(name));
        made.className = style || "";
        return made;
    };
    const table = make(make(document.querySelector(".sp-console"), "div", "sp-scroll"), "table", "sp-table");
    const row = make(table, "tr");
    for (let number = 0; number < 12; number += 1) {
        const cell = make(row, "td");
        cell.append("A column of a wide table");
        make(cell, "span", "sp-hidden").append(" of this service");
    }
}"""
"""A table that is wider than a phone, with words for screen readers in its last column."""


@pytest.mark.parametrize("width", [320, 390])
def test_what_scrolls_does_not_widen_the_page(browser: Browser, site: Site, width: int) -> None:
    """Words that are only read out stay within what scrolls."""
    with serving(site.app) as root:
        context = browser.new_context(
            extra_http_headers={"X-Who": ADMIN}, viewport={"width": width, "height": 800}
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.goto(f"{root}/status/admin/")
        page.evaluate(SCROLLING)
        assert page.evaluate("document.querySelector('.sp-scroll').scrollWidth") > width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()
