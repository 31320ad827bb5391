"""One member before the console: what views get, and what those return that do something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import request, url_for
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...documents.console.room import MenuItem, OtherPage, Room, Trouble, Undo
from ...documents.rendering import Frame
from ...documents.words import words_of
from ...domain.facts import ShownPage
from ...domain.rights import Right, may
from ...errors import FieldError, NotFound, Timed
from ...services import facts
from ...storage import pages as stored_pages
from ...storage.base import Base, utc_now
from ...storage.pages import Page
from ...storage.session import begin_read_committed
from .. import forms, own_login, visits
from ..access import Visitor
from ..mounts import PageUrls, current_mount


@dataclass(frozen=True)
class Done:
    """Something was done: on to *endpoint*, which says so.

    :param notice: a key of the notices that the desk was given; fixed words, since anybody can make the address. Or
        what finds the key: called after the commit, while no transaction is open, it may use the network.
    """

    endpoint: str
    notice: str | Callable[[], str] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """Something was done, and the answer tells what no other page ever shows: *show* makes it after the commit."""

    show: Callable[[Visit], str]


@dataclass(frozen=True)
class Away:
    """On to *url* at another site, which :attr:`Visit.forms_lead_to` of the page before has named."""

    url: str


@dataclass
class Visit:
    """One authorized request of a member, about one status page."""

    session: Session
    member: Visitor
    page: Page
    areas: Sequence[MenuItem]
    """Where the menu leads."""
    notices: Mapping[str, str]
    """What can be said to be done, by the keys of :class:`Done`."""
    trouble: Trouble = field(default_factory=Trouble)
    typed: MultiDict[str, str] | None = None
    left_out: Sequence[str] = ()
    """The fields of which ``typed`` lacks something that is secret, once the form is shown again."""
    undo: Undo | None = None
    found: Any = None
    """What a button that only looks has found out, such as "Preview": plain data, since nothing of it was saved."""
    forms_lead_to: list[str] = field(default_factory=list)
    """Origins elsewhere that a form of this page leads to, which the policy must name."""

    @property
    def sent(self) -> MultiDict[str, str]:
        """What was posted, for views that do something: there always is something then."""
        assert self.typed is not None
        return self.typed

    @property
    def actor(self) -> str:
        return self.member.identity

    @cached_property
    def slug(self) -> str | None:
        return None if self.page.is_default else self.page.slug

    @cached_property
    def shown_page(self) -> ShownPage:
        return facts.shown_page(self.page)

    def may(self, right: Right) -> bool:
        return may(self.member.role, right)

    def told(self, errors: Iterable[FieldError]) -> list[FieldError]:
        """*errors* as members read them: by the page's clock, and in the console's words."""
        words = words_of(self.shown_page)
        return [
            FieldError(
                error.field,
                error.message.by(lambda at: words.moment(at).text, component="service"),
            )
            if isinstance(error.message, Timed)
            else error
            for error in errors
        ]

    def hold(self, row: Base) -> None:
        """Keep other writers off the page, and read *row* as it is now, until the transaction ends.

        :raises NotFound: when it is gone.
        """
        stored_pages.touch(self.session, self.page.id, utc_now())
        try:
            self.session.refresh(row, with_for_update=True)
        except InvalidRequestError as gone:
            raise NotFound("thing", type(row).__name__) from gone

    def begin_anew(self) -> None:
        """End the transaction, which has changed nothing: each statement of the next sees what is committed by then."""
        self.session.rollback()
        begin_read_committed(self.session)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Be without a transaction while the network is used, and begin anew: what was read may have changed."""
        self.session.rollback()
        yield
        self.begin_anew()

    def turn_to(self, page: Page) -> None:
        """Go on with another status page, or with the same one under another name."""
        self.page = page
        for name in ("slug", "shown_page"):
            self.__dict__.pop(name, None)

    def to(self, endpoint: str, /, **values: Any) -> str:
        """The address of a page of the console, about the same status page."""
        return url_for(f".{endpoint}", status_page=self.slug, **values)

    def room(self, here: str) -> Room:
        """What stands around the page; *here* is the endpoint in the menu that it belongs to."""
        visits.note_shown(self.shown_page)
        return Room(
            page=self.shown_page,
            frame=Frame(urls=PageUrls(current_mount(), self._address())),
            to=self.to,
            menu=self.areas,
            here=here,
            member=self.member.identity,
            role=self.member.role,
            csrf_token=forms.csrf_token(),
            others=self._others(),
            slug=self.slug,
            typed=None if self.typed is None else self.typed.to_dict(flat=False),
            left_out=() if self.typed is None else self.left_out,
            trouble=self.trouble,
            notice=self.notice,
            undo=self.undo,
            leave_url=self.to("logout") if self.member.by_link else None,
            account_url=self.to("account") if own_login.is_on() else None,
        )

    def _address(self) -> str | None:
        """Where the page is seen; for a member who may not know its link, the page at the root."""
        if self.shown_page.visibility != "link":
            return self.slug
        return self.shown_page.link_token if self.may(Right.CONFIGURE) else None

    @property
    def notice(self) -> str | None:
        """What was done before this page, in words."""
        if self.typed is not None:
            return None
        return self.notices.get(request.args.get("done", ""))

    def _others(self) -> list[OtherPage]:
        rows = self.session.scalars(stored_pages.all_pages()).all()
        return [
            OtherPage(
                facts.page(row).name,
                url_for(".dashboard", status_page=None if row.is_default else row.slug),
            )
            for row in rows
            if row.id != self.page.id
        ]
