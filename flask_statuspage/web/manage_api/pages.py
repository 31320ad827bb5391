"""``pages``, with ``rotate-link``"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Literal, NotRequired
from uuid import UUID

from typing_extensions import TypedDict

from ...domain.facts import plain
from ...domain.rights import Right
from ...services import addresses, pages
from ...storage import pages as stored
from ...storage.pages import Page
from .call import Call
from .door import Door
from .fields import Body, Change, Prose, Text, Title, Url, Word
from .things import Thing


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


class PageChange(Change):
    """``subscribers``: what becomes of those who signed up themselves, if fewer people may see the page then; they are
    disabled unless it is ``keep``."""

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


# TypedDicts, which know fields that may be missing. Below Python 3.12 pydantic takes none from `typing`.
class PageAnswer(TypedDict):
    """A page. ``link`` is there for admins, while the page is seen by link: it lets in whoever has it.

    ``version`` goes up with every visible change.
    """

    id: UUID
    slug: str
    name: str
    url: str
    time_zone: str
    locale: str | None
    visibility: str
    logo: str | None
    colours: dict[str, str]
    header: str
    footer: str
    updated_at: datetime
    default: bool
    version: int
    link: NotRequired[str]


class ChangedPageAnswer(PageAnswer):
    """A page as it is now. ``subscribers_disabled`` says how many subscriptions were disabled."""

    subscribers_disabled: int


def add_routes(door: Door) -> None:
    every, one = "/pages", "/pages/<ident>"
    answers = (PageAnswer, ChangedPageAnswer)
    # Both change with all that is on the page.
    door.thing("pages", Thing(answers, show, _hold, moving=("version", "updated_at")))
    read = partial(door.route, right=Right.SEE, answer=PageAnswer, of_page=False)
    write = partial(door.route, right=Right.CONFIGURE, answer=PageAnswer, of_page=False)
    changed = partial(write, answer=ChangedPageAnswer)
    read("GET", every, index, paged=True)
    write("POST", every, create, body=NewPage, status=201)
    read("GET", one, show)
    changed("PATCH", one, change, body=PageChange)
    write("DELETE", one, remove, answer=None)
    changed("POST", f"{one}/rotate-link", rotate, body=Rotation, bare=True)


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
    """List the status pages."""
    return call.listed(stored.all_pages(), lambda page: described(call, page))


def create(call: Call) -> dict[str, Any]:
    """Make a status page."""
    return described(call, pages.create(call.session, **call.values(), actor=call.actor))


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a status page."""
    return described(call, pages.get(call.session, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Change a status page; what is not sent stays."""
    page, disabled = pages.change(
        call.session,
        pages.get(call.session, ident),
        call.values("subscribers"),
        subscribers=call.body.subscribers,
        actor=call.actor,
    )
    return {**described(call, page), "subscribers_disabled": disabled}


def rotate(call: Call, ident: str) -> dict[str, Any]:
    """Give a page that is seen by link another link; the old one is dead at once."""
    page, disabled = pages.rotate_link(
        call.session,
        pages.get(call.session, ident),
        subscribers=call.body.subscribers,
        actor=call.actor,
    )
    return {**described(call, page), "subscribers_disabled": disabled}


def remove(call: Call, ident: str) -> None:
    """Delete an empty status page."""
    pages.remove(call.session, pages.get(call.session, ident), actor=call.actor)


def _hold(call: Call, ident: str) -> None:
    stored.hold(call.session, pages.get(call.session, ident).id)
