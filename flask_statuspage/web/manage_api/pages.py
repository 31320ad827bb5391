"""``pages``, with ``rotate-link``"""

from __future__ import annotations

from typing import Any

from ...domain.facts import plain
from ...domain.roles import Role
from ...services import addresses, pages
from ...storage import pages as stored
from ...storage.pages import Page
from .door import Call, Door
from .fields import Body, Prose, Text, Title, Url, Word


class NewPage(Body):
    name: Title
    slug: Word | None = None
    url: Url | None = None
    time_zone: Word | None = None
    locale: Word | None = None
    visibility: Word = "public"
    logo: Url | None = None
    colours: dict[Text, Text] = {}
    header: Prose = ""
    footer: Prose = ""


class PageChange(Body):
    name: Title | None = None
    slug: Word = ""
    url: Url | None = None
    time_zone: Word | None = None
    locale: Word | None = None
    visibility: Word = ""
    logo: Url | None = None
    colours: dict[Text, Text] = {}
    header: Prose = ""
    footer: Prose = ""


def add_routes(door: Door) -> None:
    door.route("GET", "/pages", index, role=Role.VIEWER)
    door.route("POST", "/pages", create, role=Role.ADMIN, body=NewPage, status=201)
    door.route("GET", "/pages/<ident>", show, role=Role.VIEWER)
    door.route("PATCH", "/pages/<ident>", change, role=Role.ADMIN, body=PageChange)
    door.route("DELETE", "/pages/<ident>", remove, role=Role.ADMIN)
    door.route("POST", "/pages/<ident>/rotate-link", rotate, role=Role.ADMIN)


def described(call: Call, page: Page) -> dict[str, Any]:
    """*page* for whoever calls."""
    told = {
        **pages.described(page),
        "updated_at": plain(page.updated_at),
        "default": page.is_default,
        "version": page.version,
    }
    if page.visibility == "link" and call.may_know_links:
        told["link"] = addresses.page_url(page)
    return told


def index(call: Call) -> dict[str, Any]:
    return call.listed(stored.all_pages(), lambda page: described(call, page))


def create(call: Call) -> dict[str, Any]:
    return described(call, pages.create(call.session, **call.values(), actor=call.actor))


def show(call: Call, ident: str) -> dict[str, Any]:
    return described(call, pages.get(call.session, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    page = pages.get(call.session, ident)
    return described(call, pages.change(call.session, page, call.values(), actor=call.actor))


def rotate(call: Call, ident: str) -> dict[str, Any]:
    page = pages.get(call.session, ident)
    return described(call, pages.rotate_link(call.session, page, actor=call.actor))


def remove(call: Call, ident: str) -> None:
    pages.remove(call.session, pages.get(call.session, ident), actor=call.actor)
