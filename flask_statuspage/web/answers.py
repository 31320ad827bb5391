"""Answers: documents with their caching headers, JSON, and pages under the strict policy."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, current_app, json, request
from werkzeug.datastructures import Headers

from ..config import Settings
from ..state import current_settings
from . import visits
from .cache import Document

CACHE_CONTROL = "public, max-age=5, stale-while-revalidate=30, stale-if-error=86400"

# A page is asked for again at every visit (304 while it stands): an outage must not look green to whoever comes back.
PAGE_CACHE_CONTROL = "public, no-cache, stale-if-error=86400"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)

OPEN_HEADERS = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Last-Modified, Link, Warning"),
]

CONDITIONS = frozenset({"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"})

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"


def document(found: Document, content_type: str, *, open_to_all: bool = True) -> Response:
    """A public document: cacheable, conditional, and readable from any site's scripts unless it is a page.

    :param open_to_all: add the CORS header.
    :raises StatusPageError: when the page has just ceased to be for this visitor.
    """
    visits.require(found.source.page)  # the gate may have looked at an older snapshot
    kept = CACHE_CONTROL if open_to_all else PAGE_CACHE_CONTROL
    cache_control = kept if found.shared else "private, no-cache"
    headers = [
        ("Content-Type", content_type),
        ("ETag", f'"{found.etag}"'),
        ("Last-Modified", found.last_modified),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if found.stale_since is not None:
        cache_control = "no-cache"
        headers.append(("Warning", '110 - "Response is Stale"'))
    headers.append(("Cache-Control", cache_control))
    if open_to_all:
        headers += OPEN_HEADERS
    # All headers at once: setting them one by one took longer than all else in a warm answer.
    response = Response(found.body, headers=Headers(headers))
    if CONDITIONS.intersection(request.environ):
        response.make_conditional(request)
    return response


def allow_any_origin(response: Response) -> Response:
    response.headers.update(OPEN_HEADERS)
    return response


def page(html: str, status: int = 200) -> Response:
    """A page that is made for one visitor: never cached."""
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address may hold a token
    return protect(response)


def protect(response: Response) -> Response:
    """Our own policy on our own standalone pages; inside the host's template the host's policy rules.

    A logo from elsewhere is the only thing that our policy lets in from there.
    """
    default = Settings.__dataclass_fields__["base_template"].default
    if current_settings().base_template == default:
        policy, elsewhere = CONTENT_SECURITY_POLICY, visits.image_source()
        if elsewhere:
            policy = policy.replace("img-src 'self'", f"img-src 'self' {elsewhere}")
        response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def as_json(body: Any, status: int = 200) -> Response:
    """A JSON answer for one asker."""
    response = current_app.response_class(
        json.dumps(body, ensure_ascii=False), status, mimetype=JSON_TYPE
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def problem(
    status: int,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Problem details (RFC 9457) with ``errors: [{field, message}]``; the title is the status's phrase (4.2.1)."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    body["errors"] = errors or []
    response = current_app.response_class(
        json.dumps(body, ensure_ascii=False), status, mimetype=PROBLEM_TYPE
    )
    response.headers["Cache-Control"] = "no-store"
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def is_api() -> bool:
    """Whether the request is for a document of the public API, whose readers are programs."""
    endpoint = (request.endpoint or "").rpartition(".")[2]
    return endpoint.endswith("_json") or endpoint == "badge"


def wants_json() -> bool:
    """Whether whoever asks is a program: it says so, or it sent JSON."""
    best = request.accept_mimetypes.best_match([JSON_TYPE, "text/html"], default="text/html")
    explicit = best == JSON_TYPE and (
        request.accept_mimetypes[JSON_TYPE] > request.accept_mimetypes["text/html"]
    )
    return request.is_json or explicit
