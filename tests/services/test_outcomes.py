"""What outcomes mean for the subscription, the endpoint, and what waits behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from flask_statuspage.delivery.parcel import Failure, Outcome, Parcel
from flask_statuspage.domain.pace import BREAK_AFTER
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.services import (
    components,
    deliveries,
    incident_edits,
    incidents,
    monitoring,
    outcomes,
    redelivery,
    subscriptions,
)
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.claims import Lane
from flask_statuspage.storage.components import Component
from flask_statuspage.storage.endpoints import Endpoint
from flask_statuspage.storage.outbox import Attempt, Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.races import run_again
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState

from . import scenes

DONE = Outcome(code=200, milliseconds=5)
FAILED = Outcome(error="The endpoint answered 500.", kind=Failure.STATUS, code=500, milliseconds=7)
REFUSED = Outcome(error="Could not be reached.", kind=Failure.CONNECT, milliseconds=1)
SILENT = Outcome(error="Not in time.", kind=Failure.TIMEOUT, milliseconds=10_000)


def claim(session: Session, lane: Lane = Lane.FAST) -> list[Parcel]:
    parcels = deliveries.claim(session, limit=100, lane=lane).parcels
    session.commit()
    return parcels


def note(session: Session, parcel: Parcel, outcome: Outcome | None) -> None:
    """As a worker does."""
    if outcome is not None and outcomes.is_grave(parcel, outcome):
        outcomes.note_grave(session, parcel, outcome)
    else:
        outcomes.note_all(session, [(parcel, outcome)])
    session.commit()


def make_due(session: Session) -> None:
    past = utc_now() - timedelta(seconds=1)
    session.execute(update(Delivery).where(Delivery.due_at > past).values(due_at=past))
    session.commit()


def hook_with(session: Session, page: Page, **policy: Any) -> Subscription:
    hook = scenes.webhook(session, page)
    hook.policy = {"delays": [1.0] * 20, **policy}
    session.commit()
    return hook


def fail(session: Session, page: Page, hook: Subscription, *each: Outcome) -> None:
    """A test event for each outcome, tried once."""
    for outcome in each:
        event_id = scenes.message(session, page, hook).id
        newest = session.scalar(select(Delivery.id).where(Delivery.event_id == event_id))
        for parcel in claim(session) + claim(session, Lane.SLOW):
            note(session, parcel, outcome if parcel.delivery_id == newest else None)


def state(session: Session, hook: Subscription) -> SubscriptionState:
    session.refresh(hook)
    return hook.state


def test_failures_to_connect_in_a_row_disable(app: Flask, session: Session, page: Page) -> None:
    """The fifth in a row switches the subscription off; an answer in between, of whatever kind, begins anew."""
    hook = hook_with(session, page, disable_after_unreached=5)
    fail(session, page, hook, *[REFUSED] * 4, FAILED, *[REFUSED] * 4)
    assert state(session, hook) is SubscriptionState.ACTIVE
    with scenes.listening(app) as heard:
        fail(session, page, hook, REFUSED)
    assert state(session, hook) is SubscriptionState.DISABLED
    assert hook.reason == "It could not be reached 5 times in a row."
    assert "subscription.disabled" in {one.name for one in heard}
    assert claim(session) == []


def test_a_re_armed_subscription_has_a_clean_slate(session: Session, page: Page) -> None:
    """Failures from before it was switched on again do not count."""
    hook = hook_with(session, page, disable_after_unreached=5)
    fail(session, page, hook, *[REFUSED] * 5)
    subscriptions.enable(session, subscriptions.get(session, page, hook.id), actor="ann")
    session.commit()
    fail(session, page, hook, *[REFUSED] * 4)
    assert state(session, hook) is SubscriptionState.ACTIVE
    fail(session, page, hook, REFUSED)
    assert state(session, hook) is SubscriptionState.DISABLED


def test_failures_within_an_hour_disable(session: Session, page: Page) -> None:
    """Whatever their kind and with successes between; those of an hour ago are forgotten."""
    hook = hook_with(session, page, disable_after_failed=10)
    fail(session, page, hook, *[FAILED, DONE, REFUSED] * 4)
    session.execute(update(Attempt).values(started_at=utc_now() - timedelta(minutes=61)))
    session.commit()
    fail(session, page, hook, *[FAILED, DONE] * 9)
    assert state(session, hook) is SubscriptionState.ACTIVE
    fail(session, page, hook, FAILED)
    assert state(session, hook) is SubscriptionState.DISABLED
    assert hook.reason == "10 deliveries failed within an hour."


def test_without_such_a_rule_it_stays(session: Session, page: Page) -> None:
    """The native format promises retries and no switching off."""
    hook = hook_with(session, page)
    fail(session, page, hook, *[REFUSED] * 12)
    assert state(session, hook) is SubscriptionState.ACTIVE


def test_a_late_update_gives_way_to_a_later_one(session: Session, page: Page) -> None:
    """What was tried in vain is left out for what waits behind it; created and resolved never are."""
    hook = scenes.webhook(session, page)
    incident = incidents.open(session, page, title="Slow")
    session.commit()
    note(session, claim(session)[0], DONE)
    incidents.update(session, page, incident.id, body="first")
    session.commit()
    note(session, claim(session)[0], FAILED)
    incidents.update(session, page, incident.id, body="second")
    incidents.resolve(session, page, incident.id)
    session.commit()
    make_due(session)
    assert claim(session) == []  # the first update is left out
    (second,) = claim(session)
    assert '"second"' in second.body
    note(session, second, DONE)
    (resolved,) = claim(session)
    assert resolved.event_name == "incident.resolved"
    query = select(Delivery.state, Delivery.reason).order_by(Delivery.sequence)
    rows = session.execute(query.where(Delivery.subscription_id == hook.id)).all()
    assert rows[1] == (DeliveryState.CANCELLED, "A later update took its place.")


def set_to(session: Session, page: Page, component: Component, status: ComponentStatus) -> None:
    components.set_status(session, page, component, status, actor="ann")
    session.commit()


@pytest.mark.parametrize("format", ["statusmate", "statusgator", "native"])
def test_an_old_status_does_not_arrive_after_the_new_one(
    session: Session, page: Page, format: str
) -> None:
    """Its retry is left out once a later message about the same has arrived, and only then."""
    website = scenes.component(session, page, "Website")
    hook = scenes.webhook(session, page, format=format, events=["component.status_change"])
    set_to(session, page, website, ComponentStatus.MAJOR_OUTAGE)
    note(session, claim(session)[0], FAILED)
    set_to(session, page, website, ComponentStatus.OPERATIONAL)
    note(session, claim(session)[0], FAILED)
    make_due(session)
    (first,) = claim(session)
    note(session, first, FAILED)
    (second,) = claim(session)
    note(session, second, DONE)
    make_due(session)
    assert claim(session) == []
    query = select(Delivery.state, Delivery.reason).order_by(Delivery.sequence)
    rows = session.execute(query.where(Delivery.subscription_id == hook.id)).all()
    assert rows == [
        (DeliveryState.CANCELLED, "A later message about the same has arrived."),
        (DeliveryState.DONE, None),
    ]


@pytest.mark.parametrize("format", ["statusmate", "statusgator"])
def test_what_happened_to_another_service_takes_nothing_away(
    session: Session, page: Page, format: str
) -> None:
    """A receiver that acts on what changed hears of each service, however late."""
    website, shop = (scenes.component(session, page, name) for name in ("Website", "Shop"))
    scenes.webhook(session, page, format=format, events=["component.status_change"])
    set_to(session, page, website, ComponentStatus.MAJOR_OUTAGE)
    note(session, claim(session)[0], FAILED)
    set_to(session, page, shop, ComponentStatus.MAJOR_OUTAGE)
    note(session, claim(session)[0], DONE)
    make_due(session)
    (again,) = claim(session)
    assert "Website" in again.body


def test_an_old_alert_does_not_arrive_after_the_recovery(session: Session, page: Page) -> None:
    """Whoever keeps a ticket by a monitor's alerts is not left with an open one."""
    monitor = scenes.monitor(session, page)
    scenes.webhook(session, page, format="statuspageone")
    monitoring.record(session, [scenes.result(monitor, Verdict.DOWN)])
    session.commit()
    note(session, claim(session)[0], FAILED)
    monitoring.record(session, [scenes.result(monitor, Verdict.UP, seconds=1)])
    session.commit()
    (recovery,) = claim(session)
    note(session, recovery, DONE)
    make_due(session)
    assert claim(session) == []


def test_what_was_deleted_while_it_was_sent_is_not_tried_again(
    session: Session, page: Page
) -> None:
    """Its deletion could not cancel what was on its way."""
    scenes.webhook(session, page)
    incident = incidents.open(session, page, title="A slip")
    session.commit()
    (parcel,) = claim(session)
    incident_edits.remove(session, page, incident.id)
    session.commit()
    note(session, parcel, FAILED)
    make_due(session)
    assert claim(session) == []
    (state, reason) = session.execute(select(Delivery.state, Delivery.reason)).one()
    assert state is DeliveryState.CANCELLED
    assert "deleted" in reason


def test_an_old_status_that_a_member_sends_again_is_sent(session: Session, page: Page) -> None:
    """With its retries, though a later message arrived long ago."""
    website = scenes.component(session, page, "Website")
    scenes.webhook(session, page, format="statusmate")
    for status in (ComponentStatus.MAJOR_OUTAGE, ComponentStatus.OPERATIONAL):
        set_to(session, page, website, status)
        note(session, claim(session)[0], DONE)
    oldest = session.scalars(select(Delivery.id).order_by(Delivery.sequence)).first()
    assert oldest is not None
    redelivery.redeliver(session, page, oldest, actor="ann")
    session.commit()
    note(session, claim(session)[0], FAILED)
    make_due(session)
    (again,) = claim(session)
    assert (again.delivery_id, again.attempt) == (oldest, 2)


def test_updates_that_come_fast_are_all_sent(session: Session, page: Page) -> None:
    """Nobody misses an update because the next one was quick."""
    scenes.webhook(session, page)
    incident = incidents.open(session, page, title="Slow")
    for number in range(3):
        incidents.update(session, page, incident.id, body=f"update {number}")
    session.commit()
    told = []
    for _ in range(4):
        (parcel,) = claim(session)
        told.append(parcel.event_name)
        note(session, parcel, DONE)
    assert told == ["incident.created", *["incident.updated"] * 3]


@pytest.mark.parametrize("late", [FAILED, None])
def test_a_resolve_is_never_left_out(session: Session, page: Page, late: Outcome | None) -> None:
    """Nor is a created one, however late, though others wait behind them."""
    scenes.webhook(session, page)
    incident = incidents.open(session, page, title="Slow")
    incidents.resolve(session, page, incident.id)
    incidents.postmortem(session, page, incident.id, body="Why")
    session.commit()
    if late:
        note(session, claim(session)[0], late)
    old = utc_now() - timedelta(hours=2)
    session.execute(update(EventRow).values(occurred_at=old))
    make_due(session)
    told = []
    for _ in range(3):
        (parcel,) = claim(session)
        told.append(parcel.event_name)
        note(session, parcel, DONE)
    assert told == ["incident.created", "incident.resolved", "incident.postmortem"]


def test_a_silent_endpoint_rests_and_what_is_long_overdue_is_given_up(
    app: Flask, session: Session, page: Page
) -> None:
    """Nothing is sent to it meanwhile; what would have been given up long ago does not wait for ever."""
    hook = hook_with(session, page, delays=[60.0])
    fail(session, page, hook, *[SILENT] * BREAK_AFTER)
    scenes.message(session, page, hook)
    assert claim(session) == claim(session, Lane.SLOW) == []
    waiting = select(Delivery.id).where(Delivery.state == DeliveryState.PENDING)
    assert len(session.scalars(waiting).all()) == BREAK_AFTER + 1

    recent, *old = session.scalars(waiting.order_by(Delivery.sequence.desc())).all()
    session.execute(
        update(Delivery).where(Delivery.id.in_(old)).values(due_at=utc_now() - timedelta(hours=2))
    )
    session.execute(update(Endpoint).values(rests_until=utc_now() - timedelta(seconds=1)))
    session.commit()
    trial, *_ = claim(session, Lane.SLOW)
    with scenes.listening(app) as heard:
        note(session, trial, SILENT)
    session.expire_all()
    states = {row.id: row.state for row in session.scalars(select(Delivery))}
    assert states[recent] is DeliveryState.PENDING
    assert {one.name for one in heard} == {"delivery.failed"}


def test_a_batch_is_noted_in_a_few_statements(session: Session, page: Page) -> None:
    """However many outcomes there are: no statement for each."""
    counts = {}
    for how_many in (40, 90):
        hook = hook_with(session, page)
        for _ in range(how_many):
            scenes.message(session, page, hook)
        session.execute(
            update(Delivery).where(Delivery.subscription_id != hook.id).values(state="done")
        )
        session.commit()
        statements: list[str] = []

        def count(
            conn: Any, cursor: Any, statement: str, *rest: Any, into: list[str] = statements
        ) -> None:
            into.append(statement)

        event.listen(session.get_bind(), "before_cursor_execute", count)
        try:
            parcels = claim(session)
            assert len(parcels) == how_many
            claimed = len(statements)
            outcomes.note_all(
                session, [(parcel, FAILED if n % 3 else DONE) for n, parcel in enumerate(parcels)]
            )
            session.commit()
        finally:
            event.remove(session.get_bind(), "before_cursor_execute", count)
        counts[how_many] = (claimed, len(statements) - claimed)
    assert counts[40] == counts[90]
    assert max(counts[90]) <= 18


@pytest.mark.parametrize(
    "spoilt",
    [
        {"kept_body": "a NUL \x00"},
        {"kept_body": "half a pair \ud800"},
        {"answer": "a NUL \x00 and half a pair \udfff"},
        {"error": "long " * 100},
    ],
    ids=str,
)
def test_what_a_database_refuses_spoils_no_other(
    session: Session, page: Page, spoilt: dict[str, str]
) -> None:
    """Whatever a format or channel of another package makes, the outcomes beside it are noted, and its own as well."""
    for _ in range(3):
        scenes.message(session, page, scenes.webhook(session, page))
    first, second, third = claim(session)
    body = {name: value for name, value in spoilt.items() if name == "kept_body"}
    said = {name: value for name, value in spoilt.items() if name != "kept_body"}
    bad = (replace(second, **body), replace(FAILED, **said))  # type: ignore[arg-type]
    outcomes.note_all(session, [(first, DONE), bad, (third, DONE)])
    session.commit()
    states = {row.id: row.state for row in session.scalars(select(Delivery))}
    assert states[first.delivery_id] is states[third.delivery_id] is DeliveryState.DONE
    assert states[second.delivery_id] is DeliveryState.PENDING
    assert len(session.scalars(select(Attempt)).all()) == 3
    make_due(session)
    session.execute(update(Delivery).values(due_at=utc_now() - timedelta(seconds=1)))
    session.commit()
    (again,) = claim(session)
    assert again.body == second.body


def test_a_notice_to_the_owner_is_no_call_of_the_webhook(session: Session, page: Page) -> None:
    """A mail server that is away neither disables the subscription again nor counts for its rate."""
    hook = hook_with(session, page, disable_after_unreached=1)
    scenes.message(session, page, hook)
    (parcel,) = claim(session)
    notice = replace(parcel, is_notice=True, channel="email", format="email")
    note(session, notice, REFUSED)
    assert state(session, hook) is SubscriptionState.ACTIVE
    assert session.scalars(select(Attempt.subscription_id)).all() == [None]


def test_concurrent_failures_are_all_counted(app: Flask, session: Session, page: Page) -> None:
    """Two workers that note the fourth and the fifth failure at the same moment disable the subscription."""
    hook = hook_with(session, page, disable_after_unreached=5)
    fail(session, page, hook, *[REFUSED] * 3)
    for _ in range(2):
        scenes.message(session, page, hook)
    parcels = claim(session)[-2:]

    def worker(parcel: Parcel) -> Callable[[Session, Page], None]:
        def work(db: Session, page: Page) -> None:
            db.rollback()

            def step() -> None:
                try:
                    outcomes.note_grave(db, parcel, REFUSED)
                    db.commit()
                except BaseException:
                    db.rollback()
                    raise

            run_again(step)

        return work

    assert scenes.at_once(app, *[worker(parcel) for parcel in parcels]) == [None, None]
    assert state(session, hook) is SubscriptionState.DISABLED
