"""``live.json``: what our script asks for while a page is open."""

from __future__ import annotations

from flask import Blueprint, Response

from ..documents import live
from ..documents.document import JSON
from . import shown
from .mounts import page_route


def add_routes(blueprint: Blueprint) -> None:
    """Add ``live.json`` to *blueprint*. No CORS: it is for our own pages."""
    page_route(blueprint, "/live.json", "live", _live)


def _live(page_slug: str | None) -> Response:
    return shown.page(page_slug, live.live, content_type=JSON)
