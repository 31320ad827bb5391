"""What became of other deliveries about the same subject to the same subscription."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from . import line
from .outbox import Attempt, Delivery, DeliveryState, EventRow


def superseded(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Those of *ids* behind which another delivery about the same subject waits for the same subscription."""
    if not ids:
        return set()
    later = aliased(Delivery)
    query = select(Delivery.id).where(
        Delivery.id.in_(ids),
        exists().where(
            later.subscription_id == Delivery.subscription_id,
            later.subject_id == Delivery.subject_id,
            line.is_pending(later.state),
            later.sequence > Delivery.sequence,
        ),
    )
    return set(session.scalars(query))


def followed_one_since(session: Session, ids: Collection[UUID], instant: datetime) -> set[UUID]:
    """Those of *ids* that waited for a delivery about the same subject, which was sent or given up after *instant*.

    One that was cancelled unsent, as too old itself, kept nobody waiting.
    """
    if not ids:
        return set()
    earlier = aliased(Delivery)
    query = select(Delivery.id).where(
        Delivery.id.in_(ids),
        exists().where(
            earlier.subscription_id == Delivery.subscription_id,
            earlier.subject_id == Delivery.subject_id,
            earlier.sequence < Delivery.sequence,
            earlier.finished_at > instant,
            earlier.state.in_([DeliveryState.DONE, DeliveryState.DEAD]),
        ),
    )
    return set(session.scalars(query))


def overtaken(session: Session, about: Mapping[UUID, Collection[str]]) -> set[UUID]:
    """Those after whose first attempt a later delivery arrived that is about the same components, or about more.

    :param about: the ids of the components that each is about, by the ids of the deliveries.
    """
    if not about:
        return set()
    later, begun = aliased(Delivery), aliased(Attempt)
    # Who is sent one again gets it, whatever came since: the numbers of its attempts begin anew.
    first_attempt = (
        select(func.max(begun.started_at))
        .where(begun.delivery_id == Delivery.id, begun.number == 1)
        .scalar_subquery()
    )
    query = (
        select(Delivery.id, EventRow.component_ids)
        .join(
            later,
            (later.subscription_id == Delivery.subscription_id)
            & (later.subject_id == Delivery.subject_id),
        )
        .join(EventRow, EventRow.id == later.event_id)
        .where(
            Delivery.id.in_(about),
            later.state == DeliveryState.DONE,
            later.sequence > Delivery.sequence,
            later.finished_at > first_attempt,
        )
    )
    return {
        row.id for row in session.execute(query) if set(about[row.id]) <= set(row.component_ids)
    }
