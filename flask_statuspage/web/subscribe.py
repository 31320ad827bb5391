"""Sign up.

The sign-up takes no CSRF token from programs, so it never acts with the visitor's session: only a form that carries a
valid token speaks for a signed-in customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, request
from flask_wtf.csrf import generate_csrf, validate_csrf
from werkzeug.wrappers import Response as BaseResponse
from wtforms import ValidationError

from ..delivery.channels import channels
from ..documents import sign_up as documents
from ..errors import FieldError, Invalid, SetupError, StatusPageError
from ..services import (
    owner_notices,
    pages,
    subscriptions,
    wishes,
)
from ..services.wishes import Wish
from ..state import current_state
from ..storage.pages import Page
from ..storage.session import begin_read_committed, current_session
from ..storage.subscriptions import Subscription
from . import answers, code_confirmation, failures, own_subscription, signup, visits
from .mounts import current_urls, page_route


def add_routes(blueprint: Blueprint) -> None:
    page_route(blueprint, "/subscribe", "subscribe", subscribe, methods=["GET", "POST"])


def from_home(page_slug: str | None) -> BaseResponse:
    """``POST …?action=subscribe``, as FacioTech documents it."""
    if request.args.get("action") != "subscribe":
        raise Invalid.field("action", "Must be 'subscribe'.")
    return subscribe(page_slug)


def subscribe(page_slug: str | None) -> BaseResponse:
    page = pages.visited(current_session(), page_slug)
    if request.method != "POST":
        return answers.page(_form(page))
    values = signup.sent()
    try:
        signup.check(values)
        subscription, proven = _subscribe(page, values)
        answer = _done(page, subscription, proven=proven)
        current_session().commit()
        return answer
    except StatusPageError as error:
        if _is_program():
            return failures.as_problem(error)
        if not isinstance(error, Invalid):
            raise
        current_session().rollback()
        page = pages.visited(current_session(), page_slug)
        return answers.page(_form(page, values=values, errors=error.errors), 422)


def _subscribe(page: Page, values: Mapping[str, Any]) -> tuple[Subscription, bool]:
    """The subscription, and whether the address is known to be the asker's."""
    session = current_session()
    customer = _customer(values)
    wish = signup.wish(values)
    wish = replace(wish, contact=owner_notices.default(wish.channel, customer))
    session.rollback()  # nothing was changed; the network is asked without a transaction
    wishes.vet(wish)
    begin_read_committed(session)  # whoever waits for others counts their sign-ups, too
    proven = customer is not None and _same_mailbox(wish, customer)
    subscription = subscriptions.subscribe(
        session,
        page,
        wish,
        proven=proven,
        origin=None if proven else request.remote_addr,
        actor=customer if proven else None,
    )
    return subscription, proven


def _customer(values: Mapping[str, Any]) -> str | None:
    """The signed-in customer's address, if this form was made for this session."""
    customer = current_state().subscriber_loader()
    token = values.get("csrf_token")
    if customer is None or not isinstance(token, str):
        return None
    try:
        validate_csrf(token)
    except (ValidationError, RuntimeError):  # RuntimeError: no SECRET_KEY, so no token is genuine
        return None
    return customer


def _same_mailbox(wish: Wish, customer: str) -> bool:
    return wish.channel == "email" and wish.address.strip().lower() == customer.strip().lower()


def _done(page: Page, subscription: Subscription, *, proven: bool) -> BaseResponse:
    if channels[subscription.channel].confirms_by_code and not proven:
        return code_confirmation.asked(page, subscription, is_program=_is_program())
    if not _is_program():
        if proven:
            return answers.page(own_subscription.confirmed_page(page, subscription))
        channel = channels[subscription.channel]
        pending = subscription.state == "pending" and not channel.needs_confirmation
        html = documents.subscribe_done(
            visits.shown(page),
            current_urls(),
            channel=subscription.channel,
            needs_approval=pending,
        )
        return answers.page(html)
    needs_confirmation = channels[subscription.channel].needs_confirmation and not proven
    message = (
        "If this address is not subscribed yet, a message is on its way to it. Open the link in it."
        if needs_confirmation
        else f"The subscription is {subscription.state.value}."
    )
    body = {
        "success": True,
        "message": message,
        "channel": subscription.channel,
        "state": "pending" if needs_confirmation else subscription.state.value,
        "confirm_url": None,
    }
    return answers.as_json(body, 202 if needs_confirmation else 201)


def _is_program() -> bool:
    """Forms of browsers ask for HTML; everything else gets JSON."""
    return (
        request.is_json
        or not request.accept_mimetypes.accept_html
        or answers.wants_json()
        or ("text/html" not in request.headers.get("Accept", ""))
    )


def _form(
    page: Page, *, values: Mapping[str, Any] | None = None, errors: tuple[FieldError, ...] = ()
) -> str:
    customer = current_state().subscriber_loader()
    return documents.subscribe_form(
        visits.shown(page),
        current_urls(),
        components=own_subscription.components_of(page),
        channels=wishes.offered_channels(),
        values=values,
        form_errors=errors,
        csrf_token=csrf_token() if customer else None,
        known_email=customer,
    )


def csrf_token() -> str:
    """A token for this visitor's session. Only made where somebody is signed in: others need no cookie.

    :raises SetupError: when the app has no key to sign it with.
    """
    try:
        return str(generate_csrf())
    except RuntimeError as error:
        raise SetupError(f"Forms of signed-in customers need SECRET_KEY: {error}") from error
