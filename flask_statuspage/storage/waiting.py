"""What deliveries wait for that no worker has in hand, in a few statements however many they are."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased

from . import line
from .endpoints import Endpoint
from .outbox import Delivery


def behind(session: Session, ids: Collection[UUID], now: datetime) -> dict[UUID, UUID]:
    """Those of *ids* that another delivery goes before, with the very first one that does."""
    if not ids:
        return {}
    earlier = aliased(Delivery)
    first = (
        select(Delivery.id, Delivery.subscription_id, func.min(earlier.sequence).label("sequence"))
        .join(earlier, line.goes_before(earlier, now))
        .where(Delivery.id.in_(ids))
        .group_by(Delivery.id, Delivery.subscription_id)
    )
    places = {row.id: (row.subscription_id, row.sequence) for row in session.execute(first)}
    if not places:
        return {}
    # An event goes to a subscription once.
    query = select(Delivery.id, Delivery.subscription_id, Delivery.sequence).where(
        tuple_(Delivery.subscription_id, Delivery.sequence).in_(set(places.values()))
    )
    found = {(row.subscription_id, row.sequence): row.id for row in session.execute(query)}
    return {ident: found[place] for ident, place in places.items() if place in found}


def resting(session: Session, endpoints: Collection[str], now: datetime) -> dict[str, datetime]:
    """Those of *endpoints* that nothing is sent to now, each with until when."""
    if not endpoints:
        return {}
    query = select(Endpoint.name, Endpoint.rests_until).where(
        Endpoint.name.in_(endpoints), Endpoint.is_slow, Endpoint.rests_until > now
    )
    return {row.name: row.rests_until for row in session.execute(query)}
