"""How many would be told of an event, before there is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.audience import Change, Newly
from ..domain.events import COMPONENT_EVENTS, PAGE_CHANGE, PUBLIC_EVENTS
from ..domain.status import ComponentStatus
from ..errors import Invalid
from ..storage import subscriptions as stored
from ..storage.pages import Page
from .interest import interested

AT_ONCE = 1000


def count(
    session: Session,
    page: Page,
    event_name: str,
    component_ids: Collection[UUID],
    *,
    newly: Newly = False,
) -> dict[str, int]:
    """How many subscriptions of each channel the event would go to now: ``{"email": 312, "webhook": 4}``.

    It is the rule by which deliveries are written. Channels that nobody would hear by are left out. Of a change of
    status those count too that only hear of a grave one: how grave it will be is not known yet.

    :param component_ids: those that the event would be about.
    :param newly: for whom it would be the beginning of what it is about.
    :raises Invalid: naming ``event`` if nobody can subscribe to it.
    """
    if event_name not in PUBLIC_EVENTS:
        raise Invalid.field("event", f"Must be one of {', '.join(PUBLIC_EVENTS)}.")
    names, changes = [event_name], []
    if event_name in COMPONENT_EVENTS:
        # Some formats tell each component's change, others all changes of the page in one message.
        names.append(PAGE_CHANGE)
        changes = [_worst(None), *map(_worst, component_ids)]
    counts: Counter[str] = Counter()
    cursor: UUID | None = None
    while rows := stored.choices_after(session, page.id, cursor, limit=AT_ONCE):
        cursor = rows[-1].id
        for name in names:
            chosen = interested(name, component_ids, rows, changes=changes, newly=newly)
            counts.update(subscription.channel for subscription in chosen)
        if len(rows) < AT_ONCE:
            break
    return dict(sorted(counts.items()))


def _worst(component_id: UUID | None) -> Change:
    return Change(component_id, ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR_OUTAGE)
