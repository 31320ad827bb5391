"""RSS 2.0 and Atom (RFC 4287) as ``feedgenerator`` writes them, where need be mended.

Import this module inside a function: most web processes never write a feed, and none should pay at its start.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from feedgenerator import Atom1Feed, Rss201rev2Feed

GENERATOR = "Flask-StatusPage"
"""Without its version: that would change every feed with each release and tell strangers what to attack."""


class _Dated:
    """Made with ``updated``: the feed is as old as what is in it. An empty one of feedgenerator is of this moment."""

    feed: dict[str, Any]

    def latest_post_date(self) -> datetime:
        updated: datetime = self.feed["updated"]
        return updated


class Rss(_Dated, Rss201rev2Feed):  # type: ignore[misc]
    """RSS 2.0 with ``atom:link rel="self"`` and a ``generator``."""

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        handler.addQuickElement("generator", GENERATOR)


class Atom(_Dated, Atom1Feed):  # type: ignore[misc]
    """Atom with links to itself and to the page, and a ``generator``."""

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        handler.addQuickElement("generator", GENERATOR)
