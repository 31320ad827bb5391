"""How many segments a text message takes, and how it is cut to fewer.

Source: 3GPP TS 23.038 (6.2.1, the default alphabet of 7-bit units, some characters of which take two) and TS 23.040
(9.2.3.24.1, texts of several segments, each of which loses 6 bytes to a header). A text with a character beyond that
alphabet is sent as UCS-2 throughout, in units of 16 bits; a character beyond the first 65,536 takes two of them.
Neither kind of pair is divided between two segments.
"""

from __future__ import annotations

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")

MARK = "..."
"""The end of a text that was longer; of the alphabet, unlike "…"."""

_SEPTETS = (160, 153)
_UNITS = (70, 67)
"""Room in a single segment, and in each of several."""

_JOINER = "\u200d"


def is_basic(text: str) -> bool:
    """Whether *text* can be sent in 7-bit units."""
    return all(mark in BASIC or mark in EXTENDED for mark in text)


def count(text: str) -> int:
    """The segments that *text* takes. An empty one takes one, too."""
    if is_basic(text):
        widths, (single, each) = [2 if mark in EXTENDED else 1 for mark in text], _SEPTETS
    else:
        widths, (single, each) = [2 if mark > "\uffff" else 1 for mark in text], _UNITS
    if sum(widths) <= single:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > each:
            segments, used = segments + 1, 0
        used += width
    return segments


def fit(before: str, cut: str, after: str, segments: int) -> str:
    """The three texts in at most *segments* segments: as much of *cut* as fits, and a mark where there was more.

    Where there is no room for any of it, *before* is cut in the same way, and goes at last. *after* is always whole: it
    holds the link, which is of no use without its end. If it alone takes more segments, the text does.
    """
    if count(whole := before + cut + after) <= segments:
        return whole
    # No text of so many segments has more characters, so the others need not be looked at.
    most = min(len(cut) - 1, segments * _SEPTETS[0])
    for length in range(most, -1, -1):
        if _divides(cut, length):
            continue
        shorter = before + cut[:length].rstrip() + MARK + after
        if count(shorter) <= segments:
            return shorter
    return fit("", before.rstrip(), after, segments) if before else after.strip()


def _divides(text: str, position: int) -> bool:
    """Whether a cut there would take a sign apart that is made of several characters."""
    following, last = text[position], text[position - 1] if position else ""
    return (
        # An accent, a vowel of an Indian letter, the frame of a key, which picture of the sign before.
        unicodedata.category(following).startswith("M")
        or following == _JOINER
        or last == _JOINER
        # What ends a Korean syllable that is not one character.
        or "\u1160" <= following <= "\u11ff"
        or "\U0001f3fb" <= following <= "\U0001f3ff"  # the skin of the person before
        or "\U000e0020" <= following <= "\U000e007f"  # the region of the flag before
        or (_is_half_a_flag(following) and _halves_before(text, position) % 2 == 1)
    )


def _halves_before(text: str, position: int) -> int:
    """How many halves of flags stand in a row there: each two of them are one."""
    start = position
    while start and _is_half_a_flag(text[start - 1]):
        start -= 1
    return position - start


def _is_half_a_flag(mark: str) -> bool:
    return "\U0001f1e6" <= mark <= "\U0001f1ff"
