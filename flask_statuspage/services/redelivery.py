"""Send once more: one delivery, or all that failed since a time. Ids and bodies stay, so receivers can tell doubles."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery.formats import formats
from ..domain.events import CONFIRMATION, PAGE_CHANGE, PUBLIC_EVENTS, TEST, UPSTREAM_CHANGE
from ..errors import Conflict, Invalid, NotFound
from ..storage import pages, redelivery
from ..storage.base import utc_now
from ..storage.outbox import Delivery, DeliveryState, EventRow
from ..storage.pages import Page
from ..storage.redelivery import Sought
from ..storage.subscriptions import Subscription, SubscriptionState
from . import audit, events, subscriptions

SENT_EVENTS = (*PUBLIC_EVENTS, PAGE_CHANGE, UPSTREAM_CHANGE, TEST, CONFIRMATION)
AT_ONCE = 1000
"""Deliveries that one statement changes."""

AT_MOST = 10_000
"""Deliveries that one request sends again, in one transaction; the rest is for the next one."""


def redeliver(
    db: Session,
    page: Page,
    delivery_id: UUID,
    *,
    ended: datetime | None = None,
    actor: str | None,
) -> Delivery:
    """Send a finished delivery again, with the same id and body and all its retries, also one that was cancelled.

    :param ended: when it had ended when somebody saw it; None: nobody looked.
    :raises Conflict: while it is still on its way, when it has ended once more since *ended*, when it tells of an
        incident or a maintenance that was deleted, or when its subscription is not active or has changed to a format
        without words for the event. A notice to the owner of a disabled
        subscription needs one that is disabled still.
    """
    # What it tells of may be deleted meanwhile; who does that holds the page, and cancels what is due.
    pages.hold(db, page.id)
    delivery = db.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)
    if delivery is None:
        raise NotFound("delivery", delivery_id)
    subscription = subscriptions.get(db, page, delivery.subscription_id)
    if delivery.state is DeliveryState.PENDING:
        raise Conflict("The delivery is on its way already.")
    if ended is not None and delivery.finished_at != ended:
        raise Conflict("The delivery was sent again meanwhile. See what came of it.")
    if redelivery.withdrawn(db, [delivery.id]):
        raise _withdrawn(db, delivery)
    if delivery.notice_to is None:
        _check_active(subscription)
        _check_worded(db, subscription, delivery)
    elif subscription.state is not SubscriptionState.DISABLED:
        raise Conflict("The subscription is not disabled any more, as this notice says.")
    before = {"state": delivery.state.value, "attempts": delivery.attempts}
    if not redelivery.revive(db, [delivery.id], utc_now(), states=[delivery.state]):
        raise _withdrawn(db, delivery)  # while this waited for the page
    db.refresh(delivery)
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


def redeliver_failed(
    db: Session,
    page: Page,
    *,
    since: datetime,
    subscription_id: UUID | None = None,
    actor: str | None,
) -> int:
    """Send all deliveries again that were given up at *since* or later; returns how many.

    At most :data:`AT_MOST`, those that were given up first: as many mean that more may be left, for another call.
    Those to subscriptions that are not active, or in a format without words for the event, stay as they are, as do
    notices to owners and what tells of an incident or a maintenance that was deleted.

    :param since: aware.
    :param subscription_id: only those to this subscription.
    :raises Conflict: when that subscription is not active.
    """
    sought = Sought(ended_since=since, subscription_id=subscription_id)
    return _send_again(db, page, sought, {"since": since.isoformat()}, actor)


def redeliver_sought(db: Session, page: Page, sought: Sought, *, actor: str | None) -> int:
    """The same with those that are *sought*, by whatever narrows them.

    :raises Conflict: when the subscription that it names is not active.
    """
    narrowed = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(sought).items()
        if value is not None and name != "subscription_id"  # that is the subject of the entry
    }
    return _send_again(db, page, sought, narrowed, actor)


def count_sought(db: Session, page: Page, sought: Sought, *, at_most: int) -> int:
    """How many :func:`redeliver_sought` would send again, counted up to *at_most*."""
    wordless = _wordless()
    return redelivery.count_given_up(db, page.id, sought, wordless=wordless, at_most=at_most)


def _send_again(
    db: Session, page: Page, sought: Sought, told: dict[str, Any], actor: str | None
) -> int:
    """:param told: what the audit tells of what was sought."""
    pages.hold(db, page.id)  # as for one
    subscription_id = sought.subscription_id
    if subscription_id is not None:
        try:
            subscription = subscriptions.get(db, page, subscription_id)
        except NotFound as error:
            raise Invalid.field("subscription", str(error)) from error
        _check_active(subscription)
    now, count, cursor, wordless = utc_now(), 0, None, _wordless()
    while count < AT_MOST and (
        found := redelivery.given_up(
            db,
            page.id,
            sought,
            wordless=wordless,
            after=cursor,
            limit=min(AT_ONCE, AT_MOST - count),
        )
    ):
        cursor = found[-1]
        count += redelivery.revive(db, [place.id for place in found], now)
    if count:
        events.wake_after_commit(db, "deliver")
        audit.record(
            db,
            actor=actor,
            action="redeliver_failed",
            subject="page" if subscription_id is None else "subscription",
            subject_id=subscription_id or page.id,
            page_id=page.id,
            after={"redelivered": count, **told},
        )
    return count


def withdrawn(db: Session, ids: Collection[UUID]) -> set[UUID]:
    """Those of the deliveries *ids* that are never sent again: what they tell of was deleted."""
    return redelivery.withdrawn(db, ids)


def why_withdrawn(event: str) -> str:
    """Why a delivery of *event*, a name, is not sent again when what it tells of is gone."""
    return f"The {event.partition('.')[0]} that it tells of was deleted."


def _withdrawn(db: Session, delivery: Delivery) -> Conflict:
    return Conflict(why_withdrawn(db.get_one(EventRow, delivery.sequence).name))


def _wordless() -> dict[str, list[str]]:
    return {
        format: [event for event in SENT_EVENTS if not formats[format].words(event)]
        for format in formats
    }


def _check_active(subscription: Subscription) -> None:
    if subscription.state is not SubscriptionState.ACTIVE:
        raise Conflict(f"The subscription is {subscription.state.value}; enable it first.")


def _check_worded(db: Session, subscription: Subscription, delivery: Delivery) -> None:
    name = db.get_one(EventRow, delivery.sequence).name
    # Without its format's package it is cancelled when it is due, and says so.
    if subscription.format in formats and not formats[subscription.format].words(name):
        raise Conflict(f"The format {subscription.format} has no words for {name}.")
