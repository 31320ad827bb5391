"""From pending deliveries to attempts."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as hooks
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.delivery.formats import formats
from flask_statuspage.delivery.formats.format import Format
from flask_statuspage.delivery.parcel import Outcome, Parcel
from flask_statuspage.domain.events import Event
from flask_statuspage.errors import Conflict, NotFound
from flask_statuspage.services import (
    components,
    deliveries,
    events,
    groups,
    incidents,
    outcomes,
    redelivery,
    subscriptions,
)
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage import claims, delivery_log
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.endpoints import Endpoint
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.outbox import Attempt, Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState

from . import scenes

PENDING, DONE = DeliveryState.PENDING, DeliveryState.DONE
DEAD, CANCELLED = DeliveryState.DEAD, DeliveryState.CANCELLED
FAILED = Outcome(error="The endpoint answered 500.", code=500, milliseconds=7, answer="oops")


@pytest.fixture
def hook(session: Session, page: Page) -> Subscription:
    """A webhook with one delivery due."""
    row = scenes.webhook(session, page, secret="a top secret key")
    incidents.open(session, page, title="API is slow")
    session.commit()
    return row


def claim(session: Session) -> list[Parcel]:
    parcels = deliveries.claim(session, limit=100).parcels
    session.commit()
    return parcels


def finish(session: Session, parcel: Parcel, outcome: Outcome | None) -> None:
    if outcome is not None and outcomes.is_grave(parcel, outcome):
        outcomes.note_grave(session, parcel, outcome)
    else:
        outcomes.note_all(session, [(parcel, outcome)])
    session.commit()


def make_due(session: Session) -> None:
    """Let the time until the next retry pass, and all leases run out."""
    past = utc_now() - timedelta(seconds=1)
    session.execute(update(Delivery).where(Delivery.due_at > past).values(due_at=past))
    leased = update(Delivery).where(Delivery.lease_token.is_not(None))
    session.execute(leased.values(lease_until=past))
    session.commit()


def attempts(session: Session, hook: Subscription) -> list[Attempt]:
    return list(session.scalars(delivery_log.attempts_of(scenes.delivery(session, hook).id)))


def test_a_parcel_has_all_that_a_channel_needs(session: Session, hook: Subscription) -> None:
    """No row is read while the network is used: address, body, secret and policy are in the parcel."""
    (parcel,) = claim(session)
    row = scenes.delivery(session, hook)
    assert (parcel.delivery_id, parcel.attempt, parcel.channel) == (row.id, 1, "webhook")
    assert (parcel.address, parcel.secret) == (hook.address, "a top secret key")
    assert json.loads(parcel.body)["incident"]["name"] == "API is slow"
    assert (parcel.policy, parcel.manage_url) == (formats["native"].policy, None)
    assert claim(session) == []


def test_a_success_is_done(session: Session, hook: Subscription) -> None:
    """One attempt with its answer is kept, and nothing is due any more."""
    (parcel,) = claim(session)
    finish(session, parcel, Outcome(code=204, milliseconds=12, answer=""))
    row = scenes.delivery(session, hook)
    assert (row.state, row.lease_token, row.reason) == (DONE, None, None)
    assert row.finished_at is not None
    (attempt,) = attempts(session, hook)
    assert (attempt.number, attempt.code, attempt.milliseconds) == (1, 204, 12)
    assert not deliveries.any_due(session)


def test_the_native_schedule_is_kept_to_the_second(
    app: Flask, session: Session, hook: Subscription
) -> None:
    """After 60, 300 and 1800 seconds it is tried again, then it is dead and the host is told."""
    waits = []
    with scenes.listening(app) as heard:
        for _ in range(4):
            (parcel,) = claim(session)
            finish(session, parcel, FAILED)
            row = scenes.delivery(session, hook)
            waits.append(round(-scenes.since(row.due_at)))
            make_due(session)
    assert waits[:3] == [60, 300, 1800]
    assert (row.state, row.attempts, row.reason) == (DEAD, 4, FAILED.error)
    assert claim(session) == []
    assert [attempt.number for attempt in attempts(session, hook)] == [1, 2, 3, 4]
    assert attempts(session, hook)[0].answer == "oops"
    (event,) = heard
    assert event.name == "delivery.failed"
    assert event.data["delivery"]["reason"] == FAILED.error
    assert event.data["subscription"]["address"] == hook.address


def test_the_log_of_what_was_sent_again_is_in_order(
    session: Session, page: Page, hook: Subscription
) -> None:
    """Attempts are listed as they came, though their numbers begin anew with each redelivery."""
    for codes in ((500, 502), (501, 200)):
        for code in codes:
            (parcel,) = claim(session)
            done = code == 200
            finish(session, parcel, Outcome(error=None if done else "no", code=code))
            make_due(session)
        if codes == (500, 502):
            row = scenes.delivery(session, hook)
            row.state = DEAD
            redelivery.redeliver(session, page, row.id, actor="ann")
            session.commit()
    logged = [(attempt.number, attempt.code) for attempt in attempts(session, hook)]
    assert logged == [(1, 500), (2, 502), (1, 501), (2, 200)]


@pytest.mark.parametrize(
    ("asked", "seconds"), [(5.0, 60), (600.0, 600), (7 * 86_400.0, 86_400), (float("inf"), 86_400)]
)
def test_retry_after_is_honoured_and_capped(
    session: Session, hook: Subscription, asked: float, seconds: int
) -> None:
    """A receiver may ask for a longer wait, up to a day, and never for a shorter one."""
    (parcel,) = claim(session)
    finish(session, parcel, Outcome(error="later", code=429, retry_after=asked))
    assert round(-scenes.since(scenes.delivery(session, hook).due_at)) == seconds


def test_a_secret_that_cannot_be_opened_stops_no_other_delivery(
    app: Flask, session: Session, page: Page, hook: Subscription
) -> None:
    """It counts as a failed attempt of its own delivery; the others go out."""
    other = scenes.webhook(session, page, url="https://hooks.example.com/other")
    subscriptions.send_test(session, page, other)
    session.commit()
    app.config["SECRET_KEY"] = "another key"
    try:
        (parcel,) = claim(session)
        assert parcel.subscription_id == other.id
        row = scenes.delivery(session, hook)
        assert (row.state, row.attempts, row.lease_token) == (PENDING, 1, None)
        assert row.reason is not None
        assert "secret" in row.reason
    finally:
        app.config["SECRET_KEY"] = scenes.SETTINGS.get("SECRET_KEY", "a key for tests")


def test_a_resolve_that_waited_for_its_turn_is_not_too_old(session: Session, page: Page) -> None:
    """However long the message before it was retried, the end of an incident is told."""
    hook = scenes.webhook(session, page)
    incident = incidents.open(session, page, title="Long")
    session.commit()
    (created,) = claim(session)
    finish(session, created, FAILED)
    incidents.resolve(session, page, incident.id)
    long_ago = utc_now() - timedelta(hours=30)
    session.execute(update(Delivery).values(due_at=long_ago))
    session.commit()
    (created,) = claim(session)
    finish(session, created, Outcome(code=200))
    (resolved,) = claim(session)
    assert (resolved.event_name, resolved.subscription_id) == ("incident.resolved", hook.id)


def test_410_switches_the_subscription_off(
    app: Flask, session: Session, page: Page, hook: Subscription
) -> None:
    """An endpoint that is gone gets nothing more: what waits is cancelled, and the host is told.

    What was in flight then is written down as it ends, and not tried again.
    """
    subscriptions.send_test(session, page, hook)
    session.commit()
    parcel, in_flight = claim(session)
    with scenes.listening(app) as heard:
        gone = Outcome(error="The endpoint answered 410.", code=410, ends_subscription=True)
        finish(session, parcel, gone)
    session.refresh(hook)
    assert (hook.state, hook.reason) == (SubscriptionState.DISABLED, gone.error)
    finish(session, in_flight, FAILED)
    make_due(session)
    assert claim(session) == []
    query = select(Delivery.state).order_by(Delivery.sequence)
    assert session.scalars(query).all() == [DEAD, CANCELLED]
    assert {event.name for event in heard} == {"subscription.disabled", "delivery.failed"}
    incidents.open(session, page, title="Unheard")
    session.commit()
    assert claim(session) == []


def test_what_no_retry_helps_is_dead_at_once(session: Session, hook: Subscription) -> None:
    """A final failure is not tried again."""
    (parcel,) = claim(session)
    finish(session, parcel, Outcome(error="refused", final=True))
    assert scenes.delivery(session, hook).state is DEAD


def test_not_sent_after_all(session: Session, hook: Subscription) -> None:
    """A parcel that was skipped is free for the next worker and has used up nothing."""
    (parcel,) = claim(session)
    finish(session, parcel, None)
    row = scenes.delivery(session, hook)
    assert (row.attempts, row.lease_token, attempts(session, hook)) == (0, None, [])
    assert claim(session)[0].attempt == 1


def test_a_worker_that_lost_its_lease_writes_nothing(
    session: Session, hook: Subscription, caplog: pytest.LogCaptureFixture
) -> None:
    """Its outcome is dropped with a warning: another worker is responsible now."""
    (late,) = claim(session)
    make_due(session)
    (parcel,) = claim(session)
    with caplog.at_level(logging.WARNING):
        finish(session, late, FAILED)
        finish(session, late, None)
    assert "was lost" in caplog.text
    assert attempts(session, hook) == []
    finish(session, parcel, Outcome(code=200))
    assert scenes.delivery(session, hook).state is DONE


def test_a_payload_that_kills_its_worker_dies_too(
    app: Flask, session: Session, hook: Subscription
) -> None:
    """Claimed four times and never finished, it is given up at the fifth claim, and the host is told."""
    for attempt in (1, 2, 3, 4):
        assert [parcel.attempt for parcel in claim(session)] == [attempt]
        make_due(session)
    with scenes.listening(app) as heard:
        assert claim(session) == []
    row = scenes.delivery(session, hook)
    assert (row.state, row.reason) == (DEAD, "Every attempt ended with its worker.")
    assert [event.name for event in heard] == ["delivery.failed"]


def test_what_only_happened_to_be_near_is_sent(session: Session, page: Page) -> None:
    """One payload kills its worker each time before anything is sent; all others arrive, and it is given up."""
    hooks = [scenes.webhook(session, page) for _ in range(30)]
    incidents.open(session, page, title="Slow")
    session.commit()
    killer = hooks[12].id
    killed = 0
    for _ in range(80):
        parcels = claim(session)
        if not parcels:
            break
        if any(parcel.subscription_id == killer for parcel in parcels):
            killed += 1
            make_due(session)
            continue
        for parcel in parcels:
            finish(session, parcel, Outcome(code=200))
    states = {row.subscription_id: row.state for row in session.scalars(select(Delivery))}
    assert states == {hook.id: DEAD if hook.id == killer else DONE for hook in hooks}
    assert killed == 4


def test_an_attempt_that_ended_with_its_worker_costs_no_retry(
    session: Session, hook: Subscription
) -> None:
    """It is counted and its number is used up, but the schedule goes on from where it was."""
    waits = []
    for number in (1, 3, 5, 6):
        (parcel,) = claim(session)
        if number in (3, 5):
            make_due(session)
            (parcel,) = claim(session)
        assert parcel.attempt == number
        finish(session, parcel, FAILED)
        row = scenes.delivery(session, hook)
        waits.append(round(-scenes.since(row.due_at)))
        make_due(session)
    assert waits[:3] == [60, 300, 1800]
    assert (row.state, row.attempts, row.losses) == (DEAD, 6, 2)
    assert [attempt.number for attempt in attempts(session, hook)] == [1, 3, 5, 6]


def test_the_bytes_stay_over_all_retries(session: Session, page: Page, hook: Subscription) -> None:
    """A retry sends what the first attempt sent, though page and incident have changed since."""
    (first,) = claim(session)
    finish(session, first, FAILED)
    page.name = "Another name"
    session.execute(update(EventRow).values(data={"page": {"name": "x", "url": "y"}}))
    session.commit()
    make_due(session)
    (second,) = claim(session)
    assert (second.body, second.delivery_id) == (first.body, first.delivery_id)


def test_an_old_event_is_marked_and_not_sent(
    session: Session, page: Page, hook: Subscription
) -> None:
    """What is older than a day at its first attempt is history: a restored backup must not mail it."""
    old = utc_now() - timedelta(hours=25)
    session.execute(update(EventRow).values(occurred_at=old))
    session.execute(update(Delivery).values(due_at=old))
    session.commit()
    assert deliveries.any_due(session)
    assert claim(session) == []
    row = scenes.delivery(session, hook)
    assert (row.state, row.reason) == (CANCELLED, "The event was too old at its first attempt.")
    assert attempts(session, hook) == []


def test_many_old_events_are_marked_in_a_few_statements(session: Session, page: Page) -> None:
    """However many there are: no statement for each."""
    hook = scenes.webhook(session, page)
    counts = []
    for how_many in (2, 20):
        for _ in range(how_many):
            scenes.message(session, page, hook)
        pending = update(Delivery).where(Delivery.state == PENDING)
        session.execute(pending.values(due_at=utc_now() - timedelta(hours=25)))
        session.commit()
        statements: list[str] = []

        def count(
            conn: Any, cursor: Any, statement: str, *rest: Any, into: list[str] = statements
        ) -> None:
            into.append(statement)

        hooks.listen(session.get_bind(), "before_cursor_execute", count)
        try:
            assert claim(session) == []
        finally:
            hooks.remove(session.get_bind(), "before_cursor_execute", count)
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert {row.state for row in scenes.deliveries(session, hook)} == {CANCELLED}


def test_an_old_event_expanded_late_is_not_sent(session: Session, page: Page) -> None:
    """It does not matter that its deliveries were only written today."""
    hook = scenes.webhook(session, page)
    old = utc_now() - timedelta(hours=25)
    row = EventRow(
        page_id=page.id,
        name="incident.created",
        subject_id=page.id,
        data={"page": {}},
        occurred_at=old,
    )
    session.add(row)
    session.flush()
    assert events.expand(session, row)
    session.commit()
    assert claim(session) == []
    assert scenes.delivery(session, hook).state is CANCELLED


def test_a_retry_may_be_older(session: Session, hook: Subscription) -> None:
    """What was tried in time is tried on, however long its receiver was away."""
    (parcel,) = claim(session)
    finish(session, parcel, FAILED)
    old = utc_now() - timedelta(days=3)
    session.execute(update(EventRow).values(occurred_at=old))
    session.execute(update(Delivery).values(due_at=old))
    session.commit()
    assert [parcel.attempt for parcel in claim(session)] == [2]


def test_a_member_sends_again(session: Session, page: Page, hook: Subscription) -> None:
    """A finished delivery goes out again with its id, its bytes and all its retries, however old it is."""
    (first,) = claim(session)
    with pytest.raises(Conflict, match="on its way"):
        redelivery.redeliver(session, page, first.delivery_id, actor="ann")
    finish(session, first, Outcome(error="refused", final=True))
    old = utc_now() - timedelta(days=30)
    session.execute(update(EventRow).values(occurred_at=old))
    session.execute(update(Delivery).values(due_at=old, created_at=old))
    session.commit()

    redelivery.redeliver(session, page, first.delivery_id, actor="ann")
    session.commit()
    (again,) = claim(session)
    assert (again.delivery_id, again.body, again.attempt) == (first.delivery_id, first.body, 1)
    finish(session, again, Outcome(code=200))
    assert scenes.delivery(session, hook).state is DONE
    with pytest.raises(NotFound):
        redelivery.redeliver(session, page, page.id, actor="ann")
    subscriptions.disable(session, subscriptions.get(session, page, hook.id), reason="off")
    with pytest.raises(Conflict, match="enable it first"):
        redelivery.redeliver(session, page, first.delivery_id, actor="ann")


def test_what_was_ended_meanwhile_is_not_sent(
    session: Session, page: Page, hook: Subscription
) -> None:
    """A subscription that ended between two attempts gets no further one."""
    (parcel,) = claim(session)
    subscriptions.unsubscribe(session, subscriptions.get(session, page, hook.id))
    session.commit()
    finish(session, parcel, FAILED)
    make_due(session)
    assert claim(session) == []
    assert scenes.delivery(session, hook).state is CANCELLED


@pytest.fixture
def add_format(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Any], None]]:
    """Offer a format of another package for the length of the test."""

    def add(name: str, render: Callable[[Event], str]) -> None:
        every = frozenset({"incident.created", "test"})
        added = Format(
            name=name,
            channels=frozenset({"webhook"}),
            render=render,
            unasked=every,
            offered=every,
        )
        monkeypatch.setattr(formats, "_all", {**formats._loaded(), name: added})

    return add


def test_a_format_that_raises_ends_its_own_delivery_only(
    session: Session,
    page: Page,
    hook: Subscription,
    add_format: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its delivery is dead with a reason and logged; the deliveries beside it are sent."""

    def explode(event: Event) -> str:
        raise KeyError("a field that it expected")

    add_format("broken", explode)
    broken = scenes.webhook(session, page, format="broken")
    incidents.open(session, page, title="Another")
    session.commit()
    with caplog.at_level(logging.ERROR):
        parcels = claim(session)
    assert [parcel.format for parcel in parcels] == ["native", "native"]
    row = scenes.delivery(session, broken)
    assert (row.state, row.reason) == (DEAD, "The format could not word this event (KeyError).")
    assert "broken could not word event incident.created" in caplog.text


def test_a_format_that_is_gone_is_cancelled(
    session: Session, page: Page, hook: Subscription
) -> None:
    """A delivery of a package that was uninstalled says so, and new events pass it over."""
    session.execute(update(Subscription).values(format="gone"))
    session.commit()
    assert claim(session) == []
    row = scenes.delivery(session, hook)
    assert (row.state, row.reason) == (CANCELLED, "The format 'gone' is not installed.")
    incidents.open(session, page, title="Another")
    session.commit()
    assert len(scenes.told(session, hook)) == 1


def test_mail_carries_its_links(session: Session, page: Page) -> None:
    """A confirmed reader's mail has links to manage and to unsubscribe; the first mail has none."""
    wish = Wish(channel="email", address="reader@example.com")
    row = subscriptions.subscribe(session, page, wish)
    session.commit()
    (parcel,) = claim(session)
    assert (parcel.event_name, parcel.manage_url) == ("subscription.confirmation", None)
    finish(session, parcel, Outcome(code=250))
    subscriptions.subscribe(session, page, wish, proven=True)
    incidents.open(session, page, title="Slow")
    session.commit()
    (parcel,) = claim(session)
    assert parcel.unsubscribe_url is not None
    head, _, token = parcel.unsubscribe_url.rpartition("/")
    assert head == "https://status.example.com/unsubscribe"
    assert subscriptions.owned(session, token).id == row.id


def test_events_of_one_incident_arrive_in_order(session: Session, page: Page) -> None:
    """While an update waits for its retry, what follows about the same incident waits with it."""
    scenes.webhook(session, page)
    incident = incidents.open(session, page, title="Slow")
    incidents.resolve(session, page, incident.id)
    incidents.open(session, page, title="Other")
    session.commit()
    parcels = claim(session)
    assert [json.loads(parcel.body)["event"] for parcel in parcels] == ["incident.created"] * 2
    finish(session, parcels[0], FAILED)
    finish(session, parcels[1], Outcome(code=200))
    assert claim(session) == []
    make_due(session)
    (parcel,) = claim(session)
    finish(session, parcel, Outcome(code=200))
    (parcel,) = claim(session)
    assert json.loads(parcel.body)["event"] == "incident.resolved"


def test_what_follows_a_failed_page_change_arrives(session: Session, page: Page) -> None:
    """A receiver that is well again hears of the next change at once, not after days of retries of the first."""
    api = scenes.component(session, page)
    scenes.webhook(session, page, format="statusgator")
    for status in (scenes.ComponentStatus.MAJOR_OUTAGE, scenes.ComponentStatus.OPERATIONAL):
        components.set_status(session, page, api, status)
        session.commit()
    (first,) = claim(session)
    for _ in range(3):
        finish(session, first, FAILED)
        make_due(session)
        (first,) = claim(session)
    finish(session, first, FAILED)
    (second,) = claim(session)
    assert second.delivery_id != first.delivery_id
    finish(session, second, Outcome(code=200))
    assert claim(session) == []


def test_a_component_change_is_worded(session: Session, page: Page) -> None:
    """The group of a component reaches the message."""
    group = groups.create(session, page, name="Core")
    scenes.component(session, page, group_id=group.id)
    scenes.webhook(session, page)
    api = components.get(session, page, "api")
    components.set_status(session, page, api, scenes.ComponentStatus.MAJOR_OUTAGE)
    session.commit()
    (parcel,) = claim(session)
    assert json.loads(parcel.body)["component"] == {
        "id": str(api.id),
        "slug": "api",
        "name": "API",
        "group": "Core",
        "status": "down",
        "previous_status": "up",
    }


def test_what_follows_something_too_old_is_too_old_itself(session: Session, page: Page) -> None:
    """A restored backup mails no history: not the end of an incident either whose beginning was left out just now."""
    hook = scenes.webhook(session, page)
    incident = incidents.open(session, page, title="Long ago")
    incidents.update(session, page, incident.id, body="Still")
    incidents.resolve(session, page, incident.id)
    old = utc_now() - timedelta(hours=30)
    session.execute(update(EventRow).values(occurred_at=old))
    session.execute(update(Delivery).values(due_at=old, created_at=old))
    session.commit()
    for _ in range(4):
        assert claim(session) == []
    states = session.scalars(select(Delivery.state).where(Delivery.subscription_id == hook.id))
    assert set(states) == {CANCELLED}


def test_a_second_test_does_not_wait_for_the_first(
    session: Session, page: Page, hook: Subscription
) -> None:
    """Whoever mends the endpoint and tests again sees it at once, not after the first test's retry."""
    (opened,) = claim(session)
    finish(session, opened, Outcome(code=200))
    for expected in (FAILED, Outcome(code=200)):
        subscriptions.send_test(session, page, hook)
        session.commit()
        (parcel,) = claim(session)
        finish(session, parcel, expected)
    assert scenes.told(session, hook).count("test") == 2


def test_only_what_could_be_sent_now_is_late(
    session: Session, page: Page, hook: Subscription
) -> None:
    """What waits behind a retry, or for a silent endpoint, is no sign that workers are missing."""
    (opened,) = claim(session)
    finish(session, opened, FAILED)
    incident = session.scalars(select(Incident)).one()
    incidents.resolve(session, page, incident.id)
    session.commit()
    later = utc_now() + timedelta(seconds=30)
    assert claims.lag(session, later) == 0.0

    scenes.message(session, page, hook)
    late = claims.lag(session, later)
    assert late > 25
    quiet = Endpoint(
        name="127.0.0.1:9", at_once=1, is_slow=True, rests_until=utc_now() + timedelta(hours=1)
    )
    session.add(quiet)
    session.flush()
    assert claims.lag(session, later) == 0.0


@pytest.mark.parametrize("text", ["half a pair \ud800", "a NUL \x00"])
def test_a_text_that_cannot_be_kept_is_dead_at_once(
    session: Session, page: Page, add_format: Callable[..., None], text: str
) -> None:
    """It is not sent, and no retry would help."""
    add_format("odd", lambda event: text)
    odd = scenes.webhook(session, page, format="odd")
    incidents.open(session, page, title="Another")
    session.commit()
    assert claim(session) == []
    row = scenes.delivery(session, odd)
    assert row.state is DEAD
    assert row.reason is not None
    assert "could not word" in row.reason
