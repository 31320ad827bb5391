"""The page "Integrations": accounts elsewhere by which a status page posts."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from ...delivery.channels import channels
from ...documents.console import integrations as documents
from ...documents.console.room import OtherPage
from ...documents.policy import content_security_policy
from ...documents.rendering import OWN_BASE, Frame
from ...domain.rights import Right
from ...errors import Conflict, NotFound
from ...services import accounts, addresses, facts, pages, subscriptions, x_access
from ...state import current_settings
from ...storage import pages as stored_pages
from ...storage.pages import Page
from ...storage.session import current_session
from .. import access, answers, forms, visits
from ..idents import uuid_of
from ..mounts import PageUrls, current_mount
from ..storable import is_storable

CALLBACK = "/x/callback"
TOO_LATE = "The form was open for too long. Nothing was done; press the button again."


def add_routes(blueprint: Blueprint) -> None:
    rule = blueprint.add_url_rule
    rule("/integrations", "integrations", integrations)
    rule("/x/<account_id>/disconnect", "x_disconnect", disconnect, methods=["POST"])
    rule("/x/<account_id>/test", "x_test", send_test, methods=["POST"])


def integrations() -> Response:
    access.require(Right.CONNECT)
    return shown(page_asked())


def disconnect(account_id: str) -> BaseResponse:
    member = access.require(Right.CONNECT)
    session, page = current_session(), page_asked()
    if not is_genuine():
        return shown(page, problem=TOO_LATE, status=400)
    token = accounts.disconnect(session, page, _account(account_id), actor=member.identity)
    session.commit()
    answer = back(page, done="disconnected")
    session.rollback()
    return answer if x_access.give_back(token) else back(page, done="left")


def send_test(account_id: str) -> BaseResponse:
    member = access.require(Right.CONNECT)
    session, page = current_session(), page_asked()
    if not is_genuine():
        return shown(page, problem=TOO_LATE, status=400)
    try:
        account = accounts.get(session, page, _account(account_id))
        subscription = accounts.posting_by(session, account)
        subscriptions.send_test(session, page, subscription, actor=member.identity)
    except Conflict as error:
        return shown(page, problem=str(error), status=409)
    session.commit()
    return back(page, done="test")


def page_asked() -> Page:
    """The status page that ``?status_page=`` or the form's field names; the default one without."""
    slug = request.values.get("status_page")
    if slug is not None and not is_storable(slug):
        raise NotFound("page", slug)
    return pages.find(current_session(), slug or None)


def is_genuine() -> bool:
    """Whether the form that was sent is one of ours, made for this session."""
    return forms.is_genuine(request.form.get("csrf_token"))


def back(page: Page, *, done: str) -> BaseResponse:
    """To the page, which says what was done."""
    slug = None if page.is_default else page.slug
    return redirect(url_for(".integrations", done=done, status_page=slug), 303)


def shown(page: Page, *, problem: str | None = None, status: int = 200) -> Response:
    """The page as it is now, with what went wrong, if anything did."""
    session, settings = current_session(), current_settings()
    fact = facts.shown_page(page)
    visits.note_shown(fact)
    html = documents.integrations(
        fact,
        Frame(
            urls=PageUrls(
                current_mount(), page.link_token or (None if page.is_default else page.slug)
            )
        ),
        accounts=[_card(item, page) for item in accounts.connected(session, page)],
        missing=channels[accounts.X].available(settings),
        callback_url=addresses.console_url(CALLBACK),
        is_guessed=addresses.is_guessed(),
        connect_url=url_for(".x_connect"),
        others=_others(session, page),
        slug=None if page.is_default else page.slug,
        csrf_token=forms.csrf_token(),
        done=request.args.get("done"),
        problem=problem,
    )
    session.rollback()
    response = answers.page(html, status)
    # A host's CSRFProtect wants to see over TLS that a form came from this site.
    response.headers["Referrer-Policy"] = "same-origin"
    if settings.base_template == OWN_BASE:
        # Browsers hold a form's policy against where its answer leads, too.
        where = urlsplit(settings.x_authorize_url)
        response.headers["Content-Security-Policy"] = content_security_policy(
            images=_logos(), forms=[f"{where.scheme}://{where.netloc}"]
        )
    return response


def _logos() -> Iterable[str]:
    return [source] if (source := visits.image_source()) else []


def _card(item: accounts.Connected, page: Page) -> documents.AccountCard:
    subscription = item.subscription
    return documents.AccountCard(
        name=item.account.name,
        since=item.account.created_at,
        by=item.account.actor,
        state=subscription.state.value if subscription else None,
        reason=subscription.reason if subscription else None,
        failed_at=item.failed_at,
        failure=item.failure,
        test_url=url_for(".x_test", account_id=item.account.id),
        disconnect_url=url_for(".x_disconnect", account_id=item.account.id),
    )


def _others(session: Session, page: Page) -> list[OtherPage]:
    """The site's other status pages, each of which has accounts of its own."""
    rows = session.scalars(stored_pages.all_pages()).all()
    return [
        OtherPage(
            facts.page(row).name,
            url_for(".integrations", status_page=None if row.is_default else row.slug),
        )
        for row in rows
        if row.id != page.id
    ]


def _account(ident: str) -> UUID:
    return uuid_of(ident, "account")
