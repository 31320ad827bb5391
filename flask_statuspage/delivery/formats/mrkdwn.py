"""Markdown as Slack's mrkdwn.

Source of the format: Slack's "Formatting text for app surfaces". Of Markdown only what updates are written with has a
counterpart: bold, emphasis, struck text, code, links, headings and lists. The rest stays as it was typed.
"""

from __future__ import annotations

import re

MARK = " …"
"""Ends what was cut."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_LINK = re.compile(
    r"!?\[([^\[\]\n]{1,500})\]\((https?://[^\s()<>|]{1,2000}|mailto:[^\s()<>|]{1,500})\)"
)
_AUTOLINK = re.compile(
    r"&lt;((?:https?://|mailto:)[^\s<>|&]{1,2000}(?:&amp;[^\s<>|&]{0,2000}){0,50})&gt;"
)
_HEADING = re.compile(r"^#{1,6}[ \t]+([^\n]+?)[ \t]*#*$", re.MULTILINE)
_BULLET = re.compile(r"^([ \t]*)[*+-][ \t]+", re.MULTILINE)
_STRONG = re.compile(r"(\*\*|__)(?=\S)([^\n]{1,1000}?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,1000}?)(?<=[^\s*])\*(?![\w*])")
_STRUCK = re.compile(r"~~(?=\S)([^~\n]{1,1000}?)(?<=\S)~~")
_BOLD = "\x01"
"""Stands for Slack's own asterisk until Markdown's are gone: theirs is bold, Markdown's single one emphasis."""


def escaped(text: str) -> str:
    """*text* with the three characters that control Slack's messages as entities; no user, channel or link is named."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clipped(text: str, size: int) -> str:
    """At most *size* characters of *text*, marked where it was cut."""
    return text if len(text) <= size else text[: size - len(MARK)].rstrip() + MARK


def from_markdown(text: str, size: int) -> str:
    """*text* (Markdown) as mrkdwn of at most *size* characters.

    Escaping and links make it longer, so the Markdown is cut until what comes out fits: no link, entity or mark is ever
    torn by it that was whole before.
    """
    kept = size
    while len(turned := _turned(clipped(text, kept))) > size:
        kept -= max(1, (len(turned) - size) // 6)
    return turned


def _turned(text: str) -> str:
    text = escaped(text.replace(_BOLD, ""))
    parts, end = [], 0
    for code in _CODE.finditer(text):
        parts += [_worded(text[end : code.start()]), code.group()]
        end = code.end()
    return "".join([*parts, _worded(text[end:])])


def _worded(text: str) -> str:
    text = _BULLET.sub(r"\1• ", text)
    text = _HEADING.sub(rf"{_BOLD}\1{_BOLD}", text)
    text = _STRONG.sub(rf"{_BOLD}\2{_BOLD}", text)
    text = _EMPHASIS.sub(r"_\1_", text)
    text = _STRUCK.sub(r"~\1~", text)
    text = _LINK.sub(lambda found: f"<{found[2]}|{found[1].replace('|', '¦')}>", text)
    text = _AUTOLINK.sub(r"<\1>", text)
    # A heading may hold bold words already, and twice bold is none.
    return re.sub(f"{_BOLD}+", "*", text)
