"""Mail from end to end: signed up, confirmed, told, and what becomes of a mailbox that is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.jobs import tasks
from flask_statuspage.services import incidents, pages, subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.outbox import Delivery
from flask_statuspage.storage.pages import Page, default_page
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from tests import apps
from tests.servers.smtp import Mail, SmtpServer

ADDRESS = "ann@example.com"


@pytest.fixture
def app(tmp_path: Path, smtp: SmtpServer) -> Iterator[Flask]:
    with (
        apps.running(
            f"sqlite:///{tmp_path / 'site.db'}",
            STATUSPAGE_SMTP_URL=f"smtp://{smtp.host}:{smtp.port}",
            STATUSPAGE_EMAIL_FROM="Status <status@example.com>",
        ) as app,
        app.app_context(),
    ):
        yield app


@pytest.fixture
def session(app: Flask) -> Session:
    return current_session()


@pytest.fixture
def page(session: Session) -> Page:
    return default_page(session)


def deliver(session: Session) -> None:
    session.commit()
    tasks.run("deliver")


def reader(session: Session, page: Page, address: str = ADDRESS) -> Subscription:
    wish = Wish(channel="email", address=address)
    return subscriptions.subscribe(session, page, wish, proven=True)


def text_of(mail: Mail, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_a_conversation(smtp: SmtpServer, session: Session, page: Page) -> None:
    """The question stands alone; the mails of an incident hang together and can be left by one click."""
    subscriptions.subscribe(session, page, Wish(channel="email", address=ADDRESS))
    deliver(session)
    (question,) = smtp.messages
    token = re.search(r"/confirm/(\S+)", text_of(question, "plain"))
    assert token is not None
    subscriptions.confirm(session, token[1])
    incident = incidents.open(session, page, title="Down", body="We look.")
    deliver(session)
    incidents.resolve(session, page, incident.id, body="It is up.")
    deliver(session)
    _, opening, ending = smtp.messages
    assert ending["In-Reply-To"] == ending["References"] == opening["Message-ID"]
    assert (question["In-Reply-To"], question["List-Unsubscribe"]) == (None, None)
    for mail in (opening, ending):
        assert mail["List-Unsubscribe"].startswith("<https://status.example.com/")
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert len({mail["Message-ID"] for mail in smtp.messages}) == 3


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_both_links_stand_once_in_each_part(
    smtp: SmtpServer, session: Session, page: Page, kind: str
) -> None:
    """Where the reader changes what they receive, and where they leave; the format words them."""
    reader(session, page)
    incidents.open(session, page, title="Down", body="We look.")
    deliver(session)
    (mail,) = smtp.messages
    text = text_of(mail, kind)
    leave = str(mail["List-Unsubscribe"]).strip("<>")
    assert text.count(leave) == 1
    assert text.count(leave.rpartition("/unsubscribe/")[0] + "/manage/") == 1


def test_a_mailbox_that_is_gone(smtp: SmtpServer, session: Session, page: Page) -> None:
    """A 550 switches the address off on each page with the server's words, and a stranger cannot wake it."""
    other = pages.create(session, name="Internal")
    rows = [reader(session, one) for one in (page, other)]
    reader(session, page, "bob@example.com")
    smtp.reject = {ADDRESS: f"550 5.1.1 <{ADDRESS}>: no such user"}
    incidents.open(session, page, title="Down", body="We look.")
    deliver(session)
    assert [mail["To"] for mail in smtp.messages] == ["bob@example.com"]
    found = session.execute(
        select(Subscription.state, Subscription.reason).where(
            Subscription.id.in_([row.id for row in rows])
        )
    )
    reason = "The mail server answered 550 5.1.1: …: no such user"
    assert {tuple(row) for row in found} == {(SubscriptionState.DISABLED, reason)}
    smtp.reject = {}
    subscriptions.subscribe(session, page, Wish(channel="email", address=ADDRESS))
    deliver(session)
    assert len(smtp.messages) == 1


def test_patience_is_kept(smtp: SmtpServer, session: Session, page: Page) -> None:
    """A 451 leaves the subscription, and the mail waits for its retry."""
    row = reader(session, page)
    smtp.reject_with = "451 4.7.1 greylisted"
    incidents.open(session, page, title="Down", body="We look.")
    deliver(session)
    session.refresh(row)
    assert row.state is SubscriptionState.ACTIVE
    delivery: Any = session.execute(select(Delivery.state, Delivery.reason)).one()
    assert delivery.state.value == "pending"
    assert delivery.reason == "The mail server answered 451 4.7.1: greylisted"


def test_a_batch_has_few_connections(smtp: SmtpServer, session: Session, page: Page) -> None:
    """However many readers there are, a worker opens as many connections as the channel allows at once."""
    for number in range(40):
        reader(session, page, f"reader{number}@example.com")
    incidents.open(session, page, title="Down", body="We look.")
    deliver(session)
    assert len(smtp.messages) == 40
    assert smtp.connections <= 2
    assert {len(mail.envelope_to) for mail in smtp.messages} == {1}
