"""What is asked of a page in a browser. Each check returns what is wrong, in words; nothing is right."""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page

from .sites import MODULES

STANDARDS = [
    *("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"),
    "best-practice",
]

COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of these whose verdict depends on colours."""

_AXE = """
async ([context, runOnly]) => {
  const isWhole = runOnly.type === "tag";
  const found = await axe.run(context || document, {
    runOnly, ...isWhole && {rules: {"target-size": {enabled: true}}},
    resultTypes: ["violations"],
    preload: false,  // for a rule that is none of these; it would ask for every stylesheet once more
  });
  return found.violations.map(one => [one.id, one.nodes.map(node => node.html.slice(0, 160))]);
}
"""

# Sticking out at either side; what a box of its own scrolls or hides is that box's affair.
_WIDE = """
() => {
  const root = document.documentElement, width = root.clientWidth;
  if (root.scrollWidth <= width && document.body.scrollWidth <= width) return [];
  const out = [...document.body.querySelectorAll("*")].filter(element => {
    const box = element.getBoundingClientRect();
    return box.width && (box.right > width + 1 || box.left < -1);
  });
  const told = out.map(element => element.outerHTML.slice(0, 120));
  return [`${root.scrollWidth} px in ${width} px`, ...told.slice(-3)];
}
"""

# Text that its own box cuts off. What is hidden from sight on purpose is one pixel large.
_CUT = """
() => [...document.querySelectorAll(".sp *")].filter(element => {
  if (element.clientWidth <= 1 || element instanceof SVGElement) return false;
  const style = getComputedStyle(element);
  const cuts = axis => ["hidden", "clip"].includes(style[`overflow${axis}`]);
  const texts = [...element.querySelectorAll("*"), element].some(inner =>
    [...inner.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()));
  return texts && (
    (cuts("X") && element.scrollWidth > element.clientWidth + 1) ||
    (cuts("Y") && element.scrollHeight > element.clientHeight + 1));
}).map(element => element.outerHTML.slice(0, 160))
"""

# Links in running text may be as high as it is; the others axe measures with the room around them.
_SMALL = """
() => {
  const fields = "button, .sp-button, select, input, textarea";
  return [...document.querySelectorAll(`.sp :is(${fields}, summary)`)].filter(element => {
    if (element.type === "hidden") return false;
    const isChoice = ["checkbox", "radio"].includes(element.type);
    const box = (isChoice && element.closest("label") || element).getBoundingClientRect();
    const isLarge = !isChoice && element.type !== "range" && element.matches(fields);
    return box.width > 1 && (box.width < 24 || box.height < (isLarge ? 44 : 24));
  }).map(element => element.outerHTML.slice(0, 160));
}
"""

_BOXES = """
() => [...document.querySelectorAll(".sp *")].map(element => {
  const box = element.getBoundingClientRect();
  return [element.outerHTML.slice(0, 80), box.x, box.y, box.width, box.height].map(
    one => typeof one === "number" ? Math.round(one) : one);
})
"""

_SPACED = """
() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
    p { margin-block-end: 2em !important; }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
"""

_LARGE = """
() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("html { font-size: 200% !important; }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
"""


@cache
def _axe_source() -> str:
    return (MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def accessibility(page: Page, *, within: str | None = None) -> list[str]:
    """What axe finds against WCAG 2.2 AA and what it calls best practice.

    :param within: a selector; only what it selects is looked at.
    """
    return _asked_axe(page, within, {"type": "tag", "values": STANDARDS})


def colours(page: Page) -> list[str]:
    """What of that depends on colours, for a page that is laid out as one that axe has seen."""
    return _asked_axe(page, None, {"type": "rule", "values": COLOURS})


def boxes(page: Page) -> Any:
    """Where every element of ours is."""
    return page.evaluate(_BOXES)


def moved(page: Page, *, since: Any) -> list[str]:
    """Which elements are not where they were, after a change that should not move any."""
    return [
        f"moved: {html}"
        for (html, *now), (_, *before) in zip(boxes(page), since, strict=True)
        if now != before
    ]


def overflow(page: Page) -> list[str]:
    """Whether one has to scroll sideways, and for what."""
    found = page.evaluate(_WIDE)
    return [f"overflow: {found}"] if found else []


def cut_text(page: Page) -> list[str]:
    return [f"text is cut off: {html}" for html in page.evaluate(_CUT)]


def small_targets(page: Page) -> list[str]:
    """Buttons and fields of less than 44 px, other controls of less than 24 px."""
    return [f"target too small: {html}" for html in page.evaluate(_SMALL)]


def space_text(page: Page) -> None:
    """Set the spacing that WCAG 1.4.12 names."""
    page.evaluate(_SPACED)


def enlarge_text(page: Page) -> None:
    """Make only the text twice as large."""
    page.evaluate(_LARGE)


def open_details(page: Page) -> bool:
    """Open all that is collapsed; whether there is any."""
    opened: bool = page.evaluate(
        "() => { const all = [...document.querySelectorAll('details')]; "
        "for (const one of all) one.open = true; return all.length > 0; }"
    )
    return opened


def _asked_axe(page: Page, within: str | None, rules: dict[str, Any]) -> list[str]:
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_axe_source())
    context: dict[str, Any] | None = {"include": [[within]]} if within else None
    found = page.evaluate(_AXE, [context, rules])
    return [f"axe {name}: {nodes}" for name, nodes in found]
