"""The colours of a brand: what they may be, and when words become unreadable in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain import colours
from flask_statuspage.errors import Invalid
from tests.documents.test_badge_svg import contrast as another_contrast
from tests.documents.test_stylesheet import TONES, tokens

COLOUR = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def refused(given: dict[str, str]) -> dict[str, str]:
    """What is wrong, by field."""
    with pytest.raises(Invalid) as caught:
        colours.checked(given)
    return {error.field: error.message for error in caught.value.errors}


@pytest.mark.parametrize(
    ("scheme", "known"), [("light", colours.LIGHT), ("dark", colours.DARK)], ids=["light", "dark"]
)
def test_defaults_are_the_stylesheets(scheme: str, known: dict[str, str]) -> None:
    """What counts as default here is what the stylesheet says."""
    sheet = tokens(scheme)
    assert known == {name: sheet[name] for name in known}
    assert colours.STATUS_WORDS[scheme] == tuple(sheet[f"{tone}-text"] for tone in TONES)


def test_kept_in_one_form() -> None:
    """Short and upper-case colours are kept as six lower-case digits."""
    assert colours.checked({"primary": "#00C", "dark-bg": "#000000"}) == {
        "primary": "#0000cc",
        "dark-bg": "#000000",
    }
    assert colours.checked({}) == {}


@pytest.mark.parametrize(
    "colour",
    [
        "",
        "#",
        "fff",
        "#ff",
        "#ffff",
        "#ggg",
        "#fff ",
        " #fff",
        "#fff\n",
        "red",
        "rgb(0,0,0)",
        "#fff;}",
        "#\uff10\uff10\uff10",
        "#0000000",
    ],
)
def test_no_colour(colour: str) -> None:
    """Anything but #rgb and #rrggbb is refused by the token's name."""
    assert set(refused({"primary": colour, "text": "#000"})) == {"colours.primary"}


def test_no_token() -> None:
    """A token that does not exist is refused with those that do."""
    message = refused({"accent": "#000"})["colours.accent"]
    assert "dark-primary" in message


def test_white_on_primary() -> None:
    """A button's white text needs 4.5:1; the reason says what it has."""
    assert colours.contrast("#ffffff", "#767676") >= 4.5 > colours.contrast("#ffffff", "#777777")
    assert colours.checked({"primary": "#767676"})
    message = refused({"primary": "#777"})["colours.primary"]
    assert "4.47:1" in message  # 4.478 is not rounded up
    assert set(refused({"dark-primary": "#999"})) == {"colours.dark-primary"}


def test_text_on_its_grounds() -> None:
    """Each text is weighed on each ground of its own scheme, given or default."""
    assert set(refused({"text": "#999999"})) == {"colours.text"}
    assert set(refused({"muted": "#8a8a8a"})) == {"colours.muted"}
    assert set(refused({"link": "#ff8800"})) == {"colours.link"}
    assert set(refused({"bg": "#808080"})) == {"colours.bg"}
    assert set(refused({"surface": "#808080"})) == {"colours.surface"}
    assert set(refused({"dark-text": "#444"})) == {"colours.dark-text"}
    assert set(refused({"text": "#999", "bg": "#eee"})) == {"colours.text"}
    # The same dark grounds are right where the default text is light.
    assert colours.checked({"dark-bg": "#000", "dark-surface": "#111"})
    assert refused({"bg": "#000", "surface": "#111"})


def test_grounds_suit_the_statuses() -> None:
    """A ground on which the names of statuses cannot be read is refused, even with texts to match."""
    inverted = {"bg": "#000", "surface": "#000", "text": "#fff", "muted": "#fff", "link": "#fff"}
    assert set(refused(inverted)) == {"colours.bg", "colours.surface"}


@given(COLOUR, COLOUR)
def test_contrast_is_the_formulas(one: str, other: str) -> None:
    """The ratio is that of the other reading of WCAG's formula in these tests, and the same both ways round."""
    ratio = colours.contrast(one, other)
    assert ratio == pytest.approx(another_contrast(one, other), rel=1e-3)
    assert ratio == colours.contrast(other, one)
    assert 1 <= ratio <= 21.0000001


@given(st.dictionaries(st.sampled_from(colours.TOKENS), COLOUR, max_size=6))
def test_what_is_kept_is_readable(given: dict[str, str]) -> None:
    """Whatever passes leaves every text at 4.5:1 or more; what does not pass names tokens that were given."""
    try:
        kept = colours.checked(given)
    except Invalid as error:
        named = {item.field.removeprefix("colours.") for item in error.errors}
        assert named <= set(given)
        return
    for prefix, defaults in (("", colours.LIGHT), ("dark-", colours.DARK)):
        palette = {name: kept.get(prefix + name, colour) for name, colour in defaults.items()}
        if "dark-primary" not in kept and "primary" in kept:
            palette["primary"] = kept["primary"]
        assert another_contrast("#ffffff", palette["primary"]) >= 4.49
        for ground in ("bg", "surface"):
            for front in ("text", "muted", "link"):
                assert another_contrast(palette[front], palette[ground]) >= 4.49
