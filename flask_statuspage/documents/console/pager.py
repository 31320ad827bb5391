"""Long lists of the console, a page at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Pager:
    """Where a list goes on: the addresses of its neighbouring pages, or None."""

    newer: str | None = None
    older: str | None = None


def pager(to: Callable[..., str], endpoint: str, number: int, is_more: bool, **query: Any) -> Pager:
    """The ways from page *number* (from 1) of the list at *endpoint*.

    :param query: what was looked for, which the next page keeps.
    """
    asked = {name: value for name, value in query.items() if value}
    return Pager(
        newer=to(endpoint, **asked, page=number - 1) if number > 1 else None,
        older=to(endpoint, **asked, page=number + 1) if is_more else None,
    )
