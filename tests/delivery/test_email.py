"""Mail: the message, and what becomes of it at a real server."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import Any

import html5lib
import pytest

from flask_statuspage.config import Settings
from flask_statuspage.delivery.channels import channels
from flask_statuspage.delivery.formats import formats
from flask_statuspage.delivery.parcel import Outcome
from flask_statuspage.errors import Invalid
from tests.servers.smtp import Mail, SmtpServer

from .facts import (
    UPDATE,
    component_data,
    event,
    incident_data,
    maintenance_data,
    monitor_data,
    parcel,
    uuid,
)

EMAIL = channels["email"]
READER = "reader@example.org"
MANAGE = "https://status.example.com/manage/token"
LEAVE = "https://status.example.com/unsubscribe/token"


def settings_for(port: int) -> Settings:
    return Settings(
        smtp_url=f"smtp://127.0.0.1:{port}", email_from="Ääkme Status <status@example.com>"
    )


def send(smtp: SmtpServer, *, text: str | None = None, **changes: object) -> Outcome:
    body = text or formats["email"].render(event("incident.created", incident=incident_data()))
    values = {"channel": "email", "format": "email", "address": READER, "body": body}
    with EMAIL.open(settings_for(smtp.port)) as line:
        return line.send(parcel(**(values | changes)))


def only(smtp: SmtpServer) -> Mail:
    (mail,) = smtp.messages
    return mail


def part(mail: Mail, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return found.get_content()


def test_a_message_as_it_arrives(smtp: SmtpServer) -> None:
    """Headers, plain text and HTML of a mail about an incident."""
    outcome = send(smtp, manage_url=MANAGE, unsubscribe_url=LEAVE)
    assert (outcome.delivered, outcome.code) == (True, 250)
    mail = only(smtp)
    assert (mail.envelope_from, mail.envelope_to) == ("status@example.com", (READER,))
    assert mail["Subject"] == "[FacioTech Status] Investigating: API is dówn"
    assert mail["From"] == "Ääkme Status <status@example.com>"
    assert mail["To"] == READER
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<{uuid(10)}.{uuid(51)}@example.com>"
    assert mail["List-Unsubscribe"] == f"<{LEAVE}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsedate_to_datetime(mail["Date"]).tzinfo is not None
    text = part(mail, "plain")
    for words in (
        "Investigating: API is dówn",
        "Started 2026-02-19 17:30 UTC",
        "API: Major outage",
        "We are **looking**.",
        "https://status.example.com/incidents/x",
    ):
        assert words in text
    assert "<strong>looking</strong>" in part(mail, "html")


def test_a_mail_without_links_has_no_list_header(smtp: SmtpServer) -> None:
    """The mail that asks for a confirmation offers nothing to unsubscribe from."""
    link = "https://status.example.com/confirm/token"
    text = formats["email"].render(event("subscription.confirmation", confirm_url=link))
    send(smtp, text=text)
    mail = only(smtp)
    assert mail["Subject"] == "[FacioTech Status] Please confirm your subscription"
    assert mail["List-Unsubscribe"] is None
    assert link in part(mail, "plain")
    assert f'href="{link}"' in part(mail, "html")


MOVED = {
    "scheduled_start": "2026-02-19T02:00:00+00:00",
    "scheduled_end": "2026-02-19T04:00:00+00:00",
}
SAID = {**UPDATE, "status": "scheduled"}


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({"name": "maintenance.scheduled"}, "Maintenance planned"),
        ({}, "News of a planned maintenance"),
        ({"minutes": 60}, "Maintenance begins in 1 hour"),
        ({"minutes": 1530}, "Maintenance begins in 1 day 1 hour 30 minutes"),
        ({"moved_from": MOVED}, "Maintenance moved"),
        ({"status": "in_progress"}, "Maintenance in progress"),
        ({"status": "verifying"}, "Maintenance being verified"),
        ({"status": "completed"}, "Maintenance completed"),
        ({"status": "cancelled"}, "Maintenance cancelled"),
    ],
)
def test_what_a_mail_says_of_maintenance(changes: dict[str, Any], subject: str) -> None:
    """The subject tells what happened, the text the window, the services, the news and where to read more."""
    changes = dict(changes)
    name = changes.pop("name", "maintenance.updated")
    fact = event(name, maintenance=maintenance_data(**changes))
    mail = json.loads(formats["email"].render(fact))
    assert mail["subject"] == f"[FacioTech Status] {subject}: Néw disks"
    lines = mail["text"].splitlines()
    assert lines[0] == f"{subject}: Néw disks"
    assert lines[1:3] == ["", "Planned from 2026-02-20 02:00 UTC until 2026-02-20 04:00 UTC"]
    assert ("Before: 2026-02-19 02:00 UTC until 2026-02-19 04:00 UTC" in lines) is (
        "moved_from" in changes
    )
    assert "Affects API" in lines
    assert "We are **looking**." in lines
    assert "https://status.example.com/maintenance/x" in lines
    assert "<strong>looking</strong>" in mail["html"]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85"])
def test_a_title_starts_no_header(smtp: SmtpServer, end: str) -> None:
    """A line break in a title, page or component name is a space in the subject and nothing else."""
    title = f"Down{end}Bcc: victim@example.org{end}{end}<b>body</b>"
    fact = event("incident.created", incident=incident_data(title=title))
    assert send(smtp, text=formats["email"].render(fact)).delivered
    mail = only(smtp)
    assert mail["Bcc"] is None
    assert mail.envelope_to == (READER,)
    assert mail["Subject"].strip() == (  # a long one may be folded before its first word
        "[FacioTech Status] Investigating: Down Bcc: victim@example.org <b>body</b>"
    )


def test_nothing_in_a_mail_can_act(smtp: SmtpServer) -> None:
    """Titles, names and bodies are text in the HTML part, whatever stands in them."""
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    facts = [
        event(
            "incident.created",
            incident=incident_data(title=evil, updates=[{**UPDATE, "body": evil}]),
        ),
        event(
            "maintenance.scheduled",
            maintenance=maintenance_data(title=evil, updates=[{**SAID, "body": evil}]),
        ),
        event("component.status_change", component=component_data(name=evil)),
        event("monitor.down", monitor=monitor_data(name=evil)),
        event("test", message=evil),
    ]
    for fact in facts:
        html = json.loads(formats["email"].render(fact))["html"]
        tree = html5lib.parse(html, namespaceHTMLElements=False)
        elements = [element for element in tree.iter() if isinstance(element.tag, str)]
        assert {"script", "img"}.isdisjoint(element.tag for element in elements)
        assert not [name for element in elements for name in element.attrib if name[:2] == "on"]
        assert tree.find("body//h1") is not None


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("a@example.com", "a@example.com"),
        (" Ann.Lee+status@EXAMPLE.com ", "Ann.Lee+status@example.com"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
    ],
)
def test_an_address_is_kept_in_one_spelling(address: str, kept: str) -> None:
    """The domain's case never matters; the mailbox's is kept."""
    assert EMAIL.normalise(address, Settings()) == kept


@pytest.mark.parametrize(
    "address",
    [
        *("", "a", "@example.com", "a@", "a b@example.com", "a@exam ple.com", "<a@example.com>"),
        *("a@example.com, b@example.com", "a@example.com;b@example.com", "a@b@example.com"),
        *("a@example.com\nBcc: b@example.com", "a\x00@example.com", 'a"b@example.com'),
        *(
            "a..b@example.com",
            "a@[127.0.0.1]",
            "x" * 243 + "@example.com",
            "x" * 65 + "@example.com",
        ),
        *("a.@example.com", ".a@example.com", "a@example.com.", "a@.example.com", "a@b"),
        *("a@-bad-.com", "a@exam_ple.com", f"a@{'x' * 64}.com"),
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """One address and nothing else: no list, no header, no comment, no route."""
    with pytest.raises(Invalid, match="not an email address"):
        EMAIL.normalise(address, Settings())


@pytest.mark.parametrize("address", ["jürgen@example.com", "a@exämple.com"])
def test_an_address_beyond_ascii_is_refused_where_it_is_typed(address: str) -> None:
    """Not every server on the way could carry it, so whoever types it is told at once."""
    with pytest.raises(Invalid, match="ASCII"):
        channels["email"].normalise(address, Settings())


@pytest.mark.parametrize(
    ("name", "status", "subject"),
    [
        ("created", "investigating", "Investigating: API is dówn"),
        ("updated", "identified", "Identified: API is dówn"),
        ("resolved", "resolved", "Resolved: API is dówn"),
        ("postmortem", "postmortem", "Postmortem: API is dówn"),
    ],
)
def test_each_step_of_an_incident(name: str, status: str, subject: str) -> None:
    """Every event of an incident names its status, its components and what was written."""
    ended = "2026-02-19T18:00:00+00:00" if name in ("resolved", "postmortem") else None
    data = incident_data(status=status, resolved_at=ended)
    mail = json.loads(formats["email"].render(event(f"incident.{name}", incident=data)))
    assert mail["subject"] == f"[FacioTech Status] {subject}"
    for words in ("Started 2026-02-19 17:30 UTC", "API: Major outage"):
        assert words in mail["text"]
        assert words in mail["html"]
    assert "We are **looking**." in mail["text"]
    assert "We are <strong>looking</strong>." in mail["html"]
    assert ("Resolved 2026-02-19 18:00 UTC" in mail["text"]) is bool(ended)


def test_a_promised_update_is_mailed() -> None:
    """The time of the next update stands in both bodies, with its zone."""
    data = incident_data(next_update_due="2026-02-19T18:30:00+00:00")
    mail = json.loads(formats["email"].render(event("incident.updated", incident=data)))
    for body in ("text", "html"):
        assert "Next update by 2026-02-19 18:30 UTC" in mail[body]
    plain = json.loads(formats["email"].render(event("incident.updated", incident=incident_data())))
    assert "Next update" not in plain["text"] + plain["html"]
