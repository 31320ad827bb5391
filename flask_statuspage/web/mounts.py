"""Routes that answer for the default page at the root and for every page under its slug."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, request, url_for

from ..documents import assets


def page_route(
    blueprint: Blueprint, rule: str, endpoint: str, view: Callable[..., Any], **options: Any
) -> None:
    """Add *rule* twice: for the default page (``page_slug`` None), and behind ``/<page_slug>``."""
    blueprint.add_url_rule(rule, endpoint, view, defaults={"page_slug": None}, **options)
    blueprint.add_url_rule(f"/<page_slug>{rule}", endpoint, view, **options)


SPEAKING = frozenset(
    [
        *("home", "history", "incident", "maintenance", "component", "docs", "live", "widget"),
        *("subscribe", "confirm", "manage", "unsubscribe"),
    ]
)
"""Endpoints that answer in the visitor's language."""

# A page has a link for each service and incident. Flask's url_for, and what a host adds to it, is asked only for the
# first of each kind; then only the id or slug differs.
_OF_MANY = frozenset(["component_slug", "incident_id", "maintenance_id"])
_STAND_IN = "stand-in-7d1c0e5b"
_PLAIN = re.compile("[0-9a-z-]+")


@dataclass(frozen=True)
class PageUrls:
    """``urls(endpoint, **values)`` for documents: paths within one mount and one page, of one request.

    :param mount: the blueprint's name as the app knows it, ``parent.statuspage`` when nested.
    :param language: what the visitor chose, which links to other pages keep.
    """

    mount: str
    page_slug: str | None
    language: str | None = None
    _patterns: dict[str, str | None] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    def __call__(self, endpoint: str, /, **values: Any) -> str:
        if len(values) == 1:
            ((name, value),) = values.items()
            if name in _OF_MANY and _PLAIN.fullmatch(text := str(value)):
                if endpoint not in self._patterns:
                    self._patterns[endpoint] = self._pattern(endpoint, name, text)
                if (pattern := self._patterns[endpoint]) is not None:
                    return pattern.replace(_STAND_IN, text)
        return self._built(endpoint, values)

    def _pattern(self, endpoint: str, name: str, text: str) -> str | None:
        """The URL with :data:`_STAND_IN` for *text*; None where a host makes something else of it than itself."""
        pattern = self._built(endpoint, {name: _STAND_IN})
        is_told = pattern.replace(_STAND_IN, text) == self._built(endpoint, {name: text})
        return pattern if is_told else None

    def _built(self, endpoint: str, values: dict[str, Any]) -> str:
        if endpoint == "static":
            values["v"] = assets.mark(values["filename"])
        elif self.page_slug is not None:
            values["page_slug"] = self.page_slug
        if self.language is not None and endpoint in SPEAKING:
            values.setdefault("lang", self.language)
        return url_for(f"{self.mount}.{endpoint}", **values)


def current_mount() -> str:
    """The name under which the blueprint that answers this request is mounted."""
    return (request.blueprint or "").removesuffix(".manage").removesuffix(".console")


def current_urls(language: str | None = None, *, root: bool = False) -> PageUrls:
    """URLs of the page that this request is about.

    :param language: what the visitor chose.
    :param root: of the page at the root of the mount instead.
    """
    slug = None if root else (request.view_args or {}).get("page_slug")
    return PageUrls(current_mount(), slug, language)


def is_meant(app: Flask, blueprint: Blueprint | str, name: str) -> bool:
    """Whether *blueprint*, or a name that a host gave, is what *app* has under *name*."""
    if isinstance(blueprint, str):
        return blueprint in (name, name.rpartition(".")[2])
    return app.blueprints.get(name) is blueprint


def names_of(app: Flask, blueprint: Blueprint) -> list[str]:
    """The full names, ``parent.child``, under which *app* has that very blueprint."""
    return [name for name, one in app.blueprints.items() if one is blueprint]


def lineage(name: str) -> list[str]:
    """The blueprint *name* and those that it is nested in, by their full names."""
    return [name, *(name[:at] for at, letter in enumerate(name) if letter == ".")]
