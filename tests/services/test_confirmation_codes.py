"""Codes: what confirms, how often one may guess, and that nothing tells who is subscribed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.delivery import links
from flask_statuspage.domain.opt_out import STOPPED
from flask_statuspage.errors import LinkInvalid, TooMany
from flask_statuspage.services import confirmation_codes, subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage import suppressions as stored_suppressions
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.signups import SignupAttempt
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState, digest

from . import scenes

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

NUMBER = "+4917123456789"
PENDING, ACTIVE = SubscriptionState.PENDING, SubscriptionState.ACTIVE


def sign_up(session: Session, page: Page, **options: Any) -> Subscription:
    row = subscriptions.subscribe(session, page, Wish(channel="sms", address=NUMBER), **options)
    session.commit()
    return row


def claim(page: Page) -> links.Claim:
    return links.Claim(page.id, "sms", digest(NUMBER))


def told(session: Session) -> list[str | None]:
    """The codes of all messages so far."""
    query = select(EventRow.data).where(EventRow.name == "subscription.confirmation")
    return [data.get("code") for data in session.scalars(query.order_by(EventRow.sequence))]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def guess(session: Session, page: Page, code: str) -> str:
    """What comes of a code: "right", "wrong" or "too many"."""
    meant = claim(page)
    session.rollback()
    try:
        found = confirmation_codes.confirm(session, meant, code)
    except TooMany:
        session.rollback()
        return "too many"
    session.commit()
    return "wrong" if found is None else "right"


def let_pass(session: Session, **time: float) -> None:
    """Make all that was asked, sent and counted so much older."""
    ago = timedelta(**time)
    for row in session.scalars(select(Subscription)):
        row.asked_at -= ago
        row.mailed_at = row.mailed_at and row.mailed_at - ago
    for attempt in session.scalars(select(SignupAttempt)):
        attempt.at -= ago
    session.commit()


def test_the_code_that_was_sent_confirms_once(session: Session, page: Page) -> None:
    """Six digits, in the message only; they begin the subscription, and never again."""
    row = sign_up(session, page)
    (code,) = told(session)
    assert code is not None
    assert len(code) == 6
    assert code.isascii()
    assert code.isdigit()
    assert code == confirmation_codes.code_of(row)
    assert guess(session, page, other_than(code)) == "wrong"
    assert guess(session, page, code) == "right"
    assert row.state is ACTIVE
    subscriptions.unsubscribe(session, subscriptions.get(session, page, row.id, lock=True))
    session.commit()
    sign_up(session, page)
    assert guess(session, page, code) == "wrong"


def test_a_newer_message_has_a_newer_code(session: Session, page: Page) -> None:
    """The code of the message before it is void."""
    sign_up(session, page)
    let_pass(session, minutes=21)
    sign_up(session, page)
    old, new = told(session)
    assert old is not None
    assert new is not None
    assert old != new
    assert guess(session, page, old) == "wrong"
    assert guess(session, page, new) == "right"


def test_a_code_is_as_old_as_a_link(session: Session, page: Page) -> None:
    """After seven days it confirms nothing."""
    sign_up(session, page)
    (code,) = told(session)
    assert code is not None
    let_pass(session, days=7, minutes=1)
    assert guess(session, page, code) == "wrong"


def test_five_wrong_ones_are_the_end_for_an_hour(session: Session, page: Page) -> None:
    """Then the right one does not count either, until the hour is over or another message was sent."""
    sign_up(session, page)
    (code,) = told(session)
    assert code is not None
    for _ in range(5):
        assert guess(session, page, other_than(code)) == "wrong"
    assert guess(session, page, code) == "too many"
    for attempt in session.scalars(select(SignupAttempt)):
        attempt.at -= timedelta(hours=1, seconds=1)
    session.commit()
    assert guess(session, page, code) == "right"


def test_another_message_begins_anew(session: Session, page: Page) -> None:
    """Whoever typed five wrong ones asks for another text, which comes twenty minutes after the one before."""
    sign_up(session, page)
    for _ in range(6):
        last = guess(session, page, "000000" if told(session)[0] != "000000" else "000001")
    assert last == "too many"
    row = session.scalars(select(Subscription)).one()
    assert row.mailed_at is not None
    row.mailed_at -= timedelta(minutes=21)
    session.commit()
    sign_up(session, page)
    code = told(session)[-1]
    assert code is not None
    assert guess(session, page, code) == "right"


def test_guesses_in_many_threads_are_counted(app: Flask, session: Session, page: Page) -> None:
    """Twelve at once are no more than five guesses, on every database."""
    sign_up(session, page)
    (code,) = told(session)
    assert code is not None
    wrong = [f"{(int(code) + number) % 10**6:06}" for number in range(1, 13)]

    def one(typed: str) -> Any:
        def work(db: Session, here: Page) -> str:
            return guess(db, here, typed)

        return work

    done = scenes.at_once(app, *[one(typed) for typed in wrong])
    assert sorted(str(result) for result in done) == ["too many"] * 7 + ["wrong"] * 5
    assert guess(session, page, code) == "too many"


@pytest.mark.parametrize("kind", ["nobody", "pending", "active", "silent", "gone"])
@ON_SQLITE
def test_guessing_tells_nothing(session: Session, page: Page, kind: str) -> None:
    """Wrong codes are answered alike for numbers of every kind, before and after another sign-up."""
    if kind == "active":
        sign_up(session, page, proven=True)
    if kind == "silent":
        stored_suppressions.add(session, "sms", NUMBER, STOPPED, utc_now())
        session.commit()
    if kind == "gone":
        row = sign_up(session, page, proven=True)
        subscriptions.unsubscribe(session, subscriptions.get(session, page, row.id, lock=True))
        session.commit()
    if kind != "nobody":
        sign_up(session, page)
    codes = {code for code in told(session) if code}
    wrong = next(f"{number:06}" for number in range(10) if f"{number:06}" not in codes)
    answers = [guess(session, page, wrong) for _ in range(7)]
    assert answers == ["wrong"] * 5 + ["too many"] * 2
    if kind == "nobody":
        return
    row = session.scalars(select(Subscription)).one()
    assert row.mailed_at is not None
    row.mailed_at -= timedelta(minutes=21)
    session.commit()
    sign_up(session, page)
    codes = {code for code in told(session) if code}
    wrong = next(f"{number:06}" for number in range(10) if f"{number:06}" not in codes)
    assert guess(session, page, wrong) == "wrong"


@ON_SQLITE
def test_who_is_subscribed_already_gets_a_link_and_no_code(session: Session, page: Page) -> None:
    """A stranger's sign-up of an active number sends the link that changes; no code confirms anything."""
    row = sign_up(session, page, proven=True)
    sign_up(session, page)
    assert told(session) == [None]
    assert guess(session, page, confirmation_codes.code_of(row)) == "wrong"


@ON_SQLITE
def test_codes_of_an_older_key_count(app: Flask, session: Session, page: Page) -> None:
    """After a new key came the codes that were sent before it still confirm; those of a dropped key do not."""
    row = sign_up(session, page)
    ticket = links.Ticket(row.id, row.nonce)
    code = links.code(ticket)
    app.config["SECRET_KEY"], app.config["SECRET_KEY_FALLBACKS"] = "new", ["a key for tests"]
    try:
        assert links.code(ticket) != code
        assert links.is_code(ticket, code)
        assert links.is_code(ticket, links.code(ticket))
        app.config["SECRET_KEY_FALLBACKS"] = []
        assert not links.is_code(ticket, code)
    finally:
        app.config["SECRET_KEY"] = "a key for tests"
        del app.config["SECRET_KEY_FALLBACKS"]


@ON_SQLITE
def test_a_claim_holds_no_row(session: Session, page: Page) -> None:
    """The link to the form is made of what was typed; links of other purposes are none, and it opens nothing else."""
    row = sign_up(session, page)
    token = confirmation_codes.claim_token(row)
    assert links.read_claim(token) == claim(page)
    for wrong in (subscriptions.manage_token(row), token[:-2], "", "x.y.z", "\x00é", token + "x"):
        with pytest.raises(LinkInvalid):
            links.read_claim(wrong)
    for purpose in (links.CONFIRM, links.OWN):
        with pytest.raises(LinkInvalid):
            links.read(purpose, token)
