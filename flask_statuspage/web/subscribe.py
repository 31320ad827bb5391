"""Sign up.

The sign-up takes no CSRF token from programs, so it never acts with the visitor's session: only a form that carries a
valid token speaks for a signed-in customer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from ..delivery.channels import channels
from ..documents import sign_up as documents
from ..domain.facts import ComponentFact
from ..errors import FieldError, Invalid, StatusPageError, TooMany
from ..services import (
    customers,
    owner_notices,
    pages,
    subscriptions,
    ways,
    wishes,
)
from ..services.wishes import Wish
from ..state import current_state
from ..storage.pages import Page
from ..storage.races import committed
from ..storage.session import begin_read_committed, current_session
from ..storage.subscriptions import Subscription
from ..translation import said
from . import (
    answers,
    code_confirmation,
    failures,
    forms,
    own_subscription,
    portal_form,
    shown,
    signup,
    visits,
)
from .mounts import page_route


def add_routes(blueprint: Blueprint) -> None:
    page_route(blueprint, "/subscribe", "subscribe", subscribe, methods=["GET", "POST"])


def from_home(page_slug: str | None) -> BaseResponse:
    """``POST …?action=subscribe``, as FacioTech documents it."""
    if request.args.get("action") != "subscribe":
        raise Invalid.field("action", said("Must be 'subscribe'."))
    return subscribe(page_slug)


def subscribe(page_slug: str | None) -> BaseResponse:
    page = pages.visited(current_session(), page_slug)
    if request.method != "POST":
        asked = request.args.getlist("components")
        return answers.page(_form(page, values={"components": asked} if asked else None))
    back: portal_form.WayBack | None = None
    values: dict[str, Any] = {}
    try:
        values = signup.sent()
        back = None if _is_program() else portal_form.way_back(values)
        signup.check(values)
        done = committed(
            current_session(),
            partial(_subscribe, page_slug=page_slug, values=values, back=back),
        )
        return done()
    except StatusPageError as error:
        if _is_program():
            return failures.as_problem(error)
        if not isinstance(error, Invalid | TooMany):
            raise
        current_session().rollback()
        values = signup.as_typed(values)
        told = _told(error, values)
        if back is not None:
            return back.failed(values, told)
        page = pages.visited(current_session(), page_slug)
        html = _form(page, values=values, errors=told)
        if isinstance(error, Invalid):
            return answers.page(html, 422)
        answer = answers.page(html, 429)
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer


def _told(error: StatusPageError, values: Mapping[str, Any]) -> list[FieldError]:
    if isinstance(error, Invalid):
        return ways.in_words(error.errors, values, signup.channel_of(values))
    return [FieldError("", str(error))]


def _subscribe(
    session: Session,
    *,
    page_slug: str | None,
    values: Mapping[str, Any],
    back: portal_form.WayBack | None,
) -> Callable[[], BaseResponse]:
    """Subscribes, and gives what makes the answer once that is committed."""
    page = pages.visited(session, page_slug)
    customer = _customer(values)
    wish = signup.wish(values)
    # JSON has no such field: a program says all that it wants.
    adds = "add" in values
    wish = replace(wish, contact=owner_notices.default(wish.channel, customer), adds=adds)
    wishes.check(session, page, wish)
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
    return _done(page, subscription, values, proven=proven, back=back)


def _customer(values: Mapping[str, Any]) -> str | None:
    """The signed-in customer's address, if this form was made for this session."""
    customer = current_state().subscriber_loader()
    return customer if forms.is_genuine(values.get("csrf_token")) else None


def _same_mailbox(wish: Wish, customer: str) -> bool:
    return wish.channel == "email" and wish.address.strip().lower() == customer.strip().lower()


def _done(
    page: Page,
    subscription: Subscription,
    values: Mapping[str, Any],
    *,
    proven: bool,
    back: portal_form.WayBack | None,
) -> Callable[[], BaseResponse]:
    """Makes what is answered: to whoever proved nothing by the channel and the settings only, not by the row."""
    channel = subscription.channel
    is_asked = channels[channel].needs_confirmation and not proven
    needs_approval = not is_asked and not proven and wishes.must_wait(channel)
    by_code = is_asked and channels[channel].confirms_by_code
    if _is_program():
        if by_code:
            asked = code_confirmation.asked_program(page, subscription)
            return lambda: asked
        body = {
            "success": True,
            "message": _message(is_asked=is_asked, needs_approval=needs_approval, proven=proven),
            "channel": channel,
            "state": "pending" if is_asked or needs_approval else "active",
            "confirm_url": None,
        }
        return partial(answers.as_json, body, 202 if is_asked else 201)
    code_url = None
    if by_code:
        code_url = code_confirmation.form_url(subscription, shown_in=values.get(signup.SHOWN_IN))
    if back is not None:
        said = "asked" if is_asked else "waits" if needs_approval else "received"
        return partial(back.done, "active" if proven else said, channel, code_url=code_url)
    if code_url is not None:
        return lambda: answers.unkept(redirect(code_url, 303))
    if proven:
        onward = own_subscription.choose_next(subscription)
        return lambda: onward
    done = partial(
        documents.subscribe_done, channel=channel, is_asked=is_asked, needs_approval=needs_approval
    )
    fact = visits.shown(page)
    # The host is asked for the language only then: what fails in it must not take the sign-up with it.
    return lambda: answers.page(done(fact, shown.frame(fact)))


def _message(*, is_asked: bool, needs_approval: bool, proven: bool) -> str:
    if proven:
        return "The subscription is active."
    unless_known = "If this address is not known here yet,"
    if is_asked:
        return (
            "If this address is not subscribed yet, a message is on its way to it. Open the link in it and press the "
            "button there."
        )
    if needs_approval:
        return f"{unless_known} a member of the team looks at it first."
    return f"{unless_known} it is subscribed now. One that was switched off stays so."


def _is_program() -> bool:
    """Forms of browsers ask for HTML; everything else gets JSON."""
    return (
        request.is_json
        or not request.accept_mimetypes.accept_html
        or answers.wants_json()
        or ("text/html" not in request.headers.get("Accept", ""))
    )


def _form(
    page: Page, *, values: Mapping[str, Any] | None = None, errors: Collection[FieldError] = ()
) -> str:
    customer = current_state().subscriber_loader()
    components = own_subscription.components_of(page)
    own = customers.subscription_of(current_session(), page.id, customer)
    offered = wishes.offered_channels()
    fact = visits.shown(page)
    return documents.subscribe_form(
        fact,
        shown.frame(fact),
        components=components,
        channels=offered,
        formats={name: ways.offered_formats(name) for name in offered},
        usual=ways.usual_events(),
        values=_chosen_before(own, components) if own is not None and values is None else values,
        form_errors=errors,
        csrf_token=forms.csrf_token() if customer else None,
        known_email=customer,
        standing=own_subscription.standing(own, components) if own is not None else None,
    )


def _chosen_before(own: Subscription, components: list[ComponentFact]) -> dict[str, Any]:
    chosen = {item.component_id for item in own.chosen}
    return {
        "channel": own.channel,
        "components": [fact.slug for fact in components if fact.id in chosen],
        "events": own.events,
    }
