"""What other sites may put into their pages: a frame, or a script that makes a badge. Of public pages only."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request

from ..documents import widget
from ..documents.document import JSON
from ..errors import FieldError, NotFound
from ..state import current_settings
from . import assets, shown, visits
from .failures import BadQuery
from .mounts import page_route

SCRIPT = "widget.js"

KEPT = "public, max-age=3600, stale-while-revalidate=86400"
"""How long a browser keeps the script, whose address stays the same."""

_ALLOWED = {"theme": widget.THEMES, "hide": (widget.CALM,)}


def add_routes(blueprint: Blueprint) -> None:
    """Add the frame, the script and its data to *blueprint*."""
    page_route(blueprint, "/widget", "widget", _frame)
    page_route(blueprint, f"/{SCRIPT}", "widget_js", _script)
    page_route(blueprint, "/widget.json", "widget_json", _data)


def _frame(page_slug: str | None) -> Response:
    _require_public()
    chosen = _chosen()
    render = partial(
        widget.frame_page, theme=chosen.get("theme"), hide_calm=chosen.get("hide") == widget.CALM
    )
    return shown.page(page_slug, render, kept=chosen, ancestors=current_settings().frame_ancestors)


def _script(page_slug: str | None) -> Response:
    _require_public()
    return assets.answer(SCRIPT, kept=KEPT, everywhere=True)


def _data(page_slug: str | None) -> Response:
    _require_public()
    return shown.page(page_slug, widget.data, content_type=JSON, is_open=True)


def _chosen() -> dict[str, str]:
    """What the address of the frame chooses.

    :raises BadQuery: for anything else than there is.
    """
    found = {name: request.args[name] for name in _ALLOWED if name in request.args}
    errors = [
        FieldError(name, f"Choose one of: {', '.join(_ALLOWED[name])}.")
        for name, value in found.items()
        if value not in _ALLOWED[name]
    ]
    if errors:
        raise BadQuery(*errors)
    return found


def _require_public() -> None:
    """:raises NotFound: for a page that is not for everybody: the visitor of another site is anybody."""
    page = visits.page_of(request)
    if page is not None and not page.is_public:
        raise NotFound("widget", page.slug)
