"""Confirm, change, end: what the owner of one subscription does. GET only shows; POST acts.

They act by the secret in their URL, which no other site knows; one-click unsubscribe (RFC 8058) is such a POST,
without cookies.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from ..delivery.channels import channels
from ..delivery.formats import formats
from ..documents import sign_up as documents
from ..documents.reading import Reading, reading
from ..documents.sign_up import Standing
from ..documents.words import EVENTS
from ..domain.facts import ComponentFact
from ..domain.opt_out import STOPPED
from ..errors import Ended, FieldError, Invalid, LinkInvalid, NotFound
from ..services import facts, pages, subscription_changes, subscriptions, ways
from ..storage import components as stored_components
from ..storage.pages import Page
from ..storage.races import committed
from ..storage.session import current_session
from ..storage.subscriptions import Subscription, SubscriptionState
from ..translation import said
from . import answers, code_confirmation, failures, shown, signup, visits
from .mounts import page_route


def add_routes(blueprint: Blueprint) -> None:
    for name, view in (("confirm", confirm), ("manage", manage), ("unsubscribe", unsubscribe)):
        page_route(blueprint, f"/{name}/<token>", name, view, methods=["GET", "POST"])


def confirm(page_slug: str | None, token: str) -> BaseResponse:
    if (claim := code_confirmation.claim_of(token)) is not None:
        return code_confirmation.answer(token, claim)
    session = current_session()
    if request.method != "POST":  # HEAD shows, too
        subscription = subscriptions.confirmable(session, token)
        _check_page(session, page_slug, subscription)
        page = session.get_one(Page, subscription.page_id)
        names = {fact.id: fact.name for fact in components_of(page)}
        fact = visits.shown(page)
        html = documents.confirm(
            fact,
            shown.frame(fact, subscriber=subscription.locale),
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

    def act(session: Session) -> BaseResponse:
        _check_page(session, page_slug, subscriptions.confirmable(session, token))
        return choose_next(subscriptions.confirm(session, token))

    return committed(session, act)


def choose_next(subscription: Subscription) -> BaseResponse:
    """To the page on which the owner of a subscription that has just begun chooses what it is about."""
    token = subscriptions.manage_token(subscription)
    answer = redirect(shown.urls()("manage", token=token, confirmed=1), 303)
    return answers.unkept(answer)


def standing(subscription: Subscription, components: Collection[ComponentFact]) -> Standing:
    """What a signed-in customer has already."""
    chosen = {item.component_id for item in subscription.chosen}
    return Standing(
        services=tuple(fact.name for fact in components if fact.id in chosen),
        manage_url=shown.urls()("manage", token=subscriptions.manage_token(subscription)),
        covers=not chosen,
    )


def manage(page_slug: str | None, token: str) -> BaseResponse:
    session = current_session()
    subscription = subscriptions.owned(session, token)
    if subscription.state is SubscriptionState.ENDED:
        if subscription.reason == STOPPED:
            raise Ended(
                said(
                    "This subscription has ended. Answer START to one of our texts to hear of changes."
                )
            )
        raise Ended(said("This subscription has ended. Subscribe again to hear of changes."))
    page = session.get_one(Page, subscription.page_id)
    _check_page(session, page_slug, subscription)
    errors: Collection[FieldError] = ()
    values: dict[str, Any] = {}
    if request.method == "POST":
        try:
            values = signup.sent()
            signup.check(values)
            wanted, names = _choice(values)
            _check_offered(page, subscription, wanted)
            session.rollback()
            committed(
                session, partial(_choose, token=token, wanted=wanted, names=names, values=values)
            )
            return answers.unkept(redirect(shown.urls()("manage", token=token, saved=1), 303))
        except Invalid as error:
            session.rollback()
            if answers.wants_json():
                return failures.as_problem(error)
            subscription = subscriptions.owned(session, token)
            page = session.get_one(Page, subscription.page_id)
            told = {**values, "format": subscription.format, "address": "known"}
            errors = ways.in_words(error.errors, told, subscription.channel)
    html = _manage_page(page, subscription, token, values, errors)
    session.rollback()
    return answers.page(html, 422 if errors else 200)


def _choose(
    session: Session,
    *,
    token: str,
    wanted: Collection[str],
    names: Collection[str] | None,
    values: Mapping[str, Any],
) -> None:
    subscription = subscriptions.owned(session, token)
    subscription_changes.choose(
        session,
        session.get_one(Page, subscription.page_id),
        subscription,
        wanted=wanted,
        event_names=names,
        reading=signup.reading(values),
    )


def _choice(values: Mapping[str, Any]) -> tuple[list[str], list[str] | None]:
    """The components (none: all) and the events (None: what is usual).

    :raises Invalid: naming each of the two that lacks a choice.
    """
    wrong = []
    wanted = values.get("components", []) if values.get("scope") != "all" else []
    if values.get("scope") == "some" and not wanted:
        wrong.append(FieldError("components", said("Choose at least one service.")))
    names = None if values.get("events_scope") == "usual" else values.get("events")
    if (names is not None and not names) or (
        names is None and values.get("events_scope") != "usual"
    ):
        wrong.append(FieldError("events", said("Choose at least one, or unsubscribe.")))
    if wrong:
        raise Invalid(*wrong)
    return wanted, names


def _check_page(session: Session, page_slug: str | None, subscription: Subscription) -> None:
    """A link of one page does not work under the address of another. Under one that leads nowhere (any more) it does.

    :raises LinkInvalid: for that.
    """
    try:
        here = pages.visited(session, page_slug)
    except NotFound:
        return
    if here.id != subscription.page_id:
        raise LinkInvalid(
            said("This link belongs to another status page. Open it as it was sent to you.")
        )


def _offered(page: Page, subscription: Subscription) -> list[ComponentFact]:
    """What its owner can choose: of a page that is closed to them, only what was chosen already."""
    listed = components_of(page)
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
            raise Invalid.field(
                "components", said("There is no component {name} on this page.", name=repr(slug))
            )


def _manage_page(
    page: Page,
    subscription: Subscription,
    token: str,
    typed: Mapping[str, Any],
    errors: Collection[FieldError],
) -> str:
    listed = _offered(page, subscription)
    slugs = {fact.id: fact.slug for fact in listed}
    format = formats[subscription.format]
    now = {
        "components": [
            slugs[item.component_id] for item in subscription.chosen if item.component_id in slugs
        ],
        "events_scope": "usual" if subscription.events is None else "some",
        "events": sorted(format.unasked) if subscription.events is None else subscription.events,
    }
    fact = visits.shown(page)
    return documents.manage(
        fact,
        shown.frame(fact, subscriber=subscription.locale),
        token=token,
        address=subscription.address,
        is_active=subscription.state is SubscriptionState.ACTIVE,
        can_return=channels[subscription.channel].needs_confirmation,
        components=listed,
        offered_events=[name for name in EVENTS if name in format.offered],
        values={**now, **_readable(typed)} if errors else now,
        reading=_reading(subscription),
        form_errors=errors,
        saved="saved" in request.args and not errors,
        confirmed="confirmed" in request.args and not errors,
    )


def _reading(subscription: Subscription) -> Reading | None:
    """What was typed, else what is kept; None: no people read what is sent."""
    if formats[subscription.format].render_for is None:
        return None
    locale = request.form.get("locale", subscription.locale)
    return reading(locale, request.form.get("time_zone", subscription.time_zone))


def _readable(typed: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as far as the form can show it again."""
    found: dict[str, Any] = {name: typed.get(name) for name in ("scope", "events_scope")}
    for name in signup.LISTS:
        chosen = typed.get(name)
        found[name] = chosen if isinstance(chosen, list) else []
    return found


def unsubscribe(page_slug: str | None, token: str) -> Response:
    session = current_session()
    subscription = subscriptions.owned(session, token)
    page = visits.shown(session.get_one(Page, subscription.page_id))
    address, locale = subscription.address, subscription.locale
    session.rollback()
    if request.method != "POST":
        frame = shown.frame(page, subscriber=locale)
        return answers.page(documents.unsubscribe(page, frame, token=token, address=address))

    def act(session: Session) -> None:
        subscriptions.unsubscribe(session, subscriptions.owned(session, token))

    # A program's one click is not repeated: whoever meets a worker here must not have to.
    committed(session, act)
    # Not before: what a page asks the host for must not keep anybody subscribed.
    frame = shown.frame(page, subscriber=locale)
    return answers.page(documents.unsubscribed(page, frame, address=address))


def components_of(page: Page) -> list[ComponentFact]:
    rows = current_session().scalars(stored_components.of_page(page.id))
    return [facts.component(row) for row in rows]
