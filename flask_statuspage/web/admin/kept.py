"""What was typed comes back where it can be neither done nor shown in its form again.

Somebody's sign-in ended while they typed: what they sent is kept on a page until they are signed in again.

Nothing is stored. The page carries the fields itself; its button sends them once more, and as the token of the ended
session does not count any more, the form is shown with what was typed in it, to be looked at and sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

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
LEFT_OUT = "left_out"
"""The field of the page that keeps a form which names what is not there, once for each."""

_USER = re.compile(
    r"(\s*+(?:[a-z][a-z0-9+.-]*:[/\\]+)?+)"
    r"(?:[^/?#\\]*@|[^/?#@:\[]*:(?!\d{1,5}(?:[/?#\\]|\s*$)).*@)",
    re.IGNORECASE | re.DOTALL,
)
"""What stands before the host of an address: a name and a password, also one with a slash in it or of a Windows user.

The blanks are never given back: of nothing but blanks each would be tried as the first one of a name.
"""


@dataclass(frozen=True)
class Hiding:
    """A form, of whose fields it depends on what was typed which hold secrets.

    :param without: makes a copy of what was typed without them.
    :param may_hide: whether the field of that name ever holds one.
    """

    without: Callable[[MultiDict[str, str]], MultiDict[str, str]]
    may_hide: Callable[[str], bool]


Secret = Collection[str] | Hiding
"""The names of the fields of a form that hold secrets, or how they are found."""


@dataclass(frozen=True)
class Tellable:
    """What was typed, as it may be sent back to whoever typed it.

    :param left_out: the names of the fields of which something is not there, in their order.
    """

    typed: MultiDict[str, str]
    left_out: tuple[str, ...]


def tellable(typed: MultiDict[str, str], secret: Secret) -> Tellable:
    """*typed* without what is *secret*. It is not changed itself.

    What the page that kept the form has left out before is not there either, and named again.
    """
    carried = request.form.getlist(LEFT_OUT)
    if isinstance(secret, Hiding):
        left = secret.without(typed)
        missing = [name for name in carried if secret.may_hide(name)]
    else:
        left = MultiDict((k, v) for k, v in typed.items(multi=True) if k not in secret)
        missing = [name for name in carried if name in secret]
    missing += [
        name
        for name in typed
        if any(typed.getlist(name)) and left.getlist(name) != typed.getlist(name)
    ]
    return Tellable(left, tuple(dict.fromkeys(missing)))


def without_user(address: str) -> str:
    """*address*, which may be none, without a name and a password before its host."""
    found = _USER.match(address)
    return address if found is None else found[1] + address[found.end() :]


def kept(what: Tellable) -> Response:
    """401, with *what* was typed in a form that posts it to the same address once more."""
    fields = list(what.typed.items(multi=True))
    if slug := request.form.get("status_page"):
        fields.append(("status_page", slug))
    current_session().rollback()
    html = documents.kept(
        shown.frame(None, is_refused=True),
        url=request.root_path + request.full_path.rstrip("?"),
        fields=fields,
        left_out=what.left_out,
        has_file=any(file.filename for file in request.files.values()),
        sign_in_url=sign_in_url(),
        home_url=current_urls(root=True)("home"),
    )
    response = answers.page(html, 401)
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["WWW-Authenticate"] = 'Session realm="the host\'s own login"'
    return response


def lost(error: StatusPageError, what: Tellable) -> BaseResponse:
    """What is answered to *error*, with *what* was typed to be copied: its form is not there any more."""
    words = [
        (name, value)
        for name, value in what.typed.items(multi=True)
        if value.strip() and _is_own(name)
    ]
    if not words:
        raise error
    current_session().rollback()
    status, title, detail = failures.describe(error)
    html = documents.lost(
        shown.frame(None, is_refused=True),
        title=title,
        message=GONE if isinstance(error, NotFound) else detail,
        fields=words,
        left_out=what.left_out,
        home_url=url_for(".dashboard"),
    )
    response = answers.page(html, status)
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _is_own(name: str) -> bool:
    """Whether somebody typed or chose what stands in the field, and the form did not bring it along."""
    return name not in ("id", "seen") and not name.startswith(("was.", "said.", "entry."))
