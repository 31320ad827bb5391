"""The headers and parts of a mail, as a real server gets them."""

from __future__ import annotations

import base64
import json
import quopri
import re
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import SMTP
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flask_statuspage.delivery.mail import message
from tests.servers.smtp import Mail, SmtpServer

from .facts import uuid
from .mails import EMAIL, LEAVE, MANAGE, SENDER, head, letter, only, send, settings

ROOT = f"<{uuid(10)}.{uuid(51)}@example.com>"
OWN = f"<{uuid(50)}@example.com>"


def thread(mail: Mail) -> tuple[str | None, str | None, str | None]:
    return mail["Message-ID"], mail["In-Reply-To"], mail["References"]


def worded(**changes: str) -> str:
    return json.dumps({"subject": "S", "text": "T", "html": "<p>H</p>", **changes})


def read(**changes: Any) -> Mail:
    """A mail as whoever gets it reads it."""
    sender = message.mailbox(changes.pop("sender", SENDER))
    raw = message.written(letter(**changes), sender).as_bytes()
    return message_from_bytes(raw, _class=Mail, policy=SMTP)


def longest(raw: bytes) -> int:
    """The length of the longest line but for ids, which stay whole."""
    return max(len(line) for line in raw.split(b"\r\n") if not line.startswith(b"Message-ID"))


@pytest.mark.parametrize("name", ["incident.created", "maintenance.scheduled"])
def test_the_first_mail_of_a_thread_bears_its_id(smtp: SmtpServer, name: str) -> None:
    """What opens a subject has an id that every later mail to the same subscription can know."""
    send(smtp, event_name=name)
    assert thread(only(smtp)) == (ROOT, None, None)


@pytest.mark.parametrize(
    "name",
    [
        *("incident.updated", "incident.resolved", "incident.postmortem"),
        *("maintenance.started", "maintenance.updated", "maintenance.completed"),
        "maintenance.reminder",
    ],
)
def test_later_mails_answer_the_first(smtp: SmtpServer, name: str) -> None:
    """Mail programs show them as one conversation."""
    send(smtp, event_name=name)
    assert thread(only(smtp)) == (OWN, ROOT, ROOT)


@pytest.mark.parametrize(
    "name",
    [
        *("component.status_change", "monitor.down", "test", "subscription.confirmation"),
        *("notices.digest", "subscription.disabled"),
    ],
)
def test_other_mails_answer_nothing(smtp: SmtpServer, name: str) -> None:
    """Where no mail opens a thread, none refers to one."""
    send(smtp, event_name=name)
    assert thread(only(smtp)) == (OWN, None, None)


def test_threads_of_two_subscriptions_are_two(smtp: SmtpServer) -> None:
    """One mailbox may be subscribed to two pages: ids are of subject and subscription."""
    send(smtp)
    send(smtp, subscription_id=uuid(90))
    send(smtp, subject_id=uuid(91))
    assert len({mail["Message-ID"] for mail in smtp.messages}) == 3


@pytest.mark.parametrize("name", ["incident.created", "incident.updated"])
def test_retries_are_the_same_mail(smtp: SmtpServer, name: str) -> None:
    """A mail program knows a double by its Message-ID."""
    for attempt in (1, 2):
        send(smtp, event_name=name, attempt=attempt)
    first, second = smtp.messages
    assert thread(first) == thread(second)


def test_one_click_ends_it(smtp: SmtpServer) -> None:
    """RFC 8058: an https URL on one line, as providers read the raw header, and the word that a POST ends it."""
    leave = "https://status.example.com/unsubscribe/" + "t" * 300
    send(smtp, manage_url=MANAGE, unsubscribe_url=leave)
    raw = head(only(smtp))
    assert f"\r\nList-Unsubscribe: <{leave}>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


def test_one_click_needs_https() -> None:
    """On a site without TLS the header is there, without the promise that the RFC binds to https."""
    mail = read(manage_url="http://h/m", unsubscribe_url="http://h/u")
    assert mail["List-Unsubscribe"] == "<http://h/u>"
    assert mail["List-Unsubscribe-Post"] is None


def test_a_url_beyond_ascii_is_written_as_one_that_is() -> None:
    """Headers are ASCII; the host becomes IDNA, the path is quoted."""
    mail = read(manage_url=MANAGE, unsubscribe_url="https://stätus.example/ü/u")
    assert mail["List-Unsubscribe"] == "<https://xn--sttus-hra.example/%C3%BC/u>"


def test_absence_programs_keep_quiet(smtp: SmtpServer) -> None:
    """RFC 3834's header is in every mail, the older word in those that are sent to many."""
    send(smtp, event_name="subscription.confirmation")
    send(smtp, manage_url=MANAGE, unsubscribe_url=LEAVE)
    question, notice = smtp.messages
    assert (question["Auto-Submitted"], question["Precedence"]) == ("auto-generated", None)
    assert (notice["Auto-Submitted"], notice["Precedence"]) == ("auto-generated", "bulk")
    assert question["List-Unsubscribe"] is None


def test_nobody_sees_another_reader(smtp: SmtpServer) -> None:
    """Each mail has one recipient, in the envelope and in To."""
    with EMAIL.open(settings(smtp)) as line:
        for name in ("ann", "bob"):
            line.send(letter(address=f"{name}@example.org"))
    seen = [(mail["To"], mail.envelope_to, mail["Cc"], mail["Bcc"]) for mail in smtp.messages]
    assert seen == [(f"{n}@example.org", (f"{n}@example.org",), None, None) for n in ("ann", "bob")]


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("status@example.com", "", "status@example.com"),
        ("<status@example.com>", "", "status@example.com"),
        ("Ääkme Straße <status@example.com>", "Ääkme Straße", "status@example.com"),
        ("Acme, Inc. (EU) <status@example.com>", "Acme, Inc. (EU)", "status@example.com"),
        ('"Acme, Inc." <status@example.com>', "Acme, Inc.", "status@example.com"),
        ("Acme <status@stätus.example>", "Acme", "status@xn--sttus-hra.example"),
    ],
)
def test_a_sender_as_it_is_configured(text: str, name: str, address: str) -> None:
    """Commas, brackets and letters of any script are part of the name."""
    sender = read(sender=text)["From"].addresses
    assert [(one.display_name, one.addr_spec) for one in sender] == [(name, address)]


@pytest.mark.parametrize("text", ["", "nobody", "@example.com", "a@", "jürgen@example.com"])
def test_what_is_no_sender(text: str) -> None:
    """It is refused before a mail is tried."""
    with pytest.raises(ValueError, match="no sender"):
        message.mailbox(text)


def test_a_long_subject_is_folded_and_whole() -> None:
    """No line is longer than 78 and no encoded word than 75 (RFC 2047), and the reader sees every letter."""
    title = "Die Rechnungsstellung für Geschäftskunden ist seit heute früh gestört 🚨 " * 6
    mail = message.written(letter(body=worded(subject=title)), message.mailbox(SENDER))
    raw = mail.as_bytes().partition(b"\r\n\r\n")[0]
    assert longest(raw) <= 78
    assert all(len(word) <= 75 for word in re.findall(rb"=\?[^ \r\n]+\?=", raw))
    assert read(body=worded(subject=title))["Subject"] == title.strip()


def unfolded(name: str, **changes: Any) -> str:
    """A header as RFC 5322 (2.2.3) and RFC 2047 (6.2) have it read: Python's own reader adds and drops spaces."""
    sender = message.mailbox(changes.pop("sender", SENDER))
    raw = message.written(letter(**changes), sender)
    lines = raw.as_bytes().partition(b"\r\n\r\n")[0].decode("ascii")
    found = re.search(rf"^{name}:([^\r]*(?:\r\n[ \t][^\r]*)*)", lines, re.MULTILINE)
    assert found is not None
    words = re.sub(r"(\?=)[ \t]+(?==\?)", r"\1", found[1].replace("\r\n", "")).strip()
    return re.sub(r"=\?utf-8\?([bq])\?([^? ]*)\?=", decoded, words)


def decoded(word: re.Match[str]) -> str:
    if word[1] == "b":
        return base64.b64decode(word[2], validate=True).decode()
    return quopri.decodestring(word[2].replace("_", " ")).decode()


WORDS = st.sampled_from(
    [
        "Störung",
        "Zahlungen",
        "über",
        "Größe",
        "決済",
        "サービス",
        "الدفع",
        "é",
        "API",
        "😀",
        "x" * 61,
    ]
)
TITLES = st.lists(WORDS, max_size=20).map(" ".join)


@given(TITLES)
@example("0000¡¡¡¡¡¡\u0800" + "\U00010000" * 5 + " ¡ ¡")
@example("[Status] ärgerlich API-Gateway é é API möglich (EU) Störung API サービス Kunden möglich")
@example("a" * 30 + ' b "" ' + "c" * 100)
def test_no_space_of_a_subject_is_lost_where_it_is_folded(title: str) -> None:
    """Neither between two encoded words, nor is one added; nor by a word that has no room on a line."""
    assert unfolded("Subject", body=worded(subject=title)) == title


@pytest.mark.parametrize(
    "name",
    [
        "Störung Kunden Störung Österreich über ça",
        "Bank über Österreich: Störung verzögert Österreich",
        "Status of All Services of the Daughters of Acme, Inc.: Europe, Asia, America",
        "0" * 60 + " 000000000000,",
    ],
)
def test_a_long_name_of_the_sender_stays_one(name: str) -> None:
    """Folded it has its spaces, and no comma or colon in it becomes another sender."""
    sender = f"{name} <status@example.com>"
    assert unfolded("From", sender=sender) == sender
    (found,) = read(sender=sender)["From"].addresses
    assert found.addr_spec == "status@example.com"
    assert longest(message.written(letter(), message.mailbox(sender)).as_bytes()) <= 78


def test_a_short_name_of_the_sender_is_quoted() -> None:
    """Servers that know nothing of encoded words show it as it is."""
    sender = "Acme, Inc. <status@example.com>"
    assert unfolded("From", sender=sender) == '"Acme, Inc." <status@example.com>'


@pytest.mark.parametrize("text", ["Größe", "Größe " * 300 + "\n.\n日本語\n" + "x" * 2000])
def test_only_ascii_is_on_the_wire(smtp: SmtpServer, text: str) -> None:
    """A server without 8BITMIME and SMTPUTF8 gets both parts in seven bits, in lines as short as RFC 2045 wants."""
    smtp.offers_8bitmime = False
    body = worded(subject="Größe", text=text, html=f"<p>{text}</p>")
    assert send(smtp, body=body).delivered
    mail = only(smtp)
    assert mail.content.isascii()
    assert longest(mail.content) <= 78
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n").rstrip("\n") == text
    html = mail.get_body(("html",))
    assert html is not None
    assert html.get_content().count("Größe") == text.count("Größe")


@given(title=st.text(max_size=80), name=st.text(max_size=40))
def test_no_text_breaks_a_header(title: str, name: str) -> None:
    """Whatever a title holds, the headers are those that we wrote, and the parts are there."""
    sender = Address(display_name=message._one_line(name), username="status", domain="example.com")
    parcel = letter(body=worded(subject=title), unsubscribe_url=LEAVE, manage_url=MANAGE)
    mail = message_from_bytes(message.written(parcel, sender).as_bytes(), policy=SMTP)
    assert [header.lower() for header in mail] == [
        *("subject", "from", "to", "date", "message-id", "auto-submitted"),
        *("list-unsubscribe", "list-unsubscribe-post", "precedence", "mime-version"),
        "content-type",
    ]
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    "title",
    [
        "=?utf-8?q?x=0D=0ABcc:_victim=40example.org?=",
        "=?utf-8?b?eA0KQmNjOiB2aWN0aW1AZXhhbXBsZS5vcmc=?=",
        "x\r\nBcc: victim@example.org",
        "x\x00\x1b\x7f\x85\u2028Bcc: victim@example.org",
    ],
)
def test_a_title_that_is_made_to_break_out(smtp: SmtpServer, title: str) -> None:
    """Also one that is encoded already stays text: it is not decoded on our side nor on the reader's."""
    assert send(smtp, body=worded(subject=title)).delivered
    mail = only(smtp)
    assert mail["Bcc"] is None
    assert b"\nBcc" not in head(mail)
    assert "\n" not in mail["Subject"]
    shown = mail["Subject"].replace("\u200b", "")
    assert shown == re.sub(r"[\x00-\x1f\x7f-\x85\u2028]+", " ", title)


def test_half_a_letter_is_no_reason_to_fail(smtp: SmtpServer) -> None:
    """JSON can hold half of a surrogate pair, which no mail can."""
    assert send(smtp, body=worded(subject="\ud83d", text="\ud83d", html="\ud83d")).delivered
    assert only(smtp)["Subject"] == "?"
