"""Positions that follow the order of a document, moved as little as that takes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def positions(wanted: Iterable[K], present: Mapping[K, tuple[int, int | None]]) -> dict[K, int]:
    """The position of each of *wanted*, so that they follow each other.

    :param present: the position that a thing has, and its rank among those of its list; the rank tells the order of
        equal positions, and is None for what will be called otherwise or stand elsewhere. New things are not in it.
    """
    found: dict[K, int] = {}
    last, last_rank = -1, None
    for key in wanted:
        position, rank = present.get(key, (-1, None))
        tied = position == last and rank is not None and last_rank is not None and rank > last_rank
        if position <= last and not tied:
            position, rank = max(last + 1, 1), None
        found[key] = last = position
        last_rank = rank
    return found
