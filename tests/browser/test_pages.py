"""Every page in every size and colour, with a script and without one, and with text of another size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser

from . import checks
from .sites import Served
from .table import PAGES, Entry
from .validator import Validator
from .views import ABROAD, CORNERS, HEIGHT, VIEWS, Watched, picture, show, watching


@dataclass
class Findings:
    """What is wrong with a page, and where each of that was seen."""

    seen: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, found: Iterable[str], where: str) -> None:
        for what in found:
            self.seen[what].append(where)

    def check(self) -> None:
        told = [f"{what}\n  in {', '.join(where)}" for what, where in self.seen.items()]
        assert not told, "\n".join(told)


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_with_the_script(
    browser: Browser, find_site: Callable[[str], Served], entry: Entry
) -> None:
    """No axe violation, collapsed, open or in the dialog; nothing is too wide, too small or cut off; no complaint."""
    served, findings = find_site(entry.site), Findings()
    with watching(browser, served.root, anew=False, timezone_id=ABROAD) as watched:
        entry.visit(watched, served)
        look_at_views(watched, entry, findings, script=True)
        look_at_details(watched, entry, findings)
        look_at_dialog(watched, entry, findings)
        look_at_text_sizes(watched, findings)
        findings.add(watched.complaints, "always")
    findings.check()


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_without_a_script(
    browser: Browser, find_site: Callable[[str], Served], validator: Validator, entry: Entry
) -> None:
    """The HTML is valid; no axe violation, collapsed or open; nothing is too wide or too small; no complaint."""
    served, findings = find_site(entry.site), Findings()
    with watching(browser, served.root, script=False, anew=False, timezone_id="UTC") as watched:
        html = entry.visit(watched, served).body()
        findings.add(validator.found_in(html), "the HTML")
        look_at_views(watched, entry, findings, script=False)
        look_at_details(watched, entry, findings)
        findings.add(watched.complaints, "always")
    findings.check()


def look_at_views(watched: Watched, entry: Entry, findings: Findings, *, script: bool) -> None:
    """All sizes and colours. What axe says depends on the size, and of the colours only a few of its rules do.

    Without a script the elements are the same in all sizes but for a few, so that axe has two whole looks at them.
    """
    page = watched.page
    boxes: dict[int, Any] = {}
    for width, scheme in CORNERS if entry.variant else VIEWS:
        watched.allow_scripts(script)
        show(page, width, scheme)
        found = [*checks.overflow(page), *checks.small_targets(page)]
        picture(page, f"{entry.name}-{width}-{scheme}-{'script' if script else 'no-script'}")
        watched.allow_scripts(True)
        if width in boxes:
            found += checks.moved(page, since=boxes[width])
        boxes[width] = checks.boxes(page)
        if (script and scheme == "light") or (width, scheme) in CORNERS:
            found += checks.accessibility(page)
        elif scheme == "dark":
            found += checks.colours(page)
        findings.add(found, f"{width} {scheme}")


def look_at_details(watched: Watched, entry: Entry, findings: Findings) -> None:
    """All that is collapsed, opened; of a variant where there is least room."""
    page = watched.page
    if not checks.open_details(page):
        return
    for width, scheme in CORNERS[1:] if entry.variant else CORNERS:
        show(page, width, scheme)
        found = [*checks.overflow(page), *checks.accessibility(page)]
        findings.add(found, f"{width} {scheme}, opened")


def look_at_dialog(watched: Watched, entry: Entry, findings: Findings) -> None:
    """The form for a subscription, where there is a button for it; what is behind it is inert. It is closed again."""
    page = watched.page
    opener = page.locator("main [data-sp-dialog]")
    if not opener.count() or entry.site == "stale":  # there it leads elsewhere, see below
        return
    opener.first.click()
    dialog = page.locator("dialog[open]")
    dialog.wait_for()
    for width, scheme in CORNERS:
        show(page, width, scheme)
        picture(page, f"{entry.name}_dialog-{width}-{scheme}-script")
        found = [*checks.overflow(page), *checks.accessibility(page, within="dialog[open]")]
        findings.add(found, f"{width} {scheme}, dialog")
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


def look_at_text_sizes(watched: Watched, findings: Findings) -> None:
    """At 200 % zoom, with text twice as large and with the spacing of WCAG 1.4.12. The styles stay on the page."""
    page = watched.page

    def look(width: int, how: str) -> None:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        findings.add([*checks.overflow(page), *checks.cut_text(page)], how)

    # As Chromium's zoom does: half as many pixels of CSS.
    look(640, "1280 px, zoom of 200 %")
    look(320, "320 px")
    checks.space_text(page)
    look(320, "320 px, spaced text")
    look(1280, "1280 px, spaced text")
    checks.enlarge_text(page)
    look(1280, "1280 px, large and spaced text")


def test_where_no_form_can_be_had(browser: Browser, stale: Served) -> None:
    """Without a database the button for the dialog leads to the form's page, which says why there is none."""
    with watching(browser, stale.root) as watched:
        page = watched.page
        page.goto(stale.url("/"))
        watched.expected = 503
        with page.expect_navigation() as navigation:
            page.locator("main [data-sp-dialog]").first.click()
        assert navigation.value is not None
        assert navigation.value.status == 503
        assert page.url == stale.url("/subscribe")
        assert page.locator("dialog[open]").count() == 0
        assert page.get_by_role("heading", level=1).count() == 1
        assert watched.complaints == []
