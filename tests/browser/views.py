"""How a page is looked at: the sizes, the colours, with a script and without, and what the browser complains of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, CDPSession, ConsoleMessage, Page, Request

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTHS = (1280, 390, 320)
HEIGHT = 900
VIEWS: list[tuple[int, Scheme]] = [(width, scheme) for width in WIDTHS for scheme in SCHEMES]
CORNERS: list[tuple[int, Scheme]] = [(1280, "light"), (320, "dark")]
"""Two views that have every size and colour between them, for what is unlikely to differ in the others."""

ABROAD = "America/New_York"
"""The zone of a reader whose clock is not the page's, so that the script tells all times anew."""

SCREENSHOTS = Path(__file__).parents[2] / ".screenshots"
PICTURES = bool(os.environ.get("STATUSPAGE_TEST_PICTURES"))
"""Whether pictures are wanted: they take a quarter of the time, and only people look at them."""

_KEPT: WeakKeyDictionary[Browser, dict[str, Page]] = WeakKeyDictionary()


@dataclass
class Watched:
    """A page of a browser, and what it complained of: errors on the console, broken policies, requests elsewhere."""

    page: Page
    root: str
    devtools: CDPSession
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    expected: int = 200

    def allow_scripts(self, allowed: bool) -> None:
        """From now on scripts run or not. Those of a page that was loaded without stay dead, but a checker can work."""
        self.devtools.send("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    def note_message(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        # The browser reports a status that was meant as well, such as that of a form with mistakes.
        if self.expected >= 400 and f"status of {self.expected} " in message.text:
            return
        self.complaints.append(f"console: {message.text[:300]}")

    def note_request(self, request: Request) -> None:
        self.requests.append(request.url)
        if not request.url.startswith((self.root, "blob:", "data:")):
            self.complaints.append(f"asks elsewhere: {request.url}")

    def note_failure(self, request: Request) -> None:
        self.complaints.append(f"failed: {request.url}: {request.failure}")


@contextmanager
def watching(
    browser: Browser, root: str, *, script: bool = True, anew: bool = True, **options: Any
) -> Iterator[Watched]:
    """A visitor of the site at *root*, with JavaScript or without.

    :param anew: in a window of their own. Else in one that was there before, without its cookies but with what the
        browser has read and compiled: most of what a look at a page costs is a new process for it.
    """
    options.setdefault("viewport", {"width": WIDTHS[0], "height": HEIGHT})
    options.setdefault("locale", "en-GB")
    page = _window(browser, options) if anew else _kept_window(browser, options)
    watched = Watched(page, root, page.context.new_cdp_session(page))
    listeners: dict[Any, Any] = {
        "console": watched.note_message,
        "pageerror": lambda error: watched.complaints.append(f"script: {error}"),
        "request": watched.note_request,
        "requestfailed": watched.note_failure,
    }
    if not script:
        # Not by the context's option, which could not be taken back for axe, that needs timers.
        watched.allow_scripts(False)
    for event, listener in listeners.items():
        page.on(event, listener)
    try:
        yield watched
    finally:
        if anew:
            page.context.close()
        else:
            for event, listener in listeners.items():
                page.remove_listener(event, listener)
            watched.devtools.detach()  # which lets scripts run again


def _window(browser: Browser, options: dict[str, Any]) -> Page:
    context = browser.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(20_000)
    return context.new_page()


def _kept_window(browser: Browser, options: dict[str, Any]) -> Page:
    kept, key = _KEPT.setdefault(browser, {}), repr(sorted(options.items()))
    if key not in kept:
        kept[key] = _window(browser, options)
    page = kept[key]
    page.goto("about:blank")
    page.context.clear_cookies()
    page.set_viewport_size(options["viewport"])
    page.emulate_media(media="screen", color_scheme="light", forced_colors="none")
    return page


def show(page: Page, width: int, scheme: Scheme) -> None:
    """Look at the page in that size and colour; it is not loaded again."""
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.emulate_media(color_scheme=scheme)


def picture(page: Page, name: str) -> None:
    """Leave a picture of the whole page, where pictures are wanted."""
    if not PICTURES:
        return
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True, animations="disabled")
