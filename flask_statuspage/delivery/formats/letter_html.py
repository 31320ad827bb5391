"""A letter as the HTML part of a mail.

Mail programs know tables and inline styles; some read nothing of a style sheet, so it has little more than the dark
colours. There are no images, and nothing is fetched from anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from ...domain.markup import one_line, to_html
from ...domain.status import ComponentStatus
from .letter import Code, Entries, Letter, Lines, Link, Part, Prose, Services

LINKS = "<!-- links -->"
"""Stands where the reader's own links belong. No text can hold it: everywhere else "<" is escaped."""

COLOURS = {
    ComponentStatus.OPERATIONAL: "#2e7d32",
    ComponentStatus.UNKNOWN: "#6b7280",
    ComponentStatus.UNDER_MAINTENANCE: "#1d4ed8",
    ComponentStatus.DEGRADED_PERFORMANCE: "#ca8a04",
    ComponentStatus.PARTIAL_OUTAGE: "#ea580c",
    ComponentStatus.MAJOR_OUTAGE: "#b91c1c",
}

_FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
# A long address must not make the table wider than a phone.
_BROKEN = "overflow-wrap:anywhere;word-break:break-word"
_TEXT = f"{_FONT};font-size:16px;line-height:1.5;color:#1f2937;{_BROKEN}"
_QUIET = f"{_FONT};font-size:14px;line-height:1.5;color:#4b5563;{_BROKEN}"
_PARAGRAPH = "margin:0 0 16px"

_SHEET = """:root{color-scheme:light dark}
.sp-text pre{white-space:pre-wrap}
@media (prefers-color-scheme:dark){
.sp-back{background:#111317 !important}
.sp-card{background:#1e2127 !important}
.sp-text,.sp-text a{color:#e8eaed !important}
.sp-quiet,.sp-quiet a{color:#b6bcc6 !important}
.sp-text a.sp-button{background:#e8eaed !important;color:#111317 !important}
}"""


def page(
    letter: Letter, *, subject: str, page_name: str, page_url: str, language: str, direction: str
) -> str:
    """The whole document, with :data:`LINKS` in its footer."""
    about = f'lang="{escape(language)}" dir="{direction}"'
    start = "right" if direction == "rtl" else "left"
    parts = "\n".join(_html(part, direction) for part in letter.parts)
    name = f'<span dir="auto">{escape(one_line(page_name))}</span>'
    return f"""<!doctype html>
<html {about}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{escape(subject)}</title>
<style>
{_SHEET}
</style>
</head>
<body class="sp-back" style="margin:0;padding:0;background:#f3f4f6">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" class="sp-back" \
style="background:#f3f4f6"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0" class="sp-card" {about} \
style="width:100%;max-width:600px;background:#ffffff">
<tr><td height="6" style="height:6px;line-height:6px;font-size:1px;background:{COLOURS[letter.tone]}">&nbsp;</td></tr>
<tr><td class="sp-text" align="{start}" style="padding:24px;text-align:{start};{_TEXT}">
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">{letter.headline.html(direction)}</h1>
{parts}
</td></tr>
<tr><td class="sp-quiet" align="{start}" style="padding:0 24px 24px;text-align:{start};{_QUIET}">
<p style="margin:0">{_link(name, page_url)}</p>
{LINKS}
</td></tr>
</table>
</td></tr></table>
</body>
</html>
"""


def links(manage: str, manage_url: str, unsubscribe: str, unsubscribe_url: str) -> str:
    """What takes the place of :data:`LINKS`."""
    change, leave = _link(escape(manage), manage_url), _link(escape(unsubscribe), unsubscribe_url)
    return f'<p style="margin:8px 0 0">{change} &middot; {leave}</p>'


def _html(part: Part, direction: str) -> str:
    return _LAYOUTS[type(part)](part, direction)


def _lines(part: Lines, direction: str) -> str:
    if not part.sentences:
        return ""
    lines = "<br>\n".join(sentence.html(direction) for sentence in part.sentences)
    return f'<p style="{_PARAGRAPH}">{lines}</p>'


def _services(part: Services, direction: str) -> str:
    # The colour stands beside the word, never in its place.
    lines = "<br>\n".join(
        f'<span style="color:{COLOURS[status]}" aria-hidden="true">&#9679;</span> {sentence.html(direction)}'
        for sentence, status in part.sentences
    )
    return f'<p style="{_PARAGRAPH}">{lines}</p>'


def _prose(part: Prose, direction: str) -> str:
    return f'<div dir="auto">{to_html(part.text)}</div>'


def _button(part: Link, direction: str) -> str:
    style = "display:inline-block;padding:10px 16px;background:#1f2937;color:#ffffff;text-decoration:none"
    linked = _link(part.label.html(direction), part.url, f' class="sp-button" style="{style}"')
    return f'<p style="{_PARAGRAPH}">{linked}</p>'


def _entries(part: Entries, direction: str) -> str:
    items = "\n".join(
        f'<li style="margin:0 0 8px">{_link(sentence.html(direction), url or "")}</li>'
        for sentence, url in part.entries
    )
    return f'<ul style="margin:0 0 16px;padding:0 20px">{items}</ul>'


def _code(part: Code, direction: str) -> str:
    return f'<p style="{_PARAGRAPH}"><code dir="ltr">{escape(one_line(part.text))}</code></p>'


_LAYOUTS: dict[type, Callable[[Any, str], str]] = {
    Lines: _lines,
    Services: _services,
    Prose: _prose,
    Link: _button,
    Entries: _entries,
    Code: _code,
}


def _link(label: str, url: str, attributes: str = ' style="color:inherit"') -> str:
    """:param label: HTML. It stands alone where *url* is none that a mail may lead to."""
    if url.partition(":")[0].lower() not in ("http", "https", "mailto"):
        return label
    return f'<a href="{escape(one_line(url))}"{attributes}>{label}</a>'
