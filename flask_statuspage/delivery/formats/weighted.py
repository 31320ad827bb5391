"""How long X finds a post, and cutting one to what it takes.

Source of the rules: X's "Counting characters" and version 3 of its published configuration of twitter-text. A post has
280 units after normalisation (NFC): most letters of alphabets are one, all else is two, an emoji is two however many
code points it is made of, and a link is 23 however long it is.

Where X's own lists would be needed (domains, emoji) the longer count is taken: a post that ends a word too early is
read, one that is too long is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

MOST = 280
"""What one post may weigh."""

LINK = 23
"""What a link weighs, whatever its length."""

MARK = "…"
"""Ends what was cut."""

_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))

_NO_DOMAINS = frozenset(
    {"corp", "example", "home", "internal", "intranet", "invalid", "lan", "local", "localhost"}
    | {"localdomain", "onion", "private", "test"}
)
"""What hosts end with that no X takes for a domain."""

_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u200d\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
_SKIN = "[\U0001f3fb-\U0001f3ff]"

_PICTURE = (
    "[\u231a\u231b\u23e9-\u23f3\u23f8-\u23fa\u25fd\u25fe\u2600-\u2604\u260e\u2611\u2614\u2615\u2618\u261d"
    "\u2620\u2622\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2640\u2642\u2648-\u2653\u265f\u2660\u2663"
    "\u2665\u2666\u2668\u267b\u267e\u267f\u2692-\u2697\u2699\u269b\u269c\u26a0\u26a1\u26a7\u26aa\u26ab"
    "\u26b0\u26b1\u26bd\u26be\u26c4\u26c5\u26c8\u26ce\u26cf\u26d1\u26d3\u26d4\u26e9\u26ea\u26f0-\u26f5"
    "\u26f7-\u26fa\u26fd\u2702\u2705\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734"
    "\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27a1\u27b0\u27bf\u2934\u2935"
    "\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f"
    "\U0001f18e\U0001f191-\U0001f19a\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb"
    "\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff]"
)
"""What is an emoji by itself. Those that look like letters (©, ™) weigh as much as letters or more."""

_PERSON = (
    "[\u261d\u26f9\u270a-\u270d\U0001f385\U0001f3c2-\U0001f3c4\U0001f3c7\U0001f3ca-\U0001f3cc\U0001f442"
    "\U0001f443\U0001f446-\U0001f450\U0001f466-\U0001f478\U0001f47c\U0001f481-\U0001f483"
    "\U0001f485-\U0001f487\U0001f48f\U0001f491\U0001f4aa\U0001f574\U0001f575\U0001f57a\U0001f590"
    "\U0001f595\U0001f596\U0001f645-\U0001f647\U0001f64b-\U0001f64f\U0001f6a3\U0001f6b4-\U0001f6b6"
    "\U0001f6c0\U0001f6cc\U0001f90c\U0001f90f\U0001f918-\U0001f91f\U0001f926\U0001f930-\U0001f939"
    "\U0001f93c-\U0001f93e\U0001f977\U0001f9b5\U0001f9b6\U0001f9b8\U0001f9b9\U0001f9bb"
    "\U0001f9cd-\U0001f9cf\U0001f9d1-\U0001f9dd\U0001fac3-\U0001fac5\U0001faf0-\U0001faf8]"
)
"""What has a colour of skin, which belongs to it."""

_ONE = f"(?:{_PERSON}\ufe0f?{_SKIN}?|{_PICTURE}\ufe0f?)"
_JOINING = f"(?:{_PERSON}\ufe0f?{_SKIN}?|[\u2764\U0001f3f3\U0001f3f4\U0001f441\U0001f415\U0001f43b]\ufe0f?)"
"""What a joined emoji begins with: a family, a craft, a flag."""

_UNIT = re.compile(
    r"(?P<link>https?://[^\s]+)"
    "|(?P<emoji>[0-9#*]\ufe0f?\u20e3"  # keycaps
    "|[\U0001f1e6-\U0001f1ff]{2}"  # flags
    f"|{_JOINING}(?:\u200d{_ONE}){{1,3}}"
    f"|{_ONE})"
    f"|(?P<letter>.[{_MARKS}]*)",
    re.DOTALL,
)


def weight(text: str) -> int:
    """What *text* weighs, as X counts it."""
    return sum(size for _, size in _units(text))


def cut(text: str, most: int) -> str:
    """*text*, normalised, of which so much is left that it weighs at most *most*, with :data:`MARK` where it was cut.

    Neither a link nor an emoji nor a letter with its accents is torn; a word is only where it is long.
    """
    text = unicodedata.normalize("NFC", text)
    kept, used, room = 0, 0, most - weight(MARK)
    total = 0
    for unit, size in _units(text):
        total += size
        if total <= room:
            kept, used = kept + len(unit), total
    if total <= most:
        return text
    if room < 0:
        return ""
    left = text[:kept]
    # Not the whole of a text that is one long word, or whose script has no spaces.
    word_end = max(left.rfind(" "), left.rfind("\n"))
    is_torn = kept < len(text) and not text[kept].isspace()
    if is_torn and weight(left[:word_end]) > used // 2 and word_end > 0:
        left = left[:word_end]
    return left.rstrip() + MARK


def link_weight(url: str) -> int:
    """What *url* weighs: as a link where X surely takes it for one, else what its letters do."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    end = host.rpartition(".")[2]
    is_link = "." in host and end.isascii() and end.isalpha() and end not in _NO_DOMAINS
    return LINK if is_link else max(LINK, sum(map(_letter_weight, url)))


def _units(text: str) -> Iterator[tuple[str, int]]:
    """The parts of *text* that belong together, and what each weighs."""
    for found in _UNIT.finditer(unicodedata.normalize("NFC", text)):
        part = found.group()
        if found["link"]:
            yield part, link_weight(part)
        elif found["emoji"]:
            yield part, 2
        else:
            yield part, sum(map(_letter_weight, part))


def _letter_weight(letter: str) -> int:
    return 1 if any(low <= ord(letter) <= high for low, high in _LIGHT) else 2
