"""The pages: what everybody may look at, and the hooks that all public routes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Request, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from ..documents import api_docs
from ..documents import page as documents
from ..documents.document import JSON
from ..documents.rendering import Frame
from ..documents.snapshot import Snapshot
from ..errors import NotFound, StatusPageError
from ..services import wishes
from ..state import current_settings, current_state
from ..storage.session import current_session
from . import answers, endpoints, failures, shown, subscribe, unmatched, visits
from .cache import DocumentCache
from .mounts import page_route
from .ready import Ready
from .storable import is_storable


def add_routes(blueprint: Blueprint, cache: Callable[[], DocumentCache]) -> None:
    """Add the public reads to *blueprint*; *cache* finds the documents of the app that answers."""

    def home(page_slug: str | None) -> BaseResponse:
        if request.method == "POST":
            return subscribe.from_home(page_slug)
        return shown.page(page_slug, documents.home)

    def docs(page_slug: str | None) -> Response:
        return shown.page(page_slug, _docs)

    def openapi(page_slug: str | None) -> Response:
        describe = current_state().describe_api
        found = cache().document(
            current_session, page_slug, "openapi", lambda snapshot, stale: describe(snapshot)
        )
        return answers.document(found, JSON)

    # Without the slash as well: published clients POST to "…?action=subscribe" and follow no redirect.
    page_route(blueprint, "/", "home", home, methods=["GET", "POST"], strict_slashes=False)
    page_route(blueprint, "/docs", "docs", docs)
    page_route(blueprint, "/api/openapi.json", "openapi", openapi)
    blueprint.register_error_handler(StatusPageError, failures.as_page)
    blueprint.register_error_handler(SQLAlchemyError, failures.as_page)
    visits.add_gate(blueprint, cache)
    blueprint.after_request(_finish)
    blueprint.url_value_preprocessor(_check_page_slug)


def _docs(snapshot: Snapshot, frame: Frame) -> str:
    return api_docs.docs(
        snapshot,
        frame,
        dialect=current_settings().api_dialect,
        webhooks="webhook" in wishes.offered_channels(),
    )


def _check_page_slug(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Look at the slug before anybody looks for its page.

    :raises NotFound: for what no database could hold, and PostgreSQL does not even look for.
    :raises WrongMethod: for a POST to a fixed path that only seems to be a page's.
    """
    slug = (values or {}).get("page_slug")
    if slug is None:
        return
    if not is_storable(slug):
        raise NotFound("page", slug)
    if request.method == "POST" and (endpoint or "").endswith(".home"):
        unmatched.refuse_as_page(visits.request_object())


def _finish(response: Response) -> Response:
    """What all answers get, errors too: public documents are open, what is private is closed."""
    asked = visits.request_object()
    if endpoints.is_api():
        _open_api(response, asked)
    return visits.keep_private(response, asked)


def _open_api(response: Response, asked: Request) -> None:
    """Answer preflights and errors of the public API to scripts of any site, too."""
    if not isinstance(response, Ready) and "Access-Control-Allow-Origin" not in response.headers:
        answers.allow_any_origin(response)
    if asked.method == "OPTIONS":
        response.headers["Allow"] = "GET, HEAD, OPTIONS"
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "If-None-Match, If-Modified-Since"
        response.headers["Access-Control-Max-Age"] = "86400"
