"""Status pages."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..domain.ids import slugify
from ..errors import Conflict, NotFound
from ..storage import accounts, outbox, templates
from ..storage import components as stored_components
from ..storage import pages as stored
from ..storage.base import utc_now
from ..storage.components import Component, ComponentGroup
from ..storage.incidents import Incident
from ..storage.maintenances import Maintenance
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.subscriptions import Subscription
from . import addresses, audit, facts, page_fields, readership

_audit = partial(audit.of, subject="page")


def find(session: Session, slug: str | None) -> Page:
    """The page with that slug; None: the default page.

    :raises NotFound: when there is none.
    """
    page = stored.default_page(session) if slug is None else stored.by_slug(session, slug)
    if page is None:
        raise NotFound("page", slug)
    return page


def get(session: Session, ident: str) -> Page:
    """The page with that slug or id."""
    try:
        page = session.get(Page, UUID(ident))
    except ValueError:
        page = stored.by_slug(session, ident)
    if page is None:
        raise NotFound("page", ident)
    return page


def visited(session: Session, address: str | None) -> Page:
    """The page that answers at *address*, as it stands in a URL: a slug or a link's token; None: the root.

    :raises NotFound: also for a page that is there, but answers to its link only.
    """
    found = stored.version_of(session, address)
    page = session.get(Page, found[0]) if found else None
    if page is None:
        raise NotFound("page", address or "/")
    return page


def described(page: Page) -> dict[str, Any]:
    """*page* as plain data, by the names of its fields. Its link is in no part of it."""
    fact = facts.page(page)
    return {
        "id": str(page.id),
        "slug": page.slug,
        "name": fact.name,
        "url": addresses.known_url(page),
        "time_zone": fact.time_zone,
        "locale": page.locale,
        "visibility": page.visibility,
        "logo": page.logo,
        "colours": page.colours or {},
        "header": page.header or "",
        "footer": page.footer or "",
    }


def create(
    session: Session,
    *,
    name: str,
    slug: str | None = None,
    url: str | None = None,
    time_zone: str | None = None,
    locale: str | None = None,
    visibility: str = "public",
    logo: str | None = None,
    colours: Mapping[str, str] | None = None,
    header: str | None = None,
    footer: str | None = None,
    actor: str | None = None,
) -> Page:
    """Another page, under ``<slug>/``.

    :param visibility: ``public``, ``signed-in`` or ``link``.
    :param colours: token → ``#rgb`` or ``#rrggbb``, see :mod:`flask_statuspage.domain.colours`.
    :param header: Markdown, like *footer*.
    """
    values = page_fields.checked(
        {
            "name": name,
            "slug": slugify(name) if slug is None else slug,
            "url": url,
            "time_zone": time_zone,
            "locale": locale,
            "visibility": visibility,
            "logo": logo,
            "colours": colours,
            "header": header,
            "footer": footer,
        }
    )
    _check_free(session, values["slug"])
    page = Page(**values)
    _settle_link(page)
    session.add(page)
    session.flush()
    _audit(session, "create", page, actor, after=_written(page))
    return page


def change(
    session: Session,
    page: Page,
    values: Mapping[str, Any],
    *,
    subscribers: str = "disable",
    actor: str | None,
) -> tuple[Page, int]:
    """Change some of :data:`~flask_statuspage.services.page_fields.FIELDS`; None gives the word back to the settings.

    A page that ceases to be seen by link loses its link; if it becomes so again, it gets another one.

    :param subscribers: what becomes of subscriptions that visitors made themselves, once their page is not public any
        more: ``disable`` or ``keep``. Those of signed-in customers stay while signed-in visitors may see the page.
    :returns: the page, and how many subscriptions were disabled.
    """
    readership.check(subscribers)
    values = page_fields.checked(values)
    page = _held(session, page)
    before = _written(page)
    if all(before[name] == value for name, value in values.items()):
        return page, 0
    if values.get("slug", page.slug) != page.slug:
        _check_free(session, values["slug"])
    stored.touch(session, page.id, utc_now())
    seen_by = page.visibility
    for name, value in values.items():
        setattr(page, name, value)
    _settle_link(page)
    session.flush()
    was, now_is = audit.difference(before, _written(page))
    _audit(session, "change", page, actor, before=was, after=now_is)
    if page.visibility in (seen_by, "public"):
        return page, 0
    return page, readership.narrow(
        session,
        page,
        reason="The page's visibility was changed.",
        customers=page.visibility == "link",
        subscribers=subscribers,
        actor=actor,
    )


def rotate_link(
    session: Session, page: Page, *, subscribers: str = "disable", actor: str | None
) -> tuple[Page, int]:
    """Give *page* another link; the old one leads nowhere from then on.

    :param subscribers: what becomes of subscriptions that visitors made themselves, by the old link or before there
        was one: ``disable``, since they would be told the new one, or ``keep``.
    :returns: the page, and how many subscriptions were disabled.
    :raises Conflict: unless the page's visibility is ``link``.
    """
    readership.check(subscribers)
    page = _held(session, page)
    if page.visibility != "link":
        raise Conflict(f"The page {page.slug!r} has no link: its visibility is {page.visibility}.")
    stored.touch(session, page.id, utc_now())
    page.link_token = _new_token()
    session.flush()
    was, now_is = {"link": "(hidden)"}, {"link": "(hidden, new)"}
    _audit(session, "rotate_link", page, actor, before=was, after=now_is)
    return page, readership.narrow(
        session,
        page,
        reason="The page's link was changed.",
        customers=True,
        subscribers=subscribers,
        actor=actor,
    )


def remove(session: Session, page: Page, *, actor: str | None) -> None:
    """Delete an empty page.

    :raises Conflict: for the default page, and while anything belongs to the page.
    """
    if page.is_default:
        raise Conflict("The default page cannot be deleted.")
    living = {
        "components": select(Component.id).where(Component.archived_at.is_(None)),
        "component groups": select(ComponentGroup.id),
        "monitors": select(Monitor.id),
        "incidents": select(Incident.id),
        "maintenance": select(Maintenance.id),
        "subscriptions": select(Subscription.id),
    }
    for what, query in living.items():
        model = query.column_descriptions[0]["entity"]
        if session.scalar(query.where(model.page_id == page.id).limit(1)) is not None:
            raise Conflict(f"The page {page.slug!r} still has {what}.")
    _audit(session, "delete", page, actor, before=_written(page))
    templates.forget(session, page.id)
    stored_components.forget(session, page.id)
    outbox.forget_events(session, page.id)
    accounts.forget_page(session, page.id)
    session.delete(page)
    session.flush()


def _held(session: Session, page: Page) -> Page:
    """*page* as it is now, locked."""
    stored.hold(session, page.id)
    now = session.get(Page, page.id, populate_existing=True, with_for_update=True)
    if now is None:
        raise NotFound("page", page.id)
    return now


def _written(page: Page) -> dict[str, Any]:
    """What was written into *page*, for the audit: without its link, which lets in whoever reads it."""
    return {name: getattr(page, name) for name in page_fields.FIELDS}


def _check_free(session: Session, slug: str) -> None:
    if stored.by_slug(session, slug):
        raise Conflict(f"The slug {slug!r} is taken by another page.")


def _settle_link(page: Page) -> None:
    if page.visibility != "link":
        page.link_token = None
    elif page.link_token is None:
        page.link_token = _new_token()


def _new_token() -> str:
    return secrets.token_urlsafe(24)
