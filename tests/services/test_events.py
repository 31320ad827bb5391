"""Events: who gets a delivery, in pages, and what the host's receivers hear."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from contextlib import ExitStack

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_statuspage import signals
from flask_statuspage.domain.events import Event
from flask_statuspage.domain.ids import new_id
from flask_statuspage.services import components, events, incidents
from flask_statuspage.state import current_state
from flask_statuspage.storage import outbox
from flask_statuspage.storage import subscriptions as stored
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.outbox import Delivery, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState

from . import scenes


def many(session: Session, page: Page, how_many: int) -> set[object]:
    """So many active webhooks, written at once; returns their ids."""
    rows = [
        Subscription(
            page_id=page.id,
            channel="webhook",
            address=f"http://127.0.0.1:9/{number}",
            address_digest=stored.digest(str(number)),
            format="native",
            state=SubscriptionState.ACTIVE,
            nonce="nonce",
        )
        for number in range(how_many)
    ]
    session.add_all(rows)
    session.commit()
    return set(session.scalars(select(Subscription.id)))


@pytest.fixture
def woken(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were asked for."""
    tasks: list[str] = []
    monkeypatch.setattr(current_state(), "wake", tasks.append)
    return tasks


@pytest.fixture
def few_inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three subscriptions are written at once, more by a task."""
    monkeypatch.setattr(events, "INLINE", 3)


def delivered(session: Session) -> Counter[object]:
    return Counter(session.scalars(select(Delivery.subscription_id)))


def test_few_subscriptions_are_served_in_the_transaction(
    session: Session, page: Page, woken: list[str], few_inline: None
) -> None:
    """Up to the limit the deliveries are there with the commit, and one wake starts them."""
    wanted = many(session, page, 3)
    scenes.component(session, page)
    incidents.open(session, page, title="Slow", affected={"api": scenes.ComponentStatus("unknown")})
    incidents.open(session, page, title="Other")
    assert woken == []
    session.commit()
    assert (set(delivered(session)), woken) == (wanted, ["deliver"])
    assert not outbox.any_waiting(session)


def test_many_subscriptions_are_expanded_later(
    session: Session, page: Page, woken: list[str], few_inline: None
) -> None:
    """Above the limit only the event is written; the task that is woken writes the deliveries."""
    wanted = many(session, page, 4)
    incidents.open(session, page, title="Slow")
    session.commit()
    assert (delivered(session), woken) == (Counter(), ["fan_out"])
    assert outbox.any_waiting(session)
    assert events.expand_waiting(session) == 1
    session.commit()
    assert delivered(session) == Counter(wanted)
    assert woken == ["fan_out", "deliver"]
    assert events.expand_waiting(session) == 0


def test_pages_are_taken_once_each(session: Session, page: Page, few_inline: None) -> None:
    """Page by page every subscription gets one delivery; a page that was rolled back is taken again."""
    wanted = many(session, page, 10)
    incidents.open(session, page, title="Slow")
    session.commit()
    row = session.scalars(outbox.waiting_events(1)).one()
    assert not events.expand(session, row, size=4)
    session.commit()
    assert sum(delivered(session).values()) == 4
    session.refresh(row)
    assert not events.expand(session, row, size=4)
    session.rollback()  # the worker was killed
    for last in (False, True):
        row = session.scalars(outbox.waiting_events(1)).one()
        assert events.expand(session, row, size=4) is last
        session.commit()
    assert delivered(session) == Counter(wanted)


def test_two_workers_expand_one_event(
    app: Flask, session: Session, page: Page, few_inline: None
) -> None:
    """Workers that expand at the same moment write no delivery twice."""
    wanted = many(session, page, 12)
    for number in range(3):
        incidents.open(session, page, title=str(number))
    session.commit()

    def work(other: Session, its_page: Page) -> None:
        for _ in range(10):
            events.expand_waiting(other)
            other.commit()

    assert scenes.at_once(app, work, work, work) == [None] * 3
    assert delivered(session) == Counter({one: 3 for one in wanted})
    assert not outbox.any_waiting(session)


def test_no_event_is_expanded_before_an_older_one_of_its_page(
    app: Flask, session: Session, page: Page, few_inline: None
) -> None:
    """While one worker has the beginning of an incident in hand, no other writes the deliveries of its end."""
    many(session, page, 4)
    incident = incidents.open(session, page, title="Slow")
    incidents.resolve(session, page, incident.id)
    session.commit()
    (first,) = session.scalars(outbox.waiting_events(5)).all()
    assert first.name == "incident.created"
    if session.get_bind().dialect.name == "sqlite":
        session.rollback()  # there the other worker would wait for this one
        assert not events.expand(session, first, size=2)
        session.commit()
    else:
        assert scenes.elsewhere(app, lambda other, _: events.expand_waiting(other)) == 0
        assert not events.expand(session, first, size=2)
        session.commit()
    for name in ("incident.created", "incident.resolved"):
        (row,) = session.scalars(outbox.waiting_events(5)).all()
        assert row.name == name
        assert events.expand(session, row)
        session.commit()


def test_an_event_is_a_frozen_fact_of_its_moment(session: Session, page: Page) -> None:
    """Later changes of the incident and its component change nothing in what was written."""
    api = scenes.component(session, page)
    incident = incidents.open(session, page, title="Before", affected=["api"])
    session.commit()
    incidents.update(session, page, incident.id, title="After")
    components.change(session, page, api, {"name": "Renamed"}, actor=None)
    session.commit()
    first, second = scenes.events(session, "incident.")
    assert first.data["incident"]["title"] == "Before"
    assert first.data["incident"]["components"][0]["name"] == "API"
    assert second.data["incident"]["title"] == "After"
    assert first.sequence < second.sequence


def test_a_receiver_that_raises_disturbs_nobody(
    app: Flask, session: Session, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    """The commit succeeds, the other receivers hear, and the deliveries are there."""
    hook = scenes.webhook(session, page)

    def explode(sender: Flask, event: Event) -> None:
        raise RuntimeError("a receiver broke")

    heard: list[str] = []

    def listen(sender: Flask, event: Event) -> None:
        heard.append(event.name)

    signals.incident_created.connect(explode, app)
    signals.incident_created.connect(listen, app)
    try:
        with caplog.at_level(logging.ERROR):
            incidents.open(session, page, title="Slow")
            session.commit()
    finally:
        signals.incident_created.disconnect(explode, app)
        signals.incident_created.disconnect(listen, app)
    assert heard == ["incident.created"]
    assert "a receiver of incident.created failed" in caplog.text
    assert "a receiver broke" in caplog.text
    assert scenes.told(session, hook) == ["incident.created"]


def test_a_receiver_that_exits_ends_the_process_once_all_have_heard(
    app: Flask, session: Session, page: Page
) -> None:
    """The commit stands and every event of it is told to every receiver; what ends the process is passed on then."""
    heard: list[tuple[str, str]] = []

    def leave(sender: Flask, event: Event) -> None:
        heard.append(("leave", event.name))
        sys.exit(3)

    def listen(sender: Flask, event: Event) -> None:
        heard.append(("listen", event.name))

    incident = incidents.open(session, page, title="Slow")
    session.commit()
    both = signals.incident_updated, signals.incident_resolved
    with ExitStack() as stack:
        for signal in both:
            stack.enter_context(signal.connected_to(leave, app))
            stack.enter_context(signal.connected_to(listen, app))
        incidents.update(session, page, incident.id, body="Slower")
        incidents.resolve(session, page, incident.id)
        with pytest.raises(SystemExit):
            session.commit()
    told = ["incident.updated", "incident.resolved"]
    assert sorted(heard) == sorted((who, name) for who in ("leave", "listen") for name in told)
    assert scenes.names(session, "incident.") == ["incident.created", *told]


def test_a_receiver_may_use_the_database(app: Flask, session: Session, page: Page) -> None:
    """A receiver works in a session of its own, sees the change, and may commit one of its own."""
    seen = []

    def follow_up(sender: Flask, event: Event) -> None:
        own = scenes.current_session()
        seen.append(own.scalars(select(Incident.title)).all())
        if len(seen) == 1:
            its_page = own.get_one(Page, event.page_id)
            incidents.open(own, its_page, title="Second")
            own.commit()

    with signals.incident_created.connected_to(follow_up, app):
        incidents.open(session, page, title="First")
        session.commit()
    assert [sorted(titles) for titles in seen] == [["First"], ["First", "Second"]]


def test_every_signal_hears_its_own_event(app: Flask) -> None:
    """Each signal stands for one event; a postmortem is an update of an incident that is over."""
    shared = {**signals.BY_EVENT}
    assert shared.pop("incident.postmortem") is signals.incident_updated
    assert len(set(shared.values())) == len(shared)


def test_an_app_hears_its_own_events_only(app: Flask, session: Session, page: Page) -> None:
    """A receiver that is connected to another app hears nothing."""
    with scenes.listening(Flask("another")) as heard:
        incidents.open(session, page, title="Slow")
        session.commit()
    assert heard == []


def test_sequences_grow(session: Session, page: Page) -> None:
    """Each event has a higher number than all before it."""
    for _ in range(3):
        events.record(session, page, "test", subject_id=new_id(), data={})
        session.commit()
    numbers = session.scalars(select(EventRow.sequence).order_by(EventRow.occurred_at)).all()
    assert list(numbers) == sorted(set(numbers))
    assert session.scalar(select(func.count(EventRow.sequence))) == 3


def test_a_receiver_cannot_change_what_the_next_one_sees(
    app: Flask, session: Session, page: Page
) -> None:
    """Each receiver gets data of its own, and deliveries are not touched by any."""
    titles = []

    def spoil(sender: Flask, event: Event) -> None:
        titles.append(event.data["incident"]["title"])
        event.data["incident"]["title"] = "Spoilt"

    def also(sender: Flask, event: Event) -> None:
        spoil(sender, event)

    with (
        signals.incident_created.connected_to(spoil, app),
        signals.incident_created.connected_to(also, app),
    ):
        incidents.open(session, page, title="Fire")
        session.commit()
    assert titles == ["Fire", "Fire"]
    assert [event.data["incident"]["title"] for event in scenes.events(session)] == ["Fire"]


def test_a_smaller_audience_does_not_overtake(
    session: Session, page: Page, woken: list[str], few_inline: None
) -> None:
    """While an event waits for its deliveries the next one does too, though those left could be served at once."""
    many(session, page, 4)
    incident = incidents.open(session, page, title="Slow")
    session.commit()
    gone = session.scalars(select(Subscription).limit(1)).one()
    gone.state = SubscriptionState.ENDED
    session.commit()
    incidents.resolve(session, page, incident.id)
    session.commit()
    assert delivered(session) == Counter()
    assert set(woken) == {"fan_out"}
    while events.expand_waiting(session):
        session.commit()
    rows = session.execute(select(EventRow.name).join(Delivery).order_by(Delivery.created_at))
    assert [name for (name,) in rows] == ["incident.created"] * 3 + ["incident.resolved"] * 3
