"""Deliveries that were given up, page by page, and how they come back to life."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select, update
from sqlalchemy.orm import Session

from ..domain.events import IN_ORDER
from .incidents import Incident
from .maintenances import Maintenance
from .outbox import Delivery, DeliveryState, EventRow
from .subscriptions import Subscription, SubscriptionState


class Place(NamedTuple):
    """Where a delivery stands in the order in which they were given up."""

    finished_at: datetime
    id: UUID


@dataclass(frozen=True, kw_only=True)
class Sought:
    """Which of a page's deliveries that were given up are meant. What is None narrows nothing; instants are aware.

    :param ended_since: those that were given up at this instant or later; ``ended_before``: before it.
    :param since: those that were written at this instant or later; ``until``: before it.
    :param event: the event's name.
    """

    ended_since: datetime | None = None
    ended_before: datetime | None = None
    subscription_id: UUID | None = None
    channel: str | None = None
    event: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def given_up(
    session: Session,
    page_id: UUID,
    sought: Sought,
    *,
    wordless: Mapping[str, Collection[str]],
    after: Place | None = None,
    limit: int,
) -> list[Place]:
    """The next *limit* dead deliveries to active subscriptions of a page, without notices to owners.

    Neither are those among them that tell of an incident or a maintenance that was deleted.

    The next, not the first: what another transaction revives meanwhile may look dead to this one until it ends.

    :param wordless: by format the names of events that it has no words for; these are left out.
    :param after: the last one of those before.
    """
    query = _given_up(page_id, sought, wordless)
    if after is not None:
        same = and_(Delivery.finished_at == after.finished_at, Delivery.id > after.id)
        query = query.where(
            Delivery.finished_at >= after.finished_at,
            or_(Delivery.finished_at > after.finished_at, same),
        )
    rows = session.execute(query.order_by(Delivery.finished_at, Delivery.id).limit(limit))
    return [Place(finished_at, ident) for finished_at, ident in rows if finished_at is not None]


def count_given_up(
    session: Session,
    page_id: UUID,
    sought: Sought,
    *,
    wordless: Mapping[str, Collection[str]],
    at_most: int,
) -> int:
    """How many :func:`given_up` would find, counted up to *at_most*."""
    some = _given_up(page_id, sought, wordless).limit(at_most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _given_up(
    page_id: UUID, sought: Sought, wordless: Mapping[str, Collection[str]]
) -> Select[datetime | None, UUID]:
    query = (
        select(Delivery.finished_at, Delivery.id)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(EventRow, EventRow.sequence == Delivery.sequence)
        .where(
            Subscription.page_id == page_id,
            Subscription.state == SubscriptionState.ACTIVE,
            Delivery.state == DeliveryState.DEAD,
            Delivery.notice_to.is_(None),
            not_(_is_withdrawn()),
            *(
                or_(Subscription.format != format, EventRow.name.not_in(names))
                for format, names in wordless.items()
            ),
        )
    )
    if sought.ended_since is not None:
        query = query.where(Delivery.finished_at >= sought.ended_since)
    if sought.ended_before is not None:
        query = query.where(Delivery.finished_at < sought.ended_before)
    if sought.subscription_id is not None:
        query = query.where(Delivery.subscription_id == sought.subscription_id)
    if sought.channel is not None:
        query = query.where(Subscription.channel == sought.channel)
    if sought.event is not None:
        query = query.where(EventRow.name == sought.event)
    if sought.since is not None:
        query = query.where(Delivery.created_at >= sought.since)
    if sought.until is not None:
        query = query.where(Delivery.created_at < sought.until)
    return query


def withdrawn(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Those of the deliveries *ids* that tell of an incident or a maintenance that was deleted."""
    if not ids:
        return set()
    return set(session.scalars(select(Delivery.id).where(Delivery.id.in_(ids), _is_withdrawn())))


def _is_withdrawn() -> ColumnElement[bool]:
    of_story = exists().where(
        EventRow.sequence == Delivery.sequence, EventRow.name.in_(sorted(IN_ORDER))
    )
    there = (exists().where(model.id == Delivery.subject_id) for model in (Incident, Maintenance))
    return and_(of_story.correlate(Delivery), *(not_(one.correlate(Delivery)) for one in there))


def revive(
    session: Session,
    ids: Collection[UUID],
    now: datetime,
    *,
    states: Collection[DeliveryState] = (DeliveryState.DEAD,),
) -> int:
    """Make those of *ids* that are in one of *states* due at *now*, with all their retries; returns how many.

    Not those that are :func:`withdrawn`: the statement that writes sees a deletion that the one before it did not.
    """
    result = session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state.in_(states), not_(_is_withdrawn()))
        .values(
            state=DeliveryState.PENDING,
            attempts=0,
            losses=0,
            held=False,
            due_at=now,
            finished_at=None,
            reason=None,
        ),
        execution_options={"synchronize_session": False},
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
