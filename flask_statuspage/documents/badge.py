"""The status badge: a small SVG with a label and the page's status, in words and in colour."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ..domain.status import ComponentStatus
from ..errors import Invalid
from .snapshot import Snapshot

MAX_LABEL = 80
"""Characters of the longest label that is drawn."""

STYLES = {"flat": 4, "flat-square": 0}
"""Corner radius of each style, in pixels."""

WORDS = {
    ComponentStatus.OPERATIONAL: "operational",
    ComponentStatus.DEGRADED_PERFORMANCE: "degraded performance",
    ComponentStatus.PARTIAL_OUTAGE: "partial outage",
    ComponentStatus.MAJOR_OUTAGE: "major outage",
    ComponentStatus.UNDER_MAINTENANCE: "maintenance",
    ComponentStatus.UNKNOWN: "unknown",
}

# The `solid` colours of the stylesheet: white text on them has a contrast of 6:1 or more.
COLOURS = {
    ComponentStatus.OPERATIONAL: "#146c46",
    ComponentStatus.DEGRADED_PERFORMANCE: "#7a5f00",
    ComponentStatus.PARTIAL_OUTAGE: "#a8430d",
    ComponentStatus.MAJOR_OUTAGE: "#a5122f",
    ComponentStatus.UNDER_MAINTENANCE: "#1f4f9c",
    ComponentStatus.UNKNOWN: "#59616b",
}
LABEL_COLOUR = "#31383f"
TEXT_COLOUR = "#ffffff"

_HEIGHT = 20
_PADDING = 7.0

# Advance widths of U+0020 to U+007E at 11 px, in hundredths of a pixel. Measured in a browser with
# canvas `measureText` and DejaVu Sans, whose widths are close to those of Verdana; `textLength`
# takes up the rest.
# fmt: off
_ASCII = (
    350, 441, 506, 922, 700, 1045, 858, 302, 429, 429, 550, 922, 350, 397, 350, 371, 700, 700, 700,
    700, 700, 700, 700, 700, 700, 700, 371, 371, 922, 922, 922, 584, 1100, 752, 755, 768, 847, 695,
    633, 852, 827, 324, 324, 721, 613, 949, 823, 866, 663, 866, 764, 698, 672, 805, 752, 1088, 754,
    672, 754, 429, 371, 429, 922, 550, 550, 674, 698, 605, 698, 677, 387, 698, 697, 306, 306, 637,
    306, 1072, 697, 673, 698, 698, 452, 573, 431, 697, 651, 900, 651, 651, 577, 700, 371, 700, 922,
)
# fmt: on
_WIDE = 11.0
_OTHER = 7.5

# What XML 1.0 cannot hold, and the marks that would turn the order of the text around.
_UNPRINTABLE = re.compile(
    "[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


def badge(snapshot: Snapshot, *, label: str | None = None, style: str = "flat") -> bytes:
    """The badge of *snapshot*'s page as an SVG document in UTF-8.

    :param label: the left part; the page's name without one. At most :data:`MAX_LABEL` characters.
    :param style: one of :data:`STYLES`.
    :raises Invalid: for another style or a longer label.
    """
    if style not in STYLES:
        raise Invalid.field("style", f"Choose one of: {', '.join(STYLES)}.")
    if label is not None and len(label) > MAX_LABEL:
        raise Invalid.field("label", f"Use at most {MAX_LABEL} characters.")
    left = _Part(_printable(label or "") or _printable(snapshot.page.name)[:MAX_LABEL])
    right = _Part(WORDS[snapshot.status])
    return _drawn(left, right, COLOURS[snapshot.status], STYLES[style]).encode()


def text_width(text: str) -> float:
    """How wide *text* is at 11 px, in pixels."""
    return sum(_advance(character) for character in text)


@dataclass(frozen=True)
class _Part:
    text: str

    @property
    def text_width(self) -> float:
        return round(text_width(self.text), 1)

    @property
    def width(self) -> int:
        return round(self.text_width + 2 * _PADDING)


def _drawn(left: _Part, right: _Part, colour: str, radius: int) -> str:
    width = left.width + right.width
    name = f"{left.text}: {right.text}"
    corner = f"a{radius} {radius} 0 0 1 "
    upright = _HEIGHT - 2 * radius
    # No element has an id, so that several badges can stand inside one HTML document.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}" '
        f'viewBox="0 0 {width} {_HEIGHT}" role="img" aria-label={quoteattr(name)}>'
        f"<title>{escape(name)}</title>"
        f'<path fill="{LABEL_COLOUR}" d="M{left.width} {_HEIGHT}H{radius}{corner}-{radius}-{radius}'
        f'v-{upright}{corner}{radius}-{radius}H{left.width}z"/>'
        f'<path fill="{colour}" d="M{left.width} 0h{right.width - radius}{corner}{radius} {radius}'
        f'v{upright}{corner}-{radius} {radius}H{left.width}z"/>'
        f'<g aria-hidden="true" fill="{TEXT_COLOUR}" font-size="11" '
        'font-family="Verdana,DejaVu Sans,Geneva,sans-serif">'
        f"{_text(left, 0)}{_text(right, left.width)}</g></svg>"
    )


def _text(part: _Part, start: int) -> str:
    x = round(start + (part.width - part.text_width) / 2, 1)
    return (
        f'<text x="{x}" y="14" textLength="{part.text_width}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(part.text)}</text>"
    )


def _printable(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def _advance(character: str) -> float:
    index = ord(character) - 0x20
    if 0 <= index < len(_ASCII):
        return _ASCII[index] / 100
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0.0
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER
