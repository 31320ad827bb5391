"""Typed text without the characters that XML and iCalendar cannot hold."""

from __future__ import annotations

import re

# XML 1.0 (2.2 Char) cannot hold these, escaped or not; iCalendar (RFC 5545, 3.1) refuses the controls among them. Those
# of C1 are allowed in XML and mean nothing in it.
_UNFIT = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# What some readers of text take for the end of a line, others not.
_LINE_BREAK = re.compile("\r\n|[\r\x85\u2028\u2029]")


def clean(text: str) -> str:
    """*text* with line feeds as its only line breaks and without control characters, halves of surrogate pairs, U+FFFE
    and U+FFFF. Tabs stay."""
    return _UNFIT.sub("", _LINE_BREAK.sub("\n", text))


def one_line(text: str) -> str:
    """*text*, cleaned, with each run of white space as one blank and none at its ends."""
    return " ".join(clean(text).split())
