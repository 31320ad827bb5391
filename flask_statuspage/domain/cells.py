"""Texts as cells of spreadsheets: what somebody typed must not run there as a formula.

Such cells get an apostrophe in front, as OWASP's page on CSV injection says.
"""

from __future__ import annotations

import unicodedata

# Some spreadsheets read the wide forms of these, and the real minus, as well.
_MARKS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20\u2212")
_QUOTES = "\"'`"


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take *text* for a formula."""
    # What begins with one of these could be split off from it. Quotes before it change nothing,
    # or a text that begins with one could not be told from one that was given it here.
    if text.lstrip(_QUOTES).startswith(("\t", "\r")):
        return True
    # Blanks, quotes and characters that nobody sees are skipped before a formula is looked for.
    first = next((mark for mark in text if mark not in _QUOTES and not _is_unseen(mark)), "")
    return first in _MARKS


def defused(text: str) -> str:
    """*text* as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if is_formula(text) else text


def restored(cell: str) -> str:
    """What was :func:`defused`, as it was before."""
    return cell[1:] if cell.startswith("'") and is_formula(cell[1:]) else cell


def _is_unseen(character: str) -> bool:
    # Separators, and all that is control, format or no character.
    return unicodedata.category(character)[0] in "ZC"
