"""What applying a document changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import Conflict, FieldError, Invalid, NotFound


@dataclass(frozen=True)
class Change:
    """One thing that is made, changed or removed.

    :param kind: ``page``, ``group``, ``component``, ``monitor`` or ``template``.
    :param name: the page's slug, and below it the slug or name: ``main/api``, ``main/incident/Database``.
    :param before: all values of what is removed, of a change only those that differ; None when it is made.
    :param after: the same afterwards; None when it is removed.
    """

    action: Literal["create", "change", "remove"]
    kind: str
    name: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@contextmanager
def at(place: str) -> Iterator[None]:
    """Let what the services refuse name its *place* in the document."""
    try:
        yield
    except Invalid as error:
        named = (FieldError(f"{place}.{item.field}", item.message) for item in error.errors)
        raise Invalid(*named) from error
    except (Conflict, NotFound) as error:
        raise Conflict(f"{place}: {error}") from error
