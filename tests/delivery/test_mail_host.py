"""Mails by the site's Flask-Mail, its Flask-Mailman or its own function, against a real mail server."""

from __future__ import annotations

import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

import flask_mail
import flask_mailman
import pytest
from flask import Flask, current_app

from flask_statuspage.config import Settings
from flask_statuspage.delivery.mail import message, ways
from flask_statuspage.delivery.parcel import Failure
from flask_statuspage.domain.retry import Policy
from flask_statuspage.state import State
from tests.outgoing.peer import Peer
from tests.servers import smtp as mail
from tests.servers.certificates import Certificate
from tests.servers.smtp import SmtpServer

from .mails import EMAIL, LEAVE, MANAGE, SENDER, head, letter, only, send_all
from .test_mail_smtp import drip_after_mail, hang_at_once

LIBRARIES = ["Flask-Mail", "Flask-Mailman"]
SETTINGS = Settings(email_from="Ääkme, Inc. <status@example.com>")


def site(library: str, port: int, **config: Any) -> Flask:
    """An app that sends its own mail with *library*."""
    app = Flask(__name__)
    app.config.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, **config)
    app.extensions["statuspage"] = State(settings=Settings())
    (flask_mail if library == "Flask-Mail" else flask_mailman).Mail(app)
    return app


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def sending_by(sender: Callable[[EmailMessage], None]) -> Iterator[Flask]:
    app = Flask(__name__)
    app.extensions["statuspage"] = State(settings=Settings(), email_sender=lambda: sender)
    with app.app_context():
        yield app


def test_a_mail_is_what_it_would_be_by_smtp(library: str, smtp: SmtpServer) -> None:
    """Every header, both parts and the envelope arrive as they were written, in seven bits."""
    parcel = letter(
        title="Störung 🚨 " * 12,
        event_name="incident.updated",
        manage_url=MANAGE,
        unsubscribe_url=LEAVE + "t" * 200,
    )
    with site(library, smtp.port).app_context(), EMAIL.open(SETTINGS) as line:
        assert line.send(parcel).delivered
    arrived = only(smtp)
    written = message.written(parcel, message.mailbox("Ääkme, Inc. <status@example.com>"))
    for text in (arrived, written):
        assert len(text.get_all("Date", [])) == 1
        del text["Date"]
    assert [(name, str(value)) for name, value in arrived.items() if name != "Content-Type"] == [
        (name, str(value)) for name, value in written.items() if name != "Content-Type"
    ]
    for kind in ("plain", "html"):
        here, there = arrived.get_body((kind,)), written.get_body((kind,))
        assert here is not None
        assert there is not None
        assert here.get_content().split() == there.get_content().split()
    assert (arrived.envelope_from, arrived.envelope_to) == (
        "status@example.com",
        ("reader@example.org",),
    )
    assert arrived.content.isascii()
    assert f"\r\nList-Unsubscribe: <{LEAVE}{'t' * 200}>\r\n".encode() in head(arrived)


def test_one_connection_serves_a_batch(library: str, smtp: SmtpServer) -> None:
    """Refused recipients do not cost a connection, and one that the server closed is replaced unnoticed."""
    smtp.reject = {"reader3@example.org": "550 5.1.1 no", "reader5@example.org": "451 later"}
    with site(library, smtp.port).app_context(), EMAIL.open(SETTINGS) as line:
        codes = [outcome.code for outcome in send_all(line, 10)]
        assert smtp.connections == 1
        smtp.drop_at = "NEXT"
        assert line.send(letter()).delivered
    assert codes == [{3: 550, 5: 451}.get(number, 250) for number in range(10)]
    assert (smtp.connections, len(smtp.messages)) == (2, 9)


def test_refusals_mean_the_same(library: str, smtp: SmtpServer) -> None:
    """A missing mailbox gives the address up, a broken connection is tried again on a fresh one."""
    with site(library, smtp.port).app_context(), EMAIL.open(SETTINGS) as line:
        smtp.reject_with = "550 5.1.1 no such user"
        outcome = line.send(letter())
        assert (outcome.suppresses_address, outcome.final) == (True, True)
        smtp.reject_with, smtp.drop_at = None, "DATA"
        outcome = line.send(letter())
        assert (outcome.kind, outcome.final) == (Failure.PROTOCOL, False)
        smtp.drop_at = None
        assert line.send(letter()).delivered
    assert len(smtp.messages) == 1


def test_encrypted_and_logged_in(library: str, certificate: Certificate) -> None:
    """TLS and login are as the site set them for its library."""
    users = {"site": "secret"}
    with mail.running(tls=certificate.server_context, users=users) as server:
        app = site(
            library, server.port, MAIL_USE_TLS=True, MAIL_USERNAME="site", MAIL_PASSWORD="secret"
        )
        with app.app_context(), EMAIL.open(SETTINGS) as line:
            assert line.send(letter()).delivered
        assert (server.encrypted, server.logins) == ([True], ["site"])


def test_what_the_site_holds_back_counts_as_sent(smtp: SmtpServer) -> None:
    """MAIL_SUPPRESS_SEND and a backend in memory are the site's decision; both see subject and recipient."""
    app = site("Flask-Mail", smtp.port, MAIL_SUPPRESS_SEND=True)
    seen: list[flask_mail.Message] = []

    def note(app: Flask, message: flask_mail.Message) -> None:
        seen.append(message)

    with (
        flask_mail.email_dispatched.connected_to(note),
        app.app_context(),
        EMAIL.open(SETTINGS) as line,
    ):
        assert line.send(letter()).delivered
    (dispatched,) = seen
    assert dispatched.recipients == ["reader@example.org"]
    assert "API is down" in dispatched.subject
    assert "API is down" in str(dispatched.html)

    app = site("Flask-Mailman", smtp.port, MAIL_BACKEND="locmem")
    with app.app_context(), EMAIL.open(SETTINGS) as line:
        assert line.send(letter()).delivered
        (kept,) = app.extensions["mailman"].outbox
    assert (kept.to, kept.from_email) == (["reader@example.org"], "status@example.com")
    assert smtp.connections == 0


@pytest.mark.parametrize("backend", ["console", "file"])
def test_other_backends_of_flask_mailman(backend: str, tmp_path: Any, capsys: Any) -> None:
    """A mail is written out as it is."""
    app = site("Flask-Mailman", 9, MAIL_BACKEND=backend, MAIL_FILE_PATH=str(tmp_path))
    with app.app_context(), EMAIL.open(SETTINGS) as line:
        assert line.send(letter()).delivered
    written = capsys.readouterr().out + "".join(path.read_text() for path in tmp_path.iterdir())
    assert "Auto-Submitted: auto-generated" in written
    assert "To: reader@example.org" in written


@pytest.mark.parametrize("behave", [hang_at_once, drip_after_mail])
def test_a_library_without_a_timeout_holds_up_nobody(library: str, behave: Any) -> None:
    """Flask-Mail waits for ever by itself; here it has the time that the policy gives."""
    with Peer(behave) as peer, site(library, peer.port).app_context():
        began = time.monotonic()
        with EMAIL.open(SETTINGS) as line:
            outcome = line.send(letter(policy=Policy(timeout=0.5)))
        assert 0.4 < time.monotonic() - began < 4
    assert (outcome.kind, outcome.final) == (Failure.TIMEOUT, False)


def test_a_registered_sender_comes_first(smtp: SmtpServer) -> None:
    """It gets the whole mail, in an app context, whatever else the site has."""
    got: list[tuple[str, EmailMessage]] = []

    def keep(message: EmailMessage) -> None:
        got.append((current_app.name, message))

    app = site("Flask-Mail", smtp.port)
    app.extensions["statuspage"] = State(settings=Settings(), email_sender=lambda: keep)
    settings = Settings(smtp_url=f"smtp://127.0.0.1:{smtp.port}", email_from=SENDER)
    with app.app_context(), EMAIL.open(settings) as line:
        assert line.send(letter()).delivered
    ((name, mail),) = got
    assert name == app.name
    assert (mail["To"], mail["From"]) == ("reader@example.org", SENDER)
    assert smtp.connections == 0


@pytest.mark.parametrize(
    ("error", "words", "gives_up"),
    [
        (
            smtplib.SMTPRecipientsRefused({"reader@example.org": (550, b"5.1.1 no")}),
            "The mail server answered 550 5.1.1: no",
            True,
        ),
        (smtplib.SMTPServerDisconnected("x"), "The mail server hung up.", False),
        (ConnectionRefusedError(), "The mail server could not be reached.", False),
        (KeyError("secret"), "The site's way to send mail failed (KeyError).", False),
    ],
)
def test_what_a_registered_sender_raises(error: Exception, words: str, gives_up: bool) -> None:
    """What smtplib raises means the same; a bug is a failure to try again, told without its words."""

    def fail(message: EmailMessage) -> None:
        raise error

    with sending_by(fail), EMAIL.open(SETTINGS) as line:
        outcome = line.send(letter())
    assert (outcome.error, outcome.suppresses_address) == (words, gives_up)


def test_a_registered_sender_that_hangs() -> None:
    """It costs a mail its time, and no more."""
    over = threading.Event()
    with sending_by(lambda message: over.wait(20) and None), EMAIL.open(SETTINGS) as line:
        outcome = line.send(letter(policy=Policy(timeout=0.2)))
    over.set()
    assert outcome.kind is Failure.TIMEOUT


def test_which_way_counts(smtp: SmtpServer) -> None:
    """A mail server that is set for us goes before the site's libraries, Flask-Mail before Flask-Mailman."""
    app = site("Flask-Mailman", smtp.port)
    own = Settings(smtp_url="smtp://127.0.0.1", email_from=SENDER)

    def way(settings: Settings) -> str | None:
        found = ways.chosen(settings)
        return None if found is None else found.name

    with app.app_context():
        assert way(Settings()) == "Flask-Mailman"
        flask_mail.Mail(app)
        assert way(Settings()) == "Flask-Mail"
        assert way(own) == "STATUSPAGE_SMTP_URL"
    with Flask(__name__).app_context():
        assert way(Settings()) is None
    app.extensions["mail"] = object()  # somebody else's
    with app.app_context():
        assert way(Settings()) == "Flask-Mailman"


@pytest.mark.parametrize(
    ("default", "sender"),
    [
        ("Site <site@example.com>", "Site <site@example.com>"),
        (("Säite", "site@example.com"), "Säite <site@example.com>"),
    ],
)
def test_the_site_is_the_sender(library: str, smtp: SmtpServer, default: Any, sender: str) -> None:
    """Without STATUSPAGE_EMAIL_FROM mails come from whom the site's own come."""
    app = site(library, smtp.port, MAIL_DEFAULT_SENDER=default)
    with app.app_context():
        assert EMAIL.available(Settings()) is None
        with EMAIL.open(Settings()) as line:
            assert line.send(letter()).delivered
    assert only(smtp)["From"] == sender
    assert only(smtp).envelope_from == "site@example.com"


def test_what_is_missing_is_named(library: str) -> None:
    """Without a way or a sender the channel is not offered, and says why."""
    nothing = EMAIL.available(Settings())
    assert nothing is not None
    assert "STATUSPAGE_SMTP_URL is not set" in nothing
    with site(library, 9).app_context():
        missing = EMAIL.available(Settings())
        assert missing == "Neither STATUSPAGE_EMAIL_FROM nor MAIL_DEFAULT_SENDER is set."
        wrong = EMAIL.available(Settings(email_from="jürgen@example.com"))
        assert wrong is not None
        assert "is no sender's address" in wrong
