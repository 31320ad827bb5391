"""The three legs of "Sign in with X": to X with a question, back with a code, and the code for tokens.

What belongs to the question waits in the member's session: the state, which must come back, and the code verifier,
which nobody else may know. A Flask session is signed, not encrypted; it is read by whoever holds the cookie, also in a
log of a proxy. So both are sealed in it. They count once, for ten minutes, for the member who began.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from dataclasses import asdict, dataclass
from uuid import UUID

import flask
from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from ...delivery.channels import channels
from ...domain.rights import Right
from ...errors import AccessRefused, AccessUnreachable, SetupError
from ...services import accounts, addresses, pages, x_access
from ...state import current_settings
from ...storage.encryption import reveal, seal
from ...storage.pages import Page
from ...storage.session import current_session
from .. import access
from .integrations import CALLBACK, TOO_LATE, back, is_genuine, page_asked, shown

KEY = "flask_statuspage_x"
SECONDS = 600
"""How long the member may take at X."""

NOT_BEGUN = (
    "This sign-in was not begun in this browser, or it was finished or given up already. Nothing was connected; begin "
    "again here."
)
TOO_SLOW = "This took longer than ten minutes. Nothing was connected; begin again here."
SOMEBODY_ELSE = "Somebody else began this sign-in. Nothing was connected; begin again here."
DENIED = "X was not allowed to let us in. Nothing was connected."
NO_CODE = "X sent no code. Nothing was connected; try again."


@dataclass(frozen=True)
class _Begun:
    """A sign-in that was begun; ``until`` is in seconds since the epoch."""

    state: str
    verifier: str
    page: str
    member: str
    until: float


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/x/connect", "x_connect", connect, methods=["POST"])
    blueprint.add_url_rule(CALLBACK, "x_callback", callback, methods=["GET"])


def connect() -> BaseResponse:
    """The first leg: to X."""
    member = access.require(Right.CONNECT)
    page = page_asked()
    if not is_genuine():
        return shown(page, problem=TOO_LATE, status=400)
    if missing := channels[accounts.X].available(current_settings()):
        return shown(page, problem=f"X is not set up: {missing}", status=409)
    question = x_access.ask(addresses.console_url(CALLBACK))
    until = time.time() + SECONDS
    begun = _Begun(question.state, question.verifier, page.id.hex, member.identity, until)
    flask.session[KEY] = seal(json.dumps(asdict(begun)))
    current_session().rollback()
    return redirect(question.url, 303)


def callback() -> BaseResponse:
    """The second leg, back from X, and the third, which the browser does not see."""
    if request.method != "GET":  # HEAD looks whether we are there
        return Response(status=204)
    member = access.require(Right.CONNECT)
    session = current_session()
    begun = _begun()
    page = session.get(Page, UUID(begun.page)) if begun else None
    if begun is None or page is None or not _is_answer_to(begun):
        return _failed(session, page, NOT_BEGUN)
    if begun.member != member.identity:
        return _failed(session, page, SOMEBODY_ELSE)
    if time.time() > begun.until:
        return _failed(session, page, TOO_SLOW)
    code = request.args.get("code")
    if error := request.args.get("error"):
        return _failed(session, page, _told(error))
    if not code:
        return _failed(session, page, NO_CODE)
    page_id = page.id
    session.rollback()  # X is asked without a transaction
    try:
        uri = addresses.console_url(CALLBACK)
        tokens = x_access.exchange(code, begun.verifier, uri)
        profile = x_access.profile(tokens.access)
    except (AccessRefused, AccessUnreachable) as failure:
        page = session.get(Page, page_id)
        return _failed(session, page, f"{failure} Nothing was connected; try again.", 502)
    page = session.get_one(Page, page_id)
    accounts.connect(session, page, profile, tokens, actor=member.identity)
    session.commit()
    return back(page, done="connected")


def _begun() -> _Begun | None:
    """What this browser began, which is forgotten by that."""
    sealed = flask.session.pop(KEY, None)
    try:
        text = reveal(sealed) if isinstance(sealed, str) else None
    except SetupError:  # the keys were changed meanwhile
        text = None
    return _Begun(**json.loads(text)) if text else None


def _is_answer_to(begun: _Begun) -> bool:
    came = request.args.get("state", "")
    return hmac.compare_digest(came.encode("utf-8", "surrogatepass"), begun.state.encode())


def _failed(session: Session, page: Page | None, problem: str, status: int = 400) -> Response:
    return shown(page or pages.find(session, None), problem=problem, status=status)


def _told(error: str) -> str:
    """The words for what X says in ``error``, which anybody could have written into the address."""
    if error == "access_denied":
        return DENIED
    name = f" ({error})" if re.fullmatch(r"[a-z_]{1,40}", error) else ""
    return f"X could not sign you in{name}. Nothing was connected; try again."
