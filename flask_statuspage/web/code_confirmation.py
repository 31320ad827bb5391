"""The form in which a code is typed that was texted to somebody who signed up. GET only shows; POST acts.

Whoever follows its link has proved nothing: the link comes from the sign-up itself, for known numbers and unknown ones
alike. What is answered depends on the code only.
"""

from __future__ import annotations

import re

from flask import Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from ..delivery import links
from ..documents import sign_up as documents
from ..errors import FieldError, Invalid, LinkInvalid, NotFound, TooMany
from ..services import addresses, confirmation_codes, subscriptions
from ..storage.pages import Page
from ..storage.races import committed
from ..storage.session import current_session
from ..storage.subscriptions import Subscription
from ..translation import said
from . import answers, failures, languages, shown, signup, visits
from .mounts import current_urls

MAX_TYPED = 20
WRONG = said("This is not the code of the latest text. Compare its digits.")


def form_url(subscription: Subscription, *, shown_in: object = None) -> str:
    """Where whoever signed up types the code.

    That page must not tell whether the number is known, so it cannot be in the language of a subscription.

    :param shown_in: the language of the form before it, if it was one.
    """
    token = confirmation_codes.claim_token(subscription)
    return current_urls(languages.choosable(shown_in))("confirm", token=token)


def asked_program(page: Page, subscription: Subscription) -> Response:
    """The answer to a program's sign-up whose code is on its way, if one is."""
    token = confirmation_codes.claim_token(subscription)
    body = {
        "success": True,
        "message": "If this number is not subscribed yet, a code is on its way to it. "
        'Post it to confirm_url as {"code": "…"}, or answer YES to the text.',
        "channel": subscription.channel,
        "state": "pending",
        "confirm_url": f"{addresses.page_url(page)}/confirm/{token}",
    }
    return answers.as_json(body, 202)


def claim_of(token: str) -> links.Claim | None:
    """What the link to this form says; None: it is a link of another kind, or none of ours.

    :raises LinkExpired: when it is too old.
    """
    try:
        return links.read_claim(token)
    except LinkInvalid:
        return None


def answer(token: str, claim: links.Claim) -> BaseResponse:
    """Show the form, or take what was typed into it."""
    session = current_session()
    if request.method != "POST":  # HEAD shows, too
        html = _form(claim, token)
        session.rollback()
        return answers.page(html)
    is_program = answers.wants_json()
    typed: object = None
    try:
        typed = signup.sent(known=("code", "csrf_token")).get("code")
        session.rollback()  # whatever the host's own hooks have read
        code = _cleaned(typed)
        # A wrong one counts, too.
        subscription = committed(session, lambda db: confirmation_codes.confirm(db, claim, code))
        if subscription is None:
            _page_of(claim)
            raise Invalid.field("code", WRONG)
    except (Invalid, TooMany) as error:
        if is_program:
            return failures.as_problem(error)
        session.rollback()
        return _again(claim, token, typed, error)
    urls = shown.urls()
    manage = subscriptions.manage_token(subscription)
    if not is_program:
        return answers.unkept(redirect(urls("manage", token=manage, confirmed=1), 303))
    page = session.get_one(Page, claim.page_id)
    return answers.as_json(
        {
            "success": True,
            "channel": subscription.channel,
            "state": subscription.state.value,
            "manage_url": f"{addresses.page_url(page)}/manage/{manage}",
        }
    )


def _cleaned(typed: object) -> str:
    """The digits of a code; people and phones put spaces and hyphens between them.

    :raises Invalid: naming ``code``, for what cannot be one: that is no guess, and does not count.
    """
    if typed is None or typed == "":
        raise Invalid.field("code", said("Type the code from the text."))
    text = re.sub(r"[\s\-]", "", typed) if isinstance(typed, str) else ""
    if not re.fullmatch(f"[0-9]{{{links.CODE_DIGITS}}}", text):
        raise Invalid.field("code", said("A code has {count} digits.", count=links.CODE_DIGITS))
    return text


def _page_of(claim: links.Claim) -> Page:
    page = current_session().get(Page, claim.page_id)
    if page is None:
        raise NotFound("page", claim.page_id)
    return page


def _form(
    claim: links.Claim, token: str, *, code: str = "", errors: tuple[FieldError, ...] = ()
) -> str:
    page = visits.shown(_page_of(claim))
    return documents.enter_code(page, shown.frame(page), token=token, code=code, form_errors=errors)


def _again(claim: links.Claim, token: str, typed: object, error: Invalid | TooMany) -> Response:
    """The form with what was typed and what is wrong with it."""
    code = typed[:MAX_TYPED] if isinstance(typed, str) else ""
    if isinstance(error, Invalid):
        return answers.page(_form(claim, token, code=code, errors=error.errors), 422)
    errors = (FieldError("code", str(error)),)
    response = answers.page(_form(claim, token, code=code, errors=errors), 429)
    response.headers["Retry-After"] = str(error.retry_after)
    return response
