"""The same hostile texts in a real browser: no page runs any of them, and none is stopped by the policy alone."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.console.attack import PAYLOADS, Attack, Vocabulary, public
from tests.console.crawl import Whole, everywhere
from tests.console.member import OWNER
from tests.servers.wsgi import serving

ONE_OF_EACH = 1
"""Pages of each route: what differs within one is looked at without a browser."""


def test_no_page_runs_what_was_typed(browser: Browser, whole: Whole) -> None:
    """Neither a dialog nor a variable of the text's, no picture of its, and nothing that the policy had to stop."""
    whole.restore()
    done = Attack(whole, PAYLOADS["markup"] + PAYLOADS["markdown"], Vocabulary())
    done.forms()
    done.bodies()
    site = whole.site
    urls = list(everywhere(site, most=ONE_OF_EACH).pages) + list(public(site).pages)
    marked = [url for url in urls if "zq" in _text(whole, url)]
    assert len(marked) > 20
    troubles: list[str] = []
    with serving(site.app) as root:
        context = browser.new_context(extra_http_headers={"X-Who": OWNER})
        page = context.new_page()
        page.on("dialog", lambda dialog: (troubles.append("a dialog"), dialog.dismiss()))
        page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
        page.on(
            "console",
            lambda message: (
                troubles.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        page.on(
            "request",
            lambda request: None if request.url.startswith(root) else troubles.append(request.url),
        )
        for url in marked:
            page.goto(root + url)
            for opener in page.locator("summary").all():
                opener.evaluate("one => { one.parentElement.open = true; }")
            if page.evaluate("'__x' in window"):
                troubles.append("the text ran")
            assert troubles == [], url
        context.close()


def _text(whole: Whole, url: str) -> str:
    return whole.site.client.get(url, headers={"X-Who": OWNER}).text
