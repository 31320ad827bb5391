"""What is still to be sent when a subscription's format changes is worded, completed and signed in the new one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from flask_statuspage.delivery.formats import formats
from flask_statuspage.delivery.parcel import Failure, Outcome, Parcel
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Conflict
from flask_statuspage.services import (
    deliveries,
    events,
    incidents,
    monitoring,
    outcomes,
    redelivery,
    subscription_changes,
    subscriptions,
)
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Delivery, DeliveryState
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription

from . import scenes

WEBHOOKS = sorted(name for name, one in formats.items() if "webhook" in one.channels)
PAIRS = [pytest.param(*pair, id="-to-".join(pair)) for pair in permutations(WEBHOOKS, 2)]
FAILED = Outcome(error="The endpoint answered 500.", kind=Failure.STATUS, code=500, milliseconds=7)
DONE = Outcome(code=200, milliseconds=7)
SECRET = "a secret of a receiver"


@pytest.fixture(autouse=True)
def _no_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages to Slack keep a second between them, which would make many claims of one."""
    slack = formats["slack"]
    hasty = replace(slack, policy=replace(slack.policy, spacing=0.0))
    monkeypatch.setitem(formats._loaded(), "slack", hasty)


def claim(session: Session) -> list[Parcel]:
    past = utc_now() - timedelta(seconds=1)
    session.execute(update(Delivery).where(Delivery.due_at > past).values(due_at=past))
    parcels = deliveries.claim(session, limit=100).parcels
    session.commit()
    return parcels


def note(session: Session, parcels: list[Parcel], outcome: Outcome) -> None:
    outcomes.note_all(session, [(parcel, outcome) for parcel in parcels])
    session.commit()


def hook_in(session: Session, page: Page, format: str) -> Subscription:
    """A webhook that wants all that *format* offers, and one message of each kind for it."""
    monitor = scenes.monitor(session, page)
    row = scenes.component(session, page)
    options: dict[str, Any] = {"format": format, "events": sorted(formats[format].offered)}
    hook = scenes.webhook(session, page, secret=SECRET, **options)
    incidents.open(
        session, page, title="API is down", affected={row.slug: ComponentStatus.MAJOR_OUTAGE}
    )
    monitoring.record(session, [scenes.result(monitor, Verdict.DOWN)])
    subscriptions.send_test(session, page, hook)
    session.commit()
    return hook


def change(session: Session, page: Page, hook: Subscription, format: str) -> None:
    row = subscriptions.get(session, page, hook.id, lock=True)
    values = {"format": format, "events": None, "level": None}
    subscription_changes.change(session, page, row, values, actor="ann")
    session.commit()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_what_waits_for_a_retry_is_worded_anew(
    session: Session, page: Page, old: str, new: str
) -> None:
    """Nothing dies, from any format to any other: it goes out as the new one words it, or is cancelled and says why."""
    hook = hook_in(session, page, old)
    first = claim(session)
    assert len(first) >= 2
    note(session, first, FAILED)
    change(session, page, hook, new)
    parcels = {parcel.delivery_id: parcel for parcel in claim(session)}
    assert parcels
    assert {parcel.format for parcel in parcels.values()} == {new}
    for row in scenes.deliveries(session, hook):
        if row.id in parcels:
            rendered = formats[new].render(events.as_event(row.event))
            assert parcels[row.id].kept_body == rendered
        else:
            assert row.state is DeliveryState.CANCELLED
            assert row.reason == f"The format is '{new}' now, which has no words for this event."
            assert row.event.name not in formats[new].offered or formats[new].per_transaction


def test_what_was_worded_before_is_not_sent_again_as_it_was(session: Session, page: Page) -> None:
    """What arrived and what was given up in the old format is sent again in the new one, on every database."""
    hook = hook_in(session, page, "native")
    note(session, claim(session), FAILED)
    note(session, claim(session), DONE)
    session.execute(update(Delivery).values(state=DeliveryState.DEAD, finished_at=utc_now()))
    session.commit()
    assert any(row.body for row in scenes.deliveries(session, hook))
    change(session, page, hook, "statusmate")
    assert not any(row.body for row in scenes.deliveries(session, hook))
    assert all(row.state is DeliveryState.DEAD for row in scenes.deliveries(session, hook))


def test_what_the_format_cannot_word_is_not_asked_for_again(session: Session, page: Page) -> None:
    """Sending it again is refused with the reason, and many at once leave it out, instead of being given up later."""
    hook = hook_in(session, page, "native")
    note(session, claim(session), DONE)
    change(session, page, hook, "statuspageone")
    told = {row.event.name: row for row in scenes.deliveries(session, hook)}
    with pytest.raises(Conflict, match="has no words for incident"):
        redelivery.redeliver(session, page, told["incident.created"].id, actor="ann")
    redelivery.redeliver(session, page, told["monitor.down"].id, actor="ann")
    session.rollback()
    session.execute(update(Delivery).values(state=DeliveryState.DEAD, finished_at=utc_now()))
    session.commit()
    since = utc_now() - timedelta(hours=1)
    assert redelivery.redeliver_failed(session, page, since=since, actor="ann") == 2
    waiting = [
        row for row in scenes.deliveries(session, hook) if row.state is DeliveryState.PENDING
    ]
    assert {row.event.name for row in waiting} == {"monitor.down", "test"}


def test_who_subscribes_again_in_another_format(session: Session, page: Page) -> None:
    """A sign-up of the same address changes the format as a member's change does; without another format all stays."""
    hook = hook_in(session, page, "native")
    note(session, claim(session), FAILED)
    address = hook.address
    kept = [row.body for row in scenes.deliveries(session, hook)]
    for format, bodies in (("native", kept), ("slack", [None] * len(kept))):
        wish = Wish(channel="webhook", address=address, format=format)
        subscriptions.subscribe(session, page, wish, proven=True)
        session.commit()
        assert [row.body for row in scenes.deliveries(session, hook)] == bodies
