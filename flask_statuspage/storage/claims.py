"""Who may send what, now: workers claim due deliveries with a lease, and only its holder writes the outcome.

Deliveries to endpoints that answer slowly wait in a lane of their own, and none goes to one that rests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    Select,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session, contains_eager, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from ..domain.ids import new_id
from . import line
from .line import Lane as Lane
from .outbox import Attempt, Delivery, DeliveryState, EventRow
from .session import by_index, database_now, locks_rows
from .subscriptions import Subscription


def any_due(session: Session, now: datetime, *, lane: Lane = Lane.FAST) -> bool:
    """Whether :func:`claim` would find something."""
    query = select(Delivery.id).where(
        line.free(now), line.in_lane(lane, now), line.first_in_line(now)
    )
    return session.scalar(query.limit(1)) is not None


def claim(
    session: Session,
    now: datetime,
    *,
    lease: timedelta,
    limit: int,
    lane: Lane = Lane.FAST,
    avoid: Collection[str] = (),
) -> Sequence[Delivery]:
    """Lease at most *limit* due deliveries, with their events and subscriptions.

    ``attempts`` goes up here, not when the outcome is known, and ``losses`` for those whose last lease ran out: a
    payload that kills its worker is given up in the end instead of coming round for ever.

    :param avoid: endpoints that are to be left to others.
    """
    with by_index(session):
        lost = line.lost(session, now, limit=limit, lane=lane, avoid=avoid)
        fresh: list[UUID] = []
        if len(lost) < limit:
            fresh = line.fresh(session, now, limit=limit - len(lost), lane=lane, avoid=avoid)
        if not lost and not fresh:
            return []
        token = new_id()
        for ids, losses in ((lost, 1), (fresh, 0)):
            if ids:
                _lease(session, ids, now, token=token, until=now + lease, losses=losses)
        rows = session.scalars(_held([*lost, *fresh], token)).all()
    held = sorted(rows, key=lambda row: row.sequence)
    _with_events(session, held)
    return held


def _lease(
    session: Session,
    ids: Collection[UUID],
    now: datetime,
    *,
    token: UUID,
    until: datetime,
    losses: int,
) -> None:
    leasing = (
        update(Delivery)
        .where(Delivery.id.in_(ids))
        .values(lease_token=token, lease_until=until, attempts=Delivery.attempts + 1)
    )
    if losses:
        leasing = leasing.values(losses=Delivery.losses + losses)
    if not locks_rows(session):
        # Another worker may have been faster. Where rows are locked this condition would only mislead the database,
        # which then reads all that is due instead of these few.
        leasing = leasing.where(line.free(now))
    session.execute(leasing, execution_options={"synchronize_session": False})


def _held(ids: Collection[UUID], token: UUID) -> Select[Delivery]:
    return (
        select(Delivery)
        .join(Delivery.subscription)
        .where(Delivery.id.in_(ids), Delivery.lease_token == token)
        .options(contains_eager(Delivery.subscription))
        .execution_options(populate_existing=True)
    )


def _with_events(session: Session, deliveries: Sequence[Delivery]) -> None:
    """Give each its event. One event has many deliveries, and both kinds of eager loading read it once for each."""
    ids = {delivery.event_id for delivery in deliveries}
    query = select(EventRow).where(EventRow.id.in_(ids))
    found = {event.id: event for event in session.scalars(query)}
    for delivery in deliveries:
        set_committed_value(delivery, "event", found[delivery.event_id])


def still_held(session: Session, leases: Mapping[UUID, UUID]) -> set[UUID]:
    """Those deliveries whose lease token is still the given one, locked until the transaction ends.

    :param leases: lease token by delivery.
    """
    query = select(Delivery.id, Delivery.lease_token).where(Delivery.id.in_(leases))
    rows = session.execute(query.order_by(Delivery.id).with_for_update())
    return {delivery_id for delivery_id, token in rows if token == leases[delivery_id]}


def finish_all(session: Session, ids: Collection[UUID], **values: Any) -> None:
    """Write the same outcome for many that are :func:`still_held`."""
    if ids:
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids))
            .values(lease_token=None, lease_until=None, **values),
            execution_options={"synchronize_session": False},
        )


def give_back(session: Session, ids: Collection[UUID]) -> None:
    """Free what is :func:`still_held` and was not tried after all; the attempt does not count."""
    finish_all(session, ids, attempts=Delivery.attempts - 1)


def finish_each(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write an outcome of its own for each that is :func:`still_held`.

    :param rows: ``id`` and the same columns in all of them.
    """
    if not rows:
        return
    # By the table: the mapped class would send a statement for each row.
    table = cast(Table, Delivery.__table__)
    columns = [name for name in rows[0] if name != "id"]
    statement = (
        update(table)
        .where(table.c.id == bindparam("which"))
        .values({name: bindparam(name) for name in columns})
        .values(lease_token=None, lease_until=None)
    )
    changes = [{**row, "which": row["id"]} for row in rows]
    session.connection().execute(
        statement, [{name: change[name] for name in ("which", *columns)} for change in changes]
    )


def add_attempts(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write attempts to the log; all rows have the same columns."""
    # By the table: the mapped class would leave out what is None, and send a statement for each mixture of columns.
    session.connection().execute(insert(cast(Table, Attempt.__table__)), list(rows))


def called_since(
    session: Session, subscription_ids: Collection[UUID], instant: datetime
) -> dict[UUID, tuple[int, datetime]]:
    """How often these subscriptions were called after *instant*, and when first."""
    query = (
        select(Attempt.subscription_id, func.count(), func.min(Attempt.started_at))
        .where(Attempt.subscription_id.in_(subscription_ids), Attempt.started_at > instant)
        .group_by(Attempt.subscription_id)
    )
    # It is null for notices to owners, which are nobody's calls.
    return {row[0]: (row[1], row[2]) for row in session.execute(query) if row[0] is not None}


def last_called(session: Session, subscription_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When each of these subscriptions was called last."""
    query = (
        select(Attempt.subscription_id, func.max(Attempt.started_at))
        .where(Attempt.subscription_id.in_(subscription_ids))
        .group_by(Attempt.subscription_id)
    )
    return {row[0]: row[1] for row in session.execute(query) if row[0] is not None}


def postpone(session: Session, until: Mapping[UUID, datetime]) -> None:
    """Let nothing be sent to these subscriptions before those instants. What is in flight is left alone."""
    if not until:
        return
    table = cast(Table, Delivery.__table__)  # as for :func:`finish_each`
    statement = (
        update(table)
        .where(
            table.c.subscription_id == bindparam("whose"),
            table.c.state == DeliveryState.PENDING,
            table.c.lease_until.is_(None),
            table.c.notice_to.is_(None),
            table.c.due_at < bindparam("instant"),
        )
        .values(due_at=bindparam("instant"))
    )
    rows = [{"whose": whose, "instant": until[whose]} for whose in sorted(until)]
    session.connection().execute(statement, rows)


def in_flight(
    session: Session, subscription_ids: Collection[UUID], now: datetime
) -> dict[UUID, int]:
    """How many deliveries to each of these subscriptions are leased, whoever holds them."""
    query = (
        select(Delivery.subscription_id, func.count())
        .where(
            Delivery.lease_until > now,
            Delivery.lease_token.is_not(None),
            Delivery.subscription_id.in_(subscription_ids),
        )
        .group_by(Delivery.subscription_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def hold_subscriptions(session: Session, ids: Collection[UUID]) -> None:
    """Let nobody else count these subscriptions' calls until the transaction ends."""
    query = select(Subscription.id).where(Subscription.id.in_(ids)).order_by(Subscription.id)
    # Without `key_share` whoever writes a delivery would wait, too.
    session.scalars(query.with_for_update(key_share=True)).all()


def waiting_at(session: Session, endpoint: str, before: datetime, limit: int) -> Sequence[Delivery]:
    """Free deliveries to *endpoint* that are due since before that instant, with events and subscriptions.

    They are locked until the transaction ends; those that another transaction holds are left out.
    """
    query = (
        select(Delivery.id)
        .where(
            Delivery.endpoint == endpoint,
            line.free(database_now(session)),
            Delivery.due_at < before,
        )
        .order_by(Delivery.due_at)
        .limit(limit)
    )
    # On their own: with their subscriptions these would be locked, too.
    ids = session.scalars(query.with_for_update(skip_locked=True)).all()
    if not ids:
        return []
    rows = (
        select(Delivery)
        .join(Delivery.subscription)
        .where(Delivery.id.in_(ids))
        .order_by(Delivery.due_at)
        .options(selectinload(Delivery.event), contains_eager(Delivery.subscription))
        .execution_options(populate_existing=True)
    )
    return session.scalars(rows).all()


def lag(session: Session, now: datetime) -> float:
    """Seconds by which the oldest delivery that a worker of the fast lane could send now is late; 0.0: there is none.

    What waits behind another, or for an endpoint that is slow or silent, says nothing of the workers.
    """
    ready = (line.free(now), line.in_lane(Lane.FAST, now), line.first_in_line(now))
    oldest = session.scalar(select(func.min(Delivery.due_at)).where(*ready))
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


def latest_attempts(
    session: Session, subscription_id: UUID, since: datetime | None, limit: int
) -> list[tuple[datetime, str | None]]:
    """When the latest attempts for a subscription began and the kinds of their failures, newest first."""
    query = select(Attempt.started_at, Attempt.kind).where(
        Attempt.subscription_id == subscription_id
    )
    if since is not None:
        query = query.where(Attempt.started_at >= since)
    query = query.order_by(Attempt.started_at.desc(), Attempt.id.desc()).limit(limit)
    return [(row[0], row[1]) for row in session.execute(query)]


def failed_since(session: Session, subscription_id: UUID, instant: datetime) -> int:
    """How many attempts for a subscription failed after *instant*."""
    query = select(func.count()).where(
        Attempt.subscription_id == subscription_id,
        Attempt.started_at >= instant,
        Attempt.kind.is_not(None),
    )
    return session.scalar(query) or 0
