"""The page "Monitors": all of them, narrowed by what is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ...domain.series import Series
from ...domain.verdict import Verdict
from ..words import Look, Words
from .monitor_words import PAUSED, kind_word
from .pager import Pager
from .room import Room, shown
from .sparkline import Sparkline, sparkline

VERDICTS = {
    Verdict.UP: Look("Up", "check", "operational"),
    Verdict.DEGRADED: Look("Degraded", "triangle", "degraded"),
    Verdict.DOWN: Look("Down", "octagon", "major"),
    Verdict.UNKNOWN: Look("Not known", "question", "unknown"),
}
STATES = (
    ("", "All"),
    *((verdict.value, look.word) for verdict, look in VERDICTS.items()),
    ("paused", PAUSED),
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was looked for: a verdict or ``paused``, a kind, the slug of a service, words in name or target."""

    state: str = ""
    kind: str = ""
    component: str = ""
    text: str = ""

    @property
    def is_narrow(self) -> bool:
        return bool(self.state or self.kind or self.component or self.text)


@dataclass(frozen=True, kw_only=True)
class CheckLine:
    """One check, or the latest one of a monitor."""

    at: datetime
    region: str
    verdict: Verdict
    milliseconds: int | None = None
    code: int | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class MonitorRow:
    """A monitor in the list.

    :param service: the name of what it watches; None: it only measures.
    :param since: when its verdict began. :param last: the latest check, of any region.
    :param silence: why it says nothing at the moment, in words; None: it does.
    :param day: its last day, hour by hour.
    """

    id: UUID
    name: str
    service: str | None
    kind: str
    verdict: Verdict
    since: datetime | None
    last: CheckLine | None
    silence: str | None
    is_declared: bool
    day: Series

    def sparkline(self, words: Words) -> Sparkline | None:
        return sparkline(self.day, words)


def monitors(
    room: Room,
    *,
    rows: Sequence[MonitorRow],
    asked: Asked,
    kinds: Sequence[str],
    services: Sequence[tuple[str, str]],
    pager: Pager,
) -> str:
    """Fields of its filter: ``state``, ``kind``, ``component``, ``q``.

    :param kinds: those that can be looked for. :param services: slugs and names.
    """
    return shown(
        room,
        "monitors",
        rows=rows,
        asked=asked,
        states=STATES,
        kinds=[("", "All"), *((kind, kind_word(kind)) for kind in kinds)],
        services=[("", "All"), *services],
        pager=pager,
        verdicts=VERDICTS,
        kind_word=kind_word,
    )
