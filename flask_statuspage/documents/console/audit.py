"""The page "Audit": who changed what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .pager import Pager
from .room import Room, shown

LONG = 300
"""So many characters of a value are shown; the manage API tells all of it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What somebody did. ``before`` and ``after`` hold what changed; None where there was or is nothing."""

    at: datetime
    actor: str
    action: str
    subject: str
    subject_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """Each field that changed: its name, and its value before and after, as texts; empty where there was none."""
        names = dict.fromkeys((*(self.before or {}), *(self.after or {})))
        return [
            (name.replace("_", " "), _text(self.before, name), _text(self.after, name))
            for name in names
        ]

    @property
    def what(self) -> str:
        """In words: "change component"."""
        return _word(f"{self.action} {self.subject}")


def audit(
    room: Room,
    *,
    entries: Sequence[Entry],
    subjects: Sequence[str],
    asked: Mapping[str, str],
    pager: Pager,
) -> str:
    """The entries of a page and those of no page, newest first.

    :param subjects: the kinds of things that entries are about.
    :param asked: what is looked for: ``actor``, ``subject``, ``since``, ``until`` (days), as typed.
    """
    choice = [("", "Everything"), *((subject, _word(subject)) for subject in subjects)]
    return shown(room, "audit", entries=entries, subjects=choice, asked=asked, pager=pager)


def _word(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _text(values: Mapping[str, Any] | None, name: str) -> str:
    value = (values or {}).get(name)
    if value is None or value == "":
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG else f"{text[:LONG]}…"
