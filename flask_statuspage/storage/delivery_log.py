"""What was to be delivered and what came of it, to be read by members."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.orm import Session, contains_eager, defer, selectinload

from ..domain.ids import first_id
from .outbox import IN_VAIN, Attempt, Delivery, DeliveryState, EventRow
from .subscriptions import Subscription

APART_AT_MOST = timedelta(days=1)
"""So far the time that an id begins with may be from when the row says that it was written, by two clocks."""


def log(
    page_id: UUID,
    subscription_id: UUID | None = None,
    *,
    state: DeliveryState | None = None,
    since: datetime | None = None,
) -> Select[Delivery]:
    """The deliveries of a page, newest first.

    :param since: aware; those that were written at this instant or later.
    """
    query = (
        select(Delivery)
        .join(Delivery.event)
        .where(EventRow.page_id == page_id)
        .order_by(Delivery.id.desc())  # ids begin with the time, and have an index
        .options(contains_eager(Delivery.event))
    )
    if subscription_id is not None:
        query = query.where(Delivery.subscription_id == subscription_id)
    if state is not None:
        query = query.where(Delivery.state == state)
        if state in (DeliveryState.DEAD, DeliveryState.CANCELLED):
            query = query.where(text(f"{Delivery.__tablename__}.{IN_VAIN}"))
    if since is not None:
        # There is an index for ids only: it ends the search where older rows begin.
        query = query.where(
            Delivery.created_at >= since, Delivery.id >= first_id(since - APART_AT_MOST)
        )
    return query


def written_before(query: Select[Delivery], until: datetime) -> Select[Delivery]:
    """Those of *query* that were written before this instant."""
    return query.where(Delivery.created_at < until, Delivery.id < first_id(until + APART_AT_MOST))


def with_subscription(query: Select[Delivery]) -> Select[Delivery]:
    """*query* with what a list tells of its subscriptions; without texts, which may be long."""
    columns = (Subscription.channel, Subscription.address, Subscription.state)
    return query.options(
        defer(Delivery.body),
        contains_eager(Delivery.event).load_only(EventRow.name),
        selectinload(Delivery.subscription).load_only(*columns),
    )


def last_attempts(session: Session, deliveries: Collection[UUID]) -> dict[UUID, Attempt]:
    """The last attempt of each delivery, without the answer; none: it is not there."""
    if not deliveries:
        return {}
    last = (
        select(func.max(Attempt.id))
        .where(Attempt.delivery_id.in_(deliveries))
        .group_by(Attempt.delivery_id)
    )
    query = select(Attempt).where(Attempt.id.in_(last)).options(defer(Attempt.answer))
    return {row.delivery_id: row for row in session.scalars(query)}


def attempts_of(delivery_id: UUID) -> Select[Attempt]:
    """Oldest first; their numbers begin anew where it was sent again."""
    return select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.id)


def last_failures(
    session: Session, subscriptions: Collection[UUID]
) -> dict[UUID, tuple[datetime, str]]:
    """When each subscription's last failed attempt began, and in which words it failed; none: it is not there."""
    rows = _last_attempts(session, subscriptions, Attempt.kind.is_not(None))
    return {ident: (row.started_at, row.error or "") for ident, row in rows.items()}


def last_successes(session: Session, subscriptions: Collection[UUID]) -> dict[UUID, datetime]:
    """When each subscription's last attempt began that was taken; none: it is not there."""
    rows = _last_attempts(session, subscriptions, Attempt.kind.is_(None))
    return {ident: row.started_at for ident, row in rows.items()}


def _last_attempts(
    session: Session, subscriptions: Collection[UUID], which: ColumnElement[bool]
) -> dict[UUID, Attempt]:
    if not subscriptions:
        return {}
    last = (
        select(func.max(Attempt.id))
        .where(Attempt.subscription_id.in_(subscriptions), which)
        .group_by(Attempt.subscription_id)
    )
    rows = session.scalars(select(Attempt).where(Attempt.id.in_(last)))
    return {row.subscription_id: row for row in rows if row.subscription_id}
