"""Where members come in: who may, form and token, one view, commit, a page or the way to the next one.

Views get a :class:`Visit`. A view that shows returns HTML; one that does something calls one service and returns
:class:`Done`, or where else the member goes. What it raises rolls everything back, and the form is shown again with
what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, redirect, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from ...documents.console.room import MenuItem, Trouble
from ...documents.policy import content_security_policy
from ...documents.rendering import OWN_BASE
from ...domain.rights import Right
from ...errors import Conflict, FieldError, Forbidden, Invalid, NobodyThere, NotFound, TooMany
from ...services import members, pages
from ...state import current_settings
from ...storage.pages import Page
from ...storage.races import run_again
from ...storage.session import current_session
from .. import access, answers, failures, forms, visits
from ..storable import UNSTORABLE, is_storable
from .kept import LEFT_OUT, Secret, kept, lost, tellable
from .visit import Away, Done, Told, Visit

PATIENCE = 5.0
"""Seconds after which a form that lost a race for locks is not run again."""

ELSEWHERE = (
    "Another site sent this form. Nothing was done, and nothing of what it sent stands here."
)
TOO_LATE = "The form was open for too long. Nothing was done; look at what you typed and press the button again."

MACHINERY = frozenset({"csrf_token", "status_page", LEFT_OUT})
"""Fields of forms that nobody typed."""


Show = Callable[..., str]
Send = Callable[..., Response]
Deed = Done | Told | Away
Do = Callable[..., Deed | None]
"""None: nothing was to be done but to look. All of it is rolled back, and the form is shown again."""


class Desk:
    """Adds routes to the blueprint of the console.

    ``areas`` are the ways in the menu, ``routes`` tells endpoint, method and right of each route, ``notices`` the words
    for what was done.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self.areas: list[MenuItem] = []
        self.notices: dict[str, str] = {}
        self.routes: list[tuple[str, str, Right]] = []
        blueprint.after_request(_in_no_frame)

    def area(
        self, endpoint: str, word: str, right: Right, notices: Mapping[str, str] | None = None
    ) -> None:
        """An area of the console, which the menu leads to.

        :param notices: what its pages can say was done, by the keys that :class:`Done` has.
        """
        self.areas.append(MenuItem(endpoint, word, right))
        self.notices |= notices or {}

    def page(self, rule: str, endpoint: str, show: Show, *, right: Right) -> None:
        """A page that only shows."""
        self._add(rule, endpoint, right, show, None)

    def form(
        self,
        rule: str,
        endpoint: str,
        show: Show,
        do: Do,
        *,
        right: Right,
        doing: Right | None = None,
        secret: Secret = (),
    ) -> None:
        """A page with a form that posts to its own address.

        :param doing: what posting needs, if that is more than looking.
        :param secret: what is never sent back of what was typed, in whatever answer.
        """
        self._add(rule, endpoint, right, show, do, doing=doing, secret=secret)

    def action(
        self, rule: str, endpoint: str, do: Do, *, right: Right, back: Show, secret: Secret = ()
    ) -> None:
        """A button. *back* shows the page that it stands on, with what went wrong; it gets the same arguments.

        :param secret: as of :meth:`form`.
        """
        self._add(rule, endpoint, right, back, do, methods=("POST",), secret=secret)

    def download(self, rule: str, endpoint: str, send: Send, *, right: Right) -> None:
        """A file. *send* makes the answer; what it goes on reading while that is sent, it reads in sessions of its
        own."""

        def respond(**arguments: Any) -> BaseResponse:
            visit = self.visit(right)
            _check_idents(arguments)
            response = send(visit, **arguments)
            visit.session.commit()  # before the first byte is sent
            response.headers["X-Content-Type-Options"] = "nosniff"
            return answers.unkept(response)

        self.blueprint.add_url_rule(rule, endpoint, respond, methods=["GET"])
        self.routes.append((endpoint, "GET", right))

    def _add(
        self,
        rule: str,
        endpoint: str,
        right: Right,
        show: Show,
        do: Do | None,
        methods: tuple[str, ...] = (),
        doing: Right | None = None,
        secret: Secret = (),
    ) -> None:
        rights = {"GET": right, "POST": doing or right}

        def respond(**arguments: Any) -> BaseResponse:
            if request.method != "POST":
                return answered(arguments)
            failures.check_size()
            # All of it may stand in one field: werkzeug takes half a megabyte of them unless told otherwise.
            request.max_form_memory_size = failures.MAX_BODY
            try:
                return answered(arguments)
            # What another site sent is not what the member typed: it must not come back as if it was.
            except NobodyThere:
                if forms.is_from_elsewhere():
                    raise
                return kept(tellable(_typed(), secret))
            except (Forbidden, NotFound) as error:
                if forms.is_from_elsewhere():
                    raise
                return lost(error, tellable(_typed(), secret))

        def answered(arguments: dict[str, Any]) -> BaseResponse:
            visit = self.visit(rights.get(request.method, right))
            _check_idents(arguments)
            status = 200
            if do is not None and request.method == "POST":
                done, status = _done(visit, do, arguments, rights["POST"])
                if isinstance(done, Away):
                    return answers.unkept(redirect(done.url, 303))
                if isinstance(done, Done):
                    return onward(visit, done)
                if isinstance(done, Told):
                    visit.typed = None
                    html = done.show(visit)
                    visit.session.rollback()
                    return page_of(visit, html, 200)
                if visit.typed is not None:
                    left = tellable(visit.typed, secret)
                    visit.typed, visit.left_out = left.typed, left.left_out
            html = show(visit, **arguments)
            visit.session.rollback()
            return page_of(visit, html, status)

        respond.__name__ = "answer"  # what host-wide CSRF protection knows these views by
        methods = methods or (("GET", "POST") if do else ("GET",))
        self.blueprint.add_url_rule(rule, endpoint, respond, methods=list(methods))
        self.routes += [(endpoint, method, rights[method]) for method in methods]

    def visit(self, right: Right) -> Visit:
        """Whoever is there, if they have *right*, about the page that is asked for.

        :raises NobodyThere: when it is nobody.
        :raises Forbidden: without the right.
        """
        member = access.require(right)
        return Visit(current_session(), member, page_asked(), self.areas, self.notices)


def _in_no_frame(response: Response) -> Response:
    """A member's press on a button in another site's frame would be that site's doing.

    Our own pages have a policy that says more; within a host's template the policy is the host's, who may send another
    header, too.
    """
    response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
    return response


def page_asked() -> Page:
    """The status page that the form's field or ``?status_page=`` names, by id or slug; the default one without.

    The field counts first: it holds the id, so a form is still about its page when that has another slug meanwhile.
    """
    ident = request.form.get("status_page") or request.args.get("status_page")
    if not ident:
        return pages.find(current_session(), None)
    if not is_storable(ident):
        raise NotFound("page", ident)
    return pages.get(current_session(), ident)


class _Lapsed(Exception):
    """Who acts may not any more, as ``args[0]`` says: the form is not shown to them again."""


def _done(
    visit: Visit, do: Do, arguments: Mapping[str, Any], right: Right
) -> tuple[Deed | None, int]:
    """What *do* did; None if nothing is done, with the status of the answer that shows the form again.

    :raises NobodyThere, Forbidden: when *right* was taken away meanwhile.
    """
    if not forms.is_genuine(request.form.get("csrf_token")):
        # Filled with what another site wrote, and with a genuine token, it would be one press away from being done.
        is_own = not forms.is_from_elsewhere()
        visit.typed = _typed() if is_own else None
        visit.trouble = Trouble(words=TOO_LATE if is_own else ELSEWHERE)
        return None, 400
    visit.typed = _typed()
    page_id = visit.page.id

    def back_to_before() -> None:
        visit.session.rollback()
        visit.page = visit.session.get_one(Page, page_id)

    def transaction() -> Deed | None:
        try:
            _check_words(visit.typed)
            if right is Right.TEAM:
                _begin_with_team(visit, right)
            done = do(visit, **arguments)
            if done is not None:
                # What they do with their own account may well end their sign-in: it looks before that.
                if right not in (Right.TEAM, Right.SEE):
                    look_again(visit, right)
                visit.session.commit()
        except BaseException:
            back_to_before()
            raise
        if done is None:
            back_to_before()
        return done

    try:
        done = run_again(transaction, patience=PATIENCE)
        return done, 200 if done is None else 303
    except _Lapsed as lapsed:
        raise lapsed.args[0] from None
    except Invalid as error:
        visit.trouble, status = Trouble(problems=visit.told(error.errors)), 422
    except (Conflict, Forbidden, TooMany) as error:
        visit.trouble = Trouble(words=str(error), is_conflict=isinstance(error, Conflict))
        status = failures.describe(error)[0]
    visit.member = access.still(visit.member, right)  # else the form is not theirs to see
    return None, status


def _begin_with_team(visit: Visit, right: Right) -> None:
    """Keep others from changing the team before anything is done to it."""
    visit.begin_anew()
    members.hold_team(visit.session)
    look_again(visit, right)


def look_again(visit: Visit, right: Right) -> None:
    """Who acts must still be who may: while others were waited for they may have been taken out of the team.

    What is said of them is held until the transaction ends. Whoever may not any more does not see the form again.
    """
    try:
        visit.member = access.still(visit.member, right)
    except (NobodyThere, Forbidden) as error:
        raise _Lapsed(error) from error


def _typed() -> MultiDict[str, str]:
    return MultiDict((k, v) for k, v in request.form.items(multi=True) if k not in MACHINERY)


def onward(visit: Visit, done: Done) -> BaseResponse:
    """The way to where *done* leads, once it is committed."""
    values = dict(done.values)
    notice = done.notice() if callable(done.notice) else done.notice
    if notice:
        values["done"] = notice
    response = redirect(visit.to(done.endpoint, **values), 303)
    visit.session.rollback()
    return answers.unkept(response)


def page_of(visit: Visit, html: str, status: int) -> Response:
    """*html* as an answer, with the policy for where its forms lead."""
    response = answers.page(html, status)
    # A host's CSRFProtect wants to see over TLS that a form came from this site.
    response.headers["Referrer-Policy"] = "same-origin"
    if visit.forms_lead_to and current_settings().base_template == OWN_BASE:
        logo = visits.image_source()
        # Browsers hold a form's policy against where its answer leads, too.
        response.headers["Content-Security-Policy"] = content_security_policy(
            images=[logo] if logo else [], forms=visit.forms_lead_to
        )
    return response


def _check_idents(arguments: Mapping[str, str]) -> None:
    """:raises NotFound: for what no database could hold, and PostgreSQL does not even look for."""
    for ident in arguments.values():
        if not is_storable(ident):
            raise NotFound("resource", ident)


def _check_words(typed: MultiDict[str, str] | None) -> None:
    wrong = [
        FieldError(name, UNSTORABLE)
        for name, value in (typed or MultiDict()).items(multi=True)
        if not is_storable(name) or not is_storable(value)
    ]
    if wrong:
        raise Invalid(*wrong)
