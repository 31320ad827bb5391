"""What the JSON documents of status pages have in common, whichever dialect they speak."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from ..domain.foreign import Node, parsed
from ..domain.source_page import MAX_NAME, MAX_UPDATES
from ..domain.status import ComponentStatus
from ..domain.upstream import UpstreamNews
from ..errors import Invalid

MAX_TEXT = 4000
"""Characters of an incident's latest text that are kept."""

_NOT_BEGUN_OR_OVER = frozenset(
    [
        *("resolved", "postmortem", "completed", "cancelled", "canceled", "closed"),
        *("scheduled", "notstartedyet"),
    ]
)


def opened(body: bytes) -> Node:
    """The object in *body*.

    :raises ValueError, flask_statuspage.errors.Invalid: where there is none.
    """
    return Node.root(parsed(body), name="document")


def part(node: Node, name: str) -> Node:
    """The object *name* within *node*; an empty one where there is none."""
    value = node.value.get(name)
    if value is not None and not isinstance(value, dict):
        node.fail(name, "Must be an object.")
    return Node(value or {}, f"{node.path}.{name}" if node.path else name)


def told(node: Node, name: str) -> str | None:
    """A name on one line; None where there is none."""
    if not (node.text(name) or "").strip():
        return None
    return node.line(name, at_most=MAX_NAME)


def when(node: Node, *names: str) -> datetime | None:
    """The first of these times that can be read; None: none can, which harms nothing."""
    for name in names:
        try:
            if moment := node.instant(name):
                return moment
        except Invalid:
            continue
    return None


def goes_on(status: str | None) -> bool:
    """Whether an incident or maintenance with that word has begun and is not over."""
    return re.sub(r"[\W_]+", "", status or "").casefold() not in _NOT_BEGUN_OR_OVER


def news(
    row: Node,
    *,
    status: ComponentStatus,
    about: Iterable[str | None],
    updates: str,
    at: tuple[str, ...],
) -> UpstreamNews:
    """An incident with its latest text, whose pages list the newest first.

    :param updates: the name of their list. :param at: names under which its time may stand, the best first.
    """
    listed = row.rows(updates, at_most=MAX_UPDATES)
    texts = [one.body("body", at_most=MAX_TEXT) for one in _newest_first(listed)]
    return UpstreamNews(
        title=row.line("name", at_most=MAX_NAME),
        text=next(filter(None, texts), ""),
        status=status,
        about=tuple(dict.fromkeys(filter(None, about))),
        at=when(row, *at),
    )


def newest_first(found: Iterable[UpstreamNews]) -> tuple[UpstreamNews, ...]:
    """Incidents before maintenance, then the newest first, then in the order of the page."""
    never = datetime.min.replace(tzinfo=UTC)
    planned = ComponentStatus.UNDER_MAINTENANCE
    by_time = sorted(found, key=lambda one: one.at or never, reverse=True)
    return tuple(sorted(by_time, key=lambda one: one.status is planned))


def _newest_first(updates: list[Node]) -> list[Node]:
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(
        updates, key=lambda one: when(one, "display_at", "created_at") or never, reverse=True
    )
