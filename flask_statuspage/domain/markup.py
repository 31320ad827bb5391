"""Markdown as members write it, made safe to show: one rendering for pages, feeds and mails."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline

MAX_CHARACTERS = 10_000
"""Longer input is refused where it is saved; hostile Markdown costs more than linear time."""

MAX_NO_LINKS = 1000
"""So many brackets of a text may turn out to begin no link; what stands after them is not looked at for links."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_NO_LINKS = "brackets without a link"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_TAGS = {"p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr"}
_TAGS |= {"h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}


def has_control(text: str) -> bool:
    """Whether *text* has line breaks or control characters, which a title or name must not bring into a mail.

    Terminals obey those of C1, too; one that embeds, overrides or isolates a direction and is never closed turns
    around what stands behind it. The marks LRM and RLM do not: they stay.
    """
    return _CONTROL.search(text) is not None


def one_line(text: str) -> str:
    """*text* on one line, without what :func:`has_control` finds: fit for a subject, a heading or a text message."""
    return " ".join(_CONTROL.sub(" ", text).split())


def is_storable(text: str) -> bool:
    """Whether every database can keep *text*: it has neither NUL nor halves of surrogate pairs."""
    return "\x00" not in text and not any("\ud800" <= mark <= "\udfff" for mark in text)


# The same words stand on a page, in two feeds and in those of each component, and in all of the next version.
@lru_cache(maxsize=1000)
def to_html(text: str) -> str:
    """*text* (Markdown) as sanitized HTML. Links go to http, https and mailto only; images and raw HTML are text."""
    import nh3  # like markdown_it not at the start of every process: many never render a word

    return nh3.clean(
        _renderer().render(text[:MAX_CHARACTERS]),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


@cache
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("js-default", {"html": False, "linkify": False})
    renderer.disable(["image"])
    renderer.inline.ruler.at("link", _link)
    renderer.core.ruler.push("lower_headings", _lower_headings)
    renderer.core.ruler.push("refuse_relative_links", _refuse_relative_links)
    return renderer


def _link(state: StateInline, silent: bool) -> bool:
    """The parser's own rule, which looks for the end of a link at each bracket, and then at all those within.

    Of thousands that nobody closes that would take seconds.
    """
    from markdown_it.rules_inline import link

    if state.src[state.pos] != "[":
        return False
    seen = state.env.get(_NO_LINKS, 0)
    if seen >= MAX_NO_LINKS:
        return False
    if link(state, silent):
        return True
    state.env[_NO_LINKS] = (
        state.env.get(_NO_LINKS, 0) + 1
    )  # those within have been counted meanwhile
    return False


def _lower_headings(state: object) -> None:
    # A message stands below a page's own h1 and h2; its deeper headings keep their level.
    for token in state.tokens:  # type: ignore[attr-defined]
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{max(3, int(token.tag[1]))}"


def _refuse_relative_links(state: object) -> None:
    # A path leads elsewhere in a mail or feed than on the page, and "//host" is a host under the reader's
    # scheme; nh3 lets both pass.
    for token in state.tokens:  # type: ignore[attr-defined]
        for child in token.children or ():
            href = str(child.attrs.get("href", ""))
            if child.type != "link_open" or _SCHEME.match(href):
                continue
            if href.startswith("//"):
                child.attrs["href"] = "https:" + href
            else:
                del child.attrs["href"]
