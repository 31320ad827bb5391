"""A mail server that is encrypted, wants a login, hangs up, hangs or drips: what becomes of a batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from flask_statuspage.delivery.channels.email import EmailLine
from flask_statuspage.delivery.mail import smtp as mail_smtp
from flask_statuspage.delivery.mail.smtp import SmtpTransport
from flask_statuspage.delivery.parcel import Failure, Outcome
from flask_statuspage.domain.retry import Policy
from flask_statuspage.outgoing import limit
from tests.outgoing.peer import Connection, Peer, closed_port
from tests.servers import smtp as mail
from tests.servers.certificates import Certificate
from tests.servers.smtp import SmtpServer

from .mails import EMAIL, letter, only, send, send_all, settings

USERS = {"status@example.com": "p:$$ /@word"}
LOGIN = "status%40example.com:p%3A%24%24%20%2F%40word@"


@contextmanager
def encrypted(certificate: Certificate, *, implicit: bool = False) -> Iterator[SmtpServer]:
    with mail.running(tls=certificate.server_context, implicit=implicit, users=USERS) as server:
        yield server


@pytest.mark.parametrize("implicit", [False, True])
def test_encrypted_and_logged_in(certificate: Certificate, implicit: bool) -> None:
    """STARTTLS or TLS from the first byte, with the certificate checked and any sign in name and password."""
    with encrypted(certificate, implicit=implicit) as server:
        scheme, query = ("smtps", "") if implicit else ("smtp", "starttls=1&")
        url = f"{scheme}://{LOGIN}127.0.0.1:{server.port}?{query}ca={certificate.path}"
        assert send(url).delivered
        assert only(server).envelope_to == ("reader@example.org",)
        assert (server.encrypted, server.logins) == ([True], ["status@example.com"])


@pytest.mark.parametrize("implicit", [False, True])
def test_a_certificate_that_nobody_vouches_for(certificate: Certificate, implicit: bool) -> None:
    """Without its CA in the URL the server gets neither the password nor the mail."""
    with encrypted(certificate, implicit=implicit) as server:
        scheme, query = ("smtps", "") if implicit else ("smtp", "starttls=1")
        outcome = send(f"{scheme}://{LOGIN}127.0.0.1:{server.port}?{query}")
        assert outcome.kind is Failure.TLS
        assert outcome.error == "The mail server's TLS was not accepted."
        assert (server.messages, server.logins) == ([], [])


def test_a_name_that_is_not_on_the_certificate(certificate: Certificate) -> None:
    """A CA of one's own does not switch off the check of the name."""
    with encrypted(certificate) as server:
        # The same server by another name of this machine.
        outcome = send(f"smtp://{LOGIN}127.1:{server.port}?starttls=1&ca={certificate.path}")
        assert outcome.kind is Failure.TLS
        assert (server.messages, server.logins) == ([], [])


def test_nothing_is_sent_in_clear_where_starttls_is_wanted(smtp: SmtpServer) -> None:
    """A server, or somebody between, that does not offer it gets no mail."""
    outcome = send(f"smtp://127.0.0.1:{smtp.port}?starttls=1")
    assert outcome.kind is Failure.PROTOCOL
    assert outcome.error == "The mail server does not offer what is needed of it."
    assert smtp.messages == []


def test_a_wrong_password_is_our_fault(certificate: Certificate) -> None:
    """It is tried again, and whoever reads the log sees why."""
    with encrypted(certificate) as server:
        url = f"smtp://status:no@127.0.0.1:{server.port}?starttls=1&ca={certificate.path}"
        outcome = send(url)
    assert (outcome.code, outcome.final, outcome.suppresses_address) == (535, False, False), outcome


def test_one_connection_serves_a_batch(smtp: SmtpServer) -> None:
    """However many mails a line sends, refusals among them, it connects once."""
    smtp.reject = {"reader3@example.org": "550 5.1.1 no", "reader5@example.org": "451 later"}
    with EMAIL.open(settings(smtp)) as line:
        outcomes = send_all(line, 30)
    assert [outcome.code for outcome in outcomes] == [
        {3: 550, 5: 451}.get(number, 250) for number in range(30)
    ]
    assert (smtp.connections, len(smtp.messages)) == (1, 28)


def test_refused_messages_leave_the_connection_open(smtp: SmtpServer) -> None:
    """Also one that is refused after its text does not cost the next a connection."""
    with EMAIL.open(settings(smtp)) as line:
        smtp.reject_with, smtp.reject_at = "554 5.6.0 no", "DATA"
        assert line.send(letter()).code == 554
        smtp.reject_with = None
        assert line.send(letter()).delivered
    assert smtp.connections == 1


def test_a_server_that_hangs_up_between_two_mails(smtp: SmtpServer) -> None:
    """With 421 it says that it has had enough of this connection: the next mail takes another, and no attempt fails."""
    with EMAIL.open(settings(smtp)) as line:
        assert line.send(letter()).delivered
        smtp.drop_at = "NEXT"
        assert [outcome.delivered for outcome in send_all(line, 3)] == [True] * 3
    assert (smtp.connections, len(smtp.messages)) == (2, 4)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_421_ends_the_connection_and_nothing_else(smtp: SmtpServer, command: str) -> None:
    """The mail is tried again, the next one by a fresh connection."""
    with EMAIL.open(settings(smtp)) as line:
        smtp.reject_with, smtp.reject_at = "421 4.3.2 closing", command  # type: ignore[assignment]
        outcome = line.send(letter())
        assert (outcome.code, outcome.final, outcome.suppresses_address) == (421, False, False)
        smtp.reject_with = None
        assert line.send(letter()).delivered
    assert smtp.connections == 2


@pytest.mark.parametrize("at", ["DATA", "DOT"])
def test_a_connection_that_breaks_in_the_message(smtp: SmtpServer, at: str) -> None:
    """In its midst, or after the last dot: it failed, and the retry has the same Message-ID on a fresh connection."""
    with EMAIL.open(settings(smtp)) as line:
        smtp.drop_at = at  # type: ignore[assignment]
        outcome = line.send(letter())
        assert (outcome.error, outcome.kind) == ("The mail server hung up.", Failure.PROTOCOL)
        assert (outcome.final, outcome.suppresses_address) == (False, False)
        smtp.drop_at = None
        assert line.send(letter(address="next@example.org")).delivered
        assert line.send(letter(attempt=2)).delivered
    assert smtp.connections == 2
    ids = [m["Message-ID"] for m in smtp.messages if m["To"] == "reader@example.org"]
    assert len(ids) == {"DATA": 1, "DOT": 2}[at]
    assert len(set(ids)) == 1


def test_no_server_is_tried_again() -> None:
    """A mail server that is away is a failure like any other, in fixed words."""
    outcome = send(f"smtp://127.0.0.1:{closed_port()}")
    assert outcome.error == "The mail server could not be reached."
    assert (outcome.kind, outcome.final) == (Failure.CONNECT, False)


def say_hello(connection: Connection) -> None:
    connection.send(b"220 slow.example\r\n")
    connection.sock.recv(1000)
    connection.send(b"250-slow.example\r\n250 STARTTLS\r\n")
    connection.sock.recv(1000)


def hang_at_once(connection: Connection) -> None:
    connection.hang()


def drip_at_once(connection: Connection) -> None:
    connection.drip(b"220-" + b"x" * 1000, pause=0.05)


def drip_after_mail(connection: Connection) -> None:
    say_hello(connection)
    connection.drip(b"250-" + b"x" * 1000, pause=0.05)


def drip_tls(connection: Connection) -> None:
    connection.sock.recv(5000)
    connection.drip(b"\x16\x03\x03\x0f\xff\x02" + b"\0" * 1000, pause=0.05)


def drip_after_starttls(connection: Connection) -> None:
    say_hello(connection)
    connection.send(b"220 go on\r\n")
    drip_tls(connection)


@pytest.mark.parametrize(
    ("behave", "scheme", "query"),
    [
        (hang_at_once, "smtp", ""),
        (hang_at_once, "smtps", ""),
        (drip_at_once, "smtp", ""),
        (drip_tls, "smtps", ""),
        (drip_after_mail, "smtp", ""),
        (drip_after_starttls, "smtp", "?starttls=1"),
    ],
)
def test_one_deadline_for_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
    behave: Callable[[Connection], None],
    scheme: str,
    query: str,
) -> None:
    """A server that hangs or drips, greeting, in TLS or in the dialogue, holds a mail as long as the policy says.

    It leaves no thread behind: a TLS handshake cannot be cut, but has a limit of time of its own.
    """
    monkeypatch.setattr(mail_smtp, "TIMEOUT", 4.0)
    with Peer(behave) as peer:
        began = time.monotonic()
        url = f"{scheme}://127.0.0.1:{peer.port}{query}"
        outcome = send(url, policy=Policy(timeout=0.5))
        took = time.monotonic() - began
        assert 0.4 < took < 3.5
        assert (outcome.kind, outcome.final) == (Failure.TIMEOUT, False)
        assert outcome.error == "The mail server did not answer in time."
    _wait_for_no_mail_thread()


def test_the_next_mail_after_one_that_hung(smtp: SmtpServer) -> None:
    """The line that was given up is not used again, and one that works is."""
    line = EmailLine(settings(smtp))
    assert line.send(letter()).delivered
    hung = line._transport
    assert isinstance(hung, SmtpTransport)
    assert hung._server is not None
    hung._server.close()
    hung._server = _HangingServer()  # type: ignore[assignment]
    assert line.send(letter(policy=Policy(timeout=0.3))).kind is Failure.TIMEOUT
    assert line.send(letter()).delivered
    line.close()
    _wait_for_no_mail_thread()
    # The one that hung was not sent later, after it was written down as failed.
    assert (len(smtp.messages), smtp.connections) == (2, 2)


class _HangingServer:
    """As a socket does until it is shut down."""

    def __init__(self) -> None:
        self._cut = threading.Event()
        self.sock = None

    def noop(self) -> tuple[int, bytes]:
        self._cut.wait(1)
        raise OSError

    def close(self) -> None:
        pass


def test_a_goodbye_that_nobody_answers(smtp: SmtpServer) -> None:
    """Closing a line waits two seconds at most."""

    def behave(connection: Connection) -> None:
        say_hello(connection)
        for _ in range(3):
            connection.send(b"250 ok\r\n")
            connection.sock.recv(1000)
        connection.drip(b"250-" + b"x" * 1000, pause=0.05)

    began = time.monotonic()
    with Peer(behave) as peer:
        outcome: Outcome = send(f"smtp://127.0.0.1:{peer.port}", policy=Policy(timeout=0.3))
        assert not outcome.delivered
    assert time.monotonic() - began < 5


def test_not_ever_more_threads_hang(smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each mail hangs in what cannot be cut, no more is begun at some point, until some come back."""
    _wait_for_no_mail_thread()
    monkeypatch.setattr(limit, "MOST_ABANDONED", 3)
    over = threading.Event()
    monkeypatch.setattr(mail_smtp, "connect", lambda url, opening: over.wait(20))
    began = threading.active_count()
    for _ in range(6):
        assert send(smtp, policy=Policy(timeout=0.1)).kind is Failure.TIMEOUT
    assert threading.active_count() == began + 3
    over.set()
    _wait_for_no_mail_thread()


def _wait_for_no_mail_thread() -> None:
    ends = time.monotonic() + 20
    while any(thread.name == "statuspage-within" for thread in threading.enumerate()):
        assert time.monotonic() < ends, "a thread still hangs"
        time.sleep(0.02)
