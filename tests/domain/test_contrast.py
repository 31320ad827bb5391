"""Stylesheets read for their tokens, and the pairs of colours that stand on each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.documents.theme import defaults
from flask_statuspage.domain import contrast
from tests.documents.test_stylesheet import tokens

SITE = """
/* .sp { --sp-bg: #123456; } */
:root { --card: #fff; color: red; --ink: var(--black, #111) }
@media (prefers-color-scheme: dark) { :root { --card: #1b1e28; } body { margin: 0 } }
.sp { --sp-bg: var(--card); --sp-text: var(--ink) !important; --sp-link: var(--nowhere) }
[data-theme=light] .sp { --sp-muted: #555 }
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_our_own_sheet(scheme: str) -> None:
    """The tokens of our stylesheet are read as they stand in it, and each pair of them can be read by people."""
    found = {
        name.removeprefix("--sp-"): value
        for name, value in defaults().of(scheme).items()
        if value.startswith("#")
    }
    long = {n: c if len(c) == 7 else "#" + "".join(2 * d for d in c[1:]) for n, c in found.items()}
    assert long == tokens(scheme)
    assert [pair.what for pair in contrast.pairs(defaults(), scheme) if not pair.is_fine] == []


def test_rules_of_a_scheme() -> None:
    """A rule within or of a scheme counts there; variables are followed; comments and other properties are not read."""
    sheet = contrast.read(SITE)
    assert sheet.of("light") == {
        "--card": "#fff",
        "--ink": "var(--black, #111)",
        "--sp-bg": "var(--card)",
        "--sp-text": "var(--ink)",
        "--sp-link": "var(--nowhere)",
        "--sp-muted": "#555",
    }
    dark = {pair.what: pair for pair in contrast.pairs(defaults().under(sheet), "dark")}
    assert (dark["text on bg"].front, dark["text on bg"].ground) == ("#111", "#1b1e28")
    assert not dark["text on bg"].is_fine
    assert dark["muted on bg"].front == "#a3acb6"
    assert dark["link on bg"].ratio is None
    assert not dark["link on bg"].is_fine


def test_a_rule_of_a_host_wins_in_both_schemes() -> None:
    """Ours for dark stand in a layer, so that what a host says of all schemes wins over them, too."""
    sheet = defaults().under(contrast.read(".sp { --sp-bg: #fff }"))
    assert sheet.of("dark")["--sp-bg"] == "#fff"


def test_a_brand() -> None:
    """A page's colour counts in light only where dark has one of its own, as in its stylesheet."""
    sheet = defaults().branded({"primary": "#7a1f5c", "link": "#7a1f5c", "dark-bg": "#171015"})
    assert sheet.of("dark")["--sp-primary"] == "#7a1f5c"
    assert sheet.of("dark")["--sp-link"] == "#7fb2ff"
    assert sheet.of("light")["--sp-link"] == "#7a1f5c"
    assert sheet.of("dark")["--sp-bg"] == "#171015"
    assert sheet.of("light")["--sp-bg"] == "#fff"


@given(st.text(alphabet="{};:/*-sp bgvar(),#0", max_size=200))
def test_any_text_is_read(text: str) -> None:
    """Whatever a file holds, reading it ends, and so does following its variables."""
    sheet = contrast.read(f"{text}}} .sp {{ --sp-bg: var(--sp-text); --sp-text: var(--sp-bg) }}")
    assert list(contrast.pairs(sheet, "light"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_examples_sheet(scheme: str) -> None:
    """What the example's portal sets can be read in both schemes, by variables of its own."""
    sheet = Path(__file__).parents[2] / "example_app/static/portal.css"
    portal = sheet.read_text(encoding="utf-8")
    found = list(contrast.pairs(defaults().under(contrast.read(portal)), scheme))
    assert [pair for pair in found if not pair.is_fine] == []
    assert found[0].ground == {"light": "#fff", "dark": "#1b1e28"}[scheme]
