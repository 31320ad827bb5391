"""Confirm, change, end: what the owner of one subscription does. GET only shows; POST acts.

They act by the secret in their URL, which no other site knows; one-click unsubscribe (RFC 8058) is such a POST,
without cookies.
"""

from __future__ import annotations

from collections.abc import Collection

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from ..delivery.formats import formats
from ..documents import sign_up as documents
from ..documents.reading import Reading, reading
from ..domain.facts import ComponentFact
from ..errors import FieldError, Invalid, LinkExpired
from ..services import facts, subscription_changes, subscriptions
from ..storage import components as stored_components
from ..storage.pages import Page
from ..storage.session import current_session
from ..storage.subscriptions import Subscription, SubscriptionState
from . import answers, code_confirmation, signup, visits
from .mounts import current_urls, page_route


def add_routes(blueprint: Blueprint) -> None:
    for name, view in (("confirm", confirm), ("manage", manage), ("unsubscribe", unsubscribe)):
        page_route(blueprint, f"/{name}/<token>", name, view, methods=["GET", "POST"])


def confirm(page_slug: str | None, token: str) -> BaseResponse:
    if (claim := code_confirmation.claim_of(token)) is not None:
        return code_confirmation.answer(token, claim)
    session = current_session()
    urls = current_urls()
    if request.method != "POST":  # HEAD shows, too
        subscription = subscriptions.confirmable(session, token)
        page = session.get_one(Page, subscription.page_id)
        names = {fact.id: fact.name for fact in components_of(page)}
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
    html = confirmed_page(page, subscription)
    session.commit()
    return answers.page(html)


def confirmed_page(page: Page, subscription: Subscription) -> str:
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
                reading=signup.reading(values),
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
        reading=_reading(subscription),
        form_errors=errors,
        saved="saved" in request.args,
    )


def _reading(subscription: Subscription) -> Reading | None:
    """What was typed, else what is kept; None: no people read what is sent."""
    if formats[subscription.format].render_for is None:
        return None
    locale = request.form.get("locale", subscription.locale)
    return reading(locale, request.form.get("time_zone", subscription.time_zone))


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


def components_of(page: Page) -> list[ComponentFact]:
    rows = current_session().scalars(stored_components.of_page(page.id))
    return [facts.component(row) for row in rows]
