"""Column types: aware instants, and texts that the database sees encrypted only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from flask_statuspage.errors import SetupError
from flask_statuspage.storage import subscriptions
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.pages import Page, default_page
from flask_statuspage.storage.session import (
    current_session,
    database_now,
    in_pages,
    release_session,
)
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from tests import apps


def subscribe(session: Session, secret: str | None) -> Subscription:
    row = Subscription(
        page_id=default_page(session).id,
        channel="webhook",
        address="https://example.com/hook",
        address_digest=subscriptions.digest("https://example.com/hook"),
        format="native",
        secret=secret,
        state=SubscriptionState.ACTIVE,
        nonce="nonce",
    )
    session.add(row)
    session.commit()
    return row


def raw_secret(session: Session) -> str:
    return session.scalar(text("SELECT secret FROM statuspage_subscription"))


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2026, 2, 19, 17, 30, 1, 123456, tzinfo=UTC),
        datetime(2026, 7, 1, 2, 0, 0, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(-timedelta(hours=8))),
    ],
)
def test_an_instant_is_kept_to_the_microsecond_in_utc(session: Session, instant: datetime) -> None:
    """What comes back is the same instant, aware, in UTC, and found by comparison with itself."""
    default_page(session).updated_at = instant
    session.commit()
    back = session.scalars(select(Page.updated_at).where(Page.updated_at == instant)).one()
    assert (back, back.utcoffset()) == (instant, timedelta(0))
    earlier = instant - timedelta(microseconds=1)
    assert session.scalars(select(Page.id).where(Page.updated_at <= earlier)).all() == []


def test_an_instant_without_a_zone_is_refused(session: Session) -> None:
    """A naive datetime could mean anything; it is refused before it reaches the database."""
    default_page(session).updated_at = datetime(2026, 2, 19)
    with pytest.raises(StatementError, match="has no time zone"):
        session.flush()


def test_the_databases_clock_is_utc(session: Session) -> None:
    """The clock that workers share is aware, in UTC, and goes with this machine's clock."""
    before = utc_now() - timedelta(milliseconds=2)  # SQLite's clock has milliseconds
    now = database_now(session)
    assert before <= now <= utc_now() + timedelta(milliseconds=2)
    assert now.utcoffset() == timedelta(0)


def test_a_secret_is_encrypted_in_the_table(session: Session) -> None:
    """The table holds a ciphertext, another one each time; the model gives the secret back."""
    row = subscribe(session, "top secret Grüße")
    first = raw_secret(session)
    assert "secret" not in first
    assert row.secret == "top secret Grüße"
    row.secret = "other"
    session.commit()
    row.secret = "top secret Grüße"
    session.commit()
    assert raw_secret(session) != first
    row.secret = None
    session.commit()
    assert raw_secret(session) is None
    assert row.secret is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "rotated",
    [
        {"SECRET_KEY": "new", "SECRET_KEY_FALLBACKS": ["old"]},
        {"SECRET_KEY": b"new", "SECRET_KEY_FALLBACKS": [b"older", b"old"]},
        {"SECRET_KEY": "unrelated", "STATUSPAGE_SECRET_KEYS": ["new", "old"]},
    ],
)
def test_keys_rotate(database_url: str, rotated: dict[str, object]) -> None:
    """An older key still opens what it closed; what is written anew needs the newest one only."""
    with apps.running(database_url, SECRET_KEY="old") as app, app.app_context():
        subscribe(current_session(), "top secret")
    with apps.running(database_url, **rotated) as app, app.app_context():
        row = current_session().scalars(select(Subscription)).one()
        assert row.secret == "top secret"
        row.secret = "written anew"
        current_session().commit()
    with apps.running(database_url, SECRET_KEY="new") as app, app.app_context():
        assert current_session().scalars(select(Subscription)).one().secret == "written anew"
    with apps.running(database_url, SECRET_KEY="old") as app, app.app_context():
        rows = current_session().scalars(select(Subscription.secret))
        with pytest.raises(SetupError, match="cannot be opened"):
            rows.one()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_wrong_key_is_told_with_its_mend(database_url: str) -> None:
    """With another key the error says what probably happened and where the old key belongs."""
    with apps.running(database_url) as app, app.app_context():
        subscribe(current_session(), "top secret")
    with apps.running(database_url, SECRET_KEY="another") as app, app.app_context():
        rows = current_session().scalars(select(Subscription.secret))
        with pytest.raises(SetupError, match=r"SECRET_KEY changed\? .* SECRET_KEY_FALLBACKS"):
            rows.all()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_key_at_all_is_told(database_url: str) -> None:
    """Without SECRET_KEY nothing secret is stored in the clear; the error names both settings."""
    with apps.running(database_url, SECRET_KEY=None) as app, app.app_context():
        session = current_session()
        with pytest.raises(StatementError, match="set SECRET_KEY or STATUSPAGE_SECRET_KEYS"):
            subscribe(session, "top secret")


def test_a_host_without_a_database_is_told(tmp_path: object) -> None:
    """An app on which flask-sqlalchemy was never set up gets an error that says what to call."""
    app = Flask("host")
    with app.app_context(), pytest.raises(SetupError, match=r"call db\.init_app\(app\)"):
        current_session()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_released_session_is_a_new_one(app: Flask) -> None:
    """A worker that releases its session works in a fresh one afterwards."""
    with app.app_context():
        first = current_session()
        first.scalars(select(Page)).all()
        assert first.in_transaction()
        release_session()
        assert not first.in_transaction()
        assert current_session() is not first


def test_in_pages_cuts_lists() -> None:
    """Items come in lists of at most the given size, in order, none empty."""
    assert list(in_pages(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(in_pages([], 2)) == []
