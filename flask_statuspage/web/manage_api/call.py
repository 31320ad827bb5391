"""What views of the manage API are given: one request with its key, its body, its page and its way to answer lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from flask import request
from sqlalchemy import Select, func, inspect, select
from sqlalchemy.orm import Session
from werkzeug.urls import iri_to_uri

from ...documents.document import MAX_PAGE
from ...domain.rights import NEEDED, Right, may
from ...errors import Forbidden, Invalid, NotFound
from ...services import addresses, audit, components, members, pages, team
from ...storage.pages import Page
from ...storage.session import begin_read_committed, current_session
from ...storage.team import Token
from ..paging import links
from . import limits
from .reading import asked, whole, words

PAGE = whole("page", 1, MAX_PAGE, "Which page of the list.")
PER_PAGE = whole("per_page", 25, 100, "How many items a page of the list has.")
COMPONENT = words("component", "Only what is about the component with this slug or id.")

Row = TypeVar("Row")


@dataclass
class Call:
    """One authorized request. ``body`` is the parsed body of routes that have one."""

    session: Session
    token: Token
    right: Right
    body: Any = None
    link: str | None = None
    guards: list[Callable[[], None]] = field(default_factory=list)
    """What must hold in the transaction of the change: each is called at its beginning and raises where it does not."""

    begins: bool = False
    """Whether the change has a transaction of its own, which :meth:`begin` begins: after a look at who asks."""

    @property
    def actor(self) -> str:
        return audit.KEY + self.token.name

    def may(self, right: Right) -> bool:
        return may(self.token.role, right)

    @property
    def may_know_links(self) -> bool:
        """Whether a page's secret link may stand in the answer: it lets in, so only who may make one reads it."""
        return self.may(Right.CONFIGURE)

    @cached_property
    def page(self) -> Page:
        """The status page that the call is about: ``page`` in the body, ``?status_page=``, else the default one."""
        named = getattr(self.body, "page", None) or request.args.get("status_page")
        if named is None:
            return pages.find(self.session, None)
        return pages.get(self.session, named)

    def forget(self) -> None:
        """Read the page anew: the transaction that it was read in is over."""
        self.__dict__.pop("page", None)

    def component_sought(self) -> UUID | None:
        """The component that the list is to be about, maybe an archived one; None: any.

        :raises Invalid: naming ``component`` when there is none.
        """
        ident = asked(COMPONENT)
        if ident is None:
            return None
        try:
            return components.get(self.session, self.page, ident, even_archived=True).id
        except NotFound as error:
            raise Invalid.field("component", str(error)) from error

    def values(self, *exclude: str) -> dict[str, Any]:
        """The fields that were sent."""
        data = self.body.model_dump(exclude_unset=True)
        return {name: value for name, value in data.items() if name not in {"page", *exclude}}

    def begin(self) -> None:
        """Begin a transaction that sees what is committed by then, with its guards.

        :raises Unauthorized: when the key was revoked meanwhile, or expired.
        """
        begin_read_committed(self.session)
        is_about_team = self.right is Right.TEAM
        if is_about_team:
            members.hold_team(self.session)
        team.renew(self.session, self.token, lock=is_about_team)
        for guard in self.guards:
            guard()

    def confirm(self) -> None:
        """Before what was done is committed: the key still counts, however long others were waited for.

        :raises Unauthorized: when it was revoked meanwhile, or expired.
        """
        if self.right is not Right.TEAM:  # else it is held since the beginning
            team.renew(self.session, self.token, lock=True)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """End the transaction while the network is used; what was read may have changed afterwards."""
        if self.begins:
            self.session.rollback()  # nothing was done but what they did, which they do again
        else:
            self.session.commit()
        yield
        self.begin()

    def listed(
        self, query: Select[Row], describe: Callable[[Row], dict[str, Any]]
    ) -> dict[str, Any]:
        """One page of *query* with the total; sets the ``Link`` header (RFC 8288)."""
        total = self.session.scalar(select(func.count()).select_from(_ids(query))) or 0

        def rows(size: int, offset: int) -> list[dict[str, Any]]:
            found = self.session.scalars(query.limit(size).offset(offset)).unique()
            return [describe(row) for row in found]

        return self.page_of(total, rows)

    def page_of(
        self, total: int, items: Callable[[int, int], list[dict[str, Any]]]
    ) -> dict[str, Any]:
        """One page of a list of *total* things; sets the ``Link`` header (RFC 8288).

        :param items: those of the page, described: how many at most, and how many come before them.
        """
        number, size = asked(PAGE), asked(PER_PAGE)
        sent = {**request.args, "per_page": size}
        self.link = links(address(), sent, number=number, size=size, total=total)
        return {
            "items": items(size, (number - 1) * size),
            "total": total,
            "page": number,
            "per_page": size,
        }


def authorized(right: Right) -> Call:
    """The request of whoever has a key whose role has *right*.

    :raises Unauthorized: without a key, or with one that does not count.
    :raises Forbidden: when its role is too small.
    """
    session = current_session()
    token = limits.authenticate(session, _key())
    if not may(token.role, right):
        raise Forbidden(NEEDED[right].value, token.role.value)
    return Call(session, token, right)


def address() -> str:
    """Where what is asked for stands, without a query: below the configured address; else a path on the same host.

    Never by the ``Host`` header, which whoever asks may have made up.
    """
    if addresses.is_guessed():
        return iri_to_uri(f"/{(request.root_path + request.path).lstrip('/')}")
    return iri_to_uri(addresses.api_url() + request.path.rpartition(addresses.MANAGE_API)[2])


def _key() -> str | None:
    if key := request.headers.get("Authorization-Token"):
        return key.strip()
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _ids(query: Select[Any]) -> Any:
    """*query* reduced to one row for each thing, for counting."""
    entity = query.column_descriptions[0]["entity"]
    return (
        query.with_only_columns(*inspect(entity).primary_key, maintain_column_froms=True)
        .order_by(None)
        .distinct()
        .subquery()
    )
