"""Mails as Chromium shows them: in the light and in the dark, on a phone, from right to left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from flask_statuspage.delivery.formats import Posting, formats
from flask_statuspage.domain.colours import contrast
from flask_statuspage.domain.events import Event
from flask_statuspage.domain.reader import Reader

from .letters import MANAGE, every_event

LONG = "abcdefghij" * 6
EVENTS = every_event(f"Disks {LONG} `{LONG}` [link](https://example.com)\n\n    {LONG}")

# Each text with the colour that it is written in and the nearest ground behind it.
COLOURS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.hasAttribute("aria-hidden")) continue;
    let ground = element;
    while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
    found.push([text, getComputedStyle(element).color, getComputedStyle(ground).backgroundColor]);
  }
  return found;
}"""


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A phone that is offline."""
    context = browser.new_context(
        color_scheme=request.param, viewport={"width": 360, "height": 640}, offline=True
    )
    yield context.new_page()
    context.close()


def html(fact: Event, locale: str) -> str:
    format = formats["email"]
    assert format.complete is not None
    posting = Posting(retry=0, manage_url=MANAGE, unsubscribe_url="https://status.example.com/u")
    body = format.complete(format.word(fact, Reader(locale=locale)), posting)
    return str(json.loads(body)["html"])


def hexadecimal(colour: str) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_every_text_can_be_read(page: Page, locale: str) -> None:
    """Each text stands out from its ground (WCAG's 4.5), fits the screen and begins at its side; nothing is fetched."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for fact in EVENTS:
        page.set_content(html(fact, locale))
        texts = page.evaluate(COLOURS)
        assert len(texts) >= 5
        for text, colour, ground in texts:
            assert contrast(hexadecimal(colour), hexadecimal(ground)) >= 4.5, (fact.name, text)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, fact.name
        begins = "h => getComputedStyle(h).direction + getComputedStyle(h).textAlign"
        assert page.eval_on_selector("h1", begins) == ("rtlright" if locale == "ar" else "ltrleft")
    assert asked == []
