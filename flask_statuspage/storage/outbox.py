"""The outbox: events, who is to be told of them, and every attempt. The database is the source of truth for work.

An event and its pending deliveries are written in the transaction of the change. Workers claim due deliveries with a
lease; a lease that runs out is free again; only the holder of the lease token may write the outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    UniqueConstraint,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from ..domain.events import IN_ORDER
from ..domain.ids import new_id
from .base import (
    Base,
    EndpointName,
    Json,
    Key,
    LongText,
    Mailbox,
    Name,
    Serial,
    Word,
    utc_now,
    words,
)
from .subscriptions import SubscribedComponent, Subscription


class EventRow(Base):
    """An event as it was written. ``data`` is the payload of every format.

    ``fanned_out_at`` is None while deliveries are still to be written; ``cursor`` is the last subscription considered.
    """

    __tablename__ = "statuspage_event"

    sequence: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    id: Mapped[UUID] = mapped_column(Key, unique=True, default=new_id)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("statuspage_page.id"), index=True)
    name: Mapped[str] = mapped_column(Word)
    subject_id: Mapped[UUID] = mapped_column(Key, index=True)
    component_ids: Mapped[list[str]] = mapped_column(Json, default=list)
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    occurred_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    fanned_out_at: Mapped[datetime | None] = mapped_column(index=True)
    cursor: Mapped[UUID | None] = mapped_column(Key)


class DeliveryState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


IN_VAIN = "state IN ('dead', 'cancelled')"
"""Deliveries that did not arrive, as their index has it; a query that says it in the same words may use that."""
_ROWS_IN_VAIN: Any = dict.fromkeys(("postgresql_where", "sqlite_where"), text(IN_VAIN))


class Delivery(Base):
    """One event for one subscription. ``due_at`` moves on with each retry.

    ``attempts`` counts how often a worker took it up, ``losses`` how many of these leases ran out with nothing noted.
    ``body`` is kept from the first failure on, for the retries. ``endpoint`` is ``host:port`` where the address has
    one. ``remote_id`` is what the other side calls the message that it took. One that is ``held`` waits because its
    reader had their share for this hour. ``notice_to`` is the mailbox of the subscription's owner where it is not the
    subscription's own address that is told. While one that is ``in_order`` is pending, later ones about its subject
    wait.
    """

    __tablename__ = "statuspage_delivery"
    __table_args__ = (
        UniqueConstraint("event_id", "subscription_id"),
        Index("ix_statuspage_delivery_line", "state", "due_at", "sequence"),
        Index(
            "ix_statuspage_delivery_leased",
            "lease_until",
            postgresql_where=text("lease_until IS NOT NULL"),
            sqlite_where=text("lease_until IS NOT NULL"),
        ),
        Index("ix_statuspage_delivery_vain", "state", "id", **_ROWS_IN_VAIN),
        Index("ix_statuspage_delivery_order", "subscription_id", "subject_id", "state", "sequence"),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    event_id: Mapped[UUID] = mapped_column(ForeignKey("statuspage_event.id"))
    subscription_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_subscription.id", ondelete="CASCADE")
    )
    subject_id: Mapped[UUID] = mapped_column(Key)
    sequence: Mapped[int] = mapped_column(Serial)
    state: Mapped[DeliveryState] = mapped_column(
        words(DeliveryState), default=DeliveryState.PENDING
    )
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    losses: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[UUID | None] = mapped_column(Key)
    lease_until: Mapped[datetime | None]
    body: Mapped[str | None] = mapped_column(LongText)
    endpoint: Mapped[str | None] = mapped_column(EndpointName)
    notice_to: Mapped[str | None] = mapped_column(Mailbox)
    in_order: Mapped[bool] = mapped_column(default=True)
    remote_id: Mapped[str | None] = mapped_column(Name)
    held: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None] = mapped_column(Name)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(index=True)

    event: Mapped[EventRow] = relationship(lazy="raise_on_sql")
    subscription: Mapped[Subscription] = relationship(lazy="raise_on_sql")


class Attempt(Base):
    """One try to deliver: when, how long, and what came back.

    ``kind`` is the class of a failure, see :class:`~flask_statuspage.delivery.parcel.Failure`. ``waited`` is how many
    milliseconds a first attempt came after it was possible; None: it is no first one, or the workers are not to blame.
    The log is also what tells how often a subscription was called within a minute, and how often in a row in vain.
    """

    __tablename__ = "statuspage_attempt"
    __table_args__ = (
        Index("ix_statuspage_attempt_subscription", "subscription_id", "started_at"),
        Index("ix_statuspage_attempt_started", "started_at"),
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    delivery_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_delivery.id", ondelete="CASCADE"), index=True
    )
    subscription_id: Mapped[UUID | None] = mapped_column(Key)
    number: Mapped[int]
    channel: Mapped[str | None] = mapped_column(Word)
    waited: Mapped[int | None]
    started_at: Mapped[datetime]
    milliseconds: Mapped[int | None]
    code: Mapped[int | None]
    kind: Mapped[str | None] = mapped_column(Word)
    error: Mapped[str | None] = mapped_column(Name)
    answer: Mapped[str | None] = mapped_column(LongText)


def waiting_events(limit: int) -> Select[EventRow]:
    """Events whose deliveries are not all written yet, oldest first; skips those that another worker expands.

    Of each page only the oldest: a later one whose deliveries were there first would be sent first.
    """
    return (
        select(EventRow)
        .where(EventRow.fanned_out_at.is_(None), ~_waits_behind_another())
        .order_by(EventRow.sequence)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def waits_behind_another(session: Session, event: EventRow) -> bool:
    """Whether the deliveries of an older event of the page are to be written before those of *event*."""
    query = select(EventRow.sequence).where(EventRow.sequence == event.sequence)
    return session.scalar(query.where(_waits_behind_another())) is not None


def _waits_behind_another() -> ColumnElement[bool]:
    older = aliased(EventRow)
    return exists().where(
        older.fanned_out_at.is_(None),
        older.page_id == EventRow.page_id,
        older.sequence < EventRow.sequence,
    )


def events_since(session: Session, page_id: UUID, sequence: int) -> list[EventRow]:
    """The events of a page from *sequence* on, oldest first."""
    query = select(EventRow).where(EventRow.page_id == page_id, EventRow.sequence >= sequence)
    return list(session.scalars(query.order_by(EventRow.sequence)))


def any_waiting(session: Session) -> bool:
    """Whether an event's deliveries are not all written yet."""
    query = select(EventRow.sequence).where(EventRow.fanned_out_at.is_(None)).limit(1)
    return session.scalar(query) is not None


def add_events(session: Session, rows: Sequence[dict[str, Any]]) -> Sequence[EventRow]:
    """Write events of which each has its ``id``; returns them with their numbers."""
    # As mapped objects they would take a statement each, to learn the number that it got.
    session.execute(insert(EventRow), rows)
    query = select(EventRow).where(EventRow.id.in_([row["id"] for row in rows]))
    return session.scalars(query.order_by(EventRow.sequence)).all()


def add_deliveries(
    session: Session, event: EventRow, places: Iterable[tuple[UUID, str]], now: datetime
) -> int:
    """Write a pending delivery of *event* for each subscription; returns how many.

    :param places: subscriptions, each with the endpoint of its address.
    """
    return add_each(session, ((event, *place) for place in places), now)


def add_each(
    session: Session, places: Iterable[tuple[EventRow, UUID, str | None]], now: datetime
) -> int:
    """The same for events of which each may go to somebody else."""
    rows = [
        {
            "id": new_id(),
            "event_id": event.id,
            "subscription_id": subscription_id,
            "endpoint": endpoint,
            "subject_id": event.subject_id,
            "sequence": event.sequence,
            "state": DeliveryState.PENDING,
            "due_at": now,
            "attempts": 0,
            "losses": 0,
            "held": False,
            "in_order": event.name in IN_ORDER,
            "created_at": now,
        }
        for event, subscription_id, endpoint in places
    ]
    if rows:
        session.execute(insert(Delivery), rows)
    return len(rows)


def add_notice(
    session: Session, event: EventRow, subscription_id: UUID, mailbox: str, now: datetime
) -> None:
    """Write a pending delivery of *event* to the mailbox of the subscription's owner."""
    session.add(
        Delivery(
            event_id=event.id,
            subscription_id=subscription_id,
            subject_id=event.subject_id,
            sequence=event.sequence,
            due_at=now,
            notice_to=mailbox,
            in_order=event.name in IN_ORDER,
            created_at=now,
        )
    )
    session.flush()


def cancel_pending(session: Session, subscription_id: UUID, reason: str, now: datetime) -> None:
    """Nothing more for this subscription: what is pending is cancelled, but for notices to its owner.

    What is in flight keeps its lease, so that its outcome is still written down; if it fails it is cancelled when it
    would be due again.
    """
    which = and_(Delivery.subscription_id == subscription_id, Delivery.notice_to.is_(None))
    _cancel(session, which, reason, now)


def cancel_notices(session: Session, subscription_id: UUID, reason: str, now: datetime) -> None:
    """The owner need not be told any more what is pending. A notice in flight keeps its lease."""
    to_owner = Delivery.notice_to.is_not(None)
    _cancel(session, and_(Delivery.subscription_id == subscription_id, to_owner), reason, now)


def stop_fan_out(session: Session, subject_id: UUID, now: datetime, *, wait: bool = True) -> None:
    """Events about this subject get no further deliveries. Workers lock an event before its page, so do likewise.

    :param wait: False: the page is held already. What a worker has in hand is left to it, as it waits for the page.
    """
    open_ones = select(EventRow).where(
        EventRow.subject_id == subject_id, EventRow.fanned_out_at.is_(None)
    )
    for event in session.scalars(open_ones.with_for_update(skip_locked=not wait)):
        event.fanned_out_at = now
    session.flush()


def cancel_about(session: Session, subject_id: UUID, reason: str, now: datetime) -> None:
    """Nothing more about this subject: what is pending is cancelled. What is in flight keeps its lease."""
    # By the events' ids: there is an index for them, and a statement without one would lock every delivery.
    about = select(EventRow.id).where(EventRow.subject_id == subject_id).with_for_update(read=True)
    _cancel(session, Delivery.event_id.in_(session.scalars(about).all()), reason, now)


def _cancel(session: Session, which: ColumnElement[bool], reason: str, now: datetime) -> None:
    session.execute(
        update(Delivery)
        .where(
            which,
            Delivery.state == DeliveryState.PENDING,
            or_(Delivery.lease_until.is_(None), Delivery.lease_until < now),
        )
        .values(state=DeliveryState.CANCELLED, reason=reason, finished_at=now),
        execution_options={"synchronize_session": False},
    )


def forget(session: Session, subscription_ids: Collection[UUID]) -> None:
    """Delete subscriptions with all that belongs to them, the events that tell of them too: they hold the address.

    Written out because SQLite cascades only where the host has switched its foreign keys on.
    """
    deliveries = select(Delivery.id).where(Delivery.subscription_id.in_(subscription_ids))
    failed = list(session.scalars(deliveries))
    for statement in (
        delete(Attempt).where(Attempt.delivery_id.in_(deliveries)),
        delete(Delivery).where(Delivery.subscription_id.in_(subscription_ids)),
        delete(SubscribedComponent).where(
            SubscribedComponent.subscription_id.in_(subscription_ids)
        ),
        delete(EventRow).where(EventRow.subject_id.in_([*subscription_ids, *failed])),
        delete(Subscription).where(Subscription.id.in_(subscription_ids)),
    ):
        session.execute(statement, execution_options={"synchronize_session": "fetch"})


def forget_events(session: Session, page_id: UUID) -> None:
    """Delete the events of a page that nobody is subscribed to."""
    session.execute(
        delete(EventRow).where(EventRow.page_id == page_id),
        execution_options={"synchronize_session": False},
    )
