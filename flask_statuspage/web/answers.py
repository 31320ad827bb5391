"""Answers: documents with their caching headers, JSON, and pages under the strict policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, json, request
from werkzeug.wrappers import Response as BaseResponse

from ..documents.policy import content_security_policy
from ..documents.rendering import OWN_BASE
from ..state import current_settings, current_state
from . import visits
from .cache import Rendered
from .languages import Spoken
from .ready import Ready, Variants

CACHE_CONTROL = "public, max-age=5, stale-while-revalidate=30, stale-if-error=86400"

# A page is asked for again at every visit (304 while it stands): an outage must not look green to whoever comes back.
PAGE_CACHE_CONTROL = "public, no-cache, stale-if-error=86400"

OPEN_HEADERS = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Last-Modified, Link, Warning"),
]

STALE_HEADERS = [("Warning", '110 - "Response is Stale"'), ("Cache-Control", "no-cache")]
"""Of what could not be renewed."""

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"


def document(
    found: Rendered,
    content_type: str,
    *,
    is_page: bool = False,
    link: Callable[[], str] | None = None,
    spoken: Spoken | None = None,
    ancestors: Sequence[str] = (),
) -> Response:
    """A public document: cacheable, compressed, conditional, and readable from any site's scripts unless it is a page.

    :param spoken: how its language was found, where it has one.
    :param link: makes a ``Link`` header (RFC 8288), once for the document.
    :param ancestors: which sites may show it in a frame; it then is in no host's template.
    :raises StatusPageError: when the page has just ceased to be for this visitor.
    """
    asked = visits.request_object()
    visits.require(found.page, asked)  # the gate may have looked at an older snapshot
    variants = found.variants.get(content_type)
    if variants is None:
        policy = None
        if is_page:
            policy = _policy(visits.logo_source(found.page), ancestors)
        variants = _variants(found, content_type, is_page, link() if link else None, spoken, policy)
        found.variants[content_type] = variants
    environ = asked.environ
    if (lane := current_state().fast_lane) is not None and not (spoken and spoken.personal):
        language = spoken.language if spoken and spoken.negotiated else None
        lane.learn(environ, visits.address_of(asked), found, variants, language=language)
    chosen = variants.choose(environ)
    if variants.is_known(environ):
        return Ready(b"", 304, chosen.unchanged)
    return Ready(chosen.body, 200, chosen.headers)


def _variants(
    found: Rendered,
    content_type: str,
    is_page: bool,
    link: str | None,
    spoken: Spoken | None,
    policy: str | None,
) -> Variants:
    headers = [("X-Content-Type-Options", "nosniff")]
    vary = []
    if spoken is not None:
        headers.append(("Content-Language", spoken.language))
        vary = ["Accept-Language"] * spoken.negotiated + ["Cookie"] * spoken.personal
    if not found.shared or (spoken is not None and spoken.personal):
        headers.append(("Cache-Control", "private, no-cache"))
        headers += STALE_HEADERS[:1] if found.stale_since else []
    elif found.stale_since is not None:
        headers += STALE_HEADERS
    else:
        headers.append(("Cache-Control", PAGE_CACHE_CONTROL if is_page else CACHE_CONTROL))
    if policy:
        headers.append(("Content-Security-Policy", policy))
    if not is_page:
        headers += OPEN_HEADERS
    if link:
        headers.append(("Link", link))
    return Variants(
        found.body,
        etag=found.etag,
        last_modified=found.last_modified,
        content_type=content_type,
        headers=headers,
        vary=vary,
        compress=found.shared,
    )


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
    """Our own policy on our own standalone pages; inside the host's template the host's policy rules."""
    if policy := _policy(visits.image_source()):
        response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _policy(logo: str | None, ancestors: Sequence[str] = ()) -> str | None:
    """The policy of our pages, in which *logo*, an origin elsewhere, is the only thing let in from there."""
    images = [logo] if logo else []
    if ancestors:
        return content_security_policy(images=images, ancestors=ancestors)
    if current_settings().base_template != OWN_BASE:
        return None
    return content_security_policy(images=images)


def unkept(response: BaseResponse) -> BaseResponse:
    """A redirect to an address that holds a token."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
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


def wants_json() -> bool:
    """Whether whoever asks is a program: it says so, or it sent JSON."""
    best = request.accept_mimetypes.best_match([JSON_TYPE, "text/html"], default="text/html")
    explicit = best == JSON_TYPE and (
        request.accept_mimetypes[JSON_TYPE] > request.accept_mimetypes["text/html"]
    )
    return request.is_json or explicit
