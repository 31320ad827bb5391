"""Somebody's sign-in ended while they typed: what they sent is kept on a page until they are signed in again.

Nothing is stored. The page carries the fields itself; its button sends them once more, and as the token of the ended
session does not count any more, the form is shown with what was typed in it, to be looked at and sent.
"""

from __future__ import annotations

from flask import Response, request
from werkzeug.datastructures import MultiDict

from ...documents.console import kept as documents
from ...storage.session import current_session
from .. import answers, shown
from ..mounts import current_urls
from .signing_in import sign_in_url

SECRET = ("secret", "password", "code", "key")
"""Fields whose names have one of these words are not sent to anybody again."""


def kept(typed: MultiDict[str, str]) -> Response:
    """401, with *typed* in a form that posts it to the same address once more."""
    fields = [
        (name, value)
        for name, value in typed.items(multi=True)
        if not any(word in name.lower() for word in SECRET)
    ]
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
