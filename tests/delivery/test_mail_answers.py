"""Which answers of a mail server give an address up, and which are tried again."""

from __future__ import annotations

import smtplib

import pytest

from flask_statuspage.delivery.mail.answers import outcome_of
from tests.servers.smtp import SmtpServer

from .mails import READER, send


@pytest.mark.parametrize(
    ("command", "answer", "gives_up"),
    [
        # There is no such mailbox.
        ("RCPT", "550 5.1.1 No such user", True),
        ("RCPT", "550 5.1.0 Address rejected", True),
        ("RCPT", "550 5.1.2 Bad destination system", True),
        ("RCPT", "553 5.1.3 Bad address syntax", True),
        ("RCPT", "551 5.1.6 User has moved", True),
        ("RCPT", "556 5.1.10 Recipient address has null MX", True),
        ("RCPT", "550 5.2.1 The mailbox is disabled", True),
        ("RCPT", "550 no such user", True),
        ("RCPT", "551 User not local", True),
        ("RCPT", "553 Mailbox name not allowed", True),
        ("RCPT", "554 No such recipient", True),
        ("DATA", "550 5.1.1 No such user", True),
        ("DATA", "550 no such user", True),
        ("DATA", "554 delivery error: this user has no mailbox here", True),
        # It may have room again.
        ("RCPT", "552 5.2.2 Mailbox full", False),
        ("RCPT", "552 Mailbox full", False),
        ("RCPT", "550 Mailbox full", False),
        ("RCPT", "550 Quota exceeded", False),
        ("DATA", "552 5.2.3 Message too long", False),
        ("DATA", "552 5.3.4 Message too big", False),
        # It is about us.
        ("RCPT", "554 5.7.1 Relay access denied", False),
        ("RCPT", "550 Relaying denied", False),
        ("RCPT", "550 5.1.0 <status@example.com>: Sender address rejected", False),
        ("RCPT", "550 5.1.8 Sender's domain does not exist", False),
        ("RCPT", "550 5.7.1 Blocked by a list", False),
        ("RCPT", "550 Your IP is listed at rbl.example", False),
        ("RCPT", "530 5.7.0 Authentication required", False),
        ("RCPT", "530 Authentication required", False),
        ("DATA", "554 5.7.1 looks like spam", False),
        ("DATA", "550 5.7.26 Unauthenticated sender, see DMARC", False),
        ("DATA", "554 Message rejected as spam", False),
        ("DATA", "550 5.6.0 Malformed", False),
        ("MAIL", "550 5.1.1 no such user", False),
        ("MAIL", "553 5.1.8 Sender rejected", False),
        ("MAIL", "550 no", False),
        # It is the server's trouble, or the network's.
        ("RCPT", "550 5.3.2 System not accepting messages", False),
        ("RCPT", "550 5.4.4 Unable to route", False),
        ("RCPT", "503 5.5.1 Bad sequence", False),
        ("RCPT", "500 what", False),
        # It may be otherwise soon.
        ("RCPT", "451 4.7.1 greylisted", False),
        ("RCPT", "450 4.2.1 mailbox busy", False),
        ("RCPT", "452 no room", False),
        ("DATA", "451 later", False),
        ("RCPT", "550 4.1.1 contradictory", False),
        ("RCPT", "450 5.1.1 contradictory", False),
    ],
)
def test_what_an_answer_means(smtp: SmtpServer, command: str, answer: str, gives_up: bool) -> None:
    """Only an answer that speaks of the mailbox gives the address up, wherever the rest of the world is wrong."""
    smtp.reject_with, smtp.reject_at = answer, command  # type: ignore[assignment]
    outcome = send(smtp)
    assert (outcome.code, outcome.delivered) == (int(answer[:3]), False)
    assert (outcome.final, outcome.suppresses_address) == (gives_up, gives_up)
    assert not outcome.ends_subscription
    assert answer[4:] in (outcome.answer or "")


@pytest.mark.parametrize(
    ("code", "answer", "reason"),
    [
        (550, b"5.1.1 no such user", "The mail server answered 550 5.1.1: no such user"),
        (550, b"", "The mail server answered 550."),
        (
            550,
            b"5.1.1 The account does not exist.\n5.1.1 Please check\n5.1.1 for typos",
            "The mail server answered 550 5.1.1: The account does not exist. Please check for typos",
        ),
        (
            550,
            b"5.1.1 <Reader@Example.ORG>: unknown; reader@example.org",
            "The mail server answered 550 5.1.1: …: unknown; …",
        ),
        (550, "größer\x00\x1b[31m\u2028".encode(), "The mail server answered 550: größer [31m"),
        (550, b"\xff\xfe", "The mail server answered 550: \ufffd\ufffd"),
        (550, b"x" * 500, "The mail server answered 550: " + "x" * 129 + "…"),
    ],
)
def test_the_reason_that_is_kept(code: int, answer: bytes, reason: str) -> None:
    """Code and words in a line, without the address: members read it, and it is kept when the address is not."""
    error = smtplib.SMTPRecipientsRefused({READER: (code, answer)})
    outcome = outcome_of(error, READER)
    assert outcome is not None
    assert outcome.error == reason
    assert len(reason) <= 160


@pytest.mark.parametrize(
    "error", [smtplib.SMTPRecipientsRefused({}), smtplib.SMTPHeloError(550, "no such user")]
)
def test_what_says_nothing_of_the_mailbox(error: Exception) -> None:
    """What a sender of the site raises, and a refusal before any recipient was named."""
    outcome = outcome_of(error, READER)
    assert outcome is not None
    assert not outcome.suppresses_address


def test_other_errors_are_none_of_a_mail_server() -> None:
    """What a bug of the site's own sender raises is told as that."""
    assert outcome_of(KeyError("x"), READER) is None
