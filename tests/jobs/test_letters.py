"""Mails to members are sent by workers: woken after the commit, found by the scheduler, one mail for one wish."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_statuspage import StatusPage
from flask_statuspage.delivery.parcel import Outcome
from flask_statuspage.domain.roles import Role
from flask_statuspage.jobs import embedded, queue, schedule, tasks
from flask_statuspage.services import letters, members
from flask_statuspage.state import state_of
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.letters import AGAIN_AFTER, INVITATION, SIGN_IN, WAITS
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.sign_in_links import SignInLink
from flask_statuspage.storage.team import Member
from tests import apps
from tests.servers.smtp import SmtpServer

ANN = "ann@acme.example"


@pytest.fixture
def app(tmp_path: Path, smtp: SmtpServer) -> Iterator[Flask]:
    """A site with one member, on SQLite."""
    settings = {
        "STATUSPAGE_SMTP_URL": f"smtp://127.0.0.1:{smtp.port}",
        "STATUSPAGE_EMAIL_FROM": "status@acme.example",
    }
    with apps.running(f"sqlite:///{tmp_path / 'site.db'}", **settings) as app, app.app_context():
        members.add(current_session(), ANN, role=Role.OWNER, actor=None, actor_role=None)
        current_session().commit()
        yield app


def ask(identity: str = ANN) -> None:
    letters.ask_for_link(current_session(), identity)
    current_session().commit()


def test_a_wish_wakes_a_worker(app: Flask, smtp: SmtpServer) -> None:
    """After the commit, not before; without one nothing is sent. Whether there is such a member does not show."""
    woken: list[str] = []
    state_of(app).wake = woken.append
    letters.ask_for_link(current_session(), ANN)
    assert woken == []
    current_session().rollback()
    assert (woken, tasks.run("letters")) == ([], 0)
    ask()
    ask("nobody@acme.example")
    assert woken == ["letters", "letters"]
    assert tasks.run("letters") == 1
    assert [mail.envelope_to for mail in smtp.messages] == [(ANN,)]


def test_a_wake_that_was_lost(app: Flask, smtp: SmtpServer) -> None:
    """The scheduler finds what waits; the embedded runner sends it by itself."""
    session = current_session()
    assert "letters" not in schedule.due_tasks(session)
    ask()
    assert "letters" in schedule.due_tasks(session)
    session.rollback()
    runner = embedded.Runner(app)
    runner.start()
    try:
        smtp.wait_for(lambda mail: mail.envelope_to == (ANN,), timeout=30)
    finally:
        runner.stop()
    session.rollback()
    assert "letters" not in schedule.due_tasks(session)


def test_its_queue(app: Flask) -> None:
    """It shares the queue of deliveries, whose workers speak with mail servers already."""
    assert queue.queue_of("letters") == queue.queue_of("deliver") == "statuspage-deliver"


def test_two_workers_send_one_mail(app: Flask, smtp: SmtpServer) -> None:
    """Whoever takes a mail has it alone."""
    ask()
    start = threading.Barrier(2)
    sent: list[int] = []

    def work() -> None:
        with app.app_context():
            start.wait()
            sent.append(tasks.run("letters"))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(sent) == [0, 1]
    assert len(smtp.messages) == 1


@pytest.mark.parametrize("kind", [SIGN_IN, INVITATION])
def test_how_long_it_is_tried(app: Flask, smtp: SmtpServer, kind: str) -> None:
    """Each kind has its time; a mailbox that is not there is given up at once."""
    session = current_session()
    smtp.reject_with = "451 4.3.0 later"
    (ask if kind == SIGN_IN else lambda: (letters.invite(session, ANN), session.commit()))()
    assert tasks.run("letters") == 1
    assert tasks.run("letters") == 0
    rested = utc_now() - AGAIN_AFTER - timedelta(seconds=1)
    session.query(Member).update({"letter_tried_at": rested})
    session.commit()
    assert tasks.run("letters") == 1
    gone = utc_now() - WAITS[kind] - timedelta(seconds=1)
    session.query(Member).update({"letter_tried_at": rested, "letter_asked_at": gone})
    session.commit()
    assert tasks.run("letters") == 0
    smtp.reject_with = "550 5.1.1 no such user"
    ask()
    assert tasks.run("letters") == 1
    session.query(Member).update({"letter_tried_at": rested})
    session.commit()
    assert tasks.run("letters") == 0


def test_a_newer_wish_is_not_forgotten(app: Flask, smtp: SmtpServer) -> None:
    """Who asks again while a mail is on its way gets another one."""
    ask()
    taken = letters.take(current_session())
    assert taken is not None
    current_session().commit()
    ask()
    letters.note(current_session(), taken, Outcome(code=250))
    current_session().commit()
    assert tasks.run("letters") == 1


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_each_is_taken_when_its_turn_has_come(database_url: str) -> None:
    """While one is sent the others wait for whoever is free, and each link works when it arrives."""
    names = [f"{name}@acme.example" for name in ("ann", "bob", "eve")]
    sent: list[tuple[str, int]] = []
    page = StatusPage()

    @page.email_sender
    def send(mail: EmailMessage) -> None:
        session = current_session()
        session.rollback()
        (digest,) = session.scalars(
            select(SignInLink.digest).join(Member).where(Member.identity == mail["To"])
        )
        assert digest
        taken = select(func.count()).where(Member.letter_tried_at.is_not(None))
        sent.append((str(mail["To"]), session.scalar(taken) or 0))
        if len(sent) == 1:  # it takes so long that another worker is done with the rest before
            with app.app_context():
                assert tasks.run("letters") == 2
        session.rollback()

    settings = {"STATUSPAGE_EMAIL_FROM": "status@acme.example"}
    with apps.running(database_url, statuspage=page, **settings) as app, app.app_context():
        for name in names:
            members.add(current_session(), name, role=Role.OWNER, actor=None, actor_role=None)
            current_session().commit()
            ask(name)
        assert tasks.run("letters") == 1
        assert [name for name, _ in sent] == names
        assert [taken for _, taken in sent] == [1, 2, 2]
        assert len(current_session().scalars(select(SignInLink)).all()) == len(names)
