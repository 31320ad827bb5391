"""Addresses that bounced: what it does to all their subscriptions, and how they are written to again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_statuspage.delivery import links
from flask_statuspage.delivery.parcel import Failure, Outcome, Parcel
from flask_statuspage.domain.events import CONFIRMATION, DISABLED
from flask_statuspage.services import (
    confirmations,
    deliveries,
    outcomes,
    pages,
    subscriptions,
    suppressions,
)
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage import subscriptions as stored_subscriptions
from flask_statuspage.storage import suppressions as stored
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import DeliveryState
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.races import run_again
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from flask_statuspage.storage.suppressions import Suppression

from . import scenes

ADDRESS = "ann@example.com"
REASON = "The mail server answered 550 5.1.1: no such user"
GONE = Outcome(
    error=REASON, kind=Failure.STATUS, code=550, milliseconds=5, final=True, suppresses_address=True
)


def reader(session: Session, page: Page, address: str = ADDRESS) -> Subscription:
    """An active subscription by email."""
    row = subscriptions.subscribe(
        session, page, Wish(channel="email", address=address), proven=True
    )
    session.commit()
    return row


def sign_up(session: Session, page: Page, address: str = ADDRESS) -> Subscription:
    """As a stranger does."""
    wish = Wish(channel="email", address=address)
    row = subscriptions.subscribe(session, page, wish, origin="198.51.100.1")
    session.commit()
    return row


def held(session: Session, row: Subscription) -> Subscription:
    """As services get it."""
    found = stored_subscriptions.get(session, row.id, lock=True)
    assert found is not None
    return found


def claim(session: Session) -> list[Parcel]:
    parcels = deliveries.claim(session, limit=100).parcels
    session.commit()
    return parcels


def note(session: Session, parcel: Parcel, outcome: Outcome = GONE) -> None:
    """As a worker does."""
    assert outcomes.is_grave(parcel, outcome)
    outcomes.note_grave(session, parcel, outcome)
    session.commit()


def bounce(session: Session, page: Page, row: Subscription) -> None:
    """A message to it comes back."""
    scenes.message(session, page, row)
    (parcel,) = claim(session)
    note(session, parcel)


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Suppression)) or 0


def questions(session: Session, row: Subscription) -> int:
    return scenes.told(session, row).count(CONFIRMATION)


def let_pass(session: Session, **span: float) -> None:
    """As if all had happened so much earlier."""
    for item in session.scalars(select(Suppression)):
        item.at -= timedelta(**span)
    for row in session.scalars(select(Subscription)):
        row.asked_at -= timedelta(**span)
        if row.mailed_at is not None:
            row.mailed_at -= timedelta(**span)
    session.commit()


def test_a_mailbox_that_is_gone_ends_all_its_subscriptions(session: Session, page: Page) -> None:
    """On every page, with the reason; other addresses and who has left already are not touched."""
    other, third = pages.create(session, name="Internal"), pages.create(session, name="Third")
    here, there, left = (reader(session, one) for one in (page, other, third))
    subscriptions.unsubscribe(session, held(session, left))
    somebody = reader(session, page, "bob@example.com")
    bounce(session, page, here)
    assert [(row.state, row.reason) for row in (here, there)] == [
        (SubscriptionState.DISABLED, REASON)
    ] * 2
    assert (left.state, somebody.state) == (SubscriptionState.ENDED, SubscriptionState.ACTIVE)
    delivery = scenes.delivery(session, here)
    assert (delivery.state, delivery.reason) == (DeliveryState.DEAD, REASON)
    row = stored.of(session, "email", ADDRESS)
    assert row is not None
    assert (row.reason, ADDRESS in row.reason) == (REASON, False)
    assert [event.name for event in scenes.events(session, DISABLED)] == [DISABLED] * 2


def test_what_waits_for_it_is_not_sent(session: Session, page: Page) -> None:
    """Pending messages to the address are cancelled, on other pages too."""
    other = pages.create(session, name="Internal")
    here, there = reader(session, page), reader(session, other)
    scenes.message(session, page, here)
    (parcel,) = claim(session)
    scenes.message(session, other, there)
    note(session, parcel)
    assert scenes.delivery(session, there).state is DeliveryState.CANCELLED
    assert claim(session) == []


def test_a_stranger_makes_nobody_write_to_it(session: Session, page: Page) -> None:
    """A new sign-up sends nothing on any page, nor hides the reason; after a day it is asked once more."""
    other = pages.create(session, name="Internal")
    row = reader(session, page)
    bounce(session, page, row)
    again, elsewhere = sign_up(session, page), sign_up(session, other)
    unknown = sign_up(session, page, "new@example.com")
    assert {one.state for one in (elsewhere, unknown)} == {SubscriptionState.PENDING}
    assert (again.state, again.reason) == (SubscriptionState.DISABLED, row.reason)
    assert again.reason is not None
    assert [questions(session, one) for one in (again, elsewhere, unknown)] == [0, 0, 1]
    let_pass(session, seconds=confirmations.TRIED_AGAIN_AFTER.total_seconds() + 1)
    sign_up(session, page)
    assert questions(session, row) == 1
    (parcel,) = [one for one in claim(session) if one.address == ADDRESS]
    note(session, parcel)
    sign_up(session, page)
    assert questions(session, row) == 1
    assert count(session) == 1


@pytest.mark.parametrize("how", ["customer", "member", "link"])
def test_who_proves_it_is_written_to_again(session: Session, page: Page, how: str) -> None:
    """A signed-in customer or the host, a member, or the link of a mail that did arrive."""
    row = reader(session, page)
    bounce(session, page, row)
    if how == "customer":
        reader(session, page)
    elif how == "member":
        subscriptions.enable(session, held(session, row), actor="admin")
    else:
        let_pass(session, days=2)
        sign_up(session, page)
        subscriptions.confirm(session, links.make(links.CONFIRM, links.Ticket(row.id, row.nonce)))
    session.commit()
    assert (row.state, row.reason) == (SubscriptionState.ACTIVE, None)
    assert count(session) == 0
    sent = [parcel.address for parcel in claim(session)]  # what was asked meanwhile
    scenes.message(session, page, row)
    assert [parcel.address for parcel in claim(session)] == [ADDRESS], sent


def test_who_has_left_meanwhile_stays_gone(session: Session, page: Page) -> None:
    """A message that was on its way when its reader left does not make of that a switched off subscription."""
    for address, outcome in {
        ADDRESS: GONE,
        "bob@example.com": Outcome(error="Gone.", kind=Failure.STATUS, ends_subscription=True),
    }.items():
        row = reader(session, page, address)
        scenes.message(session, page, row)
        (parcel,) = claim(session)
        subscriptions.unsubscribe(session, held(session, row))
        session.commit()
        note(session, parcel, outcome)
        assert row.state is SubscriptionState.ENDED
    assert count(session) == 1


def test_a_question_that_comes_back_vanishes_as_one_without_answer(
    session: Session, page: Page
) -> None:
    """A mistyped address is forgotten after the life of its link, whether or not its mail came back."""
    row = sign_up(session, page)
    (parcel,) = claim(session)
    note(session, parcel)
    assert row.state is SubscriptionState.DISABLED
    confirmed = reader(session, page, "bob@example.com")
    subscriptions.disable(session, held(session, confirmed), reason="for a while", actor="admin")
    let_pass(session, days=6, hours=23)
    assert subscriptions.forget_unconfirmed(session, utc_now()) == 0
    let_pass(session, hours=2)
    assert subscriptions.forget_unconfirmed(session, utc_now()) == 1
    session.commit()
    assert session.scalars(select(Subscription.id)).all() == [confirmed.id]


def test_an_owner_whose_mailbox_is_gone(session: Session, page: Page) -> None:
    """A notice that comes back suppresses the owner's mailbox, not their webhook's address; no further one is sent."""
    hook, other = (scenes.webhook(session, page, contact=ADDRESS) for _ in range(2))
    subscriptions.disable(session, held(session, hook), reason="It answered 410.")
    session.commit()
    (parcel,) = claim(session)
    assert (parcel.is_notice, parcel.address) == (True, ADDRESS)
    note(session, parcel)
    assert stored.of(session, "email", ADDRESS) is not None
    assert stored.of(session, "webhook", hook.target) is None
    assert other.state is SubscriptionState.ACTIVE
    subscriptions.disable(session, held(session, other), reason="It answered 410.")
    session.commit()
    assert claim(session) == []


def _bouncing(parcel: Parcel) -> Callable[[Session, Page], None]:
    return lambda session, page: outcomes.note_grave(session, parcel, GONE)


def _suppress(session: Session, address: str) -> None:
    """In a transaction that is run again where it lost a race, as workers do."""

    def transaction() -> None:
        try:
            suppressions.suppress_address(session, "email", address, REASON)
            session.commit()
        except BaseException:
            session.rollback()
            raise

    run_again(transaction)


def test_two_pages_hear_it_at_once(app: Flask, session: Session, page: Page) -> None:
    """Mails to one address come back at the same moment, each for another page: nobody waits for the other."""
    others = [pages.create(session, name=name) for name in ("One", "Two", "Three")]
    for number in range(5):
        address = f"reader{number}@example.com"
        rows = [reader(session, one, address) for one in (page, *others)]
        for one, row in zip((page, *others), rows, strict=True):
            scenes.message(session, one, row)
        parcels = claim(session)
        assert len(parcels) == 4
        assert scenes.at_once(app, *map(_bouncing, parcels)) == [None] * 4
        states = session.scalars(
            select(Subscription.state).where(Subscription.id.in_([row.id for row in rows]))
        )
        assert set(states) == {SubscriptionState.DISABLED}
    assert count(session) == 5


def test_it_comes_back_while_its_owner_proves_it(app: Flask, session: Session, page: Page) -> None:
    """Whichever is first, the two do not wait for each other, and what is left is one of the two stories."""
    other = pages.create(session, name="Internal")
    for number in range(5):
        address = f"reader{number}@example.com"
        rows = [reader(session, one, address) for one in (page, other)]
        bounce(session, page, rows[0])

        def prove(session: Session, page: Page, address: str = address) -> Any:
            for one in session.scalars(select(Page).order_by(Page.id.desc())):
                subscriptions.subscribe(
                    session, one, Wish(channel="email", address=address), proven=True
                )
                session.commit()

        def fail(session: Session, page: Page, address: str = address) -> Any:
            _suppress(session, address)

        assert scenes.at_once(app, prove, fail, fail) == [None] * 3


def test_an_address_without_subscription_is_suppressed_once(
    app: Flask, session: Session, page: Page
) -> None:
    """Workers that learn the same of the mailbox of an owner agree on one row; who lost the race runs again."""

    def fail(session: Session, page: Page) -> None:
        _suppress(session, ADDRESS)

    assert scenes.at_once(app, *[fail] * 4) == [None] * 4
    assert count(session) == 1


def test_the_newer_reason_counts(session: Session, page: Page) -> None:
    """An address that comes back once more is silent for another while."""
    row = subscriptions.subscribe(session, page, Wish(channel="email", address=ADDRESS))
    stored.add(session, "email", ADDRESS, "old", utc_now() - timedelta(days=3))
    assert not confirmations.is_silenced(session, row, utc_now())
    stored.add(session, "email", ADDRESS, "new " * 100, utc_now())
    assert confirmations.is_silenced(session, row, utc_now())
    found = stored.of(session, "email", ADDRESS)
    assert found is not None
    assert found.reason.startswith("new")
    assert len(found.reason) == 200
    assert stored.lift(session, "email", ADDRESS)
    assert not stored.lift(session, "email", ADDRESS)
