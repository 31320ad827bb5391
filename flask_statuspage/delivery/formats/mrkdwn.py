"""Markdown as Slack's mrkdwn.

Source of the format: Slack's "Formatting text for app surfaces". Of Markdown only what updates are written with has a
counterpart: bold, emphasis, struck text, code, links, headings and lists. The rest stays as it was typed.
"""

from __future__ import annotations

import re

MARK = " …"
"""Ends what was cut."""

_WHOLE = re.compile(
    r"(?P<code>```.*?(?:```|\Z)|`[^`\n]+`)"
    r"|!?\[(?P<label>[^\[\]\n]{1,500})\]\((?P<to>https?://[^\s()<>|]{1,2000}|mailto:[^\s()<>|]{1,500})\)"
    r"|&lt;(?P<link>(?:https?://|mailto:)(?:(?!&lt;|&gt;)[^\s<>|]){1,2000})&gt;"
    r"|(?P<address>https?://(?:(?!&lt;|&gt;)[^\s()<>|*]){1,2000})",
    re.DOTALL,
)
"""What no mark inside may be taken for Markdown: code, links, and addresses as they are."""

_HEADING = re.compile(r"^#{1,6}[ \t]+([^\n]+?)[ \t]*#*$", re.MULTILINE)
_BULLET = re.compile(r"^([ \t]*)[*+-][ \t]+", re.MULTILINE)
_STRONG = re.compile(r"(\*\*|__)(?=\S)([^\n]{1,1000}?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,1000}?)(?<=[^\s*])\*(?![\w*])")
_STRUCK = re.compile(r"~~(?=\S)([^~\n]{1,1000}?)(?<=\S)~~")
_PLACE = "\x02"
"""Stands for one match of :data:`_WHOLE` meanwhile."""

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
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        label = found["label"]
        if label:
            plain = label.replace("|", "¦").replace("**", "")
            kept.append(f"<{found['to']}|{plain}>")
        else:
            kept.append(f"<{found['link']}>" if found["link"] else found.group())
        return _PLACE

    text = escaped(text.replace(_BOLD, "").replace(_PLACE, ""))
    text = _worded(_WHOLE.sub(keep, text))
    back = iter(kept)
    return re.sub(_PLACE, lambda _: next(back), text)


def _worded(text: str) -> str:
    text = _BULLET.sub(r"\1• ", text)
    # Bold words in a heading are bold already, and Slack knows no bold in bold.
    text = _HEADING.sub(lambda found: f"{_BOLD}{found[1].replace('**', '')}{_BOLD}", text)
    text = _STRONG.sub(rf"{_BOLD}\2{_BOLD}", text)
    text = _EMPHASIS.sub(r"_\1_", text)
    text = _STRUCK.sub(r"~\1~", text)
    return text.replace(_BOLD, "*")
