"""How long messages wait before they set out is measured, and only what workers can do something about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as hooks
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.delivery.parcel import Failure, Outcome
from flask_statuspage.domain.lag import ChannelLag
from flask_statuspage.services import deliveries, incidents, lag, outcomes, redelivery
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.claims import Lane
from flask_statuspage.storage.endpoints import Endpoint
from flask_statuspage.storage.outbox import Attempt, Delivery, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import database_now

from . import scenes

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
DONE = Outcome(code=200, milliseconds=5)
FAILED = Outcome(error="The endpoint answered 500.", kind=Failure.STATUS, code=500)


def measured(session: Session) -> dict[str, ChannelLag]:
    found = {one.channel: one for one in lag.measure(session, database_now(session))}
    session.rollback()
    return found


def send(session: Session, outcome: Outcome = DONE, *, lane: Lane = Lane.FAST) -> int:
    parcels = deliveries.claim(session, limit=100, lane=lane).parcels
    session.commit()
    outcomes.note_all(session, [(parcel, outcome) for parcel in parcels])
    session.commit()
    return len(parcels)


def backdate(session: Session, **span: float) -> None:
    """Let all that is pending be due since that long ago."""
    due_at = utc_now() - timedelta(**span)
    session.execute(update(Delivery).where(Delivery.state == "pending").values(due_at=due_at))
    session.commit()


def waits(session: Session) -> list[int | None]:
    return list(session.scalars(select(Attempt.waited).order_by(Attempt.id)))


def test_what_was_sent_within_the_hour_is_summed_up(session: Session, page: Page) -> None:
    """Count, mean, longest and late ones of each channel; what set out earlier does not count."""
    hooked = [scenes.webhook(session, page) for _ in range(4)]
    for seconds in (600, 10, 30, 200):
        scenes.message(session, page, hooked.pop())
        backdate(session, seconds=seconds)
        assert send(session) == 1
    first = select(Attempt).order_by(Attempt.id).limit(1)
    session.scalars(first).one().started_at -= timedelta(minutes=61)
    session.commit()
    found = measured(session)["webhook"]
    assert (found.count, found.late, found.target) == (3, 1, 120)
    assert 80 <= found.mean < 110
    assert 200 <= found.longest < 230
    assert found.late_ratio == pytest.approx(1 / 3)
    assert found.is_late
    assert measured(session)["email"] == ChannelLag(channel="email", target=300)


def test_what_waits_is_told_in_few_statements(session: Session, page: Page) -> None:
    """The oldest one that could set out, how many are pending and held; four statements in all."""
    hook = scenes.webhook(session, page)
    for _ in range(3):
        scenes.message(session, page, hook)
    backdate(session, seconds=50)
    held = session.scalars(select(Delivery)).first()
    assert held is not None
    held.held, held.due_at = True, utc_now() + timedelta(minutes=10)
    session.commit()
    sent: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    now = database_now(session)
    hooks.listen(session.get_bind(), "before_cursor_execute", note)
    try:
        (found,) = [one for one in lag.measure(session, now) if one.channel == "webhook"]
    finally:
        hooks.remove(session.get_bind(), "before_cursor_execute", note)
    assert len(sent) == 4
    assert 50 <= found.waiting < 60
    assert (found.pending, found.held, found.count) == (3, 1, 0)
    assert not found.is_late


def test_each_channel_has_an_oldest_of_its_own(session: Session, page: Page) -> None:
    """One channel's messages are found behind those of another, and behind what waits for a slow endpoint."""
    hook, mail = scenes.webhook(session, page), scenes.webhook(session, page)
    mail.channel = "email"
    session.add(Endpoint(name="127.0.0.1:7", at_once=1, is_slow=True, updated_at=utc_now()))
    for seconds, to in ((30, hook), (900, hook), (400, hook), (800, mail), (100, mail)):
        row = scenes.message(session, page, to)
        due_at = utc_now() - timedelta(seconds=seconds)
        change = update(Delivery).where(Delivery.event_id == row.id).values(due_at=due_at)
        session.execute(change)
        if seconds >= 800:
            slow = update(Delivery).where(Delivery.event_id == row.id)
            session.execute(slow.values(endpoint="127.0.0.1:7"))
    session.commit()
    found = measured(session)
    assert 400 <= found["webhook"].waiting < 500
    assert 100 <= found["email"].waiting < 200
    assert found["sms"].waiting == 0
    assert (found["webhook"].pending, found["email"].pending) == (3, 2)
    assert 0 <= found["webhook"].oldest < 100


def test_how_attempts_and_deliveries_ended(session: Session, page: Page) -> None:
    """Attempts are counted by how they went, deliveries by how they ended; what is older than an hour is not."""
    final = Outcome(error="Gone.", kind=Failure.STATUS, code=410, final=True)
    for outcome in (DONE, DONE, FAILED, final):
        scenes.message(session, page, scenes.webhook(session, page))
        assert send(session, outcome) == 1
    old = session.scalars(select(Attempt).order_by(Attempt.id).limit(1)).one()
    old.started_at -= timedelta(minutes=61)
    session.get_one(Delivery, old.delivery_id).finished_at = old.started_at
    session.commit()
    found = measured(session)["webhook"]
    assert found.attempts == (("ok", 1), ("status", 2))
    assert found.finished == (("dead", 1), ("done", 1))
    assert found.pending == 1
    assert found.count == 3


@ON_SQLITE
def test_only_the_first_attempt_counts(session: Session, page: Page) -> None:
    """A retry waits because the first attempt failed, not for a worker; nor is it waited for."""
    scenes.message(session, page, scenes.webhook(session, page))
    send(session, FAILED)
    backdate(session, seconds=500)
    assert measured(session)["webhook"].waiting == 0
    send(session)
    first, second = waits(session)
    assert first is not None
    assert first < 5000
    assert second is None


@ON_SQLITE
def test_who_waited_behind_another_counts_from_when_that_one_was_finished(
    session: Session, page: Page
) -> None:
    """An endpoint that failed for half an hour makes no worker late."""
    scenes.webhook(session, page)
    incident = incidents.open(session, page, title="Fire")
    session.commit()
    send(session, FAILED)
    incidents.resolve(session, page, incident.id, body="Out")
    session.commit()
    backdate(session, minutes=30)
    assert measured(session)["webhook"].waiting == 0
    send(session)
    send(session)
    waited = waits(session)
    assert len(waited) == 3
    assert waited[1] is None
    assert waited[2] is not None
    assert waited[2] < 5000


@ON_SQLITE
def test_a_redelivery_counts_from_when_it_was_asked_for(session: Session, page: Page) -> None:
    """However long ago the event occurred."""
    scenes.message(session, page, scenes.webhook(session, page))
    backdate(session, hours=5)
    send(session)
    row = session.scalars(select(Delivery)).one()
    redelivery.redeliver(session, page, row.id, actor=None)
    session.commit()
    send(session)
    assert [waited is not None and waited > 60_000 for waited in waits(session)] == [True, False]


@ON_SQLITE
def test_slow_endpoints_are_left_out(session: Session, page: Page) -> None:
    """They set the pace themselves, whether they rest or answer slowly."""
    hook = scenes.webhook(session, page)
    scenes.message(session, page, hook)
    session.add(Endpoint(name="127.0.0.1:9", at_once=1, is_slow=True))
    session.commit()
    backdate(session, minutes=30)
    assert measured(session)["webhook"].waiting == 0
    assert send(session, lane=Lane.SLOW) == 1
    assert waits(session) == [None]


@ON_SQLITE
def test_one_whose_worker_died_counts_from_the_beginning(session: Session, page: Page) -> None:
    """The first attempt that came back is the first one of which anybody knows."""
    scenes.message(session, page, scenes.webhook(session, page))
    backdate(session, seconds=70)
    assert deliveries.claim(session, limit=1).count == 1
    lost = update(Delivery).values(lease_until=utc_now() - timedelta(seconds=1))
    session.execute(lost)
    session.commit()
    assert send(session) == 1
    (waited,) = waits(session)
    assert waited is not None
    assert waited >= 70_000


@ON_SQLITE
def test_an_event_that_nobody_addresses_is_seen(session: Session, page: Page) -> None:
    """Its deliveries are not written yet, so none of them tells how long they wait."""
    assert lag.unaddressed(session, database_now(session)) == 0
    now = utc_now()
    row = EventRow(
        page_id=page.id,
        name="incident.created",
        subject_id=page.id,
        data={},
        occurred_at=now - timedelta(seconds=90),
    )
    session.add(row)
    session.commit()
    assert 90 <= lag.unaddressed(session, database_now(session)) < 100


@ON_SQLITE
def test_channels_in_use(session: Session, page: Page) -> None:
    """Those that somebody is subscribed by, or that something was sent by."""
    now = database_now(session)
    assert lag.in_use(session, now) == []
    from flask_statuspage.services import subscriptions

    wish = Wish(channel="email", address="ann@example.com")
    subscriptions.subscribe(session, page, wish, proven=True)
    session.commit()
    assert [one.channel for one in lag.in_use(session, now)] == ["email"]
