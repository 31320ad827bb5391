"""What the page ``docs`` tells: every document with its address, and examples with this page's own answers."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from datetime import datetime

from . import catalogue
from .document import JSON, SVG, Document
from .rendering import Urls, render
from .snapshot import Snapshot

ANSWER_LINES = 40
"""An answer that is longer is cut."""


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
    urls: Urls,
    *,
    dialect: str,
    webhooks: bool,
    stale_since: datetime | None = None,
    standalone: bool = False,
) -> str:
    """The documentation of the public API as a page.

    :param dialect: whose JSON stands at ``api/v2/``.
    :param webhooks: whether a visitor can subscribe one.
    """
    found = list(catalogue.documents(dialect).values())
    url = snapshot.page.url
    return render(
        "docs",
        snapshot.page,
        urls,
        here="docs",
        snapshot=snapshot,
        dialect=dialect,
        json_entries=_entries(found, urls, JSON, "api/"),
        other_dialect=_entries(found, urls, JSON, "statuspage/"),
        list_entries=[
            _entry(document, urls)
            for document in found
            if document.content_type not in (JSON, SVG) and document.name != "theme"
        ],
        badge_entries=_entries(found, urls, SVG, ""),
        badges=_badges(snapshot, urls),
        examples={
            "status": _asked(snapshot, found, "status_json"),
            "components": _asked(snapshot, found, "components_json"),
            "unchanged": _asked_twice(_quoted(url, "api/v2/summary.json")),
            "subscribe": Example(
                f"curl -s {_quoted(url, '?action=subscribe')} -d type=webhook -d url=https://example.com/webhook"
            ),
        },
        webhooks=webhooks,
        stale_since=stale_since,
        standalone=standalone,
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


def _badges(snapshot: Snapshot, urls: Urls) -> list[BadgeExample]:
    """The page's own badge, and those of its first component."""
    page = snapshot.page
    shown = [_badge(f"{page.url}/api/v2/badge.svg", urls("badge"), page.name)]
    for state in snapshot.components[:1]:
        slug, name = state.fact.slug, state.fact.name
        folder = f"{page.url}/api/v2/components/{slug}"
        for kind in ("status", "uptime", "response"):
            source = urls(f"component_{kind}_badge", component_slug=slug)
            shown.append(_badge(f"{folder}/{kind}.svg", source, f"{name}: {kind}"))
    return shown


def _badge(url: str, source: str, alt: str) -> BadgeExample:
    return BadgeExample(source, alt, f'<img src="{url}" alt="{_attribute(alt)}">')


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
