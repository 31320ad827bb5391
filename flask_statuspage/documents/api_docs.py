"""What the page ``docs`` tells: every document with its address, and examples with this page's own answers."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from ..domain.dialects import NATIVE_STATUS, STATUSPAGE_COMPONENT, STATUSPAGE_INDICATOR
from ..domain.status import ComponentStatus
from ..translation import marked
from . import catalogue
from .document import JSON, SVG, Document
from .rendering import Frame, Urls, render
from .snapshot import Snapshot
from .strips import uptime_formula
from .words import Words

ANSWER_LINES = 40
"""An answer that is longer is cut."""


_ALTERNATIVES = {
    # Translators: what the picture of a badge shows of a service, for those who do not see it.
    "status": marked("{name}: status"),
    "uptime": marked("{name}: uptime"),
    "response": marked("{name}: response time"),
}


@dataclass(frozen=True)
class Entry:
    """A document as it is listed. ``path`` is below the page; ``href`` is None where a component has to be put in."""

    path: str
    href: str | None
    says: str


@dataclass(frozen=True)
class Example:
    """A command for a shell, and what it prints."""

    command: str
    answer: str = ""


@dataclass(frozen=True)
class BadgeExample:
    """A badge as it looks (``source``) and the markup that shows it elsewhere."""

    source: str
    alt: str
    markup: str


def docs(
    snapshot: Snapshot,
    frame: Frame,
    *,
    dialect: str,
    webhooks: bool,
) -> str:
    """The documentation of the public API as a page.

    :param dialect: whose JSON stands at ``api/v2/``.
    :param webhooks: whether a visitor can subscribe one.
    """
    found = list(catalogue.documents(dialect).values())
    url = snapshot.page.url
    words = frame.words(snapshot.page)
    return render(
        "docs",
        snapshot.page,
        frame,
        here="docs",
        snapshot=snapshot,
        dialect=dialect,
        json_entries=_entries(found, frame.urls, JSON, "api/"),
        other_dialect=_entries(found, frame.urls, JSON, "statuspage/"),
        list_entries=[
            _entry(document, frame.urls)
            for document in found
            if document.content_type not in (JSON, SVG) and document.name != "theme"
        ],
        badge_entries=_entries(found, frame.urls, SVG, ""),
        badges=_badges(snapshot, frame.urls, words),
        examples={
            "status": _asked(snapshot, found, "status_json"),
            "components": _asked(snapshot, found, "components_json"),
            "unchanged": _asked_twice(_quoted(url, "api/v2/summary.json")),
            "subscribe": Example(
                f"curl -s {_quoted(url, '?action=subscribe')} -d type=webhook -d url=https://example.com/webhook"
            ),
        },
        webhooks=webhooks,
        uptime_formula=uptime_formula(words, partial_weight=snapshot.partial_outage_weight),
        statuses=[
            (
                words.status(status).word,
                NATIVE_STATUS[status],
                STATUSPAGE_COMPONENT[status],
                STATUSPAGE_INDICATOR[status],
            )
            for status in ComponentStatus
        ],
    )


def _entries(found: list[Document], urls: Urls, content_type: str, folder: str) -> list[Entry]:
    return [
        _entry(document, urls)
        for document in found
        if document.content_type == content_type and document.paths[0].startswith(folder)
    ]


def _entry(document: Document, urls: Urls) -> Entry:
    path = document.paths[0].replace("<component_slug>", "{component}")
    return Entry(path, None if document.of_component else urls(document.name), document.says)


def _asked(snapshot: Snapshot, found: list[Document], name: str) -> Example:
    document = next(document for document in found if document.name == name)
    answer = json.dumps(json.loads(document.render(snapshot)), indent=2, ensure_ascii=False)
    lines = answer.splitlines()
    if len(lines) > ANSWER_LINES:
        lines = [*lines[:ANSWER_LINES], "…"]
    return Example(f"curl -s {_quoted(snapshot.page.url, document.paths[0])}", "\n".join(lines))


def _asked_twice(url: str) -> Example:
    ask = "curl -s -o /dev/null -w '%{http_code}\\n'"
    return Example(f"{ask} --etag-save etag {url}\n{ask} --etag-compare etag {url}", "200\n304")


def _quoted(url: str, path: str) -> str:
    return shlex.quote(f"{url}/{path}")


def _badges(snapshot: Snapshot, urls: Urls, words: Words) -> list[BadgeExample]:
    """The page's own badge, and those of its first component."""
    page = snapshot.page
    shown = [_badge(f"{page.url}/api/v2/badge.svg", urls("badge"), page.name)]
    for state in snapshot.components[:1]:
        slug, name = state.fact.slug, state.fact.name
        folder = f"{page.url}/api/v2/components/{slug}"
        for kind, alt in _ALTERNATIVES.items():
            source = urls(f"component_{kind}_badge", component_slug=slug)
            shown.append(_badge(f"{folder}/{kind}.svg", source, words.gettext(alt, name=name)))
    return shown


def _badge(url: str, source: str, alt: str) -> BadgeExample:
    return BadgeExample(source, alt, f'<img src="{url}" alt="{_attribute(alt)}">')


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
