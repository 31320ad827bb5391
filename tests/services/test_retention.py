"""What is too old goes, in batches; what is young, on its way or still told stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session

from flask_statuspage.jobs import tasks
from flask_statuspage.services import incidents, signups, subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage import base, delivery_log, leases, retention
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.endpoints import Endpoint
from flask_statuspage.storage.outbox import Attempt, Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_engine
from flask_statuspage.storage.signups import SignupAttempt
from flask_statuspage.storage.subscriptions import Subscription

from . import scenes


def told(session: Session, page: Page, hook: Subscription, *, days: float, **values: object) -> int:
    """An event so old with a finished delivery and two attempts of it; the event's number."""
    then = utc_now() - timedelta(days=days)
    row = EventRow(
        page_id=page.id,
        name="test",
        subject_id=hook.id,
        data={},
        occurred_at=then,
        fanned_out_at=then,
    )
    session.add(row)
    session.flush()
    ended = {"state": DeliveryState.DONE, "finished_at": then, **values}
    delivery = Delivery(
        event_id=row.id, subscription_id=hook.id, subject_id=hook.id, sequence=row.sequence, **ended
    )
    session.add(delivery)
    session.flush()
    for number in (1, 2):
        session.add(Attempt(delivery_id=delivery.id, number=number, started_at=then))
    session.commit()
    return row.sequence


def counts(session: Session) -> tuple[int, int, int]:
    """Events, deliveries and attempts that there are."""
    session.rollback()
    return tuple(  # type: ignore[return-value]
        session.scalar(select(func.count()).select_from(model))
        for model in (EventRow, Delivery, Attempt)
    )


def test_old_deliveries_go_with_their_attempts(session: Session, page: Page) -> None:
    """Beyond 90 days finished deliveries, their attempts and their events go; younger ones stay whole."""
    hook = scenes.webhook(session, page)
    events = counts(session)[0]
    told(session, page, hook, days=91)
    told(session, page, hook, days=200, state=DeliveryState.DEAD)
    young = told(session, page, hook, days=89)
    assert tasks.run("housekeep") == 4
    # The event that the subscription began is young.
    assert counts(session) == (events + 1, 1, 2)
    assert session.scalars(select(Delivery.sequence)).all() == [young]


def test_what_is_on_its_way_stays(session: Session, page: Page) -> None:
    """A pending delivery stays however old its event is, with the event that it needs; so does one just sent again."""
    hook = scenes.webhook(session, page)
    told(session, page, hook, days=400, state=DeliveryState.PENDING, finished_at=None)
    told(session, page, hook, days=400, finished_at=utc_now())
    before = counts(session)
    assert tasks.run("housekeep") == 0
    assert counts(session) == before


def test_an_event_that_waits_for_its_deliveries_stays(session: Session, page: Page) -> None:
    """However old: whoever is to hear of it has not been written down yet."""
    scenes.webhook(session, page)
    incidents.open(session, page, title="Fire")
    session.commit()
    old = utc_now() - timedelta(days=400)
    session.execute(update(Delivery).values(finished_at=old, state=DeliveryState.DONE))
    session.execute(update(EventRow).values(occurred_at=old, fanned_out_at=old))
    waiting = session.scalars(select(EventRow.sequence).order_by(EventRow.sequence).limit(1)).one()
    session.execute(update(EventRow).where(EventRow.sequence == waiting).values(fanned_out_at=None))
    session.commit()
    tasks.run("housekeep")
    assert waiting in session.scalars(select(EventRow.sequence)).all()


def test_numbers_of_events_never_come_twice(session: Session, page: Page) -> None:
    """After everything was forgotten the next event still has a greater number: receivers order by it."""
    hook = scenes.webhook(session, page)
    last = told(session, page, hook, days=400)
    session.execute(update(EventRow).values(occurred_at=utc_now() - timedelta(days=400)))
    session.commit()
    tasks.run("housekeep")
    assert counts(session) == (1, 0, 0)
    subscriptions.send_test(session, page, subscriptions.get(session, page, hook.id))
    session.commit()
    assert max(session.scalars(select(EventRow.sequence))) > last


@pytest.mark.parametrize("days", [100, -100])
def test_a_worker_whose_clock_is_wrong_deletes_no_more_and_no_less(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """What is too old the database's clock says, which all share: young things stay, old ones go."""
    hook = scenes.webhook(session, page)
    told(session, page, hook, days=91)
    young = told(session, page, hook, days=89)
    for name, age in (("old.example:443", 31), ("young.example:443", 29)):
        session.add(Endpoint(name=name, at_once=8, updated_at=utc_now() - timedelta(days=age)))
    hook.previous_secret, hook.previous_until = "secret", utc_now() + timedelta(hours=24)
    signups.count_attempt(session, "192.0.2.1", "ann@acme.example")
    asked = {
        name: subscriptions.subscribe(session, page, Wish(channel="email", address=name)).id
        for name in ("old@acme.example", "young@acme.example")
    }
    old = session.get_one(Subscription, asked.pop("old@acme.example"))
    old.asked_at -= timedelta(days=8)
    session.commit()

    class WrongClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(days=days)

    with monkeypatch.context() as patched:
        patched.setattr(base, "datetime", WrongClock)
        assert round((utc_now() - datetime.now(UTC)) / timedelta(days=1)) == days
        tasks.run("housekeep")
    session.rollback()
    assert session.scalars(
        select(Delivery.sequence).where(Delivery.finished_at.is_not(None))
    ).all() == [young]
    assert session.scalars(select(Endpoint.name)).all() == ["young.example:443"]
    kept = session.scalars(select(Subscription.id)).all()
    assert sorted(kept) == sorted([hook.id, *asked.values()])
    assert hook.previous_secret == "secret"
    assert session.scalar(select(func.count()).select_from(SignupAttempt)) == 2


@pytest.mark.parametrize("place", ["signup_attempt", "pulse", "region"])
def test_a_step_that_always_fails_holds_up_no_other(
    session: Session, page: Page, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    """It is logged each time, and all else that is too old goes."""
    hook = scenes.webhook(session, page)
    told(session, page, hook, days=91)
    long_ago = utc_now() - timedelta(days=1)
    leases.beat(session, hook.id, kind="worker", name="dead", now=long_ago)
    session.commit()

    def break_down(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if f"statuspage_{place}" in statement:
            raise RuntimeError("a listener of the host broke")

    event.listen(current_engine(), "before_cursor_execute", break_down)
    try:
        assert tasks.run("housekeep") == 1  # the delivery; the newest event stays
    finally:
        event.remove(current_engine(), "before_cursor_execute", break_down)
    assert "could not take its step" in caplog.text
    assert "a listener of the host broke" in caplog.text
    pulses = session.scalar(select(func.count()).select_from(leases.Pulse))
    assert pulses == (place == "pulse")


def test_it_goes_in_batches(session: Session, page: Page) -> None:
    """One call takes at most as many as it is told, the oldest first."""
    hook = scenes.webhook(session, page)
    sequences = [told(session, page, hook, days=100 + age) for age in (3, 1, 2)]
    before = utc_now() - timedelta(days=90)
    left = []
    while retention.delete_deliveries(session, before, limit=1):
        session.commit()
        left.append(session.scalars(select(Delivery.sequence).order_by(Delivery.sequence)).all())
    assert left == [sequences[1:], sequences[1:2], []]
    session.rollback()
    # The newest event of all stays.
    assert [retention.delete_events(session, before, limit=1) for _ in range(3)] == [1, 1, 0]


def test_endpoints_that_nobody_calls_are_forgotten(session: Session, page: Page) -> None:
    """After 30 days nothing is known of how one behaved; a younger memory stays."""
    for name, days in (("old.example:443", 31), ("young.example:443", 29)):
        then = utc_now() - timedelta(days=days)
        session.add(Endpoint(name=name, at_once=8, updated_at=then))
    session.commit()
    assert tasks.run("housekeep") == 1
    session.rollback()
    assert session.scalars(select(Endpoint.name)).all() == ["young.example:443"]
    session.execute(Endpoint.__table__.delete())  # type: ignore[attr-defined]
    session.commit()


def test_nobody_waits_for_housekeeping(app: Flask, session: Session, page: Page) -> None:
    """While old deliveries are being deleted new ones are written, and one that somebody holds is left alone."""
    hook = scenes.webhook(session, page)
    for days in (100, 101):
        told(session, page, hook, days=days)
    if session.get_bind().dialect.name == "sqlite":
        return  # one writer at a time; the batches are small
    held = session.scalars(select(Delivery).order_by(Delivery.sequence).with_for_update()).first()
    assert held is not None
    session.rollback()
    session.scalars(select(Delivery).where(Delivery.id == held.id).with_for_update()).one()
    before = utc_now() - timedelta(days=90)

    def delete(other: Session, _page: Page) -> int:
        return retention.delete_deliveries(other, before, limit=100)

    assert scenes.elsewhere(app, delete) == 1
    session.rollback()
    assert retention.delete_deliveries(session, before, limit=100) == 1

    def write(other: Session, its_page: Page) -> None:
        row = subscriptions.get(other, its_page, hook.id)
        subscriptions.send_test(other, its_page, row)

    scenes.elsewhere(app, write)  # before this transaction ends
    session.commit()
    assert len(session.scalars(delivery_log.log(page.id)).all()) == 1
