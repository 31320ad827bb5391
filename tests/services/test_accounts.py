"""Tokens of connected accounts: fresh ones, refused ones, and two workers who refresh at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.orm import Session, undefer

from flask_statuspage.errors import AccessRefused, AccessUnreachable
from flask_statuspage.services import accounts, pages, subscriptions, x_access
from flask_statuspage.services.x_access import Profile, Tokens
from flask_statuspage.storage.accounts import Account
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from tests.apps import running
from tests.servers import x as fake
from tests.servers.authority import Authority
from tests.servers.http import Answer

ANN = "ann@acme.example"


@pytest.fixture
def x() -> Iterator[fake.FakeX]:
    with fake.running() as site:
        yield site


@pytest.fixture
def app(database_url: str, x: fake.FakeX) -> Iterator[Flask]:
    """A host that has X, on each kind of database."""
    with running(database_url, **x.settings()) as app:
        yield app


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with app.app_context():
        yield current_session()


@pytest.fixture
def page(session: Session) -> Page:
    return pages.find(session, None)


sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def connected(session: Session, page: Page, x: fake.FakeX, *, seconds: float = 7200) -> UUID:
    """Connect an account whose token ends in so many seconds; returns its subscription's id."""
    pair = x.grant()
    ends = utc_now() + timedelta(seconds=seconds)
    tokens = Tokens(pair["access_token"], pair["refresh_token"], ends)
    accounts.connect(session, page, Profile("1001", "Acme"), tokens, actor=ANN)
    session.commit()
    row = session.query(Subscription).one()
    ident: UUID = row.id
    session.commit()
    return ident


def kept(session: Session) -> dict[str, Any]:
    session.rollback()
    row = session.query(Account).options(undefer(Account.credentials)).populate_existing().one()
    found: dict[str, Any] = json.loads(row.credentials)
    session.rollback()
    return found


@sqlite
def test_a_fresh_token_serves(session: Session, page: Page, x: fake.FakeX) -> None:
    """X is not asked while the token lives longer than a minute, nor for another one that was refused."""
    ident = connected(session, page, x)
    token = accounts.access_token(ident, None)
    assert token == kept(session)["access"]
    assert accounts.access_token(ident, "an older one") == token
    assert x.receiver.requests == []


@sqlite
@pytest.mark.parametrize("seconds", [-100, 0, 59])
def test_an_ending_token(session: Session, page: Page, x: fake.FakeX, seconds: int) -> None:
    """One that ends within a minute is exchanged beforehand, and the new pair is kept."""
    ident = connected(session, page, x, seconds=seconds)
    before = kept(session)
    token = accounts.access_token(ident, None)
    after = kept(session)
    assert token == after["access"] != before["access"]
    assert after["refresh"] in x.refresh
    assert accounts.access_token(ident, None) == token
    assert (x.refreshes, x.reused) == (1, 0)


@sqlite
def test_a_refused_token(session: Session, page: Page, x: fake.FakeX) -> None:
    """The present one is exchanged when it was refused, however long it should have lived."""
    ident = connected(session, page, x)
    token = accounts.access_token(ident, None)
    other = accounts.access_token(ident, token)
    assert other != token
    assert accounts.access_token(ident, token) == other
    assert x.refreshes == 1


@sqlite
def test_revoked(session: Session, page: Page, x: fake.FakeX) -> None:
    """When X knows the refresh token no more, signing in again is the only way."""
    ident = connected(session, page, x, seconds=0)
    x.revoke()
    with pytest.raises(AccessRefused, match=r"invalid_request: Value passed"):
        accounts.access_token(ident, None)
    assert kept(session)["refresh"]


@sqlite
@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=503),
        Answer(status=429, body=b"{}"),
        Answer(status=200, body=b"no JSON"),
        Answer(
            status=200, body=b'{"access_token": "a", "token_type": "bearer", "expires_in": "soon"}'
        ),
        Answer(status=401, body=b'{"error": "invalid_client"}'),
    ],
    ids=["503", "429", "text", "number", "client"],
)
def test_no_answer_of_use(session: Session, page: Page, x: fake.FakeX, answer: Answer) -> None:
    """A fault of X, or of this site's own secret, closes nothing: the old pair is kept for the next time."""
    ident = connected(session, page, x, seconds=0)
    before = kept(session)
    x.token_answer = answer
    with pytest.raises(AccessUnreachable):
        accounts.access_token(ident, None)
    assert kept(session) == before
    x.token_answer = None
    assert accounts.access_token(ident, None)


@sqlite
def test_disconnected(session: Session, page: Page, x: fake.FakeX) -> None:
    """Of an account that is gone no token can be had."""
    ident = connected(session, page, x)
    account = session.query(Account).one()
    accounts.disconnect(session, page, account.id, actor=ANN)
    session.commit()
    with pytest.raises(AccessRefused, match="not connected"):
        accounts.access_token(ident, None)


def test_workers_refresh_once(app: Flask, session: Session, page: Page, x: fake.FakeX) -> None:
    """Of six workers who need a token at once one asks X, and all post by the pair that it got."""
    ident = connected(session, page, x, seconds=0)
    x.refresh_delay = 1.0

    def work() -> str:
        with app.app_context():
            return accounts.access_token(ident, None)

    with ThreadPoolExecutor(6) as pool:
        tokens = {future.result(60) for future in [pool.submit(work) for _ in range(6)]}
    assert len(tokens) == 1
    assert (x.refreshes, x.reused) == (1, 0)
    assert tokens == {kept(session)["access"]}


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_others_go_on_meanwhile(app: Flask, session: Session, page: Page, x: fake.FakeX) -> None:
    """While X is asked nothing but the account is held: the subscription can be changed."""
    ident = connected(session, page, x, seconds=0)
    x.refresh_delay = 3.0

    def work() -> str:
        with app.app_context():
            return accounts.access_token(ident, None)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        x.receiver.wait_for(lambda request: request.path == "/2/oauth2/token")
        subscription = subscriptions.get(session, page, ident, lock=True)
        subscriptions.disable(session, subscription, reason="Enough", actor=ANN)
        session.commit()
        assert not future.done()
        assert future.result(30)


@sqlite
def test_connected_cards(session: Session, page: Page, x: fake.FakeX) -> None:
    """What is shown of an account: since when, by whom, and how its subscription stands."""
    connected(session, page, x)
    (item,) = accounts.connected(session, page)
    assert (item.account.name, item.account.actor) == ("@acme", ANN)
    assert item.subscription is not None
    assert (item.failed_at, item.failure) == (None, None)


@sqlite
def test_authorities_that_cannot_be_read_close_no_account(
    database_url: str, x: fake.FakeX, tmp_path: Path
) -> None:
    """X was not reached, as far as the account is concerned, and nothing raises that must not."""
    authority = Authority(tmp_path)
    over_tls = {"STATUSPAGE_X_API_URL": "https://127.0.0.1:9", "STATUSPAGE_CA_FILE": authority.path}
    with running(database_url, **{**x.settings(), **over_tls}) as app, app.app_context():
        Path(authority.path).unlink()
        for call in (x_access.refresh, x_access.profile):
            with pytest.raises(AccessUnreachable):
                call("a token")
        assert not x_access.give_back("a token")
