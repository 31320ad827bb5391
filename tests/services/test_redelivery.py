"""All that failed since a time is sent again by one call."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event as listeners
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.errors import Conflict, Invalid
from flask_statuspage.services import (
    deliveries,
    events,
    incident_edits,
    incidents,
    maintenances,
    pages,
    redelivery,
    subscriptions,
)
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription
from flask_statuspage.storage.team import AuditEntry

from . import scenes

PENDING, DONE = DeliveryState.PENDING, DeliveryState.DONE
DEAD, CANCELLED = DeliveryState.DEAD, DeliveryState.CANCELLED


def ended(
    session: Session, page: Page, hook: Subscription, *states: DeliveryState, at: datetime
) -> list[UUID]:
    """Deliveries to *hook*, one of each state, that ended at that instant after four attempts."""
    ids = []
    for state in states:
        told = EventRow(page_id=page.id, name="test", subject_id=hook.id, data={})
        told.fanned_out_at = utc_now()
        session.add(told)
        session.flush()
        values: dict[str, Any] = {"state": state, "finished_at": at, "reason": "no", "attempts": 4}
        row = Delivery(
            event_id=told.id,
            subscription_id=hook.id,
            subject_id=hook.id,
            sequence=told.sequence,
            due_at=at,
            body="{}",
            **values,
        )
        session.add(row)
        session.flush()
        ids.append(row.id)
    session.commit()
    return ids


def pending(session: Session) -> set[UUID]:
    session.rollback()
    return set(session.scalars(select(Delivery.id).where(Delivery.state == PENDING)))


def again(session: Session, page: Page, since: datetime, **options: Any) -> int:
    count = redelivery.redeliver_failed(session, page, since=since, actor="key ops", **options)
    session.commit()
    return count


def test_what_failed_since_then_is_due_now(session: Session, page: Page) -> None:
    """Dead ones that ended at that time or later have all their retries again; all others are as they were."""
    hook, other = scenes.webhook(session, page), scenes.webhook(session, page)
    since = utc_now() - timedelta(hours=2)
    wanted = ended(session, page, hook, DEAD, DEAD, at=since)
    wanted += ended(session, page, other, DEAD, at=since + timedelta(hours=1))
    ended(session, page, hook, DEAD, at=since - timedelta(microseconds=1))
    ended(session, page, hook, DONE, CANCELLED, at=utc_now())
    second = pages.create(session, name="Second")
    session.commit()
    elsewhere = scenes.webhook(session, second)
    ended(session, second, elsewhere, DEAD, at=utc_now())
    assert again(session, page, since) == 3
    assert pending(session) == set(wanted)
    for row in session.scalars(select(Delivery).where(Delivery.id.in_(wanted))):
        assert (row.attempts, row.finished_at, row.reason, row.body) == (0, None, None, "{}")
        assert abs(scenes.since(row.due_at)) < 60
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "redeliver_failed"))
    assert (entry.subject, entry.subject_id, entry.actor) == ("page", page.id, "key ops")
    assert entry.after == {"redelivered": 3, "since": since.isoformat()}
    assert again(session, page, since) == 0
    audited = select(AuditEntry).where(AuditEntry.action == "redeliver_failed")
    assert len(session.scalars(audited).all()) == 1


def test_so_many_at_once(session: Session, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request sends no more than that again, those that were given up first; the next one sends the rest."""
    monkeypatch.setattr(redelivery, "AT_ONCE", 2)
    monkeypatch.setattr(redelivery, "AT_MOST", 5)
    hook, since = scenes.webhook(session, page), utc_now() - timedelta(hours=2)
    late = ended(session, page, hook, DEAD, DEAD, at=since + timedelta(hours=1))
    first = ended(session, page, hook, *[DEAD] * 5, at=since)
    assert again(session, page, since) == 5
    assert pending(session) == set(first)
    assert again(session, page, since) == 2
    assert pending(session) == {*first, *late}
    assert again(session, page, since) == 0


def test_one_subscription_alone(session: Session, page: Page) -> None:
    """Only what goes to the one that is named is sent again, and the audit names it."""
    hook, other = scenes.webhook(session, page), scenes.webhook(session, page)
    since = utc_now() - timedelta(hours=2)
    (mine,) = ended(session, page, hook, DEAD, at=utc_now())
    ended(session, page, other, DEAD, at=utc_now())
    assert again(session, page, since, subscription_id=hook.id) == 1
    assert pending(session) == {mine}
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "redeliver_failed"))
    assert (entry.subject, entry.subject_id) == ("subscription", hook.id)


def test_what_nobody_would_receive_stays(session: Session, page: Page) -> None:
    """A subscription that is off is left out, refused where it is named; notices to owners are never among them."""
    hook = scenes.webhook(session, page, contact="owner@example.com")
    ended(session, page, hook, DEAD, at=utc_now())
    row = subscriptions.get(session, page, hook.id, lock=True)
    subscriptions.disable(session, row, reason="gone")
    session.commit()
    session.execute(
        update(Delivery)
        .where(Delivery.notice_to.is_not(None))
        .values(state=DEAD, finished_at=utc_now())
    )
    session.commit()
    since = utc_now() - timedelta(hours=2)
    assert again(session, page, since) == 0
    with pytest.raises(Conflict, match="enable it first"):
        again(session, page, since, subscription_id=hook.id)
    session.rollback()
    row = subscriptions.get(session, page, hook.id, lock=True)
    subscriptions.enable(session, row, actor="ann")
    session.commit()
    assert again(session, page, since) == 1
    assert pending(session).isdisjoint(
        session.scalars(select(Delivery.id).where(Delivery.notice_to.is_not(None)))
    )


def test_a_subscription_that_is_not_there_is_named(session: Session, page: Page) -> None:
    """An unknown one, and one of another page, are refused by the field's name."""
    second = pages.create(session, name="Second")
    session.commit()
    hook = scenes.webhook(session, second)
    for ident in (new_id(), hook.id):
        with pytest.raises(Invalid) as caught:
            again(session, page, utc_now(), subscription_id=ident)
        assert [error.field for error in caught.value.errors] == ["subscription"]
        session.rollback()


def test_a_thousand_at_a_time(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements grow with the pages of deliveries, not with the deliveries, and none is left out between pages."""
    monkeypatch.setattr(redelivery, "AT_ONCE", 3)
    hook = scenes.webhook(session, page)
    since = utc_now() - timedelta(hours=2)
    for hours in (0, 1):  # many ended at the same instant
        ended(session, page, hook, *[DEAD] * 4, at=since + timedelta(hours=hours))
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        if arguments[2].startswith("UPDATE statuspage_delivery"):
            sent.append(arguments[2])

    engine = session.get_bind()
    listeners.listen(engine, "before_cursor_execute", note)
    try:
        assert again(session, page, since) == 8
    finally:
        listeners.remove(engine, "before_cursor_execute", note)
    assert len(sent) == 3
    assert len(pending(session)) == 8


def test_one_that_died_with_its_workers_is_sent_again(session: Session, page: Page) -> None:
    """What was counted against it is forgotten, by whichever way it is sent again."""
    hook = scenes.webhook(session, page)
    first, second = ended(session, page, hook, DEAD, DEAD, at=utc_now())
    session.execute(update(Delivery).values(losses=9))
    session.commit()
    redelivery.redeliver(session, page, first, actor="ann")
    again(session, page, utc_now() - timedelta(hours=1))
    rows = {row.id: (row.attempts, row.losses) for row in session.scalars(select(Delivery))}
    assert rows == {first: (0, 0), second: (0, 0)}
    taken = deliveries.claim(session, limit=10).parcels
    assert [parcel.delivery_id for parcel in taken] == [first]  # one in flight for each subject


@pytest.mark.parametrize("kind", ["incident", "maintenance"])
@pytest.mark.parametrize("state", [DEAD, CANCELLED])
def test_what_tells_of_something_deleted_stays(
    session: Session, page: Page, kind: str, state: DeliveryState
) -> None:
    """An incident or maintenance that was deleted is told nobody any more, by whichever way; another one still is."""
    hook, since = scenes.webhook(session, page), utc_now() - timedelta(hours=2)
    for title in ("Gone", "Left"):
        if kind == "incident":
            row: Any = incidents.open(session, page, title=title, body="Secret.")
        else:
            times = {"scheduled_start": utc_now(), "scheduled_end": utc_now() + timedelta(hours=1)}
            row = maintenances.schedule(session, page, title=title, body="Secret.", **times)
        session.commit()
        while events.expand_waiting(session):
            session.commit()
        session.commit()
        if title == "Gone":
            gone = {one.id for one in scenes.deliveries(session, hook)}
            remove = incident_edits.remove if kind == "incident" else maintenances.remove
            remove(session, page, row.id, actor="ann")
            session.commit()
    left = {one.id for one in scenes.deliveries(session, hook)} - gone
    assert gone
    assert left
    session.execute(update(Delivery).values(state=state, finished_at=utc_now()))
    session.commit()
    for ident in gone:
        with pytest.raises(Conflict, match=f"The {kind} that it tells of was deleted"):
            redelivery.redeliver(session, page, ident, actor="ann")
        session.rollback()
    assert redelivery.withdrawn(session, [*gone, *left]) == gone
    sought = redelivery.Sought(ended_since=since)
    if state is DEAD:
        assert redelivery.count_sought(session, page, sought, at_most=99) == len(left)
        assert again(session, page, since) == len(left)
    else:
        for ident in left:
            redelivery.redeliver(session, page, ident, actor="ann")
        session.commit()
    assert pending(session) == left
