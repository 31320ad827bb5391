"""The pages: what everybody may look at, and the hooks that all public routes share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Request, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from ..documents import api_docs
from ..documents import page as documents
from ..documents.document import JSON
from ..documents.snapshot import Snapshot
from ..errors import NotFound, StatusPageError
from ..services import overview, wishes
from ..state import current_settings, current_state
from ..storage.session import current_session
from . import answers, endpoints, failures, subscribe, visits
from .cache import DocumentCache
from .idents import uuid_of
from .mounts import PageUrls, current_urls, page_route
from .ready import Ready
from .storable import is_storable

HTML = "text/html; charset=utf-8"


def add_routes(blueprint: Blueprint, cache: Callable[[], DocumentCache]) -> None:
    """Add the public reads to *blueprint*; *cache* finds the documents of the app that answers."""

    def page(
        page_slug: str | None,
        name: str,
        render: Callable[[Snapshot, PageUrls, datetime | None], str],
    ) -> Response:
        asked = visits.request_object()
        # Its links begin with where the app is, the prefix of the blueprint, and the page's name: with the path up to
        # *name*, of which there are several spellings.
        path = asked.path.rpartition("/")[0] if name else asked.path.rstrip("/")
        key = f"page {asked.root_path} {path} {asked.endpoint} {name}"
        found = cache().page(
            current_session,
            page_slug,
            key,
            lambda snapshot, stale: render(snapshot, current_urls(), stale).encode(),
        )
        return answers.document(found, HTML, is_page=True)

    def home(page_slug: str | None) -> BaseResponse:
        if request.method == "POST":
            return subscribe.from_home(page_slug)
        return page(page_slug, "", _home)

    def incident(page_slug: str | None, incident_id: str) -> Response:
        ident = _ident(incident_id, "incident")
        return page(page_slug, str(ident), partial(_incident, ident))

    def maintenance(page_slug: str | None, maintenance_id: str) -> Response:
        ident = _ident(maintenance_id, "maintenance")
        return page(page_slug, str(ident), partial(_maintenance, ident))

    def docs(page_slug: str | None) -> Response:
        return page(page_slug, "", _docs)

    def openapi(page_slug: str | None) -> Response:
        describe = current_state().describe_api
        found = cache().document(
            current_session, page_slug, "openapi", lambda snapshot, stale: describe(snapshot)
        )
        return answers.document(found, JSON)

    # Without the slash as well: published clients POST to "…?action=subscribe" and follow no redirect.
    page_route(blueprint, "/", "home", home, methods=["GET", "POST"], strict_slashes=False)
    page_route(blueprint, "/incidents/<incident_id>", "incident", incident)
    page_route(blueprint, "/maintenance/<maintenance_id>", "maintenance", maintenance)
    page_route(blueprint, "/docs", "docs", docs)
    page_route(blueprint, "/api/openapi.json", "openapi", openapi)
    blueprint.register_error_handler(StatusPageError, failures.as_page)
    blueprint.register_error_handler(SQLAlchemyError, failures.as_page)
    visits.add_gate(blueprint, cache)
    blueprint.after_request(_finish)
    blueprint.url_value_preprocessor(_check_page_slug)


def _ident(text: str, kind: str) -> UUID:
    """:raises NotFound: also for other spellings of an id: one thing has one address."""
    ident = uuid_of(text, kind)
    if str(ident) != text.lower():
        raise NotFound(kind, text)
    return ident


def _home(snapshot: Snapshot, urls: PageUrls, stale: datetime | None) -> str:
    return documents.home(snapshot, urls, stale_since=stale)


def _docs(snapshot: Snapshot, urls: PageUrls, stale: datetime | None) -> str:
    return api_docs.docs(
        snapshot,
        urls,
        dialect=current_settings().api_dialect,
        webhooks="webhook" in wishes.offered_channels(),
        stale_since=stale,
    )


def _incident(incident_id: UUID, snapshot: Snapshot, urls: PageUrls, stale: datetime | None) -> str:
    shown = (fact for fact in snapshot.incidents if fact.id == incident_id)
    fact = next(shown, None)
    if fact is None:  # older than what a page shows; mails and webhooks link to it all the same
        fact = overview.incident(current_session(), snapshot.page.id, incident_id)
    return documents.incident(snapshot, fact, urls, stale_since=stale)


def _maintenance(
    maintenance_id: UUID, snapshot: Snapshot, urls: PageUrls, stale: datetime | None
) -> str:
    shown = (fact for fact in snapshot.maintenances if fact.id == maintenance_id)
    fact = next(shown, None)
    if fact is None:
        fact = overview.maintenance(current_session(), snapshot.page.id, maintenance_id)
    return documents.maintenance(snapshot, fact, urls, stale_since=stale)


def _check_page_slug(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """:raises NotFound: for what no database could hold, and PostgreSQL does not even look for."""
    slug = (values or {}).get("page_slug")
    if slug is not None and not is_storable(slug):
        raise NotFound("page", slug)


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
