"""From pending deliveries to attempts: claim, and write down what became of each.

Between the two lies the network; no transaction is open there. The caller commits after each function.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery.channels import channels
from ..delivery.formats import formats
from ..delivery.parcel import Outcome, Parcel
from ..domain.events import CONFIRMATION
from ..domain.facts import plain
from ..domain.retry import STALE_AFTER, Policy
from ..errors import SetupError
from ..state import current_settings
from ..storage import claims, session
from ..storage import subscriptions as stored_subscriptions
from ..storage.encryption import reveal
from ..storage.outbox import Attempt, Delivery, DeliveryState
from ..storage.pages import Page
from ..storage.subscriptions import SubscriptionState
from . import addresses, events, subscriptions

logger = logging.getLogger(__name__)


def claim(db: Session, *, limit: int) -> list[Parcel]:
    """Lease due deliveries and make them ready to be sent. An empty list: nothing is due.

    What must not be sent any more is finished here; those rows are part of the claim but not of the list, so an empty
    list can also mean that all that was claimed was of that sort. Ask :func:`any_due` to tell the two apart.
    """
    now = session.database_now(db)
    lease = timedelta(seconds=current_settings().lease_seconds)
    claimed = claims.claim(db, now, lease=lease, limit=limit)
    sealed = stored_subscriptions.sealed_secrets(db, {row.subscription_id for row in claimed})
    prepared = [_prepare(db, row, sealed.get(row.subscription_id), now) for row in claimed]
    return [parcel for parcel in prepared if parcel is not None]


def any_due(db: Session) -> bool:
    return claims.any_due(db, session.database_now(db))


def _prepare(db: Session, delivery: Delivery, sealed: str | None, now: datetime) -> Parcel | None:
    """The parcel of a leased delivery; None after finishing one that will not be sent."""
    reason = _reason_to_drop(db, delivery, now)
    if reason is not None:
        _close(db, delivery, DeliveryState.CANCELLED, reason, now)
        return None
    if delivery.attempts > len(_policy(delivery).delays) + 1:
        _give_up(db, delivery, "Every attempt ended with its worker.", now)
        return None
    if delivery.body is None:
        try:
            delivery.body = formats[delivery.subscription.format].render(
                events.as_event(delivery.event)
            )
        except Exception:
            logger.exception(
                "status page: format %s could not word event %s",
                delivery.subscription.format,
                delivery.event.name,
            )
            _give_up(db, delivery, "The format could not word this event.", now)
            return None
    try:
        secret = reveal(sealed)
    except SetupError as error:
        # Unsigned it must not go out, and the others must not wait for it.
        logger.error("status page: delivery %s waits: %s", delivery.id, error)
        _postpone(db, delivery, "Its secret cannot be opened with the site's keys.", now)
        return None
    return _parcel(db, delivery, secret)


def _postpone(db: Session, delivery: Delivery, reason: str, now: datetime) -> None:
    """Count an attempt that could not be made."""
    delay = _policy(delivery).delay_after(delivery.attempts)
    if delay is None:
        _give_up(db, delivery, reason, now)
        return
    assert delivery.lease_token is not None
    due_at = now + timedelta(seconds=delay)
    claims.finish(db, delivery.id, delivery.lease_token, due_at=due_at, reason=reason)


def _reason_to_drop(db: Session, delivery: Delivery, now: datetime) -> str | None:
    subscription, event = delivery.subscription, delivery.event
    asked = event.name == CONFIRMATION and subscription.state is SubscriptionState.PENDING
    if subscription.state is not SubscriptionState.ACTIVE and not asked:
        return f"The subscription is {subscription.state.value}."
    if subscription.format not in formats or subscription.channel not in channels:
        return f"The format {subscription.format!r} is not installed."
    # Due since its event occurred, or since a member asked for it again.
    stale = timedelta(seconds=STALE_AFTER)
    if (
        delivery.attempts == 1
        and now - delivery.due_at > stale
        # One that had to wait for its turn behind another is not to blame.
        and not claims.followed_one_since(db, delivery, now - stale)
    ):
        return "The event was too old at its first attempt."
    return None


def _policy(delivery: Delivery) -> Policy:
    return formats[delivery.subscription.format].policy


def _parcel(db: Session, delivery: Delivery, secret: str | None) -> Parcel:
    subscription = delivery.subscription
    assert delivery.lease_token is not None
    assert delivery.body is not None
    urls: dict[str, str] = {}
    if channels[subscription.channel].needs_confirmation and (delivery.event.name != CONFIRMATION):
        page = db.get_one(Page, subscription.page_id)
        urls = {
            f"{purpose}_url": addresses.ticket_url(
                page, purpose, subscription.id, subscription.nonce
            )
            for purpose in ("manage", "unsubscribe")
        }
    return Parcel(
        delivery_id=delivery.id,
        subscription_id=subscription.id,
        lease=delivery.lease_token,
        attempt=delivery.attempts,
        channel=subscription.channel,
        format=subscription.format,
        address=subscription.address,
        event_name=delivery.event.name,
        subject_id=delivery.subject_id,
        body=delivery.body,
        secret=secret,
        policy=_policy(delivery),
        manage_url=urls.get("manage_url"),
        unsubscribe_url=urls.get("unsubscribe_url"),
    )


def finish(db: Session, parcel: Parcel, outcome: Outcome | None) -> None:
    """Write down what became of *parcel*; None: it was not sent, and is free for the next worker.

    Whoever lost the lease writes nothing: another worker is responsible now.
    """
    now = session.database_now(db)
    if outcome is None:
        claims.give_back(db, parcel.delivery_id, parcel.lease)
        return
    state, due_at, reason = _judge(parcel, outcome, now)
    finished_at = None if state is DeliveryState.PENDING else now
    held = claims.finish(
        db,
        parcel.delivery_id,
        parcel.lease,
        state=state,
        due_at=due_at,
        reason=reason,
        finished_at=finished_at,
    )
    if not held:
        logger.warning("status page: the lease of delivery %s was lost", parcel.delivery_id)
        return
    db.add(_attempt(parcel, outcome, now))
    if outcome.ends_subscription:
        subscription = stored_subscriptions.get(db, parcel.subscription_id, lock=True)
        if subscription is not None:
            subscriptions.disable(db, subscription, reason=outcome.error or "gone")
    if state is DeliveryState.DEAD:
        _tell_failure(
            db,
            parcel.subscription_id,
            {"id": str(parcel.delivery_id), "event": parcel.event_name, "attempts": parcel.attempt},
            reason,
        )
    db.flush()


def _judge(
    parcel: Parcel, outcome: Outcome, now: datetime
) -> tuple[DeliveryState, datetime, str | None]:
    """State, next due time and reason after an attempt."""
    if outcome.delivered:
        return DeliveryState.DONE, now, None
    delay = parcel.policy.delay_after(
        parcel.attempt, retry_after=outcome.retry_after, chance=random.random()
    )
    if delay is None or outcome.final or outcome.ends_subscription:
        return DeliveryState.DEAD, now, outcome.error
    return DeliveryState.PENDING, now + timedelta(seconds=delay), outcome.error


def _attempt(parcel: Parcel, outcome: Outcome, now: datetime) -> Attempt:
    took = timedelta(milliseconds=outcome.milliseconds or 0)
    return Attempt(
        delivery_id=parcel.delivery_id,
        number=parcel.attempt,
        started_at=now - took,
        milliseconds=outcome.milliseconds,
        code=outcome.code,
        error=outcome.error,
        answer=outcome.answer,
    )


def _close(
    db: Session, delivery: Delivery, state: DeliveryState, reason: str, now: datetime
) -> None:
    assert delivery.lease_token is not None
    claims.finish(
        db, delivery.id, delivery.lease_token, state=state, reason=reason, finished_at=now
    )


def _give_up(db: Session, delivery: Delivery, reason: str, now: datetime) -> None:
    _close(db, delivery, DeliveryState.DEAD, reason, now)
    told = {"id": str(delivery.id), "event": delivery.event.name, "attempts": delivery.attempts}
    _tell_failure(db, delivery.subscription_id, told, reason)


def _tell_failure(
    db: Session, subscription_id: UUID, delivery: dict[str, object], reason: str | None
) -> None:
    subscription = stored_subscriptions.get(db, subscription_id)
    if subscription is None:
        return
    events.record(
        db,
        db.get_one(Page, subscription.page_id),
        "delivery.failed",
        subject_id=UUID(str(delivery["id"])),
        data={
            "delivery": {**delivery, "reason": reason},
            "subscription": subscriptions.described(subscription),
        },
        notify=False,
    )


def described(delivery: Delivery) -> dict[str, object]:
    """The fields of a delivery as the API shows them."""
    fields = ("id", "subscription_id", "state", "attempts", "due_at", "finished_at", "reason")
    return {
        **{name: plain(getattr(delivery, name)) for name in fields},
        "event": delivery.event.name,
        "created_at": plain(delivery.created_at),
    }
