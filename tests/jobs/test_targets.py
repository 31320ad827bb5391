"""Whatever else is to be sent, each channel's messages set out within its target."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from flask_statuspage.config import Settings
from flask_statuspage.delivery.channels import Line, channels
from flask_statuspage.delivery.channels.email import EmailChannel
from flask_statuspage.delivery.formats import formats
from flask_statuspage.delivery.parcel import Outcome, Parcel
from flask_statuspage.jobs.embedded import Runner
from flask_statuspage.services import incidents, lag, subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.outbox import Delivery, DeliveryState
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_session, database_now
from tests.apps import running
from tests.servers import http
from tests.servers.http import Answer, Receiver
from tests.servers.smtp import SmtpServer
from tests.services import scenes
from tests.story.site import eventually

READERS = 300
HANGING = 40


class Pager(EmailChannel):
    """A short way to people, beside mail: it notes who was reached, and how many mails had gone by then."""

    name = "pager"
    default_format = "pager"
    needs_confirmation = False
    target_seconds = 120.0
    parallel = None

    def __init__(self, smtp: SmtpServer) -> None:
        self.smtp = smtp
        self.reached = threading.Event()
        self.mails_before = -1

    def available(self, settings: Settings) -> str | None:
        return None

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Line]:
        yield self

    def send(self, parcel: Parcel) -> Outcome:
        if not self.reached.is_set():
            self.mails_before = len(self.smtp.messages)
        self.reached.set()
        return Outcome(code=200, milliseconds=1)


@pytest.fixture
def pager(smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> Pager:
    """The channel, as a package would add it."""
    channel = Pager(smtp)
    monkeypatch.setitem(channels._loaded(), "pager", channel)
    words = replace(formats["email"], name="pager", channels=frozenset({"pager"}))
    monkeypatch.setitem(formats._loaded(), "pager", words)
    return channel


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_nobody_waits_for_a_crowd_or_for_one_that_hangs(
    database_url: str, tmp_path: Path, smtp: SmtpServer, receiver: Receiver, pager: Pager
) -> None:
    """With a webhook that hangs and 300 mails before them, a page and a healthy webhook set out within their
    targets."""
    config = {**scenes.SETTINGS, "STATUSPAGE_SMTP_URL": f"smtp://127.0.0.1:{smtp.port}"}
    with http.receiver() as silent, running(database_url, **config) as app:
        silent.answer = Answer(hang=True)
        with app.app_context():
            session = current_session()
            page = default_page(session)
            hung = [
                scenes.webhook(session, page, f"{silent.url}/{number}", policy={"timeout": 2})
                for number in range(HANGING)
            ]
            for number in range(READERS):
                wish = Wish(channel="email", address=f"reader-{number}@example.com")
                subscriptions.subscribe(session, page, wish, proven=True)
            scenes.webhook(session, page, f"{receiver.url}/hook")
            wish = Wish(channel="pager", address="ann@example.com")
            subscriptions.subscribe(session, page, wish, proven=True)
            incidents.open(session, page, title="Fire")
            session.commit()
            slow = {one.id for one in hung}
        runner = Runner(app)
        runner.start()
        try:
            assert pager.reached.wait(120)
            receiver.wait_for(lambda request: request.path == "/hook", timeout=120)
            with app.app_context():
                eventually(
                    lambda: _arrived(slow) == READERS + 2,
                    within=300,
                    what="all others have arrived",
                )
                session = current_session()
                found = {one.channel: one for one in lag.measure(session, database_now(session))}
        finally:
            runner.stop()
    assert pager.mails_before < READERS
    assert (found["pager"].count, found["pager"].target) == (1, 120)
    assert found["email"].count == READERS
    assert found["webhook"].count >= 1
    for one in found.values():
        assert one.late == 0, one
        assert one.longest < one.target
        assert one.waiting < one.target


def _arrived(slow: set[object]) -> int:
    session = current_session()
    query = select(func.count()).where(
        Delivery.state == DeliveryState.DONE, Delivery.subscription_id.not_in(slow)
    )
    count = session.scalar(query) or 0
    session.rollback()
    return count
