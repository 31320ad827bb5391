"""How long a post is for X, by the examples of its documents, and that what is cut fits."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.delivery.formats.weighted import MARK, cut, link_weight, weight
from tests.documents.hostile import TEXTS
from tests.servers.x import weighted_length

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
MIXED = (
    TEXTS
    | st.text(max_size=400)
    | st.lists(
        st.sampled_from(["word", "Ünï", "港", "👍🏽", FAMILY, "🇳🇴", "3️⃣", "e\u0301", "…", "\n"]),
        max_size=200,
    ).map(" ".join)
)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", 0),
        ("I am a post", 11),
        ("dówn", 4),
        ("dóẃn", 5),
        ("A\u0301B", 2),
        ("A\ufb2c", 4),
        ("故人西辞黄鹤楼", 14),
        ("\u2000\u200d\u2010\u201f\u2032\u2037", 6),
        ("\u200e\u2020\u2038", 6),
        ("😷👾😡🔥💩", 10),
        ("🙋🏽", 2),
        (FAMILY, 2),
        ("👨\u200d🎤", 2),
        ("❤\ufe0f", 2),
        ("🇳🇴", 2),
        ("1\ufe0f\u20e3", 2),
        ("Hi http://test.co", 26),
        ("http://test.co", 23),
        ("https://status.acme.example/" + "x" * 300 + " now", 28 + 300 + 4),
        ("https://status.acme.com/incidents/" + "x" * 300 + " now", 27),
    ],
)
def test_weight(text: str, units: int) -> None:
    """Letters are one, wide ones two, an emoji two with all that is joined to it, a link 23."""
    assert weight(text) == units


def test_weight_of_links() -> None:
    """What X may not take for a link is as heavy as its letters, so that no post is too long."""
    assert link_weight("https://acme.com") == link_weight("https://acme.com/" + "x" * 400) == 23
    assert link_weight("http://localhost/" + "x" * 40) == 57
    assert link_weight("http://10.0.0.1/" + "x" * 40) == 56
    assert link_weight("http://[::1") == 23


@given(MIXED, st.integers(0, 300))
def test_cut_fits(text: str, most: int) -> None:
    """Whatever the text, what is left weighs no more than it may, is its beginning, and is marked where it was cut."""
    left = cut(text, most)
    whole = unicodedata.normalize("NFC", text)
    assert weight(left) <= most
    if weight(whole) <= most:
        assert left == whole
    elif most:
        assert left.endswith(MARK) or left == ""
        assert whole.startswith(left.removesuffix(MARK))


@given(MIXED)
def test_weight_is_additive(text: str) -> None:
    """A text weighs the same in every normal form."""
    assert weight(text) == weight(unicodedata.normalize("NFD", text)) or "http" in text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "So", "Sk", "Mn", "Me", "Cf"])))
def test_weight_of_letters(text: str) -> None:
    """Of texts without emoji and links it is what X's server counts."""
    if "http" not in text and "." not in text and "\u20e3" not in text:
        assert weight(text) == weighted_length(text)


@pytest.mark.parametrize("unit", ["👍🏽", FAMILY, "🇳🇴", "e\u0301\u0302", "👨\u200d🎤"])
def test_nothing_is_torn(unit: str) -> None:
    """Neither an emoji nor a letter with its marks is cut in two."""
    for most in range(1, 40):
        left = cut(unit * 30, most).removesuffix(MARK)
        assert left == unicodedata.normalize("NFC", unit) * (
            len(left) // len(unicodedata.normalize("NFC", unit))
        )


def test_words_stay_whole() -> None:
    """The cut is before a word, unless that word is most of the text."""
    assert cut("The payments are failing everywhere", 20) == "The payments are…"
    assert cut("Donaudampfschifffahrtsgesellschaft", 10) == "Donaudam…"
    assert cut("The payments", 12) == "The payments"
