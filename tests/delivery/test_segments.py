"""The segments of a text message, counted against an encoder of its own."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flask_statuspage.delivery.formats import segments

# 3GPP TS 23.038, 6.2.1: the position of each character is its code.
TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
CODES = {mark: code for code, mark in enumerate(TABLE) if mark != "\x1b"}
ESCAPED = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}

LETTERS = st.sampled_from("aZ 1é@€{|^") | st.sampled_from("ażЖ漢\U0001f525\u0301")
TEXTS = st.text(st.sampled_from("aZ 1é@€{"), max_size=500) | st.text(LETTERS, max_size=250)


def sent(text: str) -> list[list[bytes]]:
    """*text* as it is sent: its segments, each a list of characters that are not divided."""
    if all(mark in CODES or mark in ESCAPED for mark in text):
        marks = [
            bytes([CODES[mark]]) if mark in CODES else bytes([0x1B, ESCAPED[mark]]) for mark in text
        ]
        single, each = 160, 153
    else:
        marks = [mark.encode("utf-16-be") for mark in text]
        single, each = 140, 134  # bytes
    if sum(map(len, marks)) <= single:
        return [marks]
    parts: list[list[bytes]] = [[]]
    for mark in marks:
        if sum(map(len, parts[-1])) + len(mark) > each:
            parts.append([])
        parts[-1].append(mark)
    return parts


@settings(max_examples=150)
@given(TEXTS)
def test_segments_are_counted_as_they_are_sent(text: str) -> None:
    """In both alphabets, with pairs that take two places and are never divided."""
    assert segments.count(text) == len(sent(text))
    assert segments.is_basic(text) is all(mark in CODES or mark in ESCAPED for mark in text)


def test_the_edges() -> None:
    """160 and 153 in the one alphabet, 70 and 67 in the other; what takes two places is not divided."""
    for text, count in (
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 151 + "€" + "a" * 153, 2),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the last place of the first stays empty
        ("Ж" * 70, 1),
        ("Ж" * 71, 2),
        ("Ж" * 134, 2),
        ("Ж" * 135, 3),
        ("\U0001f525" * 35, 1),
        ("\U0001f525" * 36, 2),
        ("\U0001f525" * 66, 2),
        ("\U0001f525" * 67, 3),  # the 67th unit of a segment stays empty
    ):
        assert segments.count(text) == count, text


@settings(max_examples=150)
@given(
    st.text(LETTERS, max_size=60),
    TEXTS,
    st.sampled_from(["", " https://status.example.com/incidents/0195", " https://s.example/ж"]),
    st.integers(1, 10),
)
def test_a_text_fits(before: str, cut: str, after: str, most: int) -> None:
    """It is whole or cut and marked, as long as can be, and always ends with its link."""
    text = segments.fit(before, cut, after, most)
    assert text.endswith(after.strip())
    assert len(sent(text)) <= most
    whole = before + cut + after
    assert (text == whole) is (len(sent(whole)) <= most)
    if text == whole or not text.startswith(before) or segments.MARK + after not in text:
        return
    kept = text.removeprefix(before).removesuffix(segments.MARK + after)
    assert cut.startswith(kept)
    # One sign more would not fit. Spaces and what belongs to a sign are taken along.
    longer = [cut[:length] for length in range(len(kept) + 1, len(cut))]
    for one in longer:
        if one == one.rstrip() and cut[len(one)] != "\u0301":
            assert len(sent(before + one + segments.MARK + after)) > most


def test_a_text_without_room() -> None:
    """Without room for the title what stands before it is cut; the link stays whole, however long it is."""
    link = " https://status.example.com/" + "x" * 125
    assert segments.fit("Acme: Down - ", "title", link, 1) == f"Acme...{link}"
    link = " https://status.example.com/" + "x" * 200
    assert segments.fit("Acme: ", "title", link, 1) == link.strip()
    assert segments.fit("", "", link, 1) == link.strip()


def test_what_is_no_letter_may_go_for_more_room() -> None:
    """Cut before the one character that makes all wide, a text says more than cut behind it."""
    assert segments.fit("", "a" * 100 + "ж", "", 1) == "a" * 100 + "..."
    cut = "a" * 120 + "\U0001f525" + "b" * 100
    assert segments.fit("", cut, " https://s.example/1", 1) == "a" * 120 + "... https://s.example/1"


def test_a_sign_is_not_taken_apart() -> None:
    """An accent, a picture's kind, a joined family and a skin stay with what they belong to."""
    for sign in (
        *("e\u0301", "❤\ufe0f", "\U0001f468\u200d\U0001f469", "\U0001f44d\U0001f3fd"),
        "\U0001f1e9\U0001f1ea",  # the flag of Germany
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # that of England
        "1\ufe0f\u20e3",  # a key
        "\u0928\u093f",  # Devanagari: n and i
        "\u0e17\u0e35\u0e48",  # Thai: th, ii and a tone
        "\u1112\u1161\u11ab",  # Korean: h, a and n
    ):
        for before in range(len(sign) * 2):
            text = segments.fit("", "a" * before + sign * 60, " https://s.example/1", 1)
            kept = text.removesuffix("... https://s.example/1")[before:]
            assert kept == sign * (len(kept) // len(sign))
            assert kept


def test_a_very_long_text_is_cut_soon() -> None:
    """However long a title is, only as much of it is looked at as could be sent."""
    assert segments.count(segments.fit("", "Ж€" * 500_000, " https://s.example/1", 10)) == 10
