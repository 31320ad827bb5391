"""What is said of a component at the moment, and what is shown of it: the worst.

A :class:`~flask_statuspage.domain.status.Source` says something of a component. When one falls silent the next worst
counts again. Of an archived component nothing is said. Callers have touched the page
(:func:`flask_statuspage.storage.pages.touch`), which keeps writers of one page apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain import status as rules
from ..domain.facts import plain
from ..domain.status import ComponentStatus, Source
from ..storage import components as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component, Condition, StatusInterval
from ..storage.pages import Page
from . import audit, events, facts, page_changes

_audit = partial(audit.of, subject="component")


def showing(said: Iterable[Condition]) -> Condition | None:
    """The one of *said*, all of one component, that decides what is shown; None: nobody says anything."""
    by_word = {condition.word: condition for condition in said}
    word = rules.shown(by_word)
    return by_word[word] if word else None


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
    """Let a source say *status* of *component*.

    :param source: one of :class:`~flask_statuspage.domain.status.Source`.
    """
    if not _is_living(session, component):
        return
    conditions = stored.conditions_of(session, component.id)
    for condition in conditions:
        if (condition.source, condition.reference) == (source, reference):
            break
    else:
        condition = Condition(component_id=component.id, source=Source(source), reference=reference)
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
        if not _is_living(session, component):
            continue
        kept = []
        for condition in stored.conditions_of(session, component.id):
            if (condition.source, condition.reference) == (source, reference):
                session.delete(condition)
            else:
                kept.append(condition)
        session.flush()
        _settle(session, page, component, kept, notify=notify)


Place = tuple[UUID, UUID]
"""A page and a component of it."""


def expired(session: Session) -> list[Place]:
    """The components on which a word's time is over, in the order of their pages."""
    rows = session.scalars(stored.expired_conditions(utc_now()))
    return stored.places(session, {condition.component_id for condition in rows})


def expire(session: Session, places: Sequence[Place] | None = None) -> int:
    """Drop the words whose time is over; returns how many. Two workers may do so at once.

    :param places: only on these; None: wherever there are any.
    """
    pages.begin_writing(session)
    now, dropped = utc_now(), 0
    # Pages in one order, as wherever several are held: two transactions must not wait for each other.
    for page_id, component_id in expired(session) if places is None else places:
        page = session.get(Page, page_id)
        if page is None:
            continue  # deleted meanwhile, with all that belonged to it
        pages.touch(session, page.id, now)
        # Read again now that nobody else writes: a word that was renewed meanwhile stays.
        for condition in stored.conditions_of(session, component_id):
            if condition.until is not None and condition.until <= now:
                _drop(session, page, condition)
                dropped += 1
    return dropped


def _drop(session: Session, page: Page, condition: Condition) -> None:
    said: dict[str, Any] = {
        "said": condition.status.value,
        "source": condition.source.value,
        "until": plain(condition.until),
        "by": condition.actor,
    }
    for component in stored.locked(session, [condition.component_id]):
        before = component.status
        source, reference = condition.source, condition.reference
        hush(session, page, [component], source=source, reference=reference)
        _audit(
            session,
            "expire",
            component,
            audit.SYSTEM,
            before={"status": before.value, **said},
            after={"status": component.status.value, "said": None},
        )


def _is_living(session: Session, component: Component) -> bool:
    """Read the component as it is now: the caller may have read it before it held the page."""
    session.refresh(component, ["status", "archived_at"], with_for_update=True)
    return component.archived_at is None


def _settle(
    session: Session,
    page: Page,
    component: Component,
    conditions: Collection[Condition],
    *,
    notify: bool,
) -> None:
    """Show the worst of *conditions*; when that is a change, keep the history and tell it."""
    condition = showing(conditions)
    status = condition.status if condition else ComponentStatus.OPERATIONAL
    previous = component.status
    if status is previous:
        return
    page_changes.watch(session, page)
    now = utc_now()
    component.status, component.since, component.updated_at = status, now, now
    if interval := stored.open_interval(session, component.id):
        interval.ended_at = now
    session.add(
        StatusInterval(
            component_id=component.id,
            status=status,
            started_at=now,
            source=condition.source if condition else None,
            actor=condition.actor if condition else None,
        )
    )
    session.flush()
    # A first result is no news, and neither is that something which works is not known any more. But whoever was told
    # that it does not work must hear the end of that: what comes next may be no news.
    quiet = {previous, status} == {ComponentStatus.UNKNOWN, ComponentStatus.OPERATIONAL}
    told = notify and not quiet
    row = events.record(
        session,
        page,
        "component.status_change",
        subject_id=component.id,
        components=[component.id],
        data={
            "component": {**plain(facts.component(component)), "previous_status": previous.value}
        },
        notify=told,
    )
    page_changes.note(session, page, row, told=told)
