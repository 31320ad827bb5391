"""One subscription is called at most so many times a minute; what is more waits, and none is dropped."""

from __future__ import annotations

import itertools
from datetime import timedelta

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.delivery.parcel import Failure, Outcome, Parcel
from flask_statuspage.services import deliveries, outcomes, subscriptions
from flask_statuspage.services.pacing import policy_of
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Attempt, Delivery, DeliveryState
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.races import run_again
from flask_statuspage.storage.subscriptions import Subscription

from . import scenes

DONE = Outcome(code=200, milliseconds=5)


def flood(session: Session, page: Page, hook: Subscription, how_many: int) -> None:
    """Deliveries about as many subjects, all due now."""
    for _ in range(how_many):
        scenes.message(session, page, hook)


def drain(session: Session, *, finish: bool = True) -> list[Parcel]:
    """Claim until nothing is due, as a worker does."""
    sent: list[Parcel] = []
    while (claimed := deliveries.claim(session, limit=100)).count:
        sent += claimed.parcels
        if finish:
            outcomes.note_all(session, [(parcel, DONE) for parcel in claimed.parcels])
        session.commit()
    session.commit()
    return sent


def test_a_hundred_a_minute(session: Session, page: Page) -> None:
    """Of 130 deliveries that are due at once a hundred go out; the others follow at the rate, none is lost."""
    hook = scenes.webhook(session, page)
    flood(session, page, hook, 130)
    assert len(drain(session)) == 100
    assert drain(session) == []
    waiting = session.scalars(
        select(Delivery).where(Delivery.state == DeliveryState.PENDING).order_by(Delivery.due_at)
    ).all()
    assert len(waiting) == 30
    assert {row.attempts for row in waiting} == {0}
    waits = [(row.due_at - utc_now()).total_seconds() for row in waiting]
    assert 20 < waits[0] < 62
    assert waits[-1] < 62 + 30 * 0.6
    gaps = [later - earlier for earlier, later in itertools.pairwise(waits)]
    assert all(abs(gap - 0.6) < 0.05 for gap in gaps)

    session.execute(update(Attempt).values(started_at=utc_now() - timedelta(seconds=61)))
    session.execute(update(Delivery).values(due_at=utc_now() - timedelta(seconds=1)))
    session.commit()
    assert len(drain(session)) == 30


def test_what_is_in_flight_counts(session: Session, page: Page) -> None:
    """Calls that have not come back yet are calls, whoever makes them."""
    hook = scenes.webhook(session, page)
    flood(session, page, hook, 130)
    assert len(drain(session, finish=False)) == 100


def test_many_small_claims_keep_the_rate(session: Session, page: Page) -> None:
    """Claims that are each far from the rate do not exceed it together while nothing has come back."""
    hook = scenes.webhook(session, page)
    flood(session, page, hook, 240)
    sent = 0
    while (claimed := deliveries.claim(session, limit=12)).count:
        sent += len(claimed.parcels)
        session.commit()
    assert sent == 100


def test_workers_that_claim_at_once_keep_the_rate_together(
    app: Flask, session: Session, page: Page
) -> None:
    """Four workers at the same moment send no more than one alone would."""
    hook = scenes.webhook(session, page)
    flood(session, page, hook, 140)
    session.rollback()

    def work(db: Session, page: Page) -> int:
        sent = 0
        db.rollback()  # a worker's claim begins its transaction
        for _ in range(40):

            def step() -> tuple[int, int]:
                try:
                    claimed = deliveries.claim(db, limit=20)
                    db.commit()
                except BaseException:
                    db.rollback()
                    raise
                return claimed.count, len(claimed.parcels)

            count, ready = run_again(step)
            sent += ready
            if not count:
                break
        return sent

    shares = scenes.at_once(app, *[work] * 4)
    assert [share for share in shares if isinstance(share, Exception)] == []
    assert sum(shares) == 100  # type: ignore[arg-type]


def test_each_subscription_has_its_own(session: Session, page: Page) -> None:
    """One that is flooded takes nothing from another, and a subscription may have a rate of its own."""
    flooded, other = scenes.webhook(session, page), scenes.webhook(session, page)
    other.policy = {"rate": 7}
    session.commit()
    flood(session, page, flooded, 110)
    flood(session, page, other, 10)
    sent = drain(session)
    counts = [sum(one.subscription_id == row.id for one in sent) for row in (flooded, other)]
    assert counts == [100, 7]


def test_a_policy_is_its_formats_adjusted(session: Session, page: Page) -> None:
    """What the subscription says counts, the rest is the format's."""
    hook = scenes.webhook(session, page)
    hook.policy = {"timeout": 3, "delays": [1, 2], "success": [200]}
    session.commit()
    subscriptions.send_test(session, page, hook)
    session.commit()
    (parcel,) = deliveries.claim(session, limit=1).parcels
    assert (parcel.policy.timeout, parcel.policy.delays) == (3, (1.0, 2.0))
    assert not parcel.policy.is_success(204)
    assert parcel.policy.jitter == 0.0
    assert policy_of(scenes.delivery(session, hook)) == parcel.policy


def test_messages_to_one_webhook_of_slack_keep_their_distance(session: Session, page: Page) -> None:
    """Slack takes one a second: of what is due at once the first goes, the others follow a second apart each."""
    hook = scenes.webhook(session, page, format="slack")
    other = scenes.webhook(session, page, "http://127.0.0.1:9/other", format="slack")
    flood(session, page, hook, 4)
    flood(session, page, other, 1)
    claimed = deliveries.claim(session, limit=100)
    session.commit()
    assert sorted(parcel.subscription_id for parcel in claimed.parcels) == sorted(
        [hook.id, other.id]
    )
    # The first is still on its way; another worker sees that.
    flood(session, page, hook, 1)
    assert deliveries.claim(session, limit=100).parcels == []
    session.commit()
    due = session.scalars(
        select(Delivery.due_at)
        .where(Delivery.subscription_id == hook.id, Delivery.lease_token.is_(None))
        .order_by(Delivery.due_at)
    ).all()
    assert len(due) == 4
    assert all(later - earlier > timedelta(0) for earlier, later in itertools.pairwise(due[:3]))
    assert due[-1] > due[0]


def test_who_asks_for_patience_is_given_it_in_everything(session: Session, page: Page) -> None:
    """After a 429 with Retry-After nothing else goes to that subscription before; others are not held up."""
    hook = scenes.webhook(session, page)
    other = scenes.webhook(session, page, "http://127.0.0.1:9/other")
    flood(session, page, hook, 1)
    (parcel,) = deliveries.claim(session, limit=100).parcels
    flood(session, page, hook, 2)
    flood(session, page, other, 1)
    busy = Outcome(
        error="The endpoint answered 429.",
        kind=Failure.STATUS,
        code=429,
        milliseconds=5,
        retry_after=120.0,
    )
    outcomes.note_all(session, [(parcel, busy)])
    session.commit()
    assert [one.subscription_id for one in drain(session)] == [other.id]
    due = session.scalars(select(Delivery.due_at).where(Delivery.subscription_id == hook.id)).all()
    assert len(due) == 3
    assert min(due) > utc_now() + timedelta(seconds=110)
