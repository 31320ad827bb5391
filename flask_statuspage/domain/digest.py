"""What a digest says of the events that are folded into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .events import CONFIRMATION, DISABLED, TEST, Event
from .facts import plain

UNCOUNTED = frozenset({TEST, CONFIRMATION, DISABLED})
"""Events that somebody asked for, or that are about the subscription itself: they take nothing from the share of its
reader and are never held."""

MOST_LISTED = 50
"""So many notices stand in one digest; of more the latest ones do, and the others are counted."""


def data(limit: int, events: Iterable[Event], *, more: int = 0) -> dict[str, Any]:
    """The data of the event :data:`~.events.DIGEST`.

    :param limit: the reader's share, notices an hour.
    :param events: what is listed, oldest first.
    :param more: how many earlier ones are folded into it and not listed.
    :returns: ``{"limit", "notices": [{event, at, title, status, url}], "more"}``
    """
    return {"limit": limit, "notices": [_notice(event) for event in events], "more": more}


def _notice(event: Event) -> dict[str, Any]:
    """``title`` names what it is about and ``status`` how that is then; ``url`` leads there, or else to the page."""
    told, page = event.data, event.data["page"]
    subject = _first(told, ("incident", "maintenance", "component", "monitor"))
    change = told.get("change") or {}
    return {
        "event": event.name,
        "at": plain(event.occurred_at),
        "title": _first(subject, ("title", "name")) or page["name"],
        "status": _first(subject, ("status", "verdict")) or change.get("status", ""),
        "url": subject.get("url") or page["url"],
    }


def _first(values: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first of *names* that *values* has, or an empty object."""
    return next((values[name] for name in names if values.get(name)), {})
