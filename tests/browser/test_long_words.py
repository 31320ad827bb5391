"""Words without end, as somebody may write them anywhere, on a small screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from flask_statuspage.storage.base import utc_now

from . import checks, sites
from .scenario import Known
from .sites import Served
from .views import picture, show, watching

WORD = "Donaudampfschifffahrt" * 9
"""189 letters without a place to break them."""

PATHS: dict[str, Callable[[Served], str]] = {
    "home": lambda served: served.url("/"),
    "history": lambda served: served.url("/history"),
    "component": lambda served: served.url("/components/long"),
    "incident": lambda served: served.url(f"/incidents/{served.known.incidents['second']}"),
    "maintenance": lambda served: served.url(f"/maintenance/{served.known.maintenances['now']}"),
    "subscribe": lambda served: served.url("/subscribe"),
    "manage": lambda served: served.own_url("manage"),
    "docs": lambda served: served.url("/docs"),
}


@pytest.fixture(scope="module")
def wordy(migrated: Path, folder: Path) -> Iterator[Served]:
    """A site of one service, in which every name and text is one word."""
    site, known = sites.made(migrated, folder, "wordy", STATUSPAGE_PAGE_NAME=WORD), Known()
    group = site.made("/component-groups", name=WORD, description=WORD)
    site.made("/components", name=WORD, description=WORD, slug="long", group=group["id"])
    site.made("/components", name=f"{WORD}s", slug="alone")
    event = {"title": WORD, "body": f"{WORD}\n\n`{WORD}`\n\n* {WORD}"}
    for name in ("first", "second", "third"):
        made = site.made("/incidents", impact="major", components={"long": "major_outage"}, **event)
        known.incidents[name] = made["id"]
        if name != "third":
            site.made(f"/incidents/{made['id']}/updates", status="resolved", body=WORD)
    start = utc_now().replace(microsecond=0)
    window = {
        "scheduled_start": start.isoformat(),
        "scheduled_end": (start + timedelta(hours=1)).isoformat(),
    }
    made = site.made("/maintenances", components=["long", "alone"], **window, **event)
    site.made(f"/maintenances/{made['id']}/start", body=WORD)
    known.maintenances["now"] = made["id"]
    with sites.running(site, known) as served:
        yield served


@pytest.mark.parametrize("where", PATHS)
def test_long_words_stay_on_the_screen(browser: Browser, wordy: Served, where: str) -> None:
    """At 320 px nothing has to be scrolled sideways or is cut off, all that is collapsed opened; nor at 1280 px."""
    with watching(browser, wordy.root, anew=False) as watched:
        page = watched.page
        page.goto(PATHS[where](wordy))
        some = page.get_by_label("Only these services")
        if some.count():
            some.check()
        checks.open_details(page)
        for width in (320, 1280):
            show(page, width, "light")
            picture(page, f"long-{where}-{width}-light-script")
            assert [*checks.overflow(page), *checks.cut_text(page)] == [], width
