"""What other sides call our messages, so that the next one about the same subject can answer the last."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from .outbox import Delivery


def sent_before(session: Session, deliveries: Collection[UUID]) -> dict[UUID, str]:
    """Of each delivery whose subscription got a message about the same subject before: the latest one's remote id."""
    if not deliveries:
        return {}
    earlier = aliased(Delivery)
    query = (
        select(Delivery.id, earlier.remote_id)
        .join(
            earlier,
            and_(
                earlier.subscription_id == Delivery.subscription_id,
                earlier.subject_id == Delivery.subject_id,
                earlier.sequence < Delivery.sequence,
                earlier.remote_id.is_not(None),
            ),
        )
        .where(Delivery.id.in_(deliveries))
        .order_by(earlier.sequence)
    )
    return {ident: name for ident, name in session.execute(query) if name is not None}
