"""Ids as they stand in paths."""

from __future__ import annotations

from uuid import UUID

from ..errors import NotFound


def uuid_of(ident: str, kind: str) -> UUID:
    """The id in a path.

    :param kind: what there is none of if *ident* can be no id.
    :raises NotFound: naming it.
    """
    try:
        return UUID(ident)
    except ValueError:
        raise NotFound(kind, ident) from None
