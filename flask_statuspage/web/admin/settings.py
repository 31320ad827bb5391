"""The pages "Settings": one status page, and making and deleting them."""

from __future__ import annotations

from typing import Any

from flask import url_for

from ...documents.console import settings as documents
from ...domain.colours import TOKENS
from ...domain.rights import Right
from ...services import addresses, facts, pages
from ...storage import pages as stored
from ...storage.pages import Page
from ..manage_api.pages import NewPage, PageChange
from . import reading
from .desk import Desk
from .visit import Done, Visit

FIELDS = (
    *("name", "slug", "url", "time_zone", "locale"),
    *("visibility", "logo", "header", "footer"),
)
NOTICES = {
    "settings": "The settings are saved.",
    "page-new": "The status page is there.",
    "page-removed": "The status page is deleted.",
    "link": "The page has a new link. The old one leads nowhere.",
}


def add_routes(desk: Desk) -> None:
    right = Right.CONFIGURE
    desk.area("settings", "Settings", right, NOTICES)
    desk.form("/settings", "settings", show, change, right=right)
    desk.action("/settings/link", "link_rotate", rotate, right=right, back=show)
    desk.form("/pages/new", "page_new", show_new, create, right=right)
    desk.action("/pages/remove", "page_remove", remove, right=right, back=show)


def show(visit: Visit) -> str:
    page = visit.page
    rows = visit.session.scalars(stored.all_pages()).all()
    return documents.settings(
        visit.room("settings"),
        values=_present(page),
        link=addresses.page_url(page) if page.visibility == "link" else None,
        pages=[
            documents.PageLine(
                name=facts.page(row).name,
                slug=row.slug,
                visibility=documents.WHO[row.visibility].lower(),
                url=url_for(".settings", status_page=None if row.is_default else row.slug),
                is_here=row.id == page.id,
            )
            for row in rows
        ],
        may_delete=not page.is_default,
    )


def change(visit: Visit) -> Done:
    typed = visit.sent
    visit.hold(visit.page)
    reading.check_seen(typed, _present(visit.page), what="these settings")
    values: dict[str, Any] = reading.optional(typed, *FIELDS)
    values["slug"] = values["slug"] or ""
    values["visibility"] = values["visibility"] or ""
    values["colours"] = {
        token: colour.strip()
        for token, colour in reading.starting_with(typed, "colours.").items()
        if colour.strip()
    }
    values["subscribers"] = reading.words(typed, "subscribers")
    values = reading.checked(PageChange, values)
    subscribers = values.pop("subscribers")
    page, _ = pages.change(
        visit.session, visit.page, values, subscribers=subscribers, actor=visit.actor
    )
    visit.turn_to(page)
    return Done("settings", "settings")


def rotate(visit: Visit) -> Done:
    pages.rotate_link(visit.session, visit.page, actor=visit.actor)
    return Done("settings", "link")


def show_new(visit: Visit) -> str:
    return documents.new_page(visit.room("settings"))


def create(visit: Visit) -> Done:
    values = {
        "name": reading.words(visit.sent, "name"),
        **reading.some(visit.sent, "slug", "visibility"),
    }
    page = pages.create(visit.session, **reading.checked(NewPage, values), actor=visit.actor)
    visit.turn_to(page)
    return Done("settings", "page-new")


def remove(visit: Visit) -> Done:
    pages.remove(visit.session, visit.page, actor=visit.actor)
    visit.turn_to(stored.default_page(visit.session))
    return Done("settings", "page-removed")


def _present(page: Page) -> dict[str, str]:
    """What the fields show, by their names."""
    colours = page.colours or {}
    return {name: getattr(page, name) or "" for name in FIELDS} | {
        f"colours.{token}": colours.get(token, "") for token in TOKENS
    }
