"""Send again what has ended: after an endpoint was mended, or lost what it had received."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from ..errors import Conflict, NotFound
from ..storage.base import utc_now
from ..storage.outbox import Delivery, DeliveryState
from ..storage.pages import Page
from ..storage.subscriptions import SubscriptionState
from . import audit, events, subscriptions


def redeliver(db: Session, page: Page, delivery_id: UUID, *, actor: str | None) -> Delivery:
    """Send a finished delivery again, with the same id and body and all its retries.

    :raises Conflict: while it is still on its way, or when its subscription is not active.
    """
    delivery = db.get(Delivery, delivery_id)
    if delivery is None:
        raise NotFound("delivery", delivery_id)
    subscription = subscriptions.get(db, page, delivery.subscription_id)
    if delivery.state is DeliveryState.PENDING:
        raise Conflict("The delivery is on its way already.")
    if subscription.state is not SubscriptionState.ACTIVE:
        raise Conflict(f"The subscription is {subscription.state.value}; enable it first.")
    before = {"state": delivery.state.value, "attempts": delivery.attempts}
    delivery.state, delivery.attempts = DeliveryState.PENDING, 0
    delivery.due_at, delivery.finished_at, delivery.reason = utc_now(), None, None
    db.flush()
    events.wake_after_commit(db, "deliver")
    audit.record(
        db,
        actor=actor,
        action="redeliver",
        subject="delivery",
        subject_id=delivery.id,
        page_id=page.id,
        before=before,
        after={"state": delivery.state.value, "attempts": delivery.attempts},
    )
    return delivery
