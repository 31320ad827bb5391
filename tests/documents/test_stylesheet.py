"""The stylesheet: small, confined to its own elements, and readable in both colour schemes."""

from __future__ import annotations

import gzip
import re

import pytest

from .conftest import PACKAGE
from .test_badge_svg import contrast

CSS = (PACKAGE / "static/statuspage.css").read_text()
PLAIN = re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL)
TONES = ("operational", "degraded", "partial", "major", "maintenance", "unknown")


def tokens(scheme: str) -> dict[str, str]:
    """The colours of ``light`` or ``dark`` by their names."""
    light, *darks = re.findall(r"\{([^{}]*--sp-bg: [^{}]*--sp-unknown-tint[^{}]*)\}", PLAIN)
    values = dict(re.findall(r"--sp-([\w-]+): (#\w+)", light))
    if scheme != "light":
        values |= dict(re.findall(r"--sp-([\w-]+): (#\w+)", darks[scheme == "chosen dark"]))
    return {name: _long(colour) for name, colour in values.items()}


def _long(colour: str) -> str:
    return colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])


@pytest.mark.parametrize(("name", "most"), [("statuspage.css", 6144), ("statuspage.js", 4096)])
def test_size(name: str, most: int) -> None:
    """So many bytes on the wire at most, as a server compresses by default."""
    assert len(gzip.compress((PACKAGE / "static" / name).read_bytes(), 6)) <= most


def test_selectors_stay_inside() -> None:
    """No rule can reach an element of the host."""
    blocks = re.findall(r"([^{};]+)\{", PLAIN)
    # A comma inside of :where(…) does not begin another selector.
    selectors = [re.sub(r"\([^()]*\)", "", re.sub(r"\([^()]*\)", "", b)).strip() for b in blocks]
    rules = [one for s in selectors if s[:1] != "@" for one in map(str.strip, s.split(","))]
    assert len(rules) > 50
    outside = [rule for rule in rules if not rule.startswith((".sp", "body.sp-"))]
    assert outside == []


def test_nothing_is_loaded() -> None:
    """No import, font or picture from anywhere."""
    assert "url(" not in PLAIN
    assert "@import" not in PLAIN


@pytest.mark.parametrize("scheme", ["light", "dark", "chosen dark"])
def test_contrast(scheme: str) -> None:
    """Text has 4.5:1 on its grounds, the banner 6:1, outlines and bars 3:1."""
    colours = tokens(scheme)
    for tone in TONES:
        text = colours[f"{tone}-text"]
        grounds = [colours[name] for name in ("bg", "surface", f"{tone}-tint")]
        assert min(contrast(text, ground) for ground in grounds) >= 4.5, tone
        assert contrast("#ffffff", colours[f"{tone}-solid"]) >= 5.9, tone
        assert contrast(colours[f"{tone}-bar"], colours["bg"]) >= 3, tone
        assert contrast(colours["text"], colours[f"{tone}-tint"]) >= 4.5, tone
    for name in ("text", "muted", "link"):
        for ground in ("bg", "surface"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    assert contrast(colours["control"], colours["bg"]) >= 3
    assert contrast(colours["focus"], colours["bg"]) >= 3
    assert contrast("#ffffff", colours["primary"]) >= 4.5
