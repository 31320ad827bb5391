"""What other sites show of a page: one line, as a page for a frame and as data for our script there."""

from __future__ import annotations

from typing import TypedDict

from ..domain.status import ComponentStatus
from .banner import banner
from .icons import SHAPES
from .json_text import dumps
from .rendering import Frame, render
from .snapshot import Snapshot

THEMES = ("light", "dark")

CALM = "operational"
"""The tone of a page that has nothing to tell."""


class WidgetData(TypedDict):
    """``icon`` is the path of an SVG in a box of 20 by 20; ``name`` is that of the page."""

    name: str
    sentence: str
    tone: str
    icon: str
    language: str
    direction: str


def frame_page(
    snapshot: Snapshot, frame: Frame, *, theme: str | None = None, hide_calm: bool = False
) -> str:
    """The page for a frame.

    :param theme: one of :data:`THEMES`; None: as the visitor's system is.
    :param hide_calm: nothing to see while all is well.
    """
    shown = banner(snapshot, frame.words(snapshot.page))
    is_calm = shown.status is ComponentStatus.OPERATIONAL
    return render(
        "widget",
        snapshot.page,
        frame,
        banner=shown,
        theme=theme,
        is_hidden=hide_calm and is_calm,
    )


def data(snapshot: Snapshot, frame: Frame) -> str:
    """``widget.json``: the same for our script."""
    words = frame.words(snapshot.page)
    shown = banner(snapshot, words)
    document: WidgetData = {
        "name": snapshot.page.name,
        "sentence": shown.sentence,
        "tone": shown.look.tone,
        "icon": SHAPES[shown.look.icon],
        "language": words.language,
        "direction": words.direction,
    }
    return dumps(document).decode()
