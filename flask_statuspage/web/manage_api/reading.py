"""What stands in paths and queries, read in one way by all resources."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import request

from ...errors import Invalid, NotFound


def choice(name: str, allowed: Sequence[str]) -> str | None:
    """What ``?<name>=`` chooses; None where it is not there.

    :raises Invalid: naming *name*, also where it is empty.
    """
    wanted = request.args.get(name)
    if wanted is not None and wanted not in allowed:
        raise Invalid.field(name, f"Must be one of {', '.join(allowed)}.")
    return wanted


def uuid_of(ident: str, kind: str) -> UUID:
    """The id in a path.

    :param kind: what there is none of if *ident* can be no id.
    :raises NotFound: naming it.
    """
    try:
        return UUID(ident)
    except ValueError:
        raise NotFound(kind, ident) from None


def id_in_query(name: str) -> UUID | None:
    """The id that ``?<name>=`` says; None where it is not there.

    :raises Invalid: naming *name*, also where it is empty.
    """
    text = request.args.get(name)
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise Invalid.field(name, "Must be a UUID.") from None
