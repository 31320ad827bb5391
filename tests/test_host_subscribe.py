"""`statuspage.subscribe(...)` in the host's own transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_statuspage import StatusPage, signals
from flask_statuspage.errors import Invalid, NotFound
from flask_statuspage.services import components, subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.state import state_of
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import SubscribedComponent, Subscription
from flask_statuspage.storage.team import AuditEntry
from tests.apps import running

ANN = "ann@example.com"


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    with (
        running(
            database_url,
            STATUSPAGE_SMTP_URL="smtp://127.0.0.1:9",
            STATUSPAGE_EMAIL_FROM="a@b.example",
        ) as app,
        app.app_context(),
    ):
        session = current_session()
        components.create(session, default_page(session), name="Checkout", actor="test")
        session.commit()
        yield app


@pytest.fixture
def statuspage(app: Flask) -> StatusPage:
    owner = state_of(app).owner
    assert isinstance(owner, StatusPage)
    return owner


def rows(model: type[Any]) -> list[Any]:
    return list(current_session().scalars(select(model)).unique())


def test_a_rollback_leaves_nothing(app: Flask, statuspage: StatusPage) -> None:
    """Unless the host commits there is no subscription, no event, no audit entry and no signal."""
    heard: list[Any] = []

    def note(sender: Any, event: Any) -> None:
        heard.append(event)

    audited = len(rows(AuditEntry))
    with signals.subscription_confirmed.connected_to(note):
        statuspage.subscribe(ANN, components=["checkout"])
        current_session().flush()
        current_session().rollback()
    assert (rows(Subscription), rows(EventRow), heard) == ([], [], [])
    assert len(rows(AuditEntry)) == audited


def test_a_commit_makes_it_active(app: Flask, statuspage: StatusPage) -> None:
    """Once committed it is active, with what was chosen, and no mail asks; again it is the same one, changed."""
    statuspage.subscribe(f" {ANN.replace('example', 'EXAMPLE')} ", components=["checkout"])
    current_session().commit()
    (row,) = rows(Subscription)
    assert (row.state.value, row.address, row.actor) == ("active", ANN, "host")
    assert len(rows(SubscribedComponent)) == 1
    statuspage.subscribe(ANN, events=["incident.created"])
    current_session().commit()
    current_session().expire_all()
    (row,) = rows(Subscription)
    assert (row.events, rows(SubscribedComponent)) == (["incident.created"], [])
    assert {event.name for event in rows(EventRow)} == {"subscription.confirmed"}


def test_a_pending_sign_up_becomes_active(app: Flask, statuspage: StatusPage) -> None:
    """A sign-up that waits for its mailbox is made active by the host, who knows whose it is."""
    session = current_session()
    wish = Wish(channel="email", address=ANN)
    subscriptions.subscribe(session, default_page(session), wish, origin="192.0.2.1")
    session.commit()
    statuspage.subscribe(ANN)
    session.commit()
    (row,) = rows(Subscription)
    assert row.state.value == "active"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"address": "nobody"}, {"address"}),
        ({"channel": "pigeon"}, {"channel"}),
        ({"components": ["nope"]}, {"components"}),
        ({"events": ["no.such"]}, {"events"}),
        ({"format": "native"}, {"format"}),
        ({"level": "loud"}, {"level"}),
        ({"policy": {"timeout": -1}}, {"policy.timeout"}),
        ({"contact": "bob@example.com"}, {"contact"}),
        ({"address": "nobody", "secret": "short"}, {"address", "secret"}),
    ],
    ids=lambda value: " ".join(sorted(value)),
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_wrong_fields_are_named(
    app: Flask, statuspage: StatusPage, fields: dict[str, Any], named: set[str]
) -> None:
    """What is wrong is named by its field, and the host's transaction holds nothing of it."""
    with pytest.raises(Invalid) as raised:
        statuspage.subscribe(**{"address": ANN, **fields})
    assert {error.field for error in raised.value.errors} == named
    current_session().commit()
    assert rows(Subscription) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_page_that_is_not_there(app: Flask, statuspage: StatusPage) -> None:
    """An unknown page is said to be none."""
    with pytest.raises(NotFound):
        statuspage.subscribe(ANN, page="nowhere")
