"""The public documents of :mod:`..documents.catalogue` over HTTP: all of them through one view."""

from __future__ import annotations

from datetime import datetime
from functools import partial, update_wrapper
from typing import Any, NoReturn

from flask import Blueprint, Response, request
from werkzeug.urls import iri_to_uri

from ..documents import catalogue
from ..documents.document import Document
from ..documents.snapshot import NEWEST_INCIDENTS, Snapshot
from ..errors import FieldError, Invalid, NotFound
from ..services import overview
from ..state import current_state
from ..storage.session import current_session
from . import answers, csv_stream, endpoints, visits
from .cache import DocumentCache, Rendered
from .failures import BadQuery, WrongMethod
from .mounts import page_route
from .paging import links

_NO_VALUES: dict[str, Any] = {}

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_READING = ("GET", "HEAD")


def add_routes(blueprint: Blueprint) -> None:
    """Add a route for each path of each document to *blueprint*."""
    for endpoint, (name, path) in endpoints.routes().items():
        # Extensions of the host look at the names of views, which a partial has not by itself.
        view = update_wrapper(partial(_answer, name), _answer)
        # For all methods: else a POST would be taken for one to a page of that name.
        page_route(blueprint, f"/{path}", endpoint, view, methods=METHODS)
    for endpoint, rule in endpoints.ELSEWHERE.items():
        page_route(blueprint, rule, endpoint, _no_document, methods=METHODS)


def _answer(name: str, page_slug: str | None, component_slug: str | None = None) -> Response:
    if visits.request_object().method not in _READING:
        _only_read()
    state = current_state()
    document = catalogue.documents(state.settings.api_dialect)[name]
    rendered: DocumentCache = state.documents
    if document.stream:
        return csv_stream.answer(rendered, document, page_slug, component_slug)
    key, number, values = name, 1, _NO_VALUES
    if component_slug is not None:
        key = f"{name} {component_slug}"
    if is_rare := bool(visits.request_object().environ.get("QUERY_STRING")):
        values = _values(document)
        number = values.pop("page", 1)
        if is_rare := bool(values) or number > 1:
            key = f"{key} {number} {values}"
    render = partial(_rendered, document, component_slug, number, values)
    found = rendered.document(current_session, page_slug, key, render, rare=is_rare)
    link = partial(_link, document, found, number) if document.paged else None
    return answers.document(found, document.content_type, link=link)


def _rendered(
    document: Document,
    component_slug: str | None,
    number: int,
    values: dict[str, Any],
    snapshot: Snapshot,
    stale: datetime | None,
) -> bytes:
    if component_slug is not None and document.lists_incidents and stale is None:
        shown = overview.with_own_incidents(current_session(), snapshot, component_slug)
    else:
        shown = overview.narrowed(snapshot, component_slug)
    if number > 1:
        shown = overview.page_of_incidents(current_session(), shown, number)
    try:
        return document.render(shown, **values)
    except Invalid as error:  # a parameter that this page has no answer to
        raise BadQuery(*error.errors) from error


def _values(document: Document) -> dict[str, Any]:
    """The parameters that were sent, read. Others are none of ours: whoever tracks clicks adds some.

    :raises BadQuery: naming each that cannot be read.
    """
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for parameter in document.parameters:
        text = request.args.get(parameter.name)
        if text is None:
            continue
        try:
            values[parameter.name] = parameter.read(text)
        except Invalid as error:
            errors += error.errors
    if errors:
        raise BadQuery(*errors)
    return values


def _link(document: Document, found: Rendered, number: int) -> str:
    """Where the other pages of a list are; never by the Host header, since the answer is shared."""
    address = iri_to_uri(f"{found.page.url}/{document.paths[0]}")
    return links(address, {}, number=number, size=NEWEST_INCIDENTS, total=found.incident_count)


def _no_document(page_slug: str | None, rest: str) -> Response:
    if request.method not in _READING:
        _only_read()
    raise NotFound("document", rest)


def _only_read() -> NoReturn:
    raise WrongMethod(request.method, _READING)
