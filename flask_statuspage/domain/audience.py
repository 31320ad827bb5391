"""Does this event concern this subscription?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from .dialects import STATUSGATOR_STATUS
from .events import BEGINNINGS
from .status import ComponentStatus

LEVELS = {"any": 0, "warn": 1, "down": 2}
"""How bad the word of :data:`STATUSGATOR_STATUS` must be before or after a change of which a level hears."""

_BADNESS = {"up": 0, "maintenance": 0, "warn": 1, "down": 2}


@dataclass(frozen=True)
class Interest:
    """What one subscription wants to hear of.

    :param components: the chosen components; empty means all of the page.
    :param events: the chosen event names; None means what its format sends unasked.
    :param level: one of :data:`LEVELS` from which on changes count; None: its format knows no levels.
    """

    components: frozenset[UUID] = frozenset()
    events: frozenset[str] | None = None
    level: str | None = None


@dataclass(frozen=True)
class Change:
    """A change of status, of a component or (``component_id`` None) of the page as a whole."""

    component_id: UUID | None
    previous: ComponentStatus
    status: ComponentStatus

    def reaches(self, level: str) -> bool:
        """Whether *level* hears of it: it changes the word, and the word before or after is that bad."""
        words = {STATUSGATOR_STATUS[self.previous], STATUSGATOR_STATUS[self.status]}
        return len(words) > 1 and max(map(_BADNESS.__getitem__, words)) >= LEVELS[level]


Newly = bool | frozenset[UUID]
"""For whom an event is the beginning: all, nobody, or the readers of these components."""


def begins_for(
    name: str, component_ids: Collection[UUID], interest: Interest, newly: Newly
) -> bool:
    """Whether the event *name* on *component_ids* tells a subscription with *interest* of a beginning.

    Whoever chose events by their names gets those only.
    """
    if name not in BEGINNINGS or interest.events is not None:
        return False
    if isinstance(newly, bool):
        return newly
    known = frozenset(component_ids) - newly
    return bool(interest.components & newly) and interest.components.isdisjoint(known)


def concerns(
    name: str,
    component_ids: Iterable[UUID],
    interest: Interest,
    *,
    unasked: Collection[str],
    changes: Iterable[Change] = (),
) -> bool:
    """Whether the event *name* on *component_ids* is for a subscription with *interest*.

    :param unasked: the events that the subscription's format sends without being asked.
    :param changes: what changed, for interests with a level: one of them must reach it. With chosen components only
        theirs count, else all and the page's own.
    """
    wanted = unasked if interest.events is None else interest.events
    if name not in wanted:
        return False
    if interest.components and interest.components.isdisjoint(component_ids):
        return False
    if interest.level is None:
        return True
    return any(
        change.reaches(interest.level)
        for change in changes
        if not interest.components or change.component_id in interest.components
    )
