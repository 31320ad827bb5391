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
from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from ...delivery.channels import channels
from ...documents.console.room import Trouble
from ...domain.rights import Right
from ...errors import AccessRefused, AccessUnreachable, Conflict, SetupError
from ...services import accounts, addresses, pages, x_access
from ...state import current_settings
from ...storage.encryption import reveal, seal
from ...storage.pages import Page
from ...storage.races import committed
from .. import access
from ..idents import uuid_of
from . import integration_tests
from .desk import Desk, onward, page_of
from .integrations import CALLBACK, show
from .visit import Away, Done, Visit

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


def add_routes(desk: Desk) -> None:
    right, one = Right.CONNECT, "/x/<account_id>"
    desk.action("/x/connect", "x_connect", connect, right=right, back=show)
    desk.action(f"{one}/disconnect", "x_disconnect", disconnect, right=right, back=_back)
    desk.action(f"{one}/test", "x_test", send_test, right=right, back=_back)

    def x_callback() -> BaseResponse:
        return callback(desk)

    # Beside the desk, since it is a GET that does something: the state stands in for the token of a form.
    desk.blueprint.add_url_rule(CALLBACK, "x_callback", x_callback, methods=["GET"])


def connect(visit: Visit) -> Away:
    """The first leg: to X."""
    if missing := channels[accounts.X].available(current_settings()):
        raise Conflict(f"X is not set up: {missing}")
    question = x_access.ask(addresses.console_url(CALLBACK))
    until = time.time() + SECONDS
    begun = _Begun(question.state, question.verifier, visit.page.id.hex, visit.actor, until)
    flask.session[KEY] = seal(json.dumps(asdict(begun)))
    return Away(question.url)


def disconnect(visit: Visit, account_id: str) -> Done:
    token = accounts.disconnect(visit.session, visit.page, _account(account_id), actor=visit.actor)
    return Done("integrations", lambda: "disconnected" if x_access.give_back(token) else "left")


def send_test(visit: Visit, account_id: str) -> Done:
    account = accounts.get(visit.session, visit.page, _account(account_id))
    return integration_tests.sent(visit, accounts.posting_by(visit.session, account))


def callback(desk: Desk) -> BaseResponse:
    """The second leg, back from X, and the third, which the browser does not see."""
    if request.method != "GET":  # HEAD looks whether we are there
        return Response(status=204)
    visit = desk.visit(Right.CONNECT)
    session = visit.session
    begun = _begun()
    page = session.get(Page, UUID(begun.page)) if begun else None
    if begun is None or page is None or not _is_answer_to(begun):
        return _failed(visit, page, NOT_BEGUN)
    if begun.member != visit.actor:
        return _failed(visit, page, SOMEBODY_ELSE)
    if time.time() > begun.until:
        return _failed(visit, page, TOO_SLOW)
    code = request.args.get("code")
    if error := request.args.get("error"):
        return _failed(visit, page, _told(error))
    if not code:
        return _failed(visit, page, NO_CODE)
    page_id = page.id
    session.rollback()  # X is asked without a transaction
    try:
        uri = addresses.console_url(CALLBACK)
        tokens = x_access.exchange(code, begun.verifier, uri)
        profile = x_access.profile(tokens.access)
    except (AccessRefused, AccessUnreachable) as failure:
        page = session.get(Page, page_id)
        return _failed(visit, page, f"{failure} Nothing was connected; try again.", 502)

    def connect(session: Session) -> Visit:
        # X may have taken its time, in which the right or the page may be gone.
        visit = desk.visit(Right.CONNECT)
        visit.turn_to(pages.get(session, str(page_id)))
        accounts.connect(session, visit.page, profile, tokens, actor=visit.actor)
        access.still(visit.member, Right.CONNECT)  # the page may have been waited for, too
        return visit

    try:
        visit = committed(session, connect)
    except BaseException:
        x_access.give_back(tokens.refresh)  # whatever it was: nobody keeps them
        raise
    return onward(visit, Done("integrations", "connected"))


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


def _failed(visit: Visit, page: Page | None, problem: str, status: int = 400) -> Response:
    visit.turn_to(page or pages.find(visit.session, None))
    visit.trouble = Trouble(words=problem)
    html = show(visit)
    visit.session.rollback()
    return page_of(visit, html, status)


def _back(visit: Visit, account_id: str) -> str:
    accounts.get(visit.session, visit.page, _account(account_id))
    return show(visit)


def _account(ident: str) -> UUID:
    return uuid_of(ident, "account")


def _told(error: str) -> str:
    """The words for what X says in ``error``, which anybody could have written into the address."""
    if error == "access_denied":
        return DENIED
    name = f" ({error})" if re.fullmatch(r"[a-z_]{1,40}", error) else ""
    return f"X could not sign you in{name}. Nothing was connected; try again."
