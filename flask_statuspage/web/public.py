"""The pages, the native API and the badge: what everybody may read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from ..documents import badge, native_api, theme
from ..documents import page as documents
from ..documents.json_text import JsonObject, dumps
from ..documents.snapshot import Snapshot
from ..errors import NotFound, StatusPageError
from ..services import overview
from ..storage.session import current_session
from . import answers, failures, subscribe, visits
from .cache import DocumentCache
from .mounts import PageUrls, current_urls, page_route
from .storable import is_storable

JSON_DOCUMENTS: dict[str, Callable[[Snapshot], JsonObject]] = {
    "status": native_api.status,
    "summary": native_api.summary,
    "components": native_api.components,
    "incidents": native_api.incidents,
    "incidents/unresolved": native_api.unresolved_incidents,
    "scheduled-maintenances": native_api.scheduled_maintenances,
    "scheduled-maintenances/upcoming": native_api.upcoming_maintenances,
    "scheduled-maintenances/active": native_api.active_maintenances,
}


def add_routes(blueprint: Blueprint, cache: Callable[[], DocumentCache]) -> None:
    """Add the public reads to *blueprint*; *cache* finds the documents of the app that answers."""

    def page(
        page_slug: str | None, render: Callable[[Snapshot, PageUrls, datetime | None], str]
    ) -> Response:
        urls = current_urls()
        found = cache().page(
            current_session,
            page_slug,
            _key_of_page(),
            lambda snapshot, stale: render(snapshot, urls, stale).encode(),
        )
        return answers.protect(
            answers.document(found, "text/html; charset=utf-8", open_to_all=False)
        )

    def home(page_slug: str | None) -> Response:
        if request.method == "POST":
            return subscribe.from_home(page_slug)
        return page(
            page_slug,
            lambda snapshot, urls, stale: documents.home(snapshot, urls, stale_since=stale),
        )

    def incident(page_slug: str | None, incident_id: UUID) -> Response:
        return page(page_slug, partial(_incident, incident_id))

    def maintenance(page_slug: str | None, maintenance_id: UUID) -> Response:
        return page(page_slug, partial(_maintenance, maintenance_id))

    def badge_svg(page_slug: str | None) -> Response:
        label, style = request.args.get("label"), request.args.get("style", "flat")
        found = cache().document(
            current_session,
            page_slug,
            f"badge {style} {label!r}",
            lambda snapshot, stale: badge.badge(snapshot, label=label, style=style),
            rare=label is not None or style != "flat",
        )
        return answers.document(found, "image/svg+xml; charset=utf-8")

    def theme_css(page_slug: str | None) -> Response:
        found = cache().document(
            current_session, page_slug, "theme", lambda snapshot, stale: theme.stylesheet(snapshot)
        )
        return answers.document(found, "text/css; charset=utf-8")

    # Without the slash as well: published clients POST to "…?action=subscribe" and follow no redirect.
    page_route(blueprint, "/", "home", home, methods=["GET", "POST"], strict_slashes=False)
    page_route(blueprint, "/incidents/<uuid:incident_id>", "incident", incident)
    page_route(blueprint, "/maintenance/<uuid:maintenance_id>", "maintenance", maintenance)
    page_route(blueprint, "/api/v2/badge.svg", "badge", badge_svg)
    page_route(blueprint, "/theme.css", "theme", theme_css)
    for name, render in JSON_DOCUMENTS.items():
        endpoint = name.replace("/", "_").replace("-", "_") + "_json"
        view = _json_view(name, render, cache)
        page_route(blueprint, f"/api/v2/{name}.json", endpoint, view)

    page_route(
        blueprint,
        "/api/v2/<path:rest>",
        "no_json",
        _no_document,
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    )
    blueprint.register_error_handler(StatusPageError, failures.as_page)
    blueprint.register_error_handler(SQLAlchemyError, failures.as_page)
    visits.add_gate(blueprint, cache)  # before the next line: its headers have the last word
    blueprint.after_request(_open_api)
    blueprint.url_value_preprocessor(_check_page_slug)


def _no_document(page_slug: str | None, rest: str) -> Response:
    """Whatever else is asked of the API is answered as its errors are, to scripts of any site."""
    if request.method not in ("GET", "HEAD"):
        raise failures.WrongMethod(request.method, ["GET", "HEAD"])
    raise NotFound("document", rest)


def _json_view(
    name: str,
    render: Callable[[Snapshot], JsonObject],
    cache: Callable[[], DocumentCache],
) -> Callable[..., Response]:
    def view(page_slug: str | None) -> Response:
        found = cache().document(
            current_session,
            page_slug,
            f"json {name}",
            lambda snapshot, stale: dumps(render(snapshot)),
        )
        return answers.document(found, "application/json; charset=utf-8")

    return view


def _key_of_page() -> str:
    """One key per page, however its path is spelt; links in it begin with where the app is mounted."""
    arguments = {
        name: str(value) for name, value in (request.view_args or {}).items() if name != "page_slug"
    }
    return f"page {request.script_root} {request.endpoint} {arguments}"


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


def _open_api(response: Response) -> Response:
    """Answer preflights and errors of the public API to scripts of any site, too."""
    if answers.is_api():
        if "Access-Control-Allow-Origin" not in response.headers:
            answers.allow_any_origin(response)
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = "If-None-Match, If-Modified-Since"
            response.headers["Access-Control-Max-Age"] = "86400"
    return response
