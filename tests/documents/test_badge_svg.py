"""The badges: well-formed, readable, and honest about what they say and how wide it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flask_statuspage.documents.badge import (
    COLOURS,
    DAYS,
    FIGURE_COLOUR,
    LABEL,
    LABEL_COLOUR,
    STYLE,
    STYLES,
    TEXT_COLOUR,
    badge,
    component_response,
    component_status,
    component_uptime,
)
from flask_statuspage.documents.document import Parameter
from flask_statuspage.documents.snapshot import Snapshot
from flask_statuspage.documents.text_metrics import text_width
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.uptime import Interval
from flask_statuspage.errors import Invalid

from .conftest import NOW, PACKAGE, component_state, page_fact, snapshot_of

SVG = "{http://www.w3.org/2000/svg}"
WORDS = {
    "operational": "operational",
    "degraded_performance": "degraded performance",
    "partial_outage": "partial outage",
    "major_outage": "major outage",
    "under_maintenance": "maintenance",
    "unknown": "unknown",
}

BADGES = [badge, component_status, component_uptime, component_response]
# Surrogates, controls, marks and noncharacters included.
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=80)


def about(lost: timedelta | None = timedelta(), name: str = "API", **changes: Any) -> Snapshot:
    """A component that was down for *lost*, 50 days ago; None: nothing is known of it at all."""
    history: tuple[Interval, ...] = ()
    if lost is not None:
        begin = NOW - timedelta(days=50)
        history = (
            Interval(ComponentStatus.OPERATIONAL, NOW - timedelta(days=200), begin),
            Interval(ComponentStatus.MAJOR_OUTAGE, begin, begin + lost),
            Interval(ComponentStatus.OPERATIONAL, begin + lost),
        )
    state = component_state(1, name, history=history, **changes)
    other = component_state(2, "Other", ComponentStatus.MAJOR_OUTAGE)
    return snapshot_of(state, other).about(state)


def seen(svg: bytes) -> tuple[str, str, str]:
    """The two texts of a badge and the colour behind the second."""
    root = ElementTree.fromstring(svg)
    label, value = (text.text or "" for text in root.iter(f"{SVG}text"))
    return label, value, [path.attrib["fill"] for path in root.iter(f"{SVG}path")][1]


def named(svg: bytes) -> str:
    """What screen readers say."""
    root = ElementTree.fromstring(svg)
    title = root.findtext(f"{SVG}title")
    assert title == root.get("aria-label")
    return title or ""


def drawn(**options: str) -> ElementTree.Element:
    return ElementTree.fromstring(badge(snapshot_of(), **options))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("status", list(ComponentStatus))
@pytest.mark.parametrize("style", ["flat", "flat-square"])
def test_status_in_words_and_contrast(status: ComponentStatus, style: str) -> None:
    """Every status is written out, for eyes and screen readers, on a ground with AA contrast."""
    svg = ElementTree.fromstring(badge(snapshot_of(status=status), style=style))
    name = f"FacioTech Status: {WORDS[status]}"
    assert (svg.get("role"), svg.get("aria-label")) == ("img", name)
    assert svg.findtext(f"{SVG}title") == name
    label, word = svg.iter(f"{SVG}text")
    assert (label.text, word.text) == ("FacioTech Status", WORDS[status])
    grounds = [path.attrib["fill"] for path in svg.iter(f"{SVG}path")]
    ink = svg.findall(f"{SVG}g")[0].attrib["fill"]
    assert len(grounds) == 2
    assert min(contrast(ink, ground) for ground in grounds) >= 4.5


def test_colours_are_those_of_the_stylesheet() -> None:
    """The badge and the banner show a status in the same colour."""
    css = (PACKAGE / "static/statuspage.css").read_text()
    tones = {"operational", "degraded", "partial", "major", "maintenance", "unknown"}
    in_css = {tone: re.search(rf"--sp-{tone}-solid: (#\w+)", css).group(1) for tone in tones}  # type: ignore[union-attr]
    in_badge = {
        re.sub("under_|_.*", "", status): re.findall(
            r'fill="(#\w+)"', badge(snapshot_of(status=status)).decode()
        )[1]
        for status in ComponentStatus
    }
    assert in_badge == in_css
    assert f"--sp-primary: {FIGURE_COLOUR};" in css


def test_styles_differ_in_their_corners() -> None:
    """``flat`` is rounded, ``flat-square`` is not; nothing else differs."""
    round_path, square_path = (
        drawn(style=style)[1].attrib["d"] for style in ("flat", "flat-square")
    )
    assert "a4 4" in round_path
    assert "a0 0" in square_path
    assert drawn(style="flat").get("width") == drawn(style="flat-square").get("width")


def test_label_is_escaped_and_cleaned() -> None:
    """Markup in a label stays text; characters that XML cannot hold are dropped."""
    label = '"><script>alert(1)</script>&\x00\x1b\ud800\u202e'
    svg = drawn(label=label)
    assert next(svg.iter(f"{SVG}text")).text == '"><script>alert(1)</script>&'
    assert svg.get("aria-label") == '"><script>alert(1)</script>&: operational'
    assert [element.tag for element in svg.iter() if "script" in element.tag] == []


def test_long_names_of_pages_are_cut() -> None:
    """A page may have a longer name than a label may be; its badge is drawn all the same."""
    snapshot = replace(snapshot_of(), page=page_fact(name="n" * 200))
    svg = ElementTree.fromstring(badge(snapshot))
    assert next(svg.iter(f"{SVG}text")).text == "n" * 79 + "…"
    assert seen(component_status(about(name="n" * 80)))[0] == "n" * 80


def test_empty_label_falls_back_to_the_name() -> None:
    """A label of nothing that can be seen would be a badge that says nothing."""
    for label in ("", "  ", "\u200b\u200d", "\u0301"):
        assert next(drawn(label=label).iter(f"{SVG}text")).text == "FacioTech Status"
    assert seen(component_status(about(name="\u200b")))[0] == "status"


@pytest.mark.parametrize(
    ("options", "field"),
    [({"style": "for-the-badge"}, "style"), ({"label": "x" * 81}, "label")],
)
def test_refused_options(options: dict[str, str], field: str) -> None:
    """Another style or a longer label is refused by name."""
    with pytest.raises(Invalid) as caught:
        badge(snapshot_of(), **options)
    assert [error.field for error in caught.value.errors] == [field]


def test_longest_label_is_drawn() -> None:
    """Eighty characters are still allowed."""
    assert next(drawn(label="x" * 80).iter(f"{SVG}text")).text == "x" * 80


def test_width_follows_the_text() -> None:
    """Both parts hold their text; wide and combining characters are measured as such."""
    svg = drawn(label="Wide status")
    label, word = svg.iter(f"{SVG}text")
    widths = [float(text.attrib["textLength"]) for text in (label, word)]
    assert widths == [
        pytest.approx(text_width(t), abs=0.05) for t in ("Wide status", "operational")
    ]
    assert int(svg.attrib["width"]) == round(widths[0] + 14) + round(widths[1] + 14)


@pytest.mark.parametrize("status", list(ComponentStatus))
def test_status_of_a_component(status: ComponentStatus) -> None:
    """A component's badge says its own name and status, not the page's."""
    svg = component_status(about(status=status, name="API Gateway"))
    assert seen(svg) == ("API Gateway", WORDS[status], COLOURS[status])
    assert named(svg) == f"API Gateway: {WORDS[status]}"
    assert seen(component_status(about(status=status), label="v2"))[:2] == ("v2", WORDS[status])


@pytest.mark.parametrize(
    ("lost", "value", "status"),
    [
        (timedelta(0), "100%", "operational"),
        (timedelta(microseconds=1), "99.99%", "operational"),
        (timedelta(hours=2), "99.90%", "operational"),
        (timedelta(hours=2.2), "99.89%", "degraded_performance"),
        (timedelta(hours=21.6), "99.00%", "degraded_performance"),
        (timedelta(hours=21.7), "98.99%", "partial_outage"),
        (timedelta(days=4.5), "95.00%", "partial_outage"),
        (timedelta(days=4.51), "94.98%", "major_outage"),
        (timedelta(days=50), "44.44%", "major_outage"),
        (None, "no data", "unknown"),
    ],
)
def test_uptime_of_a_component(lost: timedelta | None, value: str, status: str) -> None:
    """The figure is floored, 100 only without any outage, and coloured by steps; nothing observed is no figure."""
    svg = component_uptime(about(lost, name="API Gateway"))
    assert seen(svg) == ("uptime 90d", value, COLOURS[ComponentStatus(status)])
    assert named(svg) == f"API Gateway, uptime 90d: {value}"


def test_all_lost_is_a_figure() -> None:
    """Nought percent is a measurement, unlike no data."""
    down = (Interval(ComponentStatus.MAJOR_OUTAGE, NOW - timedelta(days=3)),)
    state = component_state(1, "API", history=down)
    svg = component_uptime(snapshot_of(state).about(state))
    assert seen(svg)[1:] == ("0.00%", COLOURS[ComponentStatus.MAJOR_OUTAGE])


def test_uptime_over_days() -> None:
    """Only the last days count that were asked for, and the label says how many."""
    snapshot = about(timedelta(days=1))
    assert seen(component_uptime(snapshot, days=90))[:2] == ("uptime 90d", "98.88%")
    assert seen(component_uptime(snapshot, days=60))[:2] == ("uptime 60d", "98.33%")
    assert seen(component_uptime(snapshot, days=7))[:2] == ("uptime 7d", "100%")
    assert seen(component_uptime(replace(snapshot, uptime_days=30)))[:2] == ("uptime 30d", "100%")
    assert seen(component_uptime(snapshot, days=7, label="last week"))[0] == "last week"


@pytest.mark.parametrize("days", [-1, 0, 31, 10**12])
def test_days_outside_the_window(days: int) -> None:
    """More days than are kept, or none, are refused by name, and the message tells the window."""
    with pytest.raises(Invalid) as caught:
        component_uptime(replace(about(), uptime_days=30), days=days)
    assert [(e.field, "1 to 30" in e.message) for e in caught.value.errors] == [("days", True)]


@pytest.mark.parametrize("lost", [timedelta(0), timedelta(days=4), None])
def test_uptime_that_the_page_does_not_show(lost: timedelta | None) -> None:
    """Where the page hides an uptime its badge gives nothing away, neither by figure nor by colour."""
    svg = component_uptime(about(lost, showcase=False))
    assert seen(svg) == ("uptime 90d", "not shown", COLOURS[ComponentStatus.UNKNOWN])
    assert svg == component_uptime(about(timedelta(days=1), showcase=False))


@pytest.mark.parametrize(
    ("milliseconds", "value", "colour"),
    [
        (0, "0 ms", FIGURE_COLOUR),
        (245, "245 ms", FIGURE_COLOUR),
        (999, "999 ms", FIGURE_COLOUR),
        (1000, "1.0 s", FIGURE_COLOUR),
        (1234, "1.2 s", FIGURE_COLOUR),
        (None, "no data", COLOURS[ComponentStatus.UNKNOWN]),
    ],
)
def test_response_of_a_component(milliseconds: int | None, value: str, colour: str) -> None:
    """Milliseconds below a second, seconds from there; never a figure where none was measured."""
    svg = component_response(about(response_ms=milliseconds, name="API Gateway"))
    assert seen(svg) == ("response time", value, colour)
    assert named(svg) == f"API Gateway, response time: {value}"


def test_own_label_names_alone() -> None:
    """Who gives a label has chosen what the badge is called: nothing is put in front of it."""
    assert named(component_uptime(about(), label="API v2")) == "API v2: 100%"
    assert named(component_response(about(), label="API v2")) == "API v2: 245 ms"


@pytest.mark.parametrize("draw", BADGES[1:])
def test_badges_of_a_component_need_one(draw: Callable[..., bytes]) -> None:
    """A snapshot of the whole page is a mistake of the caller, which is told as such."""
    with pytest.raises(ValueError, match="about"):
        draw(snapshot_of(component_state(1, "API")))


@pytest.mark.parametrize("draw", BADGES)
@pytest.mark.parametrize(
    ("options", "field"), [({"style": "plastic"}, "style"), ({"label": "x" * 81}, "label")]
)
def test_every_badge_refuses(
    draw: Callable[..., bytes], options: dict[str, str], field: str
) -> None:
    """Label and style are checked alike for all badges."""
    with pytest.raises(Invalid) as caught:
        draw(about(), **options)
    assert [error.field for error in caught.value.errors] == [field]


def test_contrast_of_every_colour() -> None:
    """Every ground that a badge can have gives its text AA contrast."""
    grounds = [*COLOURS.values(), LABEL_COLOUR, FIGURE_COLOUR]
    assert min(contrast(TEXT_COLOUR, ground) for ground in grounds) >= 4.5


@pytest.mark.parametrize(
    ("label", "direction"),
    [
        ("API", None),
        ("מצב", "rtl"),
        ("حالة API", "rtl"),
        ("API של", None),
        ("42", None),
        ("1 ב", "rtl"),
    ],
)
def test_direction_of_a_label(label: str, direction: str | None) -> None:
    """A label runs as its first letter does, and stands in the middle of its part either way."""
    text = next(drawn(label=label).iter(f"{SVG}text"))
    assert text.get("direction") == direction
    assert drawn(label=label).find(f"{SVG}g").get("text-anchor") == "middle"  # type: ignore[union-attr]


@pytest.mark.parametrize("draw", BADGES)
@settings(deadline=None)
@given(label=st.none() | ANYTHING, name=ANYTHING, style=st.sampled_from(list(STYLES)))
@example(label='"><script>alert(1)</script>]]>', name="'\"&<", style="flat")
@example(label="\u200d\U0001f525\ufe0f", name="\ud800\ufffe\x00\x85\u2028", style="flat")
def test_any_text_makes_a_sound_badge(
    draw: Callable[..., bytes], label: str | None, name: str, style: str
) -> None:
    """Whatever a label or name holds: XML that parses, texts inside their parts, and a title that says both."""
    snapshot = replace(about(name=name), page=page_fact(name=name))
    svg = draw(snapshot, label=label, style=style)
    root = ElementTree.fromstring(svg)
    assert [element.tag.removeprefix(SVG) for element in root.iter()] == [
        "svg", "title", "path", "path", "g", "text", "text",
    ]  # fmt: skip
    assert not any("id" in element.attrib for element in root.iter())
    left, right, _ = seen(svg)
    assert left
    assert named(svg).endswith(f"{left}: {right}")
    boundary = float(re.findall(r"M(\d+)", next(root.iter(f"{SVG}path")).attrib["d"])[0])
    edges = [(0.0, boundary), (boundary, float(root.attrib["width"]))]
    for (start, end), text in zip(edges, root.iter(f"{SVG}text"), strict=True):
        length, middle = float(text.attrib["textLength"]), float(text.attrib["x"])
        assert length > 0
        assert length == pytest.approx(text_width(text.text or ""), abs=0.051)
        assert start + 6 <= middle - length / 2
        assert middle + length / 2 <= end - 6


@given(label=st.text(st.characters(categories=["L", "N", "S"]), min_size=1, max_size=80))
def test_letters_of_a_label_are_kept(label: str) -> None:
    """Cleaning takes nothing away that can be read, in any script."""
    assert LABEL.read(label) == label
    assert seen(badge(snapshot_of(), label=label))[0] == label


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (LABEL, " API  v2\n", "API v2"),
        (LABEL, "", None),
        (LABEL, "x" * 80, "x" * 80),
        (STYLE, "flat-square", "flat-square"),
        (DAYS, "30", 30),
        (DAYS, "090", 90),
    ],
)
def test_parameters_read(parameter: Parameter, text: str, value: object) -> None:
    """The text of a query becomes the value that the badge takes."""
    assert parameter.read(text) == value


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (LABEL, "x" * 81),
        (STYLE, ""),
        (STYLE, "FLAT"),
        *((DAYS, text) for text in ["", "0", "-1", "+1", "1.0", " 7", "7\n", "1_0", "٣", "\uff17", "²", "1e1"]),
        (DAYS, "9" * 9),
        (DAYS, "9" * 5000),
        (DAYS, "0" * 5000 + "1"),
    ],
)  # fmt: skip
def test_parameters_refuse(parameter: Parameter, text: str) -> None:
    """What cannot be read is refused with the parameter's name and a sentence."""
    with pytest.raises(Invalid) as caught:
        parameter.read(text)
    (error,) = caught.value.errors
    assert error.field == parameter.name
    assert re.fullmatch(r"[A-Z].+\.", error.message)
