"""How many notices each recipient got within the hour, and what still waits for them.

A recipient is one address of one channel, on however many pages it is subscribed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, func, null, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..domain.digest import UNCOUNTED
from ..domain.events import DIGEST
from . import line
from .outbox import Attempt, Delivery, EventRow
from .session import in_pages
from .subscriptions import Subscription

WINDOW = timedelta(hours=1)
AT_ONCE = 1000

Counted = dict[UUID, datetime | None]
"""Notices by their delivery, each with when it was tried last within the hour; None: not yet."""


class Recipient(NamedTuple):
    channel: str
    address_digest: str


class Waiting(NamedTuple):
    """A delivery that is pending, in some worker's hand or in nobody's."""

    id: UUID
    subscription_id: UUID
    subject_id: UUID
    sequence: int
    attempts: int
    due_at: datetime
    event_name: str


def counts(
    session: Session, recipients: Collection[Recipient], now: datetime
) -> dict[Recipient, int]:
    """How many notices count for each of *recipients* at *now*."""
    notices = _notices(recipients, now)
    whose = (notices.c.channel, notices.c.address_digest)
    query = select(*whose, func.count(notices.c.delivery_id.distinct())).group_by(*whose)
    return {Recipient(row[0], row[1]): row[2] for row in session.execute(query)}


def counted(
    session: Session, recipients: Collection[Recipient], now: datetime
) -> dict[Recipient, Counted]:
    """The notices that count for each of *recipients* at *now*, one by one."""
    notices = _notices(recipients, now)
    columns = (notices.c.channel, notices.c.address_digest, notices.c.delivery_id)
    query = select(*columns, func.max(notices.c.at)).group_by(*columns)
    found: dict[Recipient, Counted] = defaultdict(dict)
    for channel, digest, delivery_id, at in session.execute(query):
        found[Recipient(channel, digest)][delivery_id] = at
    return found


def hold(session: Session, recipients: Collection[Recipient]) -> None:
    """Let nobody else count the notices of *recipients* until the transaction ends."""
    query = select(Subscription.id).where(*_theirs(recipients)).order_by(Subscription.id)
    # Without `key_share` whoever writes a delivery would wait, too.
    session.scalars(query.with_for_update(key_share=True)).all()


def next_held(
    session: Session, subscription_ids: Collection[UUID], now: datetime, *, but: Collection[UUID]
) -> dict[UUID, datetime]:
    """When the next delivery that is held for each of these subscriptions is due, after *now*.

    :param but: deliveries that do not count.
    """
    query = (
        select(Delivery.subscription_id, func.min(Delivery.due_at))
        .where(
            Delivery.subscription_id.in_(subscription_ids),
            line.is_pending(Delivery.state),
            Delivery.held,
            Delivery.due_at > now,
            Delivery.id.not_in(but),
        )
        .group_by(Delivery.subscription_id)
    )
    return {row[0]: row[1] for row in session.execute(query) if row[1] is not None}


def pending(session: Session, subscription_ids: Collection[UUID]) -> dict[UUID, list[Waiting]]:
    """What is pending for each of these subscriptions but notices to their owners, in its order."""
    query = (
        select(
            Delivery.id,
            Delivery.subscription_id,
            Delivery.subject_id,
            Delivery.sequence,
            Delivery.attempts,
            Delivery.due_at,
            EventRow.name,
        )
        .join(EventRow, EventRow.sequence == Delivery.sequence)
        .where(
            Delivery.subscription_id.in_(subscription_ids),
            line.is_pending(Delivery.state),
            Delivery.notice_to.is_(None),
        )
        .order_by(Delivery.sequence)
    )
    found: dict[UUID, list[Waiting]] = defaultdict(list)
    for row in session.execute(query):
        waiting = Waiting(*row)
        found[waiting.subscription_id].append(waiting)
    return found


def lock_free(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Those of *ids* that are pending and in nobody's hand, locked until the transaction ends."""
    locked: set[UUID] = set()
    for some in in_pages(ids, AT_ONCE):
        query = select(Delivery.id).where(
            Delivery.id.in_(some), line.is_pending(Delivery.state), Delivery.lease_until.is_(None)
        )
        locked |= set(session.scalars(query.with_for_update(skip_locked=True)))
    return locked


def let_go(session: Session, ids: Collection[UUID]) -> None:
    """These deliveries, which this transaction has leased, wait no longer for their reader's share."""
    if ids:
        session.execute(
            update(Delivery).where(Delivery.id.in_(ids)).values(held=False),
            execution_options={"synchronize_session": False},
        )


def told_by(session: Session, sequences: Collection[int]) -> dict[int, EventRow]:
    """The events with these numbers."""
    found: dict[int, EventRow] = {}
    for some in in_pages(sequences, AT_ONCE):
        rows = session.scalars(select(EventRow).where(EventRow.sequence.in_(some)))
        found |= {row.sequence: row for row in rows}
    return found


def _notices(recipients: Collection[Recipient], now: datetime) -> Subquery:
    """What was tried within the hour, however often; what is in flight; and digests that wait, for whom a place is
    kept."""
    tried = (
        _of(recipients, Attempt.delivery_id, Attempt.started_at)
        .join(Attempt, Attempt.subscription_id == Subscription.id)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(EventRow, EventRow.sequence == Delivery.sequence)
        .where(Attempt.started_at > now - WINDOW, EventRow.name.not_in(UNCOUNTED))
    )
    present = (
        _of(recipients, Delivery.id, null())
        .join(Delivery, Delivery.subscription_id == Subscription.id)
        .join(EventRow, EventRow.sequence == Delivery.sequence)
        .where(Delivery.notice_to.is_(None))
    )
    in_flight = present.where(
        Delivery.lease_until > now,
        Delivery.lease_token.is_not(None),
        EventRow.name.not_in(UNCOUNTED),
    )
    digests = present.where(
        Delivery.subject_id == Subscription.id,
        line.is_pending(Delivery.state),
        EventRow.name == DIGEST,
    )
    return union_all(tried, in_flight, digests).subquery()


def _of(
    recipients: Collection[Recipient],
    delivery_id: InstrumentedAttribute[UUID],
    at: ColumnElement[Any] | InstrumentedAttribute[datetime],
) -> Select[Any]:
    columns: Select[Any] = select(
        Subscription.channel.label("channel"),
        Subscription.address_digest.label("address_digest"),
        delivery_id.label("delivery_id"),
        at.label("at"),
    )
    return columns.select_from(Subscription).where(*_theirs(recipients))


def _theirs(recipients: Collection[Recipient]) -> tuple[ColumnElement[bool], ...]:
    """Their subscriptions, found by the digest, which an index has."""
    return (
        Subscription.address_digest.in_({one.address_digest for one in recipients}),
        Subscription.channel.in_({one.channel for one in recipients}),
    )
