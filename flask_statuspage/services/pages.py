"""Status pages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.ids import RESERVED_SLUGS, is_slug, slugify
from ..errors import Conflict, Invalid, NotFound
from ..storage import components as stored_components
from ..storage import outbox
from ..storage import pages as stored
from ..storage.base import utc_now
from ..storage.components import Component, ComponentGroup
from ..storage.incidents import Incident
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.subscriptions import Subscription
from . import audit, facts

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


def create(
    session: Session,
    *,
    name: str,
    slug: str | None = None,
    url: str | None = None,
    time_zone: str | None = None,
    actor: str | None = None,
) -> Page:
    """Another page, under ``<slug>/``."""
    slug = slugify(name) if slug is None else slug
    _check(session, slug=slug, url=url, time_zone=time_zone)
    page = Page(name=name, slug=slug, url=url, time_zone=time_zone)
    session.add(page)
    session.flush()
    _audit(session, "create", page, actor, after=plain(facts.page(page)))
    return page


def change(session: Session, page: Page, values: Mapping[str, Any], *, actor: str | None) -> Page:
    """Change some of ``name slug url time_zone``; None gives the word back to the settings."""
    slug = values.get("slug", page.slug)
    _check(
        session,
        slug=slug if slug != page.slug else None,
        url=values.get("url"),
        time_zone=values.get("time_zone"),
    )
    stored.touch(session, page.id, utc_now())
    before = plain(facts.page(page))
    for name, value in values.items():
        setattr(page, name, value)
    session.flush()
    was, now_is = audit.difference(before, plain(facts.page(page)))
    _audit(session, "change", page, actor, before=was, after=now_is)
    return page


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
        "subscriptions": select(Subscription.id),
    }
    for what, query in living.items():
        model = query.column_descriptions[0]["entity"]
        if session.scalar(query.where(model.page_id == page.id).limit(1)) is not None:
            raise Conflict(f"The page {page.slug!r} still has {what}.")
    _audit(session, "delete", page, actor, before=plain(facts.page(page)))
    stored_components.forget(session, page.id)
    outbox.forget_events(session, page.id)
    session.delete(page)
    session.flush()


def _check(session: Session, *, slug: str | None, url: str | None, time_zone: str | None) -> None:
    if slug is not None:
        if not is_slug(slug):
            raise Invalid.field("slug", "Lower-case letters, digits and single hyphens only.")
        if slug in RESERVED_SLUGS:
            raise Invalid.field("slug", f"{slug!r} is the name of a fixed path.")
        if stored.by_slug(session, slug):
            raise Conflict(f"The slug {slug!r} is taken by another page.")
    if url is not None:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment:
            raise Invalid.field("url", "Must be an http(s) URL without query or fragment.")
    if time_zone is not None:
        try:
            ZoneInfo(time_zone)
        except (KeyError, ValueError, OSError) as error:
            raise Invalid.field("time_zone", "Must be an IANA name, such as 'UTC'.") from error
