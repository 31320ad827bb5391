"""The history: one month of a page, all of it, chosen by the query."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from ..documents import history as documents
from ..documents.history import Choice, Events
from ..documents.rendering import Frame
from ..documents.snapshot import Snapshot
from ..domain.ids import MAX_SLUG
from ..domain.markup import one_line
from ..errors import Invalid
from ..services import history_pages
from ..state import current_state
from ..storage.session import current_session
from ..storage.trouble import worded
from . import answers, shown, visits
from .cache import DocumentCache
from .failures import BadQuery
from .mounts import page_route

logger = logging.getLogger(__name__)

FIELDS = ("month", "component")


def add_routes(blueprint: Blueprint) -> None:
    page_route(blueprint, "/history", "history", history)


def history(page_slug: str | None) -> Response:
    asked = visits.request_object().args
    values = {name: text for name in FIELDS if (text := asked.get(name, "").strip())}
    try:
        return shown.page(page_slug, partial(_history, values), kept=values)
    except Invalid as error:
        if answers.wants_json():
            raise BadQuery(*error.errors) from error
        return _refused(page_slug, values, error)


def _history(values: Mapping[str, str], snapshot: Snapshot, frame: Frame) -> str:
    choice = documents.chosen(snapshot, values)
    events = _read(snapshot, frame, choice)
    return documents.history(snapshot, events, frame, choice=choice)


def _refused(page_slug: str | None, values: Mapping[str, str], error: Invalid) -> Response:
    cache: DocumentCache = current_state().documents
    snapshot, stale = cache.latest(current_session, page_slug)
    typed = {name: one_line(text[:MAX_SLUG]) for name, text in values.items()}
    # The language links repeat a query only where a form could have sent it.
    frame = shown.frame(snapshot.page, is_refused=typed != values)
    frame = replace(frame, stale_since=stale)
    choice = documents.chosen(snapshot, {})
    try:
        events = _read(snapshot, frame, choice)
    except SQLAlchemyError as failure:
        current_session().rollback()
        logger.warning("status page: the history of what is known already: %s", worded(failure))
        frame = replace(frame, stale_since=snapshot.generated_at)
        events = documents.known(snapshot, choice)
    html = documents.refused(snapshot, events, frame, values=typed, form_errors=error.errors)
    return answers.page(html, 400)


def _read(snapshot: Snapshot, frame: Frame, choice: Choice) -> Events:
    """The month; while the database is away what the snapshot has of it."""
    if frame.stale_since is None:
        return history_pages.month(current_session(), snapshot, choice)
    return documents.known(snapshot, choice)
