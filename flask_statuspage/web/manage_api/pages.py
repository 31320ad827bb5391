"""``pages``"""

from __future__ import annotations

from typing import Any

from ...domain.facts import plain
from ...domain.roles import Role
from ...services import facts, pages
from ...storage import pages as stored
from ...storage.pages import Page
from .door import Call, Door
from .fields import Body, Title, Url, Word


class NewPage(Body):
    name: Title
    slug: Word | None = None
    url: Url | None = None
    time_zone: Word | None = None


class PageChange(Body):
    name: Title | None = None
    slug: Word = ""
    url: Url | None = None
    time_zone: Word | None = None


def add_routes(door: Door) -> None:
    door.route("GET", "/pages", index, role=Role.VIEWER)
    door.route("POST", "/pages", create, role=Role.ADMIN, body=NewPage, status=201)
    door.route("GET", "/pages/<ident>", show, role=Role.VIEWER)
    door.route("PATCH", "/pages/<ident>", change, role=Role.ADMIN, body=PageChange)
    door.route("DELETE", "/pages/<ident>", remove, role=Role.ADMIN)


def described(page: Page) -> dict[str, Any]:
    return {**plain(facts.page(page)), "default": page.is_default, "version": page.version}


def index(call: Call) -> dict[str, Any]:
    return call.listed(stored.all_pages(), described)


def create(call: Call) -> dict[str, Any]:
    return described(pages.create(call.session, **call.values(), actor=call.actor))


def show(call: Call, ident: str) -> dict[str, Any]:
    return described(pages.get(call.session, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    page = pages.get(call.session, ident)
    return described(pages.change(call.session, page, call.values(), actor=call.actor))


def remove(call: Call, ident: str) -> None:
    pages.remove(call.session, pages.get(call.session, ident), actor=call.actor)
