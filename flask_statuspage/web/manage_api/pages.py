"""``pages``, with ``rotate-link``"""

from __future__ import annotations

from typing import Any, Literal

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
    colours: dict[Text, Text] | None = None
    header: Prose | None = None
    footer: Prose | None = None


Subscribers = Literal["disable", "keep"]


class PageChange(Body):
    """``subscribers``: what becomes of those who signed up themselves, if fewer people may see the page then."""

    name: Title | None = None
    slug: Word = ""
    url: Url | None = None
    time_zone: Word | None = None
    locale: Word | None = None
    visibility: Word = ""
    logo: Url | None = None
    colours: dict[Text, Text] | None = None
    header: Prose | None = None
    footer: Prose | None = None
    subscribers: Subscribers = "disable"


class Rotation(Body):
    subscribers: Subscribers = "disable"


def add_routes(door: Door) -> None:
    door.route("GET", "/pages", index, role=Role.VIEWER)
    door.route("POST", "/pages", create, role=Role.ADMIN, body=NewPage, status=201)
    door.route("GET", "/pages/<ident>", show, role=Role.VIEWER)
    door.route("PATCH", "/pages/<ident>", change, role=Role.ADMIN, body=PageChange)
    door.route("DELETE", "/pages/<ident>", remove, role=Role.ADMIN)
    rotation = "/pages/<ident>/rotate-link"
    door.route("POST", rotation, rotate, role=Role.ADMIN, body=Rotation, bare=True)


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
    page, disabled = pages.change(
        call.session,
        pages.get(call.session, ident),
        call.values("subscribers"),
        subscribers=call.body.subscribers,
        actor=call.actor,
    )
    return {**described(call, page), "subscribers_disabled": disabled}


def rotate(call: Call, ident: str) -> dict[str, Any]:
    page, disabled = pages.rotate_link(
        call.session,
        pages.get(call.session, ident),
        subscribers=call.body.subscribers,
        actor=call.actor,
    )
    return {**described(call, page), "subscribers_disabled": disabled}


def remove(call: Call, ident: str) -> None:
    pages.remove(call.session, pages.get(call.session, ident), actor=call.actor)
