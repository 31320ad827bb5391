"""An address that is a secret, as Slack's are: encrypted in the database, whole on the wire, and shown nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from flask_statuspage.delivery.parcel import Failure, Outcome, Parcel
from flask_statuspage.services import (
    deliveries,
    incidents,
    outcomes,
    subscription_changes,
    subscriptions,
)
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage import migrate
from flask_statuspage.storage.base import Base, utc_now
from flask_statuspage.storage.encryption import reveal
from flask_statuspage.storage.outbox import Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page, default_page
from flask_statuspage.storage.session import current_engine, current_session
from flask_statuspage.storage.subscriptions import Subscription
from tests.apps import running

from . import scenes

KEY = "T0000/B0000/XXXXsesameXXXX"
ADDRESS = f"http://127.0.0.1:9/services/{KEY}"
SHOWN = "http://127.0.0.1:9/…"
GONE = Outcome(
    error="The endpoint answered 410.",
    kind=Failure.STATUS,
    code=410,
    milliseconds=1,
    ends_subscription=True,
)


def everything(session: Session) -> str:
    """All rows of all tables as the database has them."""
    tables = (session.execute(text(f"SELECT * FROM {name}")) for name in Base.metadata.tables)
    return "\n".join(str(row) for rows in tables for row in rows)


def claim(session: Session) -> list[Parcel]:
    past = utc_now() - timedelta(seconds=1)
    session.execute(update(Delivery).where(Delivery.due_at > past).values(due_at=past))
    parcels = deliveries.claim(session, limit=100).parcels
    session.commit()
    return parcels


def change(session: Session, page: Page, hook: Subscription, format: str) -> None:
    row = subscriptions.get(session, page, hook.id, lock=True)
    subscription_changes.change(session, page, row, {"format": format}, actor="ann")
    session.commit()


def test_nothing_tells_the_address_of_slack(app: Flask, session: Session, page: Page) -> None:
    """Not a row of any table, nor a signal, nor the mail to its owner: from the sign-up to the end of its life."""
    with scenes.listening(app) as heard:
        hook = scenes.webhook(session, page, ADDRESS, format="slack", contact="ann@example.com")
        incidents.open(session, page, title="API is down")
        session.commit()
        (parcel,) = claim(session)
        assert (parcel.address, parcel.endpoint) == (ADDRESS, "127.0.0.1:9")
        outcomes.note_grave(session, parcel, GONE)
        session.commit()
        (mail,) = claim(session)
    assert (hook.address, hook.target) == (SHOWN, ADDRESS)
    assert (mail.address, SHOWN in mail.body) == ("ann@example.com", True)
    assert {event.name for event in heard} >= {"subscription.confirmed", "subscription.disabled"}
    for told in (everything(session), mail.body, *(str(event.data) for event in heard)):
        assert "sesame" not in told


def test_it_is_the_same_subscription_when_it_comes_again(session: Session, page: Page) -> None:
    """One subscription an address, though nobody can read it."""
    first = scenes.webhook(session, page, ADDRESS, format="slack").id
    assert scenes.webhook(session, page, ADDRESS, format="slack").id == first
    assert scenes.webhook(session, page, ADDRESS + "Y", format="slack").id != first


def test_a_change_to_slack_hides_what_was_open(session: Session, page: Page) -> None:
    """Events too that told the address before. Back in another format it stays hidden, and is what is called."""
    hook = scenes.webhook(session, page, ADDRESS, format="native")
    assert "sesame" in everything(session)
    change(session, page, hook, "slack")
    assert "sesame" not in everything(session)
    (told,) = scenes.events(session, "subscription.confirmed")
    assert told.data["subscription"]["address"] == SHOWN
    change(session, page, hook, "native")
    incidents.open(session, page, title="API is down")
    session.commit()
    (parcel,) = claim(session)
    assert parcel.address == ADDRESS
    assert "sesame" not in everything(session)


def test_a_sign_up_in_slacks_format_hides_what_was_open(session: Session, page: Page) -> None:
    """Whoever subscribes the address of a subscription once more, for Slack, hides it as well."""
    scenes.webhook(session, page, ADDRESS, format="native")
    wish = Wish(channel="webhook", address=ADDRESS, format="slack")
    assert subscriptions.subscribe(session, page, wish, proven=True).target == ADDRESS
    session.commit()
    assert "sesame" not in everything(session)


def test_an_address_that_cannot_be_opened_waits_alone(
    app: Flask, session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the key nothing is sent to it, while the page, the fan-out and all others go on."""
    hook = scenes.webhook(session, page, ADDRESS, format="slack")
    other = scenes.webhook(session, page)
    with monkeypatch.context() as patch:
        patch.setitem(app.config, "SECRET_KEY", "another key")
        incidents.open(session, page, title="API is down")
        session.commit()
        assert [parcel.subscription_id for parcel in claim(session)] == [other.id]
        row = subscriptions.get(session, page, hook.id)
        assert subscriptions.described(row)["address"] == SHOWN
        waiting = scenes.delivery(session, hook)
        assert waiting.state is DeliveryState.PENDING
        assert waiting.reason == "Its secret cannot be opened with the site's keys."
    assert [parcel.address for parcel in claim(session)] == [ADDRESS]


def test_the_migration_seals_what_is_there(database_url: str) -> None:
    """Addresses that were kept in clear are sealed, in events too; the way back opens them; others stay as they are."""
    with running(database_url, **scenes.SETTINGS) as app, app.app_context():
        session = current_session()
        page = default_page(session)
        ident = scenes.webhook(session, page, ADDRESS, format="native").id
        scenes.webhook(session, page, "http://127.0.0.1:9/open")
        session.execute(update(Subscription).where(Subscription.id == ident).values(format="slack"))
        session.commit()

        def row() -> tuple[Any, ...]:
            columns = (Subscription.__table__.c.address, Subscription.__table__.c.sealed_address)
            with current_engine().connect() as connection:
                where = Subscription.__table__.c.id == ident
                return tuple(connection.execute(select(*columns).where(where)).one())

        def move(step: str) -> None:
            config = migrate._config()
            with current_engine().begin() as connection:
                config.attributes["connection"] = connection
                getattr(command, step)(config, "0006" if step == "downgrade" else "head")

        move("downgrade")
        move("upgrade")
        shown, sealed = row()
        assert (shown, reveal(sealed)) == (SHOWN, ADDRESS)
        assert "sesame" not in everything(session)
        assert "http://127.0.0.1:9/open" in everything(session)
        told = [one.data["subscription"]["address"] for one in session.scalars(select(EventRow))]
        assert sorted(told) == ["http://127.0.0.1:9/open", SHOWN]
        session.rollback()
        move("downgrade")
        move("upgrade")
        assert (row()[0], reveal(row()[1])) == (SHOWN, ADDRESS)
