"""One address of Slack is one subscription of the channel `slack`, however somebody asks for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.delivery.channels import channels
from flask_statuspage.delivery.formats import formats
from flask_statuspage.errors import Conflict, Invalid
from flask_statuspage.services import (
    deliveries,
    incidents,
    outcomes,
    signing_secrets,
    subscription_changes,
    subscriptions,
    wishes,
)
from flask_statuspage.services.wishes import Wish
from flask_statuspage.state import current_settings, current_state
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Delivery
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from tests.servers import slack
from tests.servers.slack import Slack

from . import scenes

ADDRESS = "https://hooks.slack.com/services/T0000/B0000/opensesameopensesame"
SHOWN = "https://hooks.slack.com/…"


def ask(session: Session, page: Page, **options: Any) -> Subscription:
    values = {"channel": "slack", "address": ADDRESS, **options}
    row = subscriptions.subscribe(session, page, Wish(**values), proven=True, actor="key ops")
    session.commit()
    return subscriptions.get(session, page, row.id, lock=True)


def all_rows(session: Session) -> list[Subscription]:
    return list(session.scalars(select(Subscription)))


def refused(call: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        call()
    return [error.field for error in caught.value.errors]


def test_one_address_is_one_subscription(session: Session, page: Page) -> None:
    """As a webhook in Slack's format, as one without a format, as Slack's: the same, and its address is hidden."""
    first = ask(session, page)
    for options in (
        {"channel": "webhook", "format": "slack"},
        {"channel": "webhook"},
        {"channel": "webhook", "address": ADDRESS.replace("hooks", "HOOKS")},
        {"channel": "slack", "format": "slack"},
    ):
        assert ask(session, page, **options).id == first.id
    (row,) = all_rows(session)
    assert (row.channel, row.format, row.address, row.target) == ("slack", "slack", SHOWN, ADDRESS)
    assert not row.is_signed


def test_a_stranger_asks_for_a_webhook_of_slack(session: Session, page: Page) -> None:
    """It is Slack's as well, and the one that is there already is left alone."""
    asked = Wish(channel="webhook", address=ADDRESS, secret="filled in by a browser")
    row = subscriptions.subscribe(session, page, asked, origin="192.0.2.1")
    session.commit()
    assert (row.channel, row.is_signed, row.state) == ("slack", False, SubscriptionState.ACTIVE)
    again = subscriptions.subscribe(
        session, page, replace(asked, events=["incident.created"]), origin="192.0.2.1"
    )
    session.commit()
    assert (again.id, again.events) == (row.id, None)


def test_other_hosts_stay_webhooks(session: Session, page: Page) -> None:
    """What speaks Slack's format elsewhere is a webhook; so is one at Slack's that shall have another format."""
    elsewhere = scenes.webhook(session, page, "http://127.0.0.1:9/hooks/x", format="slack")
    assert (elsewhere.channel, elsewhere.format) == ("webhook", "slack")
    other = scenes.webhook(session, page, ADDRESS, format="native")
    assert (other.channel, other.format) == ("webhook", "native")
    row = subscriptions.get(session, page, other.id, lock=True)
    change = {"format": "slack"}
    assert refused(
        lambda: subscription_changes.change(session, page, row, change, actor="key ops")
    ) == ["format"]
    session.rollback()
    row = subscriptions.get(session, page, elsewhere.id, lock=True)
    for format in ("native", "slack"):
        subscription_changes.change(session, page, row, {"format": format}, actor="key ops")
    session.commit()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_slack_has_not(session: Session, page: Page) -> None:
    """Neither a secret nor another format, whether at first or by a change; nothing is written then."""
    assert refused(lambda: ask(session, page, secret="a secret of mine")) == ["secret"]
    assert refused(lambda: ask(session, page, format="native")) == ["format"]
    assert refused(lambda: ask(session, page, address="https://example.com/x")) == ["address"]
    session.rollback()
    assert all_rows(session) == []
    ident = ask(session, page).id
    for change, named in (
        ({"secret": "a secret of mine"}, "secret"),
        ({"format": "native"}, "format"),
    ):
        row = subscriptions.get(session, page, ident, lock=True)
        given: dict[str, Any] = dict(change)
        assert refused(
            lambda row=row, given=given: subscription_changes.change(
                session, page, row, given, actor="key ops"
            )
        ) == [named]
        session.rollback()
    with pytest.raises(Conflict):
        signing_secrets.rotate(session, subscriptions.get(session, page, ident), actor="ann")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("signup", "state"), [("open", "active"), ("approval", "pending")])
def test_sign_up_is_governed_as_that_of_webhooks(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch, signup: str, state: str
) -> None:
    """Open, by approval or closed: what counts for webhooks counts for Slack's."""
    governed(monkeypatch, webhook_signup=signup)
    assert "slack" in wishes.offered_channels()
    row = subscriptions.subscribe(session, page, Wish(channel="slack", address=ADDRESS))
    assert row.state == state
    session.rollback()
    governed(monkeypatch, webhook_signup="closed")
    assert "slack" not in wishes.offered_channels()
    asked = Wish(channel="slack", address=ADDRESS)
    assert refused(lambda: subscriptions.subscribe(session, page, asked)) == ["channel"]
    session.rollback()
    assert all_rows(session) == []


def governed(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    state = current_state()
    monkeypatch.setattr(state, "settings", replace(state.settings, **changes))


@pytest.fixture
def workspace() -> Iterator[Slack]:
    with slack.running() as server:
        yield server


def sent(session: Session) -> None:
    """Send what is due and write down what became of it, as a worker does."""
    past = utc_now() - timedelta(seconds=1)
    session.execute(update(Delivery).where(Delivery.due_at > past).values(due_at=past))
    for parcel in deliveries.claim(session, limit=100).parcels:
        session.commit()
        with channels[parcel.channel].open(current_settings()) as line:
            outcome = line.send(parcel)
        if outcomes.is_grave(parcel, outcome):
            outcomes.note_grave(session, parcel, outcome)
        else:
            outcomes.note_all(session, [(parcel, outcome)])
        session.commit()


def test_from_an_incident_to_slack_and_its_end(
    session: Session, page: Page, workspace: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message arrives; once the conversation is archived the subscription is off, with Slack's word."""
    governed(monkeypatch, slack_hosts=("127.0.0.1",))
    address = workspace.webhook()
    ident = ask(session, page, address=address).id
    incident = incidents.open(session, page, title="API is down")
    session.commit()
    sent(session)
    (message,) = workspace.taken(address)
    assert "API is down" in message["text"]
    workspace.close(address, 410, "channel_is_archived")
    incidents.resolve(session, page, incident.id, body="Over.")
    session.commit()
    time.sleep(formats["slack"].policy.spacing)
    sent(session)
    row = subscriptions.get(session, page, ident)
    assert row.state is SubscriptionState.DISABLED
    assert row.reason == "Slack answered 410: channel_is_archived."
    assert len(workspace.taken(address)) == 1
