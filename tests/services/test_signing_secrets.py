"""Secrets of webhooks: how long, how many at a time, and that nobody reads them in the database."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from flask_statuspage.errors import Invalid
from flask_statuspage.jobs import tasks
from flask_statuspage.services import signing_secrets, subscription_changes, subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.encryption import reveal
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription

from . import scenes

FIRST, SECOND, THIRD = (f"the {word} of three secrets" for word in ("first", "second", "third"))
COLUMNS = text("SELECT secret, previous_secret, previous_until FROM statuspage_subscription")


def raw(session: Session) -> tuple[Any, ...]:
    """The columns as the database has them, of the only subscription."""
    return tuple(session.execute(COLUMNS).one())


def opened(session: Session) -> tuple[str | None, str | None]:
    """Both secrets, read past all that the session remembers."""
    secret, previous, _ = raw(session)
    return reveal(secret), reveal(previous)


def hook(session: Session, page: Page) -> Subscription:
    """A webhook with the first secret, as a member's request reads it."""
    ident = scenes.webhook(session, page, secret=FIRST).id
    return subscriptions.get(session, page, ident, lock=True)


def test_both_secrets_are_encrypted_at_rest(session: Session, page: Page) -> None:
    """Neither the secret nor the one before it can be read in the database, and each is sealed anew."""
    row = hook(session, page)
    signing_secrets.rotate(session, row, secret=SECOND, actor="ann")
    session.commit()
    secret, previous, until = raw(session)
    assert until is not None
    for sealed in (secret, previous):
        assert sealed.startswith("gAAAAA")  # Fernet's first byte, and the time's
        for word in ("secret", "first", "second", FIRST, SECOND):
            assert word not in sealed
    assert opened(session) == (SECOND, FIRST)


def test_the_newest_two_count(session: Session, page: Page) -> None:
    """The secret before counts for 24 hours; a third one within that time takes the place of the first."""
    row = hook(session, page)
    assert (row.previous_secret, row.previous_until) == (None, None)
    for secret, before in ((SECOND, FIRST), (THIRD, SECOND)):
        row = subscriptions.get(session, page, row.id, lock=True)
        assert signing_secrets.rotate(session, row, secret=secret, actor="ann") == secret
        session.commit()
        assert opened(session) == (secret, before)
        assert row.previous_until is not None
        assert timedelta(hours=23.9) < row.previous_until - utc_now() <= timedelta(hours=24)


def test_a_new_secret_in_a_change_keeps_the_old_one(session: Session, page: Page) -> None:
    """A member's PATCH and a member's second sign-up leave the secret before in force; the same one changes nothing."""
    row = hook(session, page)
    change = {"secret": SECOND}
    subscription_changes.change(session, page, row, change, actor="ann")
    session.commit()
    assert opened(session) == (SECOND, FIRST)
    row = subscriptions.get(session, page, row.id, lock=True)
    until = row.previous_until
    subscription_changes.change(session, page, row, change, actor="ann")
    session.commit()
    assert (opened(session), row.previous_until) == ((SECOND, FIRST), until)
    wish = Wish(channel="webhook", address=row.address, secret=THIRD)
    subscriptions.subscribe(session, page, wish, proven=True, actor="ann")
    session.commit()
    assert opened(session) == (THIRD, SECOND)


@pytest.mark.parametrize("secret", [None, THIRD])
def test_who_comes_after_does_not_share_a_secret(
    session: Session, page: Page, secret: str | None
) -> None:
    """An address that ended and is signed up anew is signed with neither of the secrets of the time before."""
    row = hook(session, page)
    signing_secrets.rotate(session, row, secret=SECOND, actor="ann")
    subscriptions.unsubscribe(session, row)
    session.commit()
    wish = Wish(channel="webhook", address=row.address, secret=secret)
    subscriptions.subscribe(session, page, wish)
    session.commit()
    assert opened(session) == (secret, None)
    assert raw(session)[2] is None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("secret", ["", "-" * 15, "-" * 201, "é" * 7, "é" * 101, "\ud800" * 5])
def test_a_secret_has_16_to_200_bytes(session: Session, page: Page, secret: str) -> None:
    """Bytes count, not letters, wherever a secret is given; nothing is kept of a refused one."""
    ident = hook(session, page).id
    fields: list[str] = []

    def row() -> Subscription:
        return subscriptions.get(session, page, ident, lock=True)

    for give in (
        lambda: scenes.webhook(session, page, secret=secret),
        lambda: signing_secrets.rotate(session, row(), secret=secret, actor="ann"),
        lambda: subscription_changes.change(session, page, row(), {"secret": secret}, actor="ann"),
    ):
        with pytest.raises(Invalid) as caught:
            give()
        session.rollback()
        fields += [error.field for error in caught.value.errors]
    assert fields == ["secret"] * 3
    assert opened(session) == (FIRST, None)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("secret", ["-" * 16, "-" * 200, "é" * 8, "é" * 100])
def test_a_secret_on_the_bound_is_taken(session: Session, page: Page, secret: str) -> None:
    """16 and 200 bytes are enough and not too many."""
    scenes.webhook(session, page, secret=secret)
    assert opened(session)[0] == secret


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("length", "taken"), [(9, False), (12, False), (15, False), (16, True)])
def test_a_standard_secret_is_measured_as_the_key_that_it_is(
    session: Session, page: Page, length: int, taken: bool
) -> None:
    """With the prefix of Standard Webhooks the decoded bytes count; a plain text of 16 letters is long enough."""
    encoded = b64encode(b"\xfb" * length).decode()
    secret = f"whsec_{encoded}"
    if taken:
        scenes.webhook(session, page, secret=secret)
        assert opened(session)[0] == secret
        return
    with pytest.raises(Invalid) as caught:
        scenes.webhook(session, page, secret=secret)
    assert [error.field for error in caught.value.errors] == ["secret"]
    scenes.webhook(session, page, secret="0123456789abcdef")
    assert opened(session)[0] == "0123456789abcdef"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_rotating_to_the_same_secret_is_a_mistake(session: Session, page: Page) -> None:
    """It would end the secret before it for nothing."""
    row = hook(session, page)
    with pytest.raises(Invalid) as caught:
        signing_secrets.rotate(session, row, secret=FIRST, actor="ann")
    assert [error.field for error in caught.value.errors] == ["secret"]


def test_a_secret_that_cannot_be_opened_is_replaced(session: Session, page: Page) -> None:
    """After the site's keys were lost a new secret mends the webhook; the lost one is not kept."""
    ident = scenes.webhook(session, page, secret=FIRST).id
    session.connection().exec_driver_sql("UPDATE statuspage_subscription SET secret = 'broken'")
    session.commit()
    row = subscriptions.get(session, page, ident, lock=True)
    new = signing_secrets.rotate(session, row, actor="ann")
    session.commit()
    assert opened(session) == (new, None)


def test_a_previous_secret_is_erased_when_its_time_is_over(session: Session, page: Page) -> None:
    """Housekeeping leaves one that still counts and erases one that does not, from the database itself."""
    row = hook(session, page)
    signing_secrets.rotate(session, row, secret=SECOND, actor="ann")
    session.commit()
    assert tasks.run("housekeep") == 0
    assert opened(session) == (SECOND, FIRST)
    over = utc_now() - timedelta(seconds=1)
    session.execute(update(Subscription).values(previous_until=over))
    session.commit()
    assert tasks.run("housekeep") == 1
    assert raw(session)[1:] == (None, None)
    assert opened(session) == (SECOND, None)
