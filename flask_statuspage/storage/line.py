"""The line of deliveries that are to be sent, and who is next: the longest due, but no endpoint alone.

What a dead worker held is suspicious, as it may be what killed it. It is taken up a few at a time, and from the second
time on alone: what only happened to be near then goes out, and what kills is found out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    GenerativeSelect,
    Select,
    String,
    and_,
    exists,
    func,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from .endpoints import Endpoint
from .outbox import Delivery, DeliveryState

Q = TypeVar("Q", bound=GenerativeSelect)

PER_ENDPOINT = 32
"""So many at once are taken for one endpoint if something is due for others: those behind it shall not wait for it."""

LOOK_AHEAD = 1000
"""How far behind a crowd for one endpoint something for others is looked for."""

LOST_AT_ONCE = 10
"""How many that a dead worker held are taken up together for the first time."""


class Lane(StrEnum):
    FAST = "fast"
    SLOW = "slow"


def free(now: datetime) -> ColumnElement[bool]:
    """Due, and held by nobody whose lease still runs."""
    return and_(
        Delivery.state == DeliveryState.PENDING,
        Delivery.due_at <= now,
        or_(Delivery.lease_until.is_(None), Delivery.lease_until < now),
    )


def first_in_line(now: datetime) -> ColumnElement[bool]:
    """No earlier delivery about the same subject is still on its way to the same subscription."""
    return ~exists().where(goes_before(aliased(Delivery), now))


def goes_before(earlier: type[Delivery], now: datetime) -> ColumnElement[bool]:
    """Whether *earlier*, an alias, is about the same subject, and still on its way to the same subscription.

    One that was tried in vain and is not due yet is on its way only if it is a step that others follow.
    """
    return and_(
        earlier.subscription_id == Delivery.subscription_id,
        earlier.subject_id == Delivery.subject_id,
        is_pending(earlier.state),
        earlier.sequence < Delivery.sequence,
        or_(
            earlier.in_order,
            earlier.attempts == 0,
            earlier.due_at <= now,
            earlier.lease_until >= now,
        ),
    )


def is_pending(state: InstrumentedAttribute[DeliveryState]) -> ColumnElement[bool]:
    """The condition in a form that no index serves: one delivery's neighbours are to be found by their subscription.

    PostgreSQL, whose statistics say that hardly any delivery is pending, would else read all that are pending, for each
    of them. An index over the pending ones alone misleads it in the same way.
    """
    return func.coalesce(type_coerce(state, String), "") == DeliveryState.PENDING.value


def in_lane(lane: Lane, now: datetime) -> ColumnElement[bool]:
    slow = exists().where(Endpoint.name == Delivery.endpoint, Endpoint.is_slow)
    if lane is Lane.FAST:
        return ~slow
    return slow.where(or_(Endpoint.rests_until.is_(None), Endpoint.rests_until <= now))


def fresh(
    session: Session, now: datetime, *, limit: int, lane: Lane, avoid: Collection[str]
) -> list[UUID]:
    """At most *limit* deliveries that nobody has in hand, locked where the database locks rows."""
    nobodys = and_(
        Delivery.state == DeliveryState.PENDING,
        Delivery.due_at <= now,
        Delivery.lease_until.is_(None),
        _not_at(avoid),
    )
    columns = select(Delivery.id, Delivery.endpoint)
    claimable = and_(nobodys, in_lane(lane, now), first_in_line(now))
    locked = _first(columns.where(claimable), limit).with_for_update(skip_locked=True)
    taken, surplus, counts = _divided(_places(session, locked), Counter())
    if not surplus:
        return taken
    crowds = [name for name, count in counts.items() if name and count >= PER_ENDPOINT]
    # Only looked at: what is locked here is passed over by all others.
    ahead = _first(
        columns.add_columns(Delivery.due_at, Delivery.sequence).where(nobodys), LOOK_AHEAD
    ).subquery()
    others = select(ahead.c.id, ahead.c.endpoint).where(
        or_(ahead.c.endpoint.is_(None), ahead.c.endpoint.not_in(crowds))
    )
    places = _places(session, others.order_by(ahead.c.due_at, ahead.c.sequence))
    known = set(taken)
    places = [place for place in places if place[0] not in known]
    wanted = _divided(places, counts)[0][: len(surplus)]
    if wanted:
        more = columns.where(Delivery.id.in_(wanted), claimable).with_for_update(skip_locked=True)
        taken += [delivery_id for delivery_id, _ in _places(session, more)]
    return [*taken, *surplus][:limit]


def lost(
    session: Session, now: datetime, *, limit: int, lane: Lane, avoid: Collection[str]
) -> list[UUID]:
    """A few deliveries whose lease ran out, at most one of them for a second time; locked like :func:`fresh`."""
    query = (
        select(Delivery.id, Delivery.losses, Delivery.due_at, Delivery.sequence)
        # The state in this form, so that the few whose leases ran out are looked for, not all that are due.
        .where(Delivery.lease_until < now, is_pending(Delivery.state), _not_at(avoid))
        .where(in_lane(lane, now), first_in_line(now))
        .limit(LOOK_AHEAD)
    )
    # Sorted here: there are few, and no index has them in this order.
    found = session.execute(query).all()
    rows = sorted(found, key=lambda row: (row.losses, row.due_at, row.sequence))
    chosen = [row.id for row in rows if row.losses == 0][: min(limit, LOST_AT_ONCE)]
    again = [row.id for row in rows if row.losses > 0][:1]
    if again and len(chosen) < limit and not _holds_suspicious(session, now, lane):
        chosen += again
    if not chosen:
        return []
    locked = select(Delivery.id).where(Delivery.id.in_(chosen), Delivery.lease_until < now)
    return list(session.scalars(locked.with_for_update(skip_locked=True)))


def _holds_suspicious(session: Session, now: datetime, lane: Lane) -> bool:
    """Whether one that was lost twice is in flight in this lane: if a second one died with it, which of them killed?"""
    query = select(Delivery.id).where(
        Delivery.lease_until >= now, Delivery.losses > 1, in_lane(lane, now)
    )
    return session.scalar(query.limit(1)) is not None


def _first(query: Q, limit: int) -> Q:
    return query.order_by(Delivery.due_at, Delivery.sequence).limit(limit)


def _places(session: Session, query: Select[UUID, str | None]) -> list[tuple[UUID, str | None]]:
    return [(row[0], row[1]) for row in session.execute(query)]


def _not_at(endpoints: Collection[str]) -> ColumnElement[bool]:
    if not endpoints:
        return true()
    return or_(Delivery.endpoint.is_(None), Delivery.endpoint.not_in(endpoints))


def _divided(
    rows: Sequence[tuple[UUID, str | None]], before: Counter[str | None]
) -> tuple[list[UUID], list[UUID], Counter[str | None]]:
    """The ids within each endpoint's share, those beyond it, and how many each endpoint has within."""
    taken: list[UUID] = []
    surplus: list[UUID] = []
    counts = Counter(before)
    for delivery_id, endpoint in rows:
        if counts[endpoint] < PER_ENDPOINT:
            counts[endpoint] += 1
            taken.append(delivery_id)
        else:
            surplus.append(delivery_id)
    return taken, surplus, counts
