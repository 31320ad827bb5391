"""What an open page asks for again and again: the banner as data, in the reader's language.

It belongs to our own script and changes with it; programs read the public API.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from .banner import Banner, banner
from .icons import SHAPES
from .json_text import dumps
from .rendering import Frame
from .snapshot import Snapshot
from .words import Words


class LiveTime(TypedDict):
    """``said`` has a gap ``{time}``, which ``text`` is for; ``iso`` is the same for machines."""

    said: str
    iso: str
    text: str


class Live(TypedDict):
    """``icon`` is the path of an SVG. ``stale`` says that the page could not be renewed; else it is null."""

    version: int
    tone: str
    icon: str
    sentence: str
    checked: LiveTime
    stale: str | None


@dataclass(frozen=True)
class Looked:
    """When the services were looked at last; ``said`` has a gap ``{time}``."""

    said: str
    at: datetime


def live(snapshot: Snapshot, frame: Frame) -> str:
    """``live.json``: what the banner says now, and the version by which a page knows that it is an old one."""
    words = frame.words(snapshot.page)
    shown = banner(snapshot, words)
    looked = last_look(snapshot, shown, words)
    moment = words.moment(looked.at)
    document: Live = {
        "version": snapshot.version,
        "tone": shown.look.tone,
        "icon": SHAPES[shown.look.icon],
        "sentence": shown.sentence,
        "checked": {"said": looked.said, "iso": moment.iso, "text": moment.text},
        "stale": stale_note(words) if frame.stale_since else None,
    }
    return dumps(document).decode()


def last_look(snapshot: Snapshot, shown: Banner, words: Words) -> Looked:
    """When what *shown* tells was found; without any check, when somebody changed it last."""
    if shown.checked_at is None:
        return Looked(words.gettext("Last updated {time}"), snapshot.page.updated_at)
    if shown.look.tone == "unknown":
        return Looked(words.gettext("The last check was {time}"), shown.checked_at)
    return Looked(words.gettext("Last checked {time}"), shown.checked_at)


def stale_note(words: Words) -> str:
    """What an open page says when it cannot find out whether it still is right."""
    return words.gettext("This page may be out of date.")
