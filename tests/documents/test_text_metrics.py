"""Widths of text: by script, by what is joined to what, and by what takes no room."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_statuspage.documents.text_metrics import text_width

LETTERS = st.characters(categories=["Lu", "Ll"], min_codepoint=0x20, max_codepoint=0x52F)


def test_letters_have_their_own_widths() -> None:
    """Wide letters are wider than narrow ones, in ASCII and elsewhere."""
    assert text_width("WWW") > 2 * text_width("iii")
    assert text_width("ШШШ") > 2 * text_width("\u0456\u0456\u0456")
    assert text_width("ΩΩΩ") > 2 * text_width("\u03b9\u03b9\u03b9")
    assert text_width("") == 0


@pytest.mark.parametrize("text", ["é", "Ž", "ő", "й", "ё", "ứ", "Ṩ"])
def test_accents_take_no_room(text: str) -> None:
    """A letter is as wide whether its accents are part of it or follow it."""
    assert text_width(text) == pytest.approx(
        text_width(unicodedata.normalize("NFD", text)), abs=0.6
    )
    assert text_width("e\u0301\u0301\u20dd\u200b") == text_width("e")


def test_arabic_letters_are_joined() -> None:
    """A letter is narrow before one that it is joined to, past vowel marks; U+200C parts, U+200D joins."""
    begun, alone = text_width("بب") - text_width("ب"), text_width("ب")
    assert begun < alone / 2
    assert text_width("ب\u064eب") == text_width("بب")
    assert text_width("ب\u200cب") == 2 * alone
    assert text_width("ب\u200d") == pytest.approx(begun)
    assert text_width("ب ب") == pytest.approx(2 * alone + text_width(" "))
    assert text_width("بء") == pytest.approx(
        alone + text_width("ء")
    )  # this one is joined to nothing
    assert text_width("دب") == pytest.approx(text_width("د") + alone)  # and this one not forwards


@pytest.mark.parametrize(
    ("text", "width"),
    [("東京", 22), ("한국", 22), ("ｶﾀ", 11), ("\uff21", 11), ("\u1112\u1161\u11ab", 11)],
)
def test_east_asian_characters_are_square(text: str, width: float) -> None:
    """Wide characters are as wide as the text is high, half-width ones half of it; a syllable of parts is one."""
    assert text_width(text) == width


@pytest.mark.parametrize(
    "text", ["🚀", "👩‍🚀", "🇩🇪", "👍🏽", "❤️‍🔥", "1️⃣", "⚡", "✅", "👩‍❤️‍👨", "👩🏽‍🚀", "🏴\U000e0067\U000e0062\U000e007f"]
)  # fmt: skip
def test_an_emoji_is_one_picture(text: str) -> None:
    """However many characters an emoji is made of, it is as wide as one."""
    assert text_width(text) == pytest.approx(text_width("😀"), abs=0.02)
    assert text_width(text) >= 11


def test_what_is_joined_to_nothing_is_seen() -> None:
    """A skin tone or a joiner without an emoji before it does not make the next emoji vanish."""
    for text in ("🏽", "\u200d🔥"):
        assert text_width(text) == text_width("😀")
    assert text_width("\u1161") > 0
    assert text_width("a🏽") == text_width("a\u200d😀") == text_width("a😀")


@given(st.lists(LETTERS, max_size=20))
def test_widths_add_up(letters: list[str]) -> None:
    """Latin, Greek and Cyrillic texts are as wide as their letters together, and none of those is without width."""
    assert text_width("".join(letters)) == pytest.approx(sum(map(text_width, letters)))
    assert all(2.5 < text_width(letter) < 20 for letter in letters)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_any_text_has_a_width(text: str) -> None:
    """No text is too strange to be measured; none is wider than twenty pixels a character."""
    assert 0 <= text_width(text) <= 20 * len(text)
