"""Status badges: small SVG pictures with a label and a value, in words and in colour.

One for the page as a whole, and for one component its status, its uptime and its response time.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ..domain.status import ComponentStatus
from ..errors import Invalid
from .document import Parameter, whole_number
from .snapshot import ComponentState, Snapshot
from .text_metrics import text_width

MAX_DAYS = 366
"""The longest window that a site can set."""

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
NO_DATA = "no data"
NOT_SHOWN = "not shown"

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
FIGURE_COLOUR = "#0b57c2"
"""For a figure that is neither good nor bad by itself."""
TEXT_COLOUR = "#ffffff"

# Over 90 days 99.9 percent are two hours of outage, 99 percent are most of a day, 95 percent four and a half days.
UPTIME_STEPS = (
    (99.9, ComponentStatus.OPERATIONAL),
    (99.0, ComponentStatus.DEGRADED_PERFORMANCE),
    (95.0, ComponentStatus.PARTIAL_OUTAGE),
    (0.0, ComponentStatus.MAJOR_OUTAGE),
)
"""From which percentage on an uptime is shown in the colour of which status."""

_HEIGHT = 20
_PADDING = 7.0

# What XML 1.0 cannot hold, and the marks that would turn the order of the text around.
_UNPRINTABLE = re.compile(
    "[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


def badge(snapshot: Snapshot, *, label: str | None = None, style: str = "flat") -> bytes:
    """The status of *snapshot*'s page as an SVG document in UTF-8.

    :param label: the left part; the page's name without one. At most :data:`MAX_LABEL` characters.
    :param style: one of :data:`STYLES`.
    :raises Invalid: for another style or a longer label.
    """
    left = _read_label(label) or _cut(snapshot.page.name)
    return _drawn(_status_badge(left, snapshot.status), style)


def component_status(snapshot: Snapshot, *, label: str | None = None, style: str = "flat") -> bytes:
    """The status of *snapshot*'s component; *label*, *style* and errors as for :func:`badge`.

    Without a label the left part is the component's name.
    """
    component = _focus(snapshot)
    left = _read_label(label) or _cut(component.fact.name)
    return _drawn(_status_badge(left, component.status), style)


def component_uptime(
    snapshot: Snapshot, *, days: int | None = None, label: str | None = None, style: str = "flat"
) -> bytes:
    """The uptime of *snapshot*'s component over the last *days* as "99.98%"; *label* and *style* as for :func:`badge`.

    Without a label the left part is "uptime 90d": short enough for a row of badges. Who cannot see that row is told the
    component's name as well. A component whose uptime the page does not show has none here either.

    :param days: from 1 to ``snapshot.uptime_days``; that many without it.
    :raises Invalid: for other days, too.
    """
    component = _focus(snapshot)
    days = snapshot.uptime_days if days is None else days
    if not 1 <= days <= snapshot.uptime_days:
        message = f"Use a whole number from 1 to {snapshot.uptime_days}: so many days are kept."
        raise Invalid.field("days", message)
    percent = snapshot.uptime_over(component, days) if component.fact.showcase else None
    if percent is None:
        value = NO_DATA if component.fact.showcase else NOT_SHOWN
        status = ComponentStatus.UNKNOWN
    else:
        value = "100%" if percent == 100 else f"{percent:.2f}%"
        status = next(status for least, status in UPTIME_STEPS if percent >= least)
    return _drawn(_figure_badge(component, label, f"uptime {days}d", value, COLOURS[status]), style)


def component_response(
    snapshot: Snapshot, *, label: str | None = None, style: str = "flat"
) -> bytes:
    """The latest response time of *snapshot*'s component, as "245 ms" or "1.2 s"; else as :func:`component_uptime`.

    Its colour says nothing of good or bad: what is slow for one service is fast for another.
    """
    component = _focus(snapshot)
    if component.response_ms is None:
        value, colour = NO_DATA, COLOURS[ComponentStatus.UNKNOWN]
    else:
        value, colour = _duration(component.response_ms), FIGURE_COLOUR
    return _drawn(_figure_badge(component, label, "response time", value, colour), style)


@dataclass(frozen=True, kw_only=True)
class _Badge:
    """``about`` names the component for screen readers where the label does not."""

    label: str
    value: str
    colour: str
    about: str = ""

    @property
    def name(self) -> str:
        return f"{self.about}, {self.label}: {self.value}".removeprefix(", ")


@dataclass(frozen=True)
class _Part:
    text: str

    @property
    def text_width(self) -> float:
        return round(text_width(self.text), 1)

    @property
    def width(self) -> int:
        return round(self.text_width + 2 * _PADDING)


def _focus(snapshot: Snapshot) -> ComponentState:
    if snapshot.focus is None:
        raise ValueError("This badge is about one component: pass snapshot.about(component).")
    return snapshot.focus


def _status_badge(label: str, status: ComponentStatus) -> _Badge:
    return _Badge(label=label, value=WORDS[status], colour=COLOURS[status])


def _figure_badge(
    component: ComponentState, label: str | None, default: str, value: str, colour: str
) -> _Badge:
    own = _read_label(label)
    about = "" if own else _cut(component.fact.name)
    return _Badge(label=own or default, value=value, colour=colour, about=about)


def _duration(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _drawn(badge: _Badge, style: str) -> bytes:
    radius = STYLES[_read_style(style)]
    left, right = _Part(badge.label), _Part(badge.value)
    width = left.width + right.width
    corner = f"a{radius} {radius} 0 0 1 "
    upright = _HEIGHT - 2 * radius
    # No element has an id, so that several badges can stand inside one HTML document.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}" '
        f'viewBox="0 0 {width} {_HEIGHT}" role="img" aria-label={quoteattr(badge.name)}>'
        f"<title>{escape(badge.name)}</title>"
        f'<path fill="{LABEL_COLOUR}" d="M{left.width} {_HEIGHT}H{radius}{corner}-{radius}-{radius}'
        f'v-{upright}{corner}{radius}-{radius}H{left.width}z"/>'
        f'<path fill="{badge.colour}" d="M{left.width} 0h{right.width - radius}{corner}{radius} {radius}'
        f'v{upright}{corner}-{radius} {radius}H{left.width}z"/>'
        f'<g aria-hidden="true" fill="{TEXT_COLOUR}" font-size="11" text-anchor="middle" '
        'font-family="Verdana,DejaVu Sans,Geneva,sans-serif">'
        f"{_text(left, 0)}{_text(right, left.width)}</g></svg>"
    ).encode()


def _text(part: _Part, start: int) -> str:
    # By its middle, as a text that runs from right to left starts at its other end.
    direction = ' direction="rtl"' if _runs_leftwards(part.text) else ""
    return (
        f'<text x="{start + part.width / 2}" y="14"{direction} textLength="{part.text_width}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(part.text)}</text>'
    )


def _runs_leftwards(text: str) -> bool:
    """By the first letter, as HTML's ``dir="auto"`` has it."""
    strong = (unicodedata.bidirectional(character) for character in text)
    return next((kind for kind in strong if kind in ("L", "R", "AL")), "L") != "L"


def _cut(name: str) -> str:
    """*name* as a label."""
    text = _printable(name)
    if not text_width(text):
        return "status"
    return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 1].rstrip()}…"


def _printable(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def _read_label(text: str | None) -> str | None:
    """The label as it is drawn; None: there is nothing to see in it."""
    if text is None:
        return None
    if len(text) > MAX_LABEL:
        raise Invalid.field("label", f"Use at most {MAX_LABEL} characters.")
    label = _printable(text)
    return label if text_width(label) else None


def _read_style(text: str) -> str:
    if text not in STYLES:
        raise Invalid.field("style", f"Choose one of: {', '.join(STYLES)}.")
    return text


def _read_days(text: str) -> int:
    return whole_number("days", text, MAX_DAYS)


LABEL = Parameter(
    name="label",
    read=_read_label,
    says="The text of the left part.",
    schema={"type": "string", "maxLength": MAX_LABEL},
)
STYLE = Parameter(
    name="style",
    read=_read_style,
    says="The shape: with round or with square corners.",
    schema={"type": "string", "enum": list(STYLES), "default": "flat"},
)
DAYS = Parameter(
    name="days",
    read=_read_days,
    says="The days that the uptime is counted over; without it, and at most, the window that the site has set.",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_DAYS},
)
