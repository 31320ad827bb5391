"""What was written down for a subscription in one format, once it has another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from .outbox import Delivery, DeliveryState, EventRow


def forget_bodies(
    session: Session,
    subscription_id: UUID,
    wanted: Callable[[str], bool],
    reason: str,
    now: datetime,
) -> None:
    """Let what is still to be sent to this subscription, or may be sent again, be worded anew.

    :param wanted: whether an event of that name is still for it; what is pending of others is cancelled. What is in
        flight keeps its lease.
    """
    to_it = and_(Delivery.subscription_id == subscription_id, Delivery.notice_to.is_(None))
    waiting = and_(
        Delivery.state == DeliveryState.PENDING,
        or_(Delivery.lease_until.is_(None), Delivery.lease_until < now),
    )
    rows = session.execute(
        select(Delivery.id, EventRow.name).join(Delivery.event).where(to_it, waiting)
    )
    statements = [update(Delivery).where(to_it, Delivery.body.is_not(None)).values(body=None)]
    if unwanted := [delivery_id for delivery_id, name in rows if not wanted(name)]:
        cancelling = update(Delivery).where(Delivery.id.in_(unwanted), waiting)
        statements.append(
            cancelling.values(state=DeliveryState.CANCELLED, reason=reason, finished_at=now)
        )
    for statement in statements:
        session.execute(statement, execution_options={"synchronize_session": False})


def hide_address(session: Session, subscription_id: UUID, address: str, shown: str) -> None:
    """Let the events that tell of this subscription tell *shown* where they told *address*."""
    sent = select(Delivery.id).where(Delivery.subscription_id == subscription_id)
    failed = and_(EventRow.name == "delivery.failed", EventRow.subject_id.in_(sent))
    about = select(EventRow).where(or_(EventRow.subject_id == subscription_id, failed))
    for row in session.scalars(about):
        told = row.data.get("subscription")
        if told is not None and told.get("address") == address:
            # A new object: changes within a JSON value are not noticed.
            row.data = {**row.data, "subscription": {**told, "address": shown}}
    session.flush()
