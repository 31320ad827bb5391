"""The policy of a delivery, and its rate: one subscription is called at most so many times a minute.

The calls are counted in the log of attempts, so the rate holds whoever sends, in however many processes, and over
restarts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery.formats import formats
from ..domain.retry import Policy
from ..storage import claims
from ..storage.outbox import Delivery

WINDOW = timedelta(minutes=1)

NEAR = 8
"""From this share of the rate on, one eighth, workers count one after the other: each might see the others' calls too
late. More workers than this at the very same moment could exceed a rate by what the others hold."""


NOTICE_CHANNEL = NOTICE_FORMAT = "email"
"""How the owner of a subscription is told something of the subscription itself."""


def format_of(delivery: Delivery) -> str:
    """The name of the format that words a delivery."""
    return NOTICE_FORMAT if delivery.notice_to is not None else delivery.subscription.format


def policy_of(delivery: Delivery) -> Policy:
    """The policy of a delivery: its format's, adjusted by its subscription."""
    policy = formats[format_of(delivery)].policy
    if delivery.notice_to is not None or not delivery.subscription.policy:
        return policy
    return policy.adjusted(delivery.subscription.policy)


def too_close(session: Session, leased: Sequence[Delivery], now: datetime) -> dict[UUID, datetime]:
    """Those of *leased* that would follow another request to their subscription too closely, and when each may go.

    :param leased: just leased by this transaction, in the order of their sequence.
    """
    spaced: dict[UUID, list[Delivery]] = defaultdict(list)
    for delivery in leased:
        if policy_of(delivery).spacing:
            spaced[delivery.subscription_id].append(delivery)
    if not spaced:
        return {}
    claims.hold_subscriptions(session, spaced)
    latest = claims.last_called(session, spaced)
    in_flight = claims.in_flight(session, spaced, now)
    waiting: dict[UUID, datetime] = {}
    for subscription_id, rows in spaced.items():
        spacing = timedelta(seconds=policy_of(rows[0]).spacing)
        # Another worker's is called about now.
        others = in_flight.get(subscription_id, 0) > len(rows)
        before = now if others else latest.get(subscription_id)
        opens = now if before is None else max(now, before + spacing)
        for number, delivery in enumerate(rows):
            if (due_at := opens + number * spacing) > now:
                waiting[delivery.id] = due_at
    return waiting


def over_rate(session: Session, leased: Sequence[Delivery], now: datetime) -> dict[UUID, datetime]:
    """Those of *leased* that would exceed the rate of their subscription, and when each may be tried again.

    :param leased: just leased by this transaction, in the order of their sequence.
    """
    by_subscription: dict[UUID, list[Delivery]] = defaultdict(list)
    for delivery in leased:
        by_subscription[delivery.subscription_id].append(delivery)
    if not by_subscription:
        return {}
    called = claims.called_since(session, by_subscription, now - WINDOW)
    in_flight = claims.in_flight(session, by_subscription, now)  # *leased* among them
    near = {
        subscription_id
        for subscription_id, rows in by_subscription.items()
        if (called.get(subscription_id, (0, now))[0] + in_flight.get(subscription_id, len(rows)))
        * NEAR
        > policy_of(rows[0]).rate
    }
    if not near:
        return {}
    claims.hold_subscriptions(session, near)
    called = claims.called_since(session, near, now - WINDOW)
    in_flight = claims.in_flight(session, near, now)
    waiting: dict[UUID, datetime] = {}
    for subscription_id in near:
        rows = by_subscription[subscription_id]
        rate = policy_of(rows[0]).rate
        count, first = called.get(subscription_id, (0, now))
        others = max(0, in_flight.get(subscription_id, 0) - len(rows))
        room = max(0, rate - count - others)
        # The first place is free when the oldest call leaves the window, the others follow at the rate.
        opens = max(first + WINDOW, now)
        for number, delivery in enumerate(rows[room:], start=1):
            waiting[delivery.id] = opens + number * WINDOW / rate
    return waiting
