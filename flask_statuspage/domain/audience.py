"""Does this event concern this subscription?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Interest:
    """What one subscription wants to hear of.

    :param components: the chosen components; empty means all of the page.
    :param events: the chosen event names; None means what its format sends unasked.
    """

    components: frozenset[UUID] = frozenset()
    events: frozenset[str] | None = None


def concerns(
    name: str,
    component_ids: Iterable[UUID],
    interest: Interest,
    *,
    unasked: Collection[str],
) -> bool:
    """Whether the event *name* on *component_ids* is for a subscription with *interest*.

    :param unasked: the events that the subscription's format sends without being asked.
    """
    wanted = unasked if interest.events is None else interest.events
    if name not in wanted:
        return False
    return not interest.components or not interest.components.isdisjoint(component_ids)
