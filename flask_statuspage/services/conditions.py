"""What is said of a component at the moment, and what is shown of it: the worst.

A *source* says something of a component: a person (``manual``), a ``monitor``, an ``incident``. When
one falls silent the next worst counts again. Callers have touched the page
(:func:`flask_statuspage.storage.pages.touch`), which keeps writers of one page apart.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.status import ComponentStatus, worst
from ..storage import components as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component, Condition, StatusInterval
from ..storage.pages import Page
from . import events, facts


def say(
    session: Session,
    page: Page,
    component: Component,
    status: ComponentStatus,
    *,
    source: str,
    reference: str = "",
    note: str = "",
    until: datetime | None = None,
    actor: str | None = None,
    notify: bool = True,
) -> None:
    """Let a source say *status* of *component*."""
    conditions = stored.conditions_of(session, component.id)
    for condition in conditions:
        if (condition.source, condition.reference) == (source, reference):
            break
    else:
        condition = Condition(component_id=component.id, source=source, reference=reference)
        session.add(condition)
        conditions.append(condition)
    if condition.status is not status:
        condition.since = utc_now()
    condition.status, condition.note = status, note
    condition.until, condition.actor = until, actor
    session.flush()
    _settle(session, page, component, conditions, notify=notify)


def hush(
    session: Session,
    page: Page,
    components: Collection[Component],
    *,
    source: str,
    reference: str = "",
    notify: bool = True,
) -> None:
    """A source says nothing more of *components*."""
    for component in components:
        kept = []
        for condition in stored.conditions_of(session, component.id):
            if (condition.source, condition.reference) == (source, reference):
                session.delete(condition)
            else:
                kept.append(condition)
        session.flush()
        _settle(session, page, component, kept, notify=notify)


def expire(session: Session) -> int:
    """Drop the words whose time is over; returns how many."""
    now, dropped = utc_now(), 0
    due = {condition.component_id for condition in session.scalars(stored.expired_conditions(now))}
    places = sorted((session.get_one(Component, id_).page_id, id_) for id_ in due)
    # Pages in one order, as wherever several are held: two transactions must not wait for each other.
    for page_id, component_id in places:
        page = session.get_one(Page, page_id)
        pages.touch(session, page.id, now)
        # Read again now that nobody else writes: a word that was renewed meanwhile stays.
        for condition in stored.conditions_of(session, component_id):
            if condition.until is not None and condition.until <= now:
                hush(
                    session,
                    page,
                    stored.locked(session, [component_id]),
                    source=condition.source,
                    reference=condition.reference,
                )
                dropped += 1
    return dropped


def _settle(
    session: Session,
    page: Page,
    component: Component,
    conditions: Collection[Condition],
    *,
    notify: bool,
) -> None:
    """Show the worst of *conditions*; when that is a change, keep the history and tell it."""
    said = [condition.status for condition in conditions]
    status = worst(said) if said else ComponentStatus.OPERATIONAL
    # The caller may have read the component before it held the page.
    session.refresh(component, ["status"], with_for_update=True)
    previous = component.status
    if status is previous:
        return
    now = utc_now()
    component.status, component.since, component.updated_at = status, now, now
    if interval := stored.open_interval(session, component.id):
        interval.ended_at = now
    session.add(StatusInterval(component_id=component.id, status=status, started_at=now))
    session.flush()
    # A first result is no news; it only ends "not known yet".
    first = previous is ComponentStatus.UNKNOWN and status is ComponentStatus.OPERATIONAL
    unlearned = status is ComponentStatus.UNKNOWN
    events.record(
        session,
        page,
        "component.status_change",
        subject_id=component.id,
        components=[component.id],
        data={
            "component": {**plain(facts.component(component)), "previous_status": previous.value}
        },
        notify=notify and not first and not unlearned,
    )
