"""What a visit costs: requests, bytes, elements, what the script takes, and how still the page is.

How soon a page is there depends on what else the machine does: it is printed, and what it hangs on is asked.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Response

from . import sites
from .figures import Figures
from .sites import Served
from .views import ABROAD, watching

OBSERVE = """
window.measured = {lcp: 0, cls: 0};
window.painted = new Promise(resolve => { window.notePaint = resolve; });
const observe = (type, note) => new PerformanceObserver(list => list.getEntries().forEach(note))
  .observe({type, buffered: true});
observe("largest-contentful-paint", entry => { measured.lcp = entry.startTime; notePaint(); });
observe("layout-shift", entry => { if (!entry.hadRecentInput) measured.cls += entry.value; });
"""
PAINTED = """
() => Promise.race([
  painted, new Promise((_, refuse) => setTimeout(() => refuse(new Error("no largest paint")), 20_000)),
])
"""
BLOCKING = """
() => performance.getEntriesByType("resource")
  .filter(one => one.renderBlockingStatus === "blocking").map(one => one.name)
"""
QUIET = 700
"""Milliseconds after the load for what comes late, such as what a script changes."""


@pytest.fixture(scope="module")
def large(migrated: Path, folder: Path) -> Iterator[Served]:
    """A page of 60 services."""
    database, known = sites.filled(migrated, folder, services=60)
    with sites.running(sites.made(database, folder, "large"), known) as served:
        yield served


def zipped(response: Response) -> int:
    """What the answer weighs on the wire. Files, which a server in front compresses, as it does by default."""
    if response.headers.get("content-encoding") == "gzip":
        return response.request.sizes()["responseBodySize"]
    return len(gzip.compress(response.body(), 6, mtime=0))


@dataclass
class Weighed:
    """Everything that came with a first visit: compressed bytes by URL, and how many elements the page has."""

    sizes: dict[str, int]
    elements: int

    def kilobytes(self, ending: str = "") -> float:
        found = (size for url, size in self.sizes.items() if url.partition("?")[0].endswith(ending))
        return sum(found) / 1024


def weighed(browser: Browser, served: Served) -> Weighed:
    found: list[Response] = []
    with watching(browser, served.root) as watched:
        watched.page.on("response", lambda response: found.append(response))
        watched.page.goto(served.url("/"), wait_until="networkidle")
        sizes = {response.url: zipped(response) for response in found}
        assert len(sizes) == len(found), "something was asked for twice"
        assert watched.complaints == []
        return Weighed(sizes, watched.page.evaluate("document.querySelectorAll('*').length"))


def test_requests_and_bytes(browser: Browser, busy: Served, figures: Figures) -> None:
    """A first visit asks four times at most, only this site, for 20 KB at most; stylesheet and script are small."""
    home = weighed(browser, busy)
    assert home.kilobytes(".css") > 0
    figures.note("requests of a first visit", len(home.sizes), most=4)
    figures.note("first visit, compressed", home.kilobytes(), most=20, unit="KB")
    figures.note("all .css, compressed", home.kilobytes(".css"), most=6, unit="KB")
    figures.note("all .js, compressed", home.kilobytes(".js"), most=4, unit="KB")
    figures.check(home.sizes)


def test_sixty_services(browser: Browser, large: Served, figures: Figures) -> None:
    """A page of 60 services with 90 days of history comes with 45 KB at most."""
    home = weighed(browser, large)
    figures.note("first visit, 60 services, compressed", home.kilobytes(), most=45, unit="KB")
    figures.note("elements, 60 services", home.elements, most=5000)
    figures.check(home.sizes)


@pytest.mark.parametrize("zone", ["UTC", ABROAD], ids=["at-home", "abroad"])
@pytest.mark.parametrize("width", [1280, 390])
def test_stillness(browser: Browser, busy: Served, figures: Figures, width: int, zone: str) -> None:
    """The page has few elements, stays where it is, and waits for nothing but its stylesheet to be shown."""
    view = {"width": width, "height": 900}
    with watching(browser, busy.root, viewport=view, timezone_id=zone) as watched:
        page = watched.page
        page.add_init_script(OBSERVE)
        page.goto(busy.url("/"), wait_until="load")
        # Not by `wait_for_function`, which evaluates a string again and again: the page's policy forbids that.
        page.evaluate(PAINTED)
        page.wait_for_timeout(QUIET)
        run = page.evaluate("measured")
        nodes = page.evaluate("document.querySelectorAll('*').length")
        blocking = page.evaluate(BLOCKING)
    assert [url.partition("?")[0].rpartition("/")[2] for url in blocking] == ["statuspage.css"]
    figures.note(f"elements, {width} px, {zone}", nodes, most=1500)
    figures.note(f"CLS, {width} px, {zone}", run["cls"], most=0.02)
    figures.tell(f"LCP, {width} px, {zone}", run["lcp"], unit="ms")
    figures.check(run)


def test_the_script_is_cheap(browser: Browser, busy: Served, figures: Figures) -> None:
    """With the script the browser works at most three times as long on the page, in processor time, as without it."""
    # Taken by turns, the best of each: what else the machine does meanwhile lengthens both.
    runs = [
        (worked(browser, busy, script=True), worked(browser, busy, script=False)) for _ in "123"
    ]
    most, least = (min(times) for times in zip(*runs, strict=True))
    assert least > 0
    figures.note("work with the script, of that without", most / least, most=3)
    figures.tell("work of a first visit", most * 1000, unit="ms")
    figures.check(runs)


def worked(browser: Browser, served: Served, *, script: bool) -> float:
    """Seconds of processor time that the page's thread needs until it is quiet, for a reader abroad."""
    with watching(browser, served.root, script=script, timezone_id=ABROAD) as watched:
        watched.devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        watched.page.goto(served.url("/"), wait_until="load")
        watched.page.wait_for_timeout(QUIET)
        found = watched.devtools.send("Performance.getMetrics")["metrics"]
    return float({one["name"]: one["value"] for one in found}["TaskDuration"])
