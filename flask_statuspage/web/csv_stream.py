"""All incidents of a page as CSV: read in batches while they are sent, so that neither end holds them all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import chain

from flask import Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.http import http_date

from ..documents.document import Document
from ..documents.snapshot import Snapshot
from ..domain.facts import IncidentFact
from ..services import overview
from ..storage.session import current_session
from . import answers, visits
from .cache import DocumentCache
from .ready import Ready, is_known

logger = logging.getLogger(__name__)


def answer(
    cache: DocumentCache, document: Document, page_slug: str | None, component_slug: str | None
) -> Response:
    """The page's incidents, or those of one of its components, the newest first.

    While the database is away it holds what the last snapshot does, and says so.

    :raises NotFound: without such a component.
    """
    from ..documents import incident_csv

    snapshot = cache.snapshot(current_session, page_slug)
    visits.require(snapshot.page)
    shown = overview.narrowed(snapshot, component_slug)
    # Whatever an incident tells changes with the version of its page.
    etag = f'"{snapshot.page.id}-{snapshot.version}-{component_slug or ""}"'
    modified = http_date(snapshot.page.updated_at)
    headers = [("ETag", etag), ("Last-Modified", modified), *answers.OPEN_HEADERS]
    fresh = ("Cache-Control", answers.CACHE_CONTROL)
    if is_known(request.environ, (etag,), modified):
        return Ready(b"", 304, [*headers, fresh])
    incidents, is_stale = _incidents(shown)
    headers += answers.STALE_HEADERS if is_stale else [fresh]
    body = incident_csv.stream(incidents, page_url=snapshot.page.url)
    response = Response(body, content_type=document.content_type)
    response.headers.extend(
        [
            *headers,
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Disposition", 'attachment; filename="incidents.csv"'),
        ]
    )
    return response


def _incidents(shown: Snapshot) -> tuple[Iterable[IncidentFact], bool]:
    """All incidents, and whether they are only those of the snapshot because the database is away."""
    batches = overview.all_incidents(shown)
    try:
        # Before the first byte is sent there is still a choice of answers.
        first = next(batches)
    except SQLAlchemyError as error:
        logger.warning("status page: CSV from the last snapshot: %s", error)
        return shown.incidents, True
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return chain(first, chain.from_iterable(_apart(app, batches))), False


def _apart(app: Flask, batches: Iterator[list[IncidentFact]]) -> Iterator[list[IncidentFact]]:
    """The rest of *batches*, each read in a context of its own: the request's is over when they are sent."""
    while True:
        with app.app_context():
            batch = next(batches, None)
        if batch is None:
            return
        yield batch
