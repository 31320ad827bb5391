"""Routes that answer for the default page at the root and for every page under its slug."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request, url_for


def page_route(
    blueprint: Blueprint, rule: str, endpoint: str, view: Callable[..., Any], **options: Any
) -> None:
    """Add *rule* twice: for the default page (``page_slug`` None), and behind ``/<page_slug>``."""
    blueprint.add_url_rule(rule, endpoint, view, defaults={"page_slug": None}, **options)
    blueprint.add_url_rule(f"/<page_slug>{rule}", endpoint, view, **options)


class PageUrls:
    """``urls(endpoint, **values)`` for documents: paths within one mount and one page.

    :param mount: the blueprint's name as the app knows it, ``parent.statuspage`` when nested.
    """

    def __init__(self, mount: str, page_slug: str | None) -> None:
        self._mount = mount
        self._page_slug = page_slug

    def __call__(self, endpoint: str, /, **values: Any) -> str:
        if endpoint != "static" and self._page_slug is not None:
            values["page_slug"] = self._page_slug
        return url_for(f"{self._mount}.{endpoint}", **values)


def current_mount() -> str:
    """The name under which the blueprint that answers this request is mounted."""
    return (request.blueprint or "").removesuffix(".manage").removesuffix(".console")


def current_urls() -> PageUrls:
    """URLs of the page that this request is about."""
    return PageUrls(current_mount(), (request.view_args or {}).get("page_slug"))
