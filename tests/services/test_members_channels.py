"""Channels for the team alone: a stranger neither has them nor hears of them; their addresses are secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from flask_statuspage.errors import Invalid
from flask_statuspage.services import deliveries, incidents, subscription_changes, subscriptions
from flask_statuspage.services import wishes as wished
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.base import Base
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription

from . import scenes

ADDRESS = "json://ann:opensesame@127.0.0.1:9/opensesame"
SHOWN = "json://…"
WISH = Wish(channel="apprise", address=ADDRESS)


def messages(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        call()
    return {error.field: error.message for error in caught.value.errors}


def of_member(session: Session, page: Page, **options: Any) -> Subscription:
    wish = replace(WISH, **options)
    row = subscriptions.subscribe(session, page, wish, proven=True, actor="key ops")
    session.commit()
    return subscriptions.get(session, page, row.id, lock=True)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_stranger_hears_nothing_of_it(session: Session, page: Page) -> None:
    """A stranger's wish, and that of a signed-in customer, are refused in the words for a channel that is not there."""
    unknown = messages(lambda: wished.vet(replace(WISH, channel="pigeon", by_visitor=True)))
    customers = replace(WISH, by_visitor=True)
    for call in (
        lambda: wished.vet(customers),
        lambda: subscriptions.subscribe(session, page, WISH, origin="192.0.2.1"),
        lambda: subscriptions.subscribe(session, page, customers, proven=True, actor="ann@x.org"),
    ):
        assert messages(call) == unknown
        session.rollback()
    assert "apprise" not in unknown["channel"]
    assert "apprise" not in wished.offered_channels()
    assert "apprise" in messages(lambda: wished.vet(replace(WISH, channel="pigeon")))["channel"]
    assert session.scalar(select(func.count(Subscription.id))) == 0


def test_the_address_is_told_nowhere(session: Session, page: Page) -> None:
    """Not a row has it, from the sign-up to a delivery; the parcel has the whole of it, and says that it is secret."""
    row = of_member(session, page)
    assert (row.address, row.target, row.format) == (SHOWN, ADDRESS, "text")
    assert not row.is_signed
    incidents.open(session, page, title="API is down")
    session.commit()
    (parcel,) = deliveries.claim(session, limit=10).parcels
    session.commit()
    assert (parcel.address, parcel.secret_address) == (ADDRESS, True)
    assert parcel.endpoint == "apprise json"
    tables = (session.execute(text(f"SELECT * FROM {name}")) for name in Base.metadata.tables)
    assert "opensesame" not in "\n".join(str(row) for rows in tables for row in rows)


def test_one_address_is_one_subscription(session: Session, page: Page) -> None:
    """Asked for again, it is changed; what is wrong is named, and changes nothing."""
    first = of_member(session, page)
    again = of_member(session, page, address=ADDRESS.replace("json", "JSON"), events=["test"][:0])
    assert again.id == first.id
    assert set(messages(lambda: of_member(session, page, address="nonsense", format="native"))) == {
        "address",
        "format",
    }
    assert set(messages(lambda: of_member(session, page, secret="a secret of mine"))) == {"secret"}
    session.rollback()
    row = subscriptions.get(session, page, first.id, lock=True)
    subscription_changes.change(
        session, page, row, {"events": ["incident.created"], "format": "text"}, actor="key ops"
    )
    session.commit()
    assert row.events == ["incident.created"]
    change = {"format": "slack"}
    assert set(
        messages(lambda: subscription_changes.change(session, page, row, change, actor="key ops"))
    ) == {"format"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_webhook_cannot_have_its_format(session: Session, page: Page) -> None:
    """What is worded for Apprise is no webhook's."""
    assert set(
        messages(lambda: scenes.webhook(session, page, "http://127.0.0.1:9/x", format="text"))
    ) == {"format"}
