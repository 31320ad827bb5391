"""Errors become answers here: which status, and a page or problem details."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress

from flask import Response, request
from sqlalchemy.exc import IntegrityError, SQLAlchemyError, StatementError

from ..documents import page as documents
from ..errors import (
    AccessRefused,
    AccessUnreachable,
    Conflict,
    Ended,
    Forbidden,
    Invalid,
    LinkError,
    LinkExpired,
    LinkInvalid,
    NobodyThere,
    NotFound,
    NotSignedIn,
    SetupError,
    StatusPageError,
    TooMany,
    Unauthorized,
)
from ..storage.migrate import require_current
from ..storage.session import current_engine, current_session
from . import answers, endpoints
from .mounts import current_urls

logger = logging.getLogger(__name__)

MAX_BODY = 2 * 1024 * 1024  # bytes

ANSWERS: dict[type[StatusPageError], tuple[int, str]] = {
    Unauthorized: (401, "Unauthorized"),
    Forbidden: (403, "Forbidden"),
    NobodyThere: (401, "Sign in first"),
    NotSignedIn: (403, "This page is for signed-in visitors"),
    NotFound: (404, "Not found"),
    LinkInvalid: (404, "This link is not valid"),
    Conflict: (409, "Conflict"),
    LinkExpired: (410, "This link does not work any more"),
    Invalid: (422, "Invalid input"),
    TooMany: (429, "Too many requests"),
    AccessRefused: (502, "The account refused us"),
    AccessUnreachable: (502, "The other side did not answer"),
    SetupError: (503, "The status page is not set up"),
}


class Unreadable(StatusPageError):
    """A request body that is not what it says it is."""


ANSWERS[Unreadable] = (400, "Unreadable request")


class BadQuery(Invalid):
    """A parameter in the query of a public document that cannot be read. ``errors`` name it."""


ANSWERS[BadQuery] = (400, "Bad request")


class TooLarge(StatusPageError):
    """A request body beyond what any route here can use."""


ANSWERS[TooLarge] = (413, "Content too large")


def check_size() -> None:
    """Refuse a large body before it is read, and one that does not tell its size.

    :raises TooLarge: for either.
    """
    if (request.content_length or 0) > MAX_BODY or "chunked" in request.headers.get(
        "Transfer-Encoding", ""
    ):
        raise TooLarge(f"A body may have {MAX_BODY} bytes, and must tell its Content-Length.")


class WrongMethod(StatusPageError):
    """The path answers to other methods only."""

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        self.allowed = sorted(allowed)
        super().__init__(f"{method} is not possible here, only {', '.join(self.allowed)}.")


ANSWERS[WrongMethod] = (405, "Method not allowed")


def describe(error: Exception) -> tuple[int, str, str]:
    """HTTP status, title and detail for *error*."""
    if isinstance(error, StatementError) and isinstance(error.orig, StatusPageError):
        error = error.orig  # raised by a column type, which has no other way out
    if isinstance(error, IntegrityError):
        logger.warning("status page: refused by a constraint: %s", error.orig)
        return (
            409,
            "Conflict",
            "Another change came in between. Look at the present state and try again.",
        )
    if isinstance(error, SQLAlchemyError):
        return 503, "The database cannot be used", _database_detail(error)
    for kind in type(error).__mro__:  # the nearest first
        if kind in ANSWERS:
            status, title = ANSWERS[kind]
            return status, title, str(error)
    raise error


def as_problem(error: Exception) -> Response:
    """*error* as problem details; the transaction is rolled back."""
    _roll_back()
    status, _, detail = describe(error)
    fields = (
        [{"field": e.field, "message": e.message} for e in error.errors]
        if isinstance(error, Invalid)
        else []
    )
    return answers.problem(status, detail, errors=fields, headers=_headers(error))


def as_page(error: Exception) -> Response:
    """*error* as a page with one way on, or as problem details for programs."""
    if answers.wants_json() or endpoints.is_api():
        return as_problem(error)
    _roll_back()
    status, title, detail = describe(error)
    urls = current_urls()
    onward = {"next_label": "Try again"} if isinstance(error, NotSignedIn) else {}
    if isinstance(error, LinkError):
        label = "Subscribe again" if isinstance(error, Ended) else "Get a new link"
        onward = {"next_label": label, "next_url": urls("subscribe")}
    if isinstance(error, NobodyThere) and request.method == "GET":
        # The same once more. Who came from another site may have been signed in all along: a host's cookie with
        # SameSite=Strict is only sent by a link of ours.
        onward["next_url"] = request.root_path + request.full_path.rstrip("?")
    html = documents.error(None, urls, title=title, message=detail, **onward)
    response = answers.page(html, status)
    for name, value in _headers(error).items():
        response.headers[name] = value
    return response


def _roll_back() -> None:
    with suppress(SetupError):  # an app without a database has nothing to roll back
        current_session().rollback()


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, NobodyThere):
        return {"WWW-Authenticate": 'Session realm="the host\'s own login"'}
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, WrongMethod):
        return {"Allow": ", ".join(error.allowed)}
    return {}


def _database_detail(error: SQLAlchemyError) -> str:
    """What the operator can do about it; the database's own words go to the log only."""
    try:
        require_current(current_engine())
    except SetupError as missing:
        logger.error("status page: %s", missing)
        return str(missing)
    except SQLAlchemyError as unreachable:
        logger.error("status page: the database cannot be reached: %s", unreachable)
        return "The database cannot be reached. Try again soon."
    logger.error("status page: the database failed", exc_info=error)
    return "The database could not do this. Try again soon."
