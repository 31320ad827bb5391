"""Sign up, confirm, change, end. GET only shows; POST acts.

The sign-up takes no CSRF token from programs, so it never acts with the visitor's session: only a form that carries a
valid token speaks for a signed-in customer. Confirm, manage and unsubscribe act by the secret in their URL, which no
other site knows; one-click unsubscribe (RFC 8058) is such a POST, without cookies.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, redirect, request
from flask_wtf.csrf import generate_csrf, validate_csrf
from werkzeug.wrappers import Response as BaseResponse
from wtforms import ValidationError

from ..delivery.channels import channels
from ..delivery.formats import formats
from ..documents import sign_up as documents
from ..domain.facts import ComponentFact
from ..errors import FieldError, Invalid, LinkExpired, SetupError, StatusPageError
from ..services import (
    facts,
    owner_notices,
    pages,
    subscription_changes,
    subscriptions,
    wishes,
)
from ..services.wishes import Wish
from ..state import current_state
from ..storage import components as stored_components
from ..storage.pages import Page
from ..storage.session import current_session
from ..storage.subscriptions import Subscription, SubscriptionState
from . import answers, failures, signup, visits
from .mounts import current_urls, page_route


def add_routes(blueprint: Blueprint) -> None:
    page_route(blueprint, "/subscribe", "subscribe", subscribe, methods=["GET", "POST"])
    for name, view in (("confirm", confirm), ("manage", manage), ("unsubscribe", unsubscribe)):
        page_route(blueprint, f"/{name}/<token>", name, view, methods=["GET", "POST"])


def from_home(page_slug: str | None) -> Response:
    """``POST …?action=subscribe``, as FacioTech documents it."""
    if request.args.get("action") != "subscribe":
        raise Invalid.field("action", "Must be 'subscribe'.")
    return subscribe(page_slug)


def subscribe(page_slug: str | None) -> Response:
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


def _done(page: Page, subscription: Subscription, *, proven: bool) -> Response:
    if not _is_program():
        if proven:
            return answers.page(_confirmed_page(page, subscription))
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
        components=_components(page),
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


def _components(page: Page) -> list[ComponentFact]:
    rows = current_session().scalars(stored_components.of_page(page.id))
    return [facts.component(row) for row in rows]


def confirm(page_slug: str | None, token: str) -> Response:
    session = current_session()
    urls = current_urls()
    if request.method != "POST":  # HEAD shows, too
        subscription = subscriptions.confirmable(session, token)
        page = session.get_one(Page, subscription.page_id)
        names = {fact.id: fact.name for fact in _components(page)}
        html = documents.confirm(
            visits.shown(page),
            urls,
            token=token,
            address=subscription.address,
            services=[
                names[item.component_id]
                for item in subscription.chosen
                if item.component_id in names
            ],
        )
        session.rollback()  # nothing was changed; let go of the row
        return answers.page(html)
    subscription = subscriptions.confirm(session, token)
    page = session.get_one(Page, subscription.page_id)
    html = _confirmed_page(page, subscription)
    session.commit()
    return answers.page(html)


def _confirmed_page(page: Page, subscription: Subscription) -> str:
    urls = current_urls()
    manage_url = urls("manage", token=subscriptions.manage_token(subscription))
    return documents.confirmed(
        visits.shown(page), urls, address=subscription.address, manage_url=manage_url
    )


def manage(page_slug: str | None, token: str) -> BaseResponse:
    session = current_session()
    subscription = subscriptions.owned(session, token)
    if subscription.state is SubscriptionState.ENDED:
        raise LinkExpired("This subscription has ended. Subscribe again to hear of changes.")
    page = session.get_one(Page, subscription.page_id)
    errors: tuple[FieldError, ...] = ()
    if request.method == "POST":
        values = signup.sent()
        try:
            signup.check(values)
            wanted = values.get("components", []) if values.get("scope") != "all" else []
            if values.get("scope") == "some" and not wanted:
                raise Invalid.field("components", "Choose at least one service.")
            _check_offered(page, subscription, wanted)
            if not values.get("events"):
                raise Invalid.field("events", "Choose at least one, or unsubscribe.")
            subscription_changes.choose(
                session,
                page,
                subscription,
                wanted=wanted,
                event_names=values["events"],
            )
            session.commit()
            return redirect(current_urls()("manage", token=token, saved=1), 303)
        except Invalid as error:
            session.rollback()
            errors = error.errors
            subscription = subscriptions.owned(session, token)
            page = session.get_one(Page, subscription.page_id)
    html = _manage_page(page, subscription, token, errors)
    session.rollback()
    return answers.page(html, 422 if errors else 200)


def _offered(page: Page, subscription: Subscription) -> list[ComponentFact]:
    """What its owner can choose: of a page that is closed to them, only what was chosen already."""
    listed = _components(page)
    if visits.may_see(page):
        return listed
    chosen = {item.component_id for item in subscription.chosen}
    return [fact for fact in listed if fact.id in chosen]


def _check_offered(page: Page, subscription: Subscription, wanted: Collection[str]) -> None:
    """:raises Invalid: for what was not offered on a closed page, in the words for what does not exist."""
    if visits.may_see(page):
        return
    offered = {fact.slug for fact in _offered(page, subscription)}
    for slug in wanted:
        if slug not in offered:
            raise Invalid.field("components", f"There is no component {slug!r} on this page.")


def _manage_page(
    page: Page, subscription: Subscription, token: str, errors: tuple[FieldError, ...]
) -> str:
    listed = _offered(page, subscription)
    slugs = {fact.id: fact.slug for fact in listed}
    format = formats[subscription.format]
    chosen = [
        slugs[item.component_id] for item in subscription.chosen if item.component_id in slugs
    ]
    return documents.manage(
        visits.shown(page),
        current_urls(),
        token=token,
        address=subscription.address,
        components=listed,
        offered_events=sorted(format.offered),
        values={
            "components": chosen,
            "events": sorted(format.unasked)
            if subscription.events is None
            else subscription.events,
        },
        form_errors=errors,
        saved="saved" in request.args,
    )


def unsubscribe(page_slug: str | None, token: str) -> Response:
    session = current_session()
    subscription = subscriptions.owned(session, token)
    page = visits.shown(session.get_one(Page, subscription.page_id))
    address = subscription.address
    if request.method != "POST":
        session.rollback()
        return answers.page(
            documents.unsubscribe(page, current_urls(), token=token, address=address)
        )
    subscriptions.unsubscribe(session, subscription)
    session.commit()
    return answers.page(documents.unsubscribed(page, current_urls(), address=address))
