"""All incidents of a page as CSV: read in batches while they are sent, so that neither end holds them all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from flask import Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError, TimeoutError
from werkzeug.datastructures import Headers
from werkzeug.http import http_date

from ..documents.document import Document
from ..documents.snapshot import Snapshot
from ..domain.facts import IncidentFact
from ..services import overview
from ..storage.session import current_session
from ..storage.trouble import worded
from . import answers, visits
from .cache import DocumentCache
from .ready import Ready, is_known, without_sharing_cookies

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


def answer(
    cache: DocumentCache,
    document: Document,
    page_slug: str | None,
    component_slug: str | None,
) -> Response:
    """The page's incidents, or those of one of its components, the newest first.

    While the database is away it holds what the last snapshot does, and says so.

    :raises NotFound: without such a component.
    """
    assert document.stream is not None
    snapshot, stale_since = cache.latest(current_session, page_slug)
    visits.require(snapshot.page)
    shown = overview.narrowed(snapshot, component_slug)
    incidents = None if stale_since else _all(shown)
    headers = [*answers.OPEN_HEADERS, ("X-Content-Type-Options", "nosniff")]
    if incidents is None:
        # Without a tag: with that of the whole document its reader would never ask for the rest.
        headers += answers.STALE_HEADERS
        incidents = shown.incidents
    else:
        # Whatever an incident tells changes with the version of its page.
        etag = f'"{snapshot.page.id}-{snapshot.version}-{component_slug or ""}"'
        modified = http_date(snapshot.page.updated_at)
        headers += [("ETag", etag), ("Last-Modified", modified)]
        headers.append(("Cache-Control", answers.CACHE_CONTROL))
        if is_known(request.environ, (etag,), modified):
            return Ready(b"", 304, headers)
    body = document.stream(incidents, snapshot.page.url)
    response = _Stream(body, content_type=document.content_type)
    response.headers.extend(headers)
    response.headers["Content-Disposition"] = 'attachment; filename="incidents.csv"'
    return response


class _Stream(Response):
    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        return without_sharing_cookies(super().get_wsgi_headers(environ))


def _all(shown: Snapshot) -> Iterable[IncidentFact] | None:
    """All incidents; None: the database is away.

    :raises SQLAlchemyError: when it is there and has no connection to give.
    """
    batches = overview.all_incidents(shown, first_in=current_session())
    try:
        # Before the first byte is sent there is still a choice of answers.
        first = next(batches)
    except TimeoutError:
        raise
    except SQLAlchemyError as error:
        current_session().rollback()
        logger.warning("status page: CSV from the last snapshot: %s", worded(error))
        return None
    return chain(first, chain.from_iterable(apart(batches)))


def apart(batches: Iterator[list[Item]]) -> Iterator[list[Item]]:
    """The rest of *batches*, each read in a context of its own: the request's is over when they are sent."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return _apart(app, batches)


def _apart(app: Flask, batches: Iterator[list[Item]]) -> Iterator[list[Item]]:
    while True:
        with app.app_context():
            batch = next(batches, None)
        if batch is None:
            return
        yield batch
