"""Errors become answers here: which status, and a page or problem details."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from flask import Response, current_app, request
from sqlalchemy.exc import IntegrityError, SQLAlchemyError, StatementError
from werkzeug.exceptions import NotFound as NoRoute

from ..documents import page as documents
from ..documents.rendering import Frame
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
from ..storage.trouble import concealed, worded
from ..translation import said
from . import answers, endpoints, languages, own_login, shown, visits
from .cache import Busy
from .mounts import current_urls

logger = logging.getLogger(__name__)

MAX_BODY = 2 * 1024 * 1024  # bytes

ANSWERS: dict[type[StatusPageError], tuple[int, str]] = {
    Unauthorized: (401, said("Unauthorized")),
    Forbidden: (403, said("Forbidden")),
    NobodyThere: (401, said("Sign in first")),
    NotSignedIn: (403, said("This page is for signed-in visitors")),
    NotFound: (404, said("Not found")),
    LinkInvalid: (404, said("This link is not valid")),
    Conflict: (409, said("Conflict")),
    LinkExpired: (410, said("This link does not work any more")),
    Invalid: (422, said("Invalid input")),
    TooMany: (429, said("Too many requests")),
    AccessRefused: (502, said("The connected account refused access")),
    AccessUnreachable: (502, said("The connected service did not answer")),
    SetupError: (503, said("The status page is not set up")),
    Busy: (503, said("The database cannot be used")),
}


class Unreadable(StatusPageError):
    """A request body that is not what it says it is."""


ANSWERS[Unreadable] = (400, said("Unreadable request"))


class BadQuery(Invalid):
    """A parameter in the query of a public document that cannot be read. ``errors`` name it."""


ANSWERS[BadQuery] = (400, said("Bad request"))


class TooLarge(StatusPageError):
    """A request body beyond what any route here can use."""


ANSWERS[TooLarge] = (413, said("Content too large"))


def check_size() -> None:
    """Refuse a large body before it is read, and one that does not tell its size.

    :raises TooLarge: for either.
    """
    if (request.content_length or 0) > MAX_BODY or "chunked" in request.headers.get(
        "Transfer-Encoding", ""
    ):
        raise TooLarge(
            said("A body may have {most} bytes, and must tell its Content-Length.", most=MAX_BODY)
        )


class Outdated(StatusPageError):
    """The thing is not what the request was for any more. ``tag`` is its present entity tag, if it has one."""

    def __init__(self, tag: str | None) -> None:
        self.tag = tag
        now = (
            "This has no ETag."
            if tag is None
            else "Read it again, or look at the ETag of this answer."
        )
        super().__init__(f"It is none of those that If-Match names. {now}")


ANSWERS[Outdated] = (412, "Precondition failed")


class WrongMethod(StatusPageError):
    """The path answers to other methods only."""

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        self.allowed = sorted(allowed)
        super().__init__(
            said(
                "{method} is not possible here, only {methods}.",
                method=method,
                methods=tuple(self.allowed),
            )
        )


ANSWERS[WrongMethod] = (405, said("Method not allowed"))


def describe(error: Exception) -> tuple[int, str, str]:
    """HTTP status, title and detail for *error*."""
    if isinstance(error, StatementError) and isinstance(error.orig, StatusPageError):
        error = error.orig  # raised by a column type, which has no other way out
    if isinstance(error, IntegrityError):
        logger.warning("status page: refused by a constraint: %s", worded(error))
        return (
            409,
            said("Conflict"),
            said("Another change came in between. Look at the present state and try again."),
        )
    if isinstance(error, SQLAlchemyError):
        return 503, said("The database cannot be used"), _database_detail(error)
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
    if answers.wants_json() or endpoints.is_for_programs():
        return as_problem(error)
    _roll_back()
    if _is_no_page(error) and _may_be_the_hosts():
        return current_app.make_response(current_app.handle_http_exception(NoRoute()))
    if _is_no_page(error):
        # Whatever was seen of it is not for this visitor any more: all ways lead to the page at the root.
        visits.turn_to_root(request)
    page, frame = visits.page_seen(request), _frame(error)
    status, title, detail = describe(error)
    html = documents.error(
        page, frame, title=title, message=_told(error, detail), **_onward(error, frame)
    )
    response = answers.page(html, status)
    for name, value in _headers(error).items():
        response.headers[name] = value
    return response


def _may_be_the_hosts() -> bool:
    """Without a prefix any word is the address of a page, so that of none is as unknown to the site as all others."""
    rule = request.url_rule
    return rule is not None and rule.rule.startswith("/<page_slug>")


def _is_no_page(error: Exception) -> bool:
    return isinstance(error, NotFound) and error.kind == "page"


def _frame(error: Exception) -> Frame:
    frame = shown.frame(visits.page_of(request), is_refused=True)
    if _is_no_page(error):
        # Nothing is below this address either.
        return replace(frame, urls=current_urls(languages.chosen(request), root=True))
    return frame


def _told(error: Exception, detail: str) -> str:
    """What people are told, who know nothing of our names for things."""
    if isinstance(error, NotFound):
        return said(
            "Nothing is at this address. It may have been removed, or a part of it is missing."
        )
    if isinstance(error, Invalid) and len(error.errors) == 1:
        (wrong,) = error.errors
        # Translators: a field or parameter of an address, and what is wrong with it.
        return said("{field}: {problem}", field=wrong.field, problem=wrong.message)
    return detail


def _onward(error: Exception, frame: Frame) -> dict[str, str]:
    """The one way on; the page itself where nothing is better."""
    if isinstance(error, NobodyThere) and request.method == "GET":
        if own_login.is_on():
            return {"next_label": "Sign in", "next_url": own_login.url(own_login.here())}
        # The same once more. Who came from another site may have been signed in all along: a host's cookie with
        # SameSite=Strict is only sent by a link of ours.
        return {"next_label": said("Try again"), "next_url": own_login.here()}
    if isinstance(error, NotSignedIn):
        return {"next_label": said("Try again")}
    if isinstance(error, LinkError):
        label = said("Subscribe again") if isinstance(error, Ended) else said("Get a new link")
        return {"next_label": label, "next_url": frame.urls("subscribe")}
    return {}


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
    if isinstance(error, Outdated) and error.tag is not None:
        return {"ETag": f'"{error.tag}"'}
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
        logger.error("status page: the database cannot be reached: %s", worded(unreachable))
        return said("The database cannot be reached. Try again soon.")
    logger.error("status page: the database failed", exc_info=concealed(error))
    return said("The database could not do this. Try again soon.")
