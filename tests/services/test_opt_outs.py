"""STOP, START and HELP: what they do to a number's subscriptions, on all pages and for everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.opt_out import STOPPED, Answer
from flask_statuspage.errors import Conflict, Invalid
from flask_statuspage.services import (
    confirmation_codes,
    incidents,
    opt_outs,
    pages,
    subscriptions,
    suppressions,
)
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage import subscriptions as stored
from flask_statuspage.storage import suppressions as stored_suppressions
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.races import run_again
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from flask_statuspage.storage.suppressions import Suppression
from flask_statuspage.storage.team import AuditEntry

from . import scenes

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

NUMBER = "+4917123456789"
PENDING, ACTIVE = SubscriptionState.PENDING, SubscriptionState.ACTIVE
DISABLED, ENDED = SubscriptionState.DISABLED, SubscriptionState.ENDED
REFUSED = "Its owner answered STOP; only START from that phone lets texts through again."


def wish(address: str = NUMBER, **more: Any) -> Wish:
    return Wish(channel="sms", address=address, **more)


def subscribed(session: Session, page: Page, **options: Any) -> Subscription:
    """A number that a member subscribed, so it is active; or a stranger's sign-up with ``proven=False``."""
    row = subscriptions.subscribe(session, page, wish(), **{"proven": True, **options})
    session.commit()
    return loaded(session, row)


def loaded(session: Session, row: Subscription) -> Subscription:
    """*row* as it is now, with its components."""
    found = stored.get(session, row.id, lock=True)
    assert found is not None
    return found


def say(session: Session, answer: Answer, number: str = NUMBER, **options: Any) -> str:
    words = opt_outs.obey(session, "sms", number, answer, **options)
    session.commit()
    return words


def asked(session: Session) -> list[dict[str, Any]]:
    """The data of the questions that were sent, oldest first."""
    query = select(EventRow.data).where(EventRow.name == "subscription.confirmation")
    return list(session.scalars(query.order_by(EventRow.sequence)))


def audited(session: Session, row: Subscription) -> list[tuple[str, str]]:
    query = select(AuditEntry.action, AuditEntry.actor).where(AuditEntry.subject_id == row.id)
    return [(entry[0], entry[1]) for entry in session.execute(query.order_by(AuditEntry.id))]


def is_silent(session: Session, number: str = NUMBER) -> bool:
    row = stored_suppressions.of(session, "sms", number)
    return row is not None and row.reason == STOPPED


def second_page(session: Session) -> Page:
    page = pages.create(session, name="Shop", slug="shop", actor="tests")
    session.commit()
    return page


def test_stop_ends_all_at_once(session: Session, page: Page) -> None:
    """One word ends the number's subscriptions on all pages, with what is on its way, and others go on."""
    shop = second_page(session)
    rows = [subscribed(session, page), subscribed(session, shop), None]
    other = subscriptions.subscribe(session, page, wish("+4917198765432"), proven=True)
    incidents.open(session, page, title="Down")
    session.commit()
    words = say(session, Answer.STOP)
    assert "Status" in words
    assert "Shop" in words
    assert "START" in words
    for row in rows[:2]:
        assert row is not None
        loaded(session, row)
        assert (row.state, row.reason) == (ENDED, STOPPED)
        assert audited(session, row)[-1] == ("unsubscribe", "subscriber")
    assert is_silent(session)
    first = rows[0]
    assert first is not None
    assert {one.state for one in scenes.deliveries(session, first)} == {DeliveryState.CANCELLED}
    incidents.open(session, page, title="Down again")
    session.commit()
    assert len(scenes.deliveries(session, first)) == 1
    assert len(scenes.deliveries(session, other)) == 2


def test_stop_of_a_number_that_nobody_knows(session: Session, page: Page) -> None:
    """It is kept too, without the number: whoever signs it up later reaches nobody."""
    say(session, Answer.STOP)
    assert is_silent(session)
    assert NUMBER not in str(session.execute(select(Suppression.__table__)).all())
    row = subscribed(session, page, proven=False)
    assert row.state is PENDING
    assert asked(session) == []


def test_whoever_said_stop_is_not_brought_back_by_others(session: Session, page: Page) -> None:
    """Members and host code are told why, strangers are told nothing; none of it changes a row."""
    row = subscribed(session, page)
    say(session, Answer.STOP)
    for attempt in (
        lambda: subscriptions.subscribe(session, page, wish(), proven=True, actor="host"),
        lambda: subscriptions.enable(session, loaded(session, row), actor="member"),
    ):
        with pytest.raises(Invalid) as refused:
            attempt()
        assert [(e.field, e.message) for e in refused.value.errors] == [("address", REFUSED)]
        session.commit()  # as a host may that catches it
        loaded(session, row)
        assert (row.state, row.reason) == (ENDED, STOPPED)
    shop = second_page(session)
    with pytest.raises(Invalid, match="only START"):
        subscriptions.subscribe(session, shop, wish(), proven=True)
    session.commit()
    assert session.scalar(select(func.count()).select_from(Subscription)) == 1
    assert subscribed(session, page, proven=False).state is PENDING
    assert asked(session) == []
    assert is_silent(session)


def test_a_code_or_link_of_before_stop_begins_nothing(session: Session, page: Page) -> None:
    """What was texted before a STOP is void, and so is what a later sign-up would have been texted."""
    row = subscribed(session, page, proven=False)
    code, link = asked(session)[0]["code"], asked(session)[0]["confirm_url"].rpartition("/")[2]
    say(session, Answer.STOP)
    claim = confirmation_codes.links.Claim(page.id, "sms", row.address_digest)
    assert confirmation_codes.confirm(session, claim, code) is None
    session.commit()
    with pytest.raises(Exception, match="used already"):
        subscriptions.confirm(session, link)
    session.rollback()
    row = subscribed(session, page, proven=False)
    assert confirmation_codes.confirm(session, claim, confirmation_codes.code_of(row)) is None
    session.commit()
    loaded(session, row)
    assert row.state is PENDING


def test_start_brings_back_what_stop_ended(session: Session, page: Page) -> None:
    """With its components and events; what its owner or a member had ended for another reason stays ended."""
    shop = second_page(session)
    scenes.component(session, page, "API")
    row = subscribed(session, page)
    subscriptions.subscribe(
        session, page, wish(components=["api"], events=["incident.created"]), proven=True
    )
    left = subscribed(session, shop)
    subscriptions.unsubscribe(session, left)
    session.commit()
    say(session, Answer.STOP)
    words = say(session, Answer.START)
    loaded(session, row)
    loaded(session, left)
    assert (row.state, row.reason, left.state) == (ACTIVE, None, ENDED)
    assert row.events == ["incident.created"]
    assert len(row.chosen) == 1
    assert not is_silent(session)
    assert "/manage/" in words
    assert subscriptions.owned(session, words.rpartition("/")[2]).id == row.id
    assert audited(session, row)[-1] == ("enable", "subscriber")


def test_start_does_not_switch_on_what_was_off(session: Session, page: Page) -> None:
    """What a member had switched off before the STOP ends with it, and stays ended."""
    row = subscribed(session, page)
    subscriptions.disable(session, row, reason="too dear", actor="member")
    session.commit()
    say(session, Answer.STOP)
    say(session, Answer.START)
    assert loaded(session, row).state is ENDED


@ON_SQLITE
def test_a_page_by_link_is_named_to_its_subscribers_only(session: Session, page: Page) -> None:
    """Any phone may ask for help; what it is told of is no secret."""
    page.name, page.visibility, page.link_token = "Secret plans", "link", "token-of-the-page"
    session.commit()
    words = say(session, Answer.HELP) + say(session, Answer.STOP, "+4917198765432")
    assert "Secret plans" not in words
    assert "token-of-the-page" not in words
    subscribed(session, page)
    assert say(session, Answer.HELP).startswith("Secret plans: ")


def test_start_confirms_what_waits(session: Session, page: Page) -> None:
    """YES to the question confirms all of the number's sign-ups of the last seven days, once."""
    shop = second_page(session)
    row, old = subscribed(session, page, proven=False), subscribed(session, shop, proven=False)
    old.asked_at = utc_now() - timedelta(days=7, minutes=1)
    session.commit()
    say(session, Answer.START)
    loaded(session, row)
    loaded(session, old)
    assert (row.state, old.state) == (ACTIVE, PENDING)
    assert audited(session, row) == [("create", "subscriber"), ("confirm", "subscriber")]
    with pytest.raises(Exception, match="used already"):
        subscriptions.confirm(session, asked(session)[0]["confirm_url"].rpartition("/")[2])


def test_start_long_after_does_not_confirm_what_never_was(session: Session, page: Page) -> None:
    """A stranger's sign-up that STOP ended does not begin with a START for something else, months later."""
    row = subscribed(session, page, proven=False)
    say(session, Answer.STOP)
    row.asked_at = utc_now() - timedelta(days=30)
    session.commit()
    say(session, Answer.START)
    loaded(session, row)
    assert row.state is ENDED


def test_start_lets_members_and_strangers_ask_again(session: Session, page: Page) -> None:
    """After START a member can subscribe the number, and a sign-up is texted at once."""
    say(session, Answer.STOP)
    row = subscribed(session, page, proven=False)
    subscriptions.unsubscribe(session, row)
    say(session, Answer.START)
    subscribed(session, page, proven=False)
    assert len(asked(session)) == 1
    assert subscribed(session, page).state is ACTIVE


def test_start_from_a_number_that_nobody_knows(session: Session, page: Page) -> None:
    """It begins nothing, and is told where to subscribe."""
    words = say(session, Answer.START)
    assert words.endswith("Subscribe: https://status.example.com/subscribe")
    assert session.scalar(select(func.count()).select_from(Subscription)) == 0


def test_help_changes_nothing(session: Session, page: Page) -> None:
    """It names the page, how to stop and where to manage, for a subscriber; and for a stranger where to subscribe."""
    assert "https://status.example.com/subscribe" in say(session, Answer.HELP)
    row = subscribed(session, page)
    words = say(session, Answer.HELP)
    assert words.startswith("Status")
    assert "STOP" in words
    assert subscriptions.owned(session, words.rpartition("/")[2]).id == row.id
    assert row.state is ACTIVE


def test_the_same_message_again(session: Session, page: Page) -> None:
    """A STOP that the gateway repeats after the owner's START does not undo it."""
    row = subscribed(session, page)
    say(session, Answer.STOP, message_id="SM1")
    say(session, Answer.START, message_id="SM2")
    assert say(session, Answer.STOP, message_id="SM1") == ""
    loaded(session, row)
    assert row.state is ACTIVE
    assert not is_silent(session)
    say(session, Answer.STOP, message_id="SM3")
    loaded(session, row)
    assert row.state is ENDED


def test_what_the_gateway_refuses_as_stopped_counts_as_a_stop(session: Session, page: Page) -> None:
    """Its owner said STOP to the gateway: all ends as by our own STOP, and START brings it back."""
    shop = second_page(session)
    rows = [subscribed(session, page), subscribed(session, shop)]
    suppressions.suppress(session, rows[0], STOPPED)
    session.commit()
    for row in rows:
        loaded(session, row)
    assert [row.state for row in rows] == [ENDED, ENDED]
    with pytest.raises(Invalid):
        subscriptions.enable(session, loaded(session, rows[1]), actor="member")
    session.rollback()
    say(session, Answer.START)
    for row in rows:
        loaded(session, row)
    assert [row.state for row in rows] == [ACTIVE, ACTIVE]


def test_a_number_that_cannot_be_reached_is_a_members_to_bring_back(
    session: Session, page: Page
) -> None:
    """It was no STOP: it is disabled, strangers reach it a day later again, and a member at once."""
    row = subscribed(session, page)
    suppressions.suppress(session, row, "No text reaches this number (the gateway's error 21614).")
    session.commit()
    loaded(session, row)
    assert row.state is DISABLED
    say(session, Answer.START)
    loaded(session, row)
    assert row.state is DISABLED
    suppressions.suppress(session, loaded(session, row), "No text reaches this number.")
    subscriptions.enable(session, loaded(session, row), actor="member")
    session.commit()
    assert stored_suppressions.of(session, "sms", NUMBER) is None


def test_stops_at_the_same_moment(app: Flask, session: Session, page: Page) -> None:
    """Several at once, of a number that nobody knows, leave one suppression and no error."""

    def stop(db: Session, _: Page) -> None:
        def transaction() -> None:
            try:
                opt_outs.obey(db, "sms", NUMBER, Answer.STOP, message_id=str(new_id()))
                db.commit()
            except BaseException:
                db.rollback()
                raise

        run_again(transaction)

    assert scenes.at_once(app, *[stop] * 5) == [None] * 5
    assert session.scalar(select(func.count()).select_from(Suppression)) == 1


def test_a_stop_that_came_meanwhile_is_seen(app: Flask, session: Session, page: Page) -> None:
    """Whoever has begun to read before the STOP cannot subscribe the number after it."""
    assert session.scalars(select(Suppression)).all() == []
    scenes.elsewhere(app, lambda db, _: say(db, Answer.STOP))
    with pytest.raises(Invalid, match="only START"):
        subscriptions.subscribe(session, page, wish(), proven=True)


@pytest.mark.parametrize("is_known", [True, False])
def test_stop_and_a_member_at_the_same_moment(
    app: Flask, session: Session, page: Page, is_known: bool
) -> None:
    """Whichever comes first, no subscription of a number lives after its STOP."""
    page_id = page.id
    if is_known:
        subscriptions.disable(session, subscribed(session, page), reason="x", actor="tests")
        session.commit()

    def stop(db: Session, _: Page) -> None:
        opt_outs.obey(db, "sms", NUMBER, Answer.STOP)

    def enable(db: Session, here: Page) -> None:
        db.scalars(select(Suppression)).all()  # MariaDB keeps to what it saw here
        subscriptions.subscribe(db, here, wish(), proven=True)

    for _ in range(6):
        done = scenes.at_once(app, stop, enable)
        for error in done:
            assert error is None or isinstance(error, Invalid | Conflict) or _lost(error), error
        states = session.scalars(
            select(Subscription.state).where(Subscription.page_id == page_id)
        ).all()
        if done[0] is None:
            assert is_silent(session)
            assert ACTIVE not in states
        session.rollback()
        say(session, Answer.START)
        say(session, Answer.STOP)
        stored_suppressions.lift(session, "sms", NUMBER)
        session.commit()


def _lost(error: object) -> bool:
    from sqlalchemy.exc import DBAPIError

    from flask_statuspage.storage.session import lost_race

    return isinstance(error, DBAPIError) and lost_race(error)


@ON_SQLITE
def test_nobody_confirmed_is_forgotten(session: Session, page: Page) -> None:
    """A sign-up by text that nobody confirmed vanishes after 7 days, as one by mail does."""
    row = subscribed(session, page, proven=False)
    row.asked_at = utc_now() - timedelta(days=7, minutes=1)
    session.commit()
    assert subscriptions.forget_unconfirmed(session, utc_now()) == 1
    session.commit()
    assert session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_a_stop_outlives_what_the_gateway_says_after_it(session: Session, page: Page) -> None:
    """A text that was on its way is refused as unreachable: the number stays silent as its owner wished."""
    row = subscribed(session, page)
    say(session, Answer.STOP)
    suppressions.suppress(session, loaded(session, row), "No text reaches this number.")
    session.commit()
    kept = stored_suppressions.of(session, "sms", NUMBER)
    assert kept is not None
    assert kept.reason == STOPPED
    with pytest.raises(Invalid) as refused:
        subscribed(session, page)
    assert [error.message for error in refused.value.errors] == [REFUSED]


def test_start_asks_whom_nobody_had_asked(session: Session, page: Page) -> None:
    """A stranger signed the silent number up: START brings that question, no subscription; YES to it does."""
    say(session, Answer.STOP)
    row = subscribed(session, page, proven=False)
    assert asked(session) == []
    say(session, Answer.START)
    assert loaded(session, row).state is PENDING
    assert len(asked(session)) == 1
    say(session, Answer.START)
    assert loaded(session, row).state is ACTIVE


@ON_SQLITE
def test_a_question_that_was_answered_with_stop_is_forgotten(session: Session, page: Page) -> None:
    """After a week the number is gone; that it is silent stays."""
    row = subscribed(session, page, proven=False)
    ident = row.id
    say(session, Answer.STOP)
    loaded(session, row).asked_at = utc_now() - timedelta(days=8)
    session.commit()
    assert subscriptions.forget_unconfirmed(session, utc_now()) == 1
    session.commit()
    assert stored.get(session, ident) is None
    assert stored_suppressions.of(session, "sms", NUMBER) is not None
