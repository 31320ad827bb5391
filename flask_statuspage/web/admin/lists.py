"""Lists of the console, a page at a time: ``?page=`` and what was looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

from flask import request
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from ...documents.console.pager import Pager, pager
from ..storable import is_storable
from .visit import Visit

Row = TypeVar("Row")


class Identified(Protocol):
    @property
    def id(self) -> Any: ...


Named = TypeVar("Named", bound=Identified)

A_PAGE = 25
LAST_PAGE = 10_000
LONG = 200
"""Characters of what is looked for."""


def page_number() -> int:
    """Which page of a list is asked for, from 1; the first one where that is no number."""
    text = request.args.get("page", "")
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    return min(max(int(text), 1), LAST_PAGE) if is_number else 1


def asked(name: str) -> str:
    """What was looked for; empty where nothing was, or what cannot be stored and so is nowhere."""
    text = request.args.get(name, "").strip()[:LONG]
    return text if is_storable(text) else ""


def listed(
    visit: Visit, query: Select[Row], endpoint: str, **kept: Any
) -> tuple[Sequence[Row], Pager]:
    """The rows of the page that is asked for, and the ways to its neighbours.

    :param kept: what was looked for.
    """
    number = page_number()
    cut = query.limit(A_PAGE + 1).offset((number - 1) * A_PAGE)
    rows = visit.session.scalars(cut).unique().all()
    return rows[:A_PAGE], pager(visit.to, endpoint, number, len(rows) > A_PAGE, **kept)


def listed_by_id(
    visit: Visit,
    query: Select[Named],
    ident: InstrumentedAttribute[UUID],
    endpoint: str,
    **kept: Any,
) -> tuple[Sequence[Named], Pager]:
    """The same of a list without end, whose order is that of its ids, the last one first.

    Pages begin at an id, ``?before=`` or ``?after=``: the thousandth costs no more than the first, and what comes in
    meanwhile moves nothing to the next page.
    """
    before, after = _ident("before"), _ident("after")
    if before is None and after is not None:
        query = query.where(ident > after).order_by(None).order_by(ident)
    elif before is not None:
        query = query.where(ident < before)
    found = visit.session.scalars(query.limit(A_PAGE + 1)).unique().all()
    rows, is_more = list(found[:A_PAGE]), len(found) > A_PAGE
    ways = {name: value for name, value in kept.items() if value}
    if before is None and after is not None:
        rows.reverse()
        has_newer, has_older = is_more, True
    else:
        has_newer, has_older = before is not None, is_more
    if not rows:
        return rows, Pager(newer=visit.to(endpoint, **ways) if has_newer or after else None)
    return rows, Pager(
        newer=visit.to(endpoint, **ways, after=rows[0].id) if has_newer else None,
        older=visit.to(endpoint, **ways, before=rows[-1].id) if has_older else None,
    )


def _ident(name: str) -> UUID | None:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None
