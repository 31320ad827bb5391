"""Inside sites with a stylesheet of their own: ours is seen as it is meant, and changes nothing of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from . import checks, sites
from .figures import Figures
from .scenario import Known
from .sites import Served
from .views import CORNERS, SCHEMES, VIEWS, picture, show, watching

HOSTS = ("bootstrap", "pico", "simple")
PATHS: dict[str, Callable[[Served], str]] = {
    "home": lambda served: served.url("/"),
    "incident": lambda served: served.url(f"/incidents/{served.known.incidents['open']}"),
    "subscribe": lambda served: served.url("/subscribe"),
    "component": lambda served: served.url("/components/service-0"),
}
DIFFERENCES = 10
"""How many pairs of element and property a host may change in our page."""

# What is computed for the elements that the selector names, but for custom properties, which no rule of the other side
# asks for. Not what a browser makes of it: a margin of `auto` is as wide as what stands beside it lets it be. A length
# is as it was if it is as many pixels, or as large in parts of the root's font size, which is the host's.
KEEP = """
([selector, names]) => {
  const root = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const look = element => {
    const style = element.computedStyleMap();
    const wanted = names.length ? names : [...style.keys()].filter(name => !name.startsWith("--"));
    return new Map(wanted.map(name => [name, String(style.getAll(name))]));
  };
  window.kept ??= [];
  kept.push({root, looks: [...document.querySelectorAll(selector)].map(element => [element, look(element)])});
  return kept.at(-1).looks.length;
}
"""
# The last two looks: what differs, by element and property, with the first two values that do.
DIFFERENCES_OF = """
() => {
  const [one, other] = kept.splice(-2), found = {};
  const inRoot = (text, {root}) => /^-?[\\d.]+px$/.test(text) ? (parseFloat(text) / root).toFixed(3) : text;
  one.looks.forEach(([element, style], place) => {
    if (element !== other.looks[place][0]) throw Error(`not the same elements: ${element.outerHTML}`);
    const word = [element.tagName.toLowerCase(), ...[...element.classList].slice(0, 1)].join(".");
    for (const [name, value] of style) {
      const then = other.looks[place][1].get(name);
      if (value !== then && inRoot(value, one) !== inRoot(then, other)) found[`${word} ${name}`] ??= [value, then];
    }
  });
  return found;
}
"""
SWITCH = """
([selector, disabled]) => {
  const sheets = [...document.querySelectorAll(`link[rel=stylesheet]${selector}`)];
  for (const sheet of sheets) sheet.disabled = disabled;
  return sheets.length;
}
"""
OURS, THEIRS = "[href*='statuspage']", "[href*='/vendor/']"
"""The stylesheets of either side."""

OUR_ELEMENTS = ".sp-content *"
LOOKS = [
    *("color", "background-color", "background-image", "box-shadow", "opacity", "text-transform"),
    *("font-size", "font-weight", "font-style", "font-family", "line-height", "letter-spacing"),
    *("margin-top", "margin-bottom", "margin-left", "margin-right"),
    *("padding-top", "padding-bottom", "padding-left", "padding-right"),
    *("border-top-width", "border-bottom-width", "border-top-color", "border-top-left-radius"),
    *("text-decoration-line", "list-style-type", "display", "position", "appearance"),
    *("width", "max-width", "height", "vertical-align", "overflow-x", "overflow-wrap"),
    *("fill", "fill-rule", "stroke", "stroke-width", "stroke-dasharray", "d"),
]
RULES = [
    "svg { fill: red; stroke: red; width: 100%; height: 9em; display: block; margin: 1em }",
    "path { fill: red; stroke: red; stroke-width: 9; opacity: .5; transform: scale(2) }",
    "svg path, svg * { fill: red; d: path('M0 0H9'); display: none }",
    "h3, p, a, li { text-transform: uppercase; margin: 5px; float: left; color: red }",
    "* { letter-spacing: 3px; box-sizing: content-box; line-height: 3 }",
    "@layer base { svg { fill: red; display: block } path { fill: red; stroke: red } }",
]
EVERYTHING = "body, body *"
OUTSIDE = "body, body > header, body > header *, main, main > h1, body > footer, body > footer *"


@pytest.fixture(scope="module")
def find_host(scenario: tuple[Path, Known], folder: Path) -> Iterator[Callable[[str], Served]]:
    """Starts the busy site inside a host's base template, when it is first asked for."""
    database, known = scenario
    with ExitStack() as stack:

        @cache
        def find(name: str) -> Served:
            config = {"STATUSPAGE_BASE_TEMPLATE": f"{name}.html", "STATUSPAGE_HEADING_LEVEL": 2}
            site = sites.made(database, folder, f"in-{name}", **config)
            return stack.enter_context(sites.running(site, known))

        yield find


@pytest.mark.parametrize("where", PATHS)
@pytest.mark.parametrize("host", HOSTS)
def test_accessible_inside_a_host(
    browser: Browser, find_host: Callable[[str], Served], host: str, where: str
) -> None:
    """The whole page, the host's parts too, has no axe violation, no overflow and no error, wide and narrow."""
    served = find_host(host)
    with watching(browser, served.root, anew=False) as watched:
        page = watched.page
        page.goto(PATHS[where](served))
        assert page.locator("h1").count() == 1
        assert page.locator("main").count() == 1
        for width, scheme in (view for view in VIEWS if view[0] != 390):
            show(page, width, scheme)
            picture(page, f"in-{host}-{where}-{width}-{scheme}-script")
            assert checks.overflow(page) == [], (width, scheme)
            if (width, scheme) in CORNERS:
                assert checks.accessibility(page) == [], (width, scheme)
            elif scheme == "dark":
                assert checks.colours(page) == [], (width, scheme)
        assert watched.complaints == []


@pytest.mark.parametrize("host", HOSTS)
def test_the_host_keeps_its_looks(
    browser: Browser, find_host: Callable[[str], Served], host: str
) -> None:
    """With our stylesheet and without it, no computed property of any element of the host's differs."""
    served = find_host(host)
    pages = [
        (f"{served.root}/sample/{host}", EVERYTHING, 40),
        (served.url("/"), OUTSIDE, 6),
    ]
    with watching(browser, served.root, anew=False) as watched:
        page = watched.page
        for url, elements, least in pages:
            page.goto(url)
            for scheme in SCHEMES:
                show(page, 1280, scheme)
                found = changed(page, elements, lambda: switch(page, OURS, on=False), least=least)
                assert found == {}, scheme
                switch(page, OURS, on=True)


@pytest.mark.parametrize("host", HOSTS)
def test_ours_keeps_its_looks(
    browser: Browser, find_host: Callable[[str], Served], figures: Figures, host: str
) -> None:
    """With the host's stylesheet and without it, hardly anything that a visitor sees of our pages differs."""
    served = find_host(host)
    found: dict[str, dict[str, tuple[str, str]]] = {scheme: {} for scheme in SCHEMES}
    with watching(browser, served.root, anew=False) as watched:
        page = watched.page
        for path in PATHS.values():
            page.goto(path(served))
            for scheme in SCHEMES:
                show(page, 1280, scheme)
                found[scheme] |= changed(
                    page, OUR_ELEMENTS, lambda: switch(page, THEIRS, on=False), names=LOOKS
                )
                switch(page, THEIRS, on=True)
    for scheme, pairs in found.items():
        figures.note(f"pairs that {host} changes, {scheme}", len(pairs), most=DIFFERENCES)
    figures.check(found)


@pytest.mark.parametrize("where", ["home", "component"])
def test_rules_for_elements_do_not_reach_ours(
    browser: Browser, find_host: Callable[[str], Served], where: str
) -> None:
    """What a host says of elements, drawings among them, changes nothing of ours."""
    served = find_host(HOSTS[0])
    with watching(browser, served.root, anew=False) as watched:
        page = watched.page
        page.goto(PATHS[where](served))
        for rules in RULES:
            found = changed(page, OUR_ELEMENTS, lambda: first_in_head(page, rules), names=LOOKS)  # noqa: B023
            assert found == {}, rules
            page.evaluate("document.head.firstElementChild.remove()")


def test_a_leak_would_be_seen(browser: Browser, find_host: Callable[[str], Served]) -> None:
    """A rule that reaches beyond our elements, or one of the host's that reaches into them, is found."""
    served = find_host("simple")
    with watching(browser, served.root, anew=False) as watched:
        page = watched.page
        page.goto(f"{served.root}/sample/simple")
        reaching = "strong { font-weight: 650 }"
        found = changed(page, EVERYTHING, lambda: page.add_style_tag(content=reaching))
        assert set(found) == {"strong font-weight"}
        page.goto(served.url("/"))
        reaching = "h3 { text-transform: uppercase !important }"
        found = changed(page, OUR_ELEMENTS, lambda: first_in_head(page, reaching), names=LOOKS)
        assert any(pair.endswith(" text-transform") for pair in found)
        assert all(pair.split()[1] == "text-transform" for pair in found)


def changed(
    page: Page,
    elements: str,
    change: Callable[[], object],
    *,
    names: Sequence[str] = (),
    least: int = 30,
) -> dict[str, tuple[str, str]]:
    """What *change* changes for *elements*, of which there are *least* or more.

    :param names: of the properties that are looked at; none: all.
    """
    assert page.evaluate(KEEP, [elements, names]) >= least
    change()
    page.evaluate(KEEP, [elements, names])
    found: dict[str, tuple[str, str]] = page.evaluate(DIFFERENCES_OF)
    return found


def switch(page: Page, sheets: str, *, on: bool) -> None:
    """The stylesheets that *sheets* names, on or off."""
    assert page.evaluate(SWITCH, [sheets, not on]) > 0


def first_in_head(page: Page, rules: str) -> None:
    """A stylesheet of the host's, which comes before ours."""
    page.evaluate(
        "rules => { const style = document.createElement('style');"
        " style.append(rules); document.head.prepend(style); }",
        rules,
    )
