"""What became of what was sent: done, to be tried again, given up; and what that means for subscription and endpoint.

Whoever lost the lease of a delivery writes nothing of it: another worker is responsible now. The caller commits.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery.parcel import UNREACHED, Failure, Outcome, Parcel
from ..domain.pace import Call
from ..domain.retry import HOUR, MAX_RETRY_AFTER, Policy
from ..state import current_settings
from ..storage import claims, endpoints, session
from ..storage import subscriptions as stored_subscriptions
from ..storage.outbox import Delivery, DeliveryState
from ..storage.pages import Page
from ..storage.subscriptions import Subscription, SubscriptionState
from . import events, lag, pacing, subscriptions, suppressions

logger = logging.getLogger(__name__)

Sent = tuple[Parcel, Outcome | None]
"""A parcel and what became of it; None: it was not sent, and is free for the next worker."""

OVERDUE_AT_ONCE = 500
MAX_WORDS, MAX_ANSWER = 200, 4096


def is_grave(parcel: Parcel, outcome: Outcome | None) -> bool:
    """Whether it may end or disable the subscription: then it is to be noted by :func:`note_grave`."""
    if outcome is None or outcome.delivered:
        return False
    if outcome.suppresses_address:
        return True
    if parcel.is_notice:
        return False
    policy = parcel.policy
    return (
        outcome.ends_subscription
        or policy.disable_after_failed is not None
        or (policy.disable_after_unreached is not None and outcome.kind in UNREACHED)
    )


def note_all(db: Session, sent: Sequence[Sent]) -> None:
    """Write down what became of many, in a few statements however many there are, but for those that are given up."""
    # On MariaDB whoever waited for a lock would else count what was there before it.
    session.begin_read_committed(db)
    now = session.database_now(db)
    held = claims.still_held(db, {parcel.delivery_id: parcel.lease for parcel, _ in sent})
    for parcel, _ in sent:
        if parcel.delivery_id not in held:
            logger.warning("status page: the lease of delivery %s was lost", parcel.delivery_id)
    ours = [(parcel, outcome) for parcel, outcome in sent if parcel.delivery_id in held]
    unsent = [parcel.delivery_id for parcel, outcome in ours if outcome is None]
    claims.give_back(db, unsent)
    tried = [(parcel, outcome) for parcel, outcome in ours if outcome is not None]
    if not tried:
        return
    done = [parcel.delivery_id for parcel, outcome in tried if outcome.delivered]
    claims.finish_all(db, done, state=DeliveryState.DONE, reason=None, finished_at=now)
    named = [
        {"id": parcel.delivery_id, "remote_id": _clean(outcome.remote_id, MAX_WORDS)}
        for parcel, outcome in tried
        if outcome.remote_id
    ]
    claims.finish_each(db, named)
    vain = [(parcel, outcome) for parcel, outcome in tried if not outcome.delivered]
    present = stored_subscriptions.formats_of(db, {parcel.subscription_id for parcel, _ in vain})
    failed = [_judged(parcel, outcome, now, present) for parcel, outcome in vain]
    claims.finish_each(db, failed)
    claims.postpone(db, _pauses(vain, now))
    claims.add_attempts(db, [_attempt(parcel, outcome, now) for parcel, outcome in tried])
    dead = {row["id"]: row["reason"] for row in failed if row["state"] is DeliveryState.DEAD}
    given_up = [parcel for parcel, _ in tried if parcel.delivery_id in dead]
    whose = stored_subscriptions.by_ids(db, {parcel.subscription_id for parcel in given_up})
    for parcel in given_up:
        told = _told(parcel.delivery_id, parcel.event_name, parcel.attempt)
        _tell_failure(db, whose[parcel.subscription_id], told, dead[parcel.delivery_id])
    _note_endpoints(db, tried, now)
    db.flush()


def note_grave(db: Session, parcel: Parcel, outcome: Outcome) -> None:
    """Write down one that may end or disable its subscription."""
    session.begin_read_committed(db)
    if outcome.suppresses_address:
        # Before anything of this subscription's page is held, as its address may be subscribed to others too.
        suppressions.hold(db, parcel.channel, parcel.address)
    # Locked in the order of all others: the page, the subscription, then its deliveries.
    subscription = stored_subscriptions.get(db, parcel.subscription_id, lock=True)
    if subscription is None:
        return  # deleted meanwhile, with its deliveries
    note_all(db, [(parcel, outcome)])
    if outcome.suppresses_address:
        words = _clean(outcome.error, MAX_WORDS) or "The address refuses messages."
        # A notice goes to the mailbox of the subscription's owner, not to its address.
        if parcel.is_notice:
            suppressions.suppress_address(db, parcel.channel, parcel.address, words)
        else:
            suppressions.suppress(db, subscription, words)
        return
    reason = outcome.error if outcome.ends_subscription else None
    reason = reason or _reason_to_disable(
        db, parcel.subscription_id, parcel.policy, since=subscription.confirmed_at
    )
    # Who has left meanwhile is gone, not switched off.
    if reason is not None and subscription.state is not SubscriptionState.ENDED:
        subscriptions.disable(db, subscription, reason=reason)
    db.flush()


def give_up(db: Session, delivery: Delivery, reason: str, now: datetime) -> None:
    """End a delivery that this transaction has leased and that cannot arrive, and tell the host."""
    claims.finish_all(db, [delivery.id], state=DeliveryState.DEAD, reason=reason, finished_at=now)
    _tell_failures(db, [delivery], reason)


def postpone(db: Session, delivery: Delivery, policy: Policy, reason: str, now: datetime) -> None:
    """Count an attempt of a delivery that this transaction has leased and that could not be made."""
    delay = policy.delay_after(delivery.attempts)
    if delay is None:
        give_up(db, delivery, reason, now)
        return
    due_at = now + timedelta(seconds=delay)
    claims.finish_all(db, [delivery.id], due_at=due_at, reason=reason)


def _judged(
    parcel: Parcel, outcome: Outcome, now: datetime, present: Mapping[UUID, str]
) -> dict[str, Any]:
    """The row's columns after a failed attempt.

    :param present: the subscriptions' formats. One that was changed meanwhile words the event anew.
    """
    is_kept = parcel.is_notice or present.get(parcel.subscription_id) == parcel.format
    delay = parcel.policy.delay_after(
        parcel.attempt, retry_after=outcome.retry_after, chance=random.random()
    )
    is_refused = outcome.ends_subscription or outcome.suppresses_address
    is_over = delay is None or outcome.final or is_refused
    return {
        "id": parcel.delivery_id,
        "state": DeliveryState.DEAD if is_over else DeliveryState.PENDING,
        "due_at": now + timedelta(seconds=0 if is_over or delay is None else delay),
        "finished_at": now if is_over else None,
        "reason": _clean(outcome.error, MAX_WORDS),
        "body": _storable(parcel.kept_body) if is_kept else None,
    }


def _pauses(vain: Sequence[tuple[Parcel, Outcome]], now: datetime) -> dict[UUID, datetime]:
    """Until when each subscription that asked for patience gets nothing: what else waits would be told the same."""
    until: dict[UUID, datetime] = {}
    for parcel, outcome in vain:
        if outcome.code == 429 and outcome.retry_after is not None and not parcel.is_notice:
            seconds = min(outcome.retry_after, MAX_RETRY_AFTER)
            instant = now + timedelta(seconds=seconds)
            until[parcel.subscription_id] = max(until.get(parcel.subscription_id, now), instant)
    return until


def _attempt(parcel: Parcel, outcome: Outcome, now: datetime) -> dict[str, Any]:
    started_at = now - timedelta(milliseconds=outcome.milliseconds or 0)
    return {
        "delivery_id": parcel.delivery_id,
        # A notice to the owner is no call of the subscription's own address.
        "subscription_id": None if parcel.is_notice else parcel.subscription_id,
        "number": parcel.attempt,
        "channel": parcel.channel,
        "waited": lag.milliseconds(parcel.ready_since, started_at),
        "started_at": started_at,
        "milliseconds": outcome.milliseconds,
        "code": outcome.code,
        "kind": None if outcome.delivered else (outcome.kind or Failure.CHANNEL).value,
        "error": _clean(outcome.error, MAX_WORDS),
        "answer": _clean(outcome.answer, MAX_ANSWER),
    }


def _storable(body: str | None) -> str | None:
    """*body* to be kept for the next attempt; None where a database cannot hold it: then it is worded again."""
    return body if body is not None and _clean(body, len(body)) == body else None


def _clean(text: str | None, most: int) -> str | None:
    """What a database takes of a text that a channel of another package made."""
    if text is None:
        return None
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:most]


def _reason_to_disable(
    db: Session, subscription_id: UUID, policy: Policy, *, since: datetime | None
) -> str | None:
    """What the policy says of the latest attempts since the subscription was switched on; None: it stays."""
    if limit := policy.disable_after_unreached:
        latest = claims.latest_attempts(db, subscription_id, since, limit)
        unreached = [kind for _, kind in latest if kind is not None and Failure(kind) in UNREACHED]
        if len(unreached) == limit:
            return f"It could not be reached {limit} times in a row."
    if limit := policy.disable_after_failed:
        an_hour_ago = session.database_now(db) - timedelta(seconds=HOUR)
        begins = an_hour_ago if since is None else max(since, an_hour_ago)
        if claims.failed_since(db, subscription_id, begins) >= limit:
            return f"{limit} deliveries failed within an hour."
    return None


def _note_endpoints(db: Session, tried: Sequence[tuple[Parcel, Outcome]], now: datetime) -> None:
    calls: dict[str, list[Call]] = defaultdict(list)
    for parcel, outcome in tried:
        if ":" in parcel.endpoint and outcome.milliseconds is not None:
            timed_out = outcome.kind is Failure.TIMEOUT
            calls[parcel.endpoint].append(
                Call(milliseconds=outcome.milliseconds, timed_out=timed_out)
            )
    most = current_settings().calls_per_endpoint
    for name in endpoints.note(db, calls, now, most=most):
        logger.warning("status page: endpoint %s does not answer and is left alone a while", name)
        _give_up_overdue(db, name, now)


def _give_up_overdue(db: Session, endpoint: str, now: datetime) -> None:
    """While an endpoint rests nothing is tried; what would have been given up long ago must not wait for ever."""
    an_hour_ago = now - timedelta(seconds=HOUR)
    overdue = [
        delivery
        for delivery in claims.waiting_at(db, endpoint, an_hour_ago, OVERDUE_AT_ONCE)
        if delivery.due_at < an_hour_ago - timedelta(seconds=pacing.policy_of(delivery).span)
    ]
    reason = "The endpoint did not answer for too long."
    ids = [delivery.id for delivery in overdue]
    claims.finish_all(db, ids, state=DeliveryState.DEAD, reason=reason, finished_at=now)
    _tell_failures(db, overdue, reason)


def _tell_failures(db: Session, deliveries: Sequence[Delivery], reason: str) -> None:
    whose = stored_subscriptions.by_ids(db, {delivery.subscription_id for delivery in deliveries})
    for delivery in deliveries:
        told = _told(delivery.id, delivery.event.name, delivery.attempts)
        _tell_failure(db, whose[delivery.subscription_id], told, reason)


def _told(delivery_id: UUID, event_name: str, attempts: int) -> dict[str, object]:
    return {"id": str(delivery_id), "event": event_name, "attempts": attempts}


def _tell_failure(
    db: Session, subscription: Subscription, delivery: dict[str, object], reason: str | None
) -> None:
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
