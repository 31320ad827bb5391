"""The badge: well-formed, readable, and honest about its width."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from flask_statuspage.documents.badge import badge, text_width
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.errors import Invalid

from .conftest import PACKAGE, page_fact, snapshot_of

SVG = "{http://www.w3.org/2000/svg}"
WORDS = {
    "operational": "operational",
    "degraded_performance": "degraded performance",
    "partial_outage": "partial outage",
    "major_outage": "major outage",
    "under_maintenance": "maintenance",
    "unknown": "unknown",
}


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
    assert next(svg.iter(f"{SVG}text")).text == "n" * 80


def test_empty_label_falls_back_to_the_name() -> None:
    """A label of nothing but spaces would be a badge that says nothing."""
    assert next(drawn(label="  ").iter(f"{SVG}text")).text == "FacioTech Status"


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
    assert text_width("WWW") > 2 * text_width("iii")
    assert text_width("東京") == 22
    assert text_width("e\u0301") == text_width("e")
