"""What was typed comes back where it can be neither done nor shown in its form again.

Somebody's sign-in ended while they typed: what they sent is kept on a page until they are signed in again.

Nothing is stored. The page carries the fields itself; its button sends them once more, and as the token of the ended
session does not count any more, the form is shown with what was typed in it, to be looked at and sent.
"""

from __future__ import annotations

from flask import Response, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from ...documents.console import kept as documents
from ...errors import NotFound, StatusPageError
from ...storage.session import current_session
from .. import answers, failures, shown
from ..mounts import current_urls
from .signing_in import sign_in_url

GONE = "What this form was about is not there any more: somebody deleted it meanwhile. Nothing was done."
SECRET = ("secret", "password", "code", "key")
"""Fields whose names have one of these words are not sent to anybody again."""


def kept(typed: MultiDict[str, str]) -> Response:
    """401, with *typed* in a form that posts it to the same address once more."""
    fields = _tellable(typed)
    if slug := request.form.get("status_page"):
        fields.append(("status_page", slug))
    current_session().rollback()
    html = documents.kept(
        shown.frame(None, is_refused=True),
        url=request.root_path + request.full_path.rstrip("?"),
        fields=fields,
        sign_in_url=sign_in_url(),
        home_url=current_urls(root=True)("home"),
    )
    response = answers.page(html, 401)
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["WWW-Authenticate"] = 'Session realm="the host\'s own login"'
    return response


def lost(error: StatusPageError, typed: MultiDict[str, str]) -> BaseResponse:
    """What is answered to *error*, with *typed* to be copied: the form that it came from is not there any more."""
    words = [(name, value) for name, value in _tellable(typed) if value.strip() and _is_own(name)]
    if not words:
        raise error
    current_session().rollback()
    status, title, detail = failures.describe(error)
    html = documents.lost(
        shown.frame(None, is_refused=True),
        title=title,
        message=GONE if isinstance(error, NotFound) else detail,
        fields=words,
        home_url=url_for(".dashboard"),
    )
    response = answers.page(html, status)
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _is_own(name: str) -> bool:
    """Whether somebody typed or chose what stands in the field, and the form did not bring it along."""
    return name not in ("id", "seen") and not name.startswith("was.")


def _tellable(typed: MultiDict[str, str]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in typed.items(multi=True)
        if not any(word in name.lower() for word in SECRET)
    ]
