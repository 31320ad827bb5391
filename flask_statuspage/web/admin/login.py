"""Signing in by a mailed link, and out: ``/admin/login``, ``/admin/login/<token>``, ``/admin/logout``.

Beside the desk, since nobody is there yet. Without ``STATUSPAGE_BUILTIN_LOGIN`` there is nothing at these addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ...delivery import links
from ...documents.console import login as documents
from ...documents.rendering import Frame
from ...errors import Invalid, LinkError, LinkInvalid, NotFound, TooMany
from ...services import second_factors, sign_ins
from ...state import current_state
from ...storage.races import committed
from ...storage.session import current_session
from ...storage.team import Member
from .. import answers, failures, forms, own_login, shown
from ..storable import UNSTORABLE, is_storable

SIGN_OUT_FIRST = (
    "This site's own login knows you as {name}, and where it knows somebody it alone counts. Sign out there, then open "
    "this link again: it was not used."
)
COOKIES = (
    "This form was open for too long, or your browser takes no cookies. Press the button again."
)
SIGNED_OUT = "You are signed out."


def add_routes(blueprint: Blueprint) -> None:
    _route(blueprint, "/login", "login", login, ("GET", "POST"))
    _route(blueprint, "/login/<token>", "enter", enter, ("GET", "POST"))
    _route(blueprint, "/logout", "logout", logout, ("POST",))


def login() -> BaseResponse:
    if request.method != "POST":
        notice = SIGNED_OUT if request.args.get("done") == "out" else None
        return _form(onward=own_login.within(request.args.get("next")), notice=notice)
    onward = own_login.within(request.form.get("next"))
    email = request.form.get("email", "").strip()
    shown_again = partial(_form, onward=onward, email=email)
    if not _is_genuine():
        return shown_again(problem=COOKIES, status=400)
    if not is_storable(email):
        return _form(onward=onward, problem=UNSTORABLE, status=422)
    try:
        origin = request.remote_addr or ""
        committed(current_session(), partial(sign_ins.ask, address=email, origin=origin))
    except Invalid as error:
        return shown_again(problem=error.errors[0].message, status=422)
    except TooMany as error:
        answer = shown_again(problem=str(error), status=429)
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    own_login.keep_next(onward)
    html = documents.link_sent(
        _frame(), email=email, minutes=links.PASS_SECONDS // 60, login_url=own_login.url(onward)
    )
    return answers.page(html)


def enter(token: str) -> BaseResponse:
    if not is_storable(token):
        raise NotFound("link", "")
    session = current_session()
    try:
        door = sign_ins.look(session, token)
        shown_again = partial(
            documents.enter,
            _frame(),
            url=url_for(".enter", token=token),
            csrf_token=forms.csrf_token(),
            member=door.member.identity,
            needs_code=door.needs_code,
            login_url=own_login.url(),
        )
        session.rollback()
        if request.method != "POST":
            return answers.page(shown_again())
        if not _is_genuine():
            return answers.page(shown_again(problem=COOKIES), 400)
        if name := current_state().member_loader():
            # The link would be used up for nothing: whom the host names, it alone names.
            return answers.page(shown_again(problem=SIGN_OUT_FIRST.format(name=name)), 409)
        code = request.form.get("code", "")
        try:
            member = committed(session, partial(sign_ins.enter, token=token, code=code))
        except TooMany as error:
            return _later(shown_again(problem=str(error)), error)
        if member is not None:
            return _let_in(member)
        sign_ins.look(session, token)  # raises once there were too many
        session.rollback()
        return answers.page(shown_again(problem=second_factors.WRONG), 422)
    except LinkError as error:
        session.rollback()
        status = 404 if isinstance(error, LinkInvalid) else 410
        return _form(problem=str(error), status=status)


def logout() -> BaseResponse:
    if not _is_genuine():
        html = documents.leave(_frame(), url=url_for(".logout"), csrf_token=forms.csrf_token())
        return answers.page(html, 400)
    own_login.end()
    return answers.unkept(redirect(url_for(".login", done="out"), 303))


def _let_in(member: Member) -> BaseResponse:
    onward = own_login.take_next() or url_for(".dashboard")
    own_login.begin(member)
    current_session().rollback()
    return answers.unkept(redirect(onward, 303))


def _form(
    *,
    onward: str | None = None,
    email: str = "",
    problem: str | None = None,
    notice: str | None = None,
    status: int = 200,
) -> Response:
    html = documents.login(
        _frame(),
        url=url_for(".login"),
        csrf_token=forms.csrf_token(),
        onward=onward,
        email=email,
        problem=problem,
        notice=notice,
    )
    return answers.page(html, status)


def _later(html: str, error: TooMany) -> Response:
    answer = answers.page(html, 429)
    answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _frame() -> Frame:
    return shown.frame(None, is_refused=True)


def _is_genuine() -> bool:
    return forms.is_genuine(request.form.get("csrf_token"))


def _route(
    blueprint: Blueprint,
    rule: str,
    endpoint: str,
    view: Callable[..., BaseResponse],
    methods: tuple[str, ...],
) -> None:
    def respond(**arguments: str) -> BaseResponse:
        if not own_login.is_on():
            raise NotFound("login", request.path)
        if request.method == "POST":
            failures.check_size()
        return view(**arguments)

    respond.__name__ = "answer"  # what host-wide CSRF protection knows these views by
    blueprint.add_url_rule(rule, endpoint, respond, methods=list(methods))
