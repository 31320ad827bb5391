"""Lists of the console, a page at a time: ``?page=`` and what was looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from flask import request
from sqlalchemy import Select

from ...documents.console.pager import Pager, pager
from ..storable import is_storable
from .visit import Visit

Row = TypeVar("Row")

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
