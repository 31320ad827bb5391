"""Mails that the tests of the ways out send, and how they look at what arrived."""

from __future__ import annotations

from typing import Any

from flask_statuspage.config import Settings
from flask_statuspage.delivery.channels import Line, channels
from flask_statuspage.delivery.formats import formats
from flask_statuspage.delivery.parcel import Outcome, Parcel
from tests.servers.smtp import Mail, SmtpServer

from .facts import event, incident_data, parcel

EMAIL = channels["email"]
READER = "reader@example.org"
SENDER = "Status <status@example.com>"
MANAGE = "https://status.example.com/manage/token"
LEAVE = "https://status.example.com/unsubscribe/token"


def settings(url: str | SmtpServer, **changes: Any) -> Settings:
    """Those of a site with this mail server."""
    whole = url if isinstance(url, str) else f"smtp://{url.host}:{url.port}"
    return Settings(**{"smtp_url": whole, "email_from": SENDER, **changes})


def letter(*, title: str = "API is down", **changes: Any) -> Parcel:
    """A parcel with a mail about an incident."""
    body = formats["email"].render(event("incident.created", incident=incident_data(title=title)))
    values = {"channel": "email", "format": "email", "address": READER, "body": body}
    return parcel(**(values | changes))


def send(url: str | SmtpServer, **changes: Any) -> Outcome:
    """One mail by a line of its own."""
    with EMAIL.open(settings(url)) as line:
        return line.send(letter(**changes))


def send_all(line: Line, count: int) -> list[Outcome]:
    return [line.send(letter(address=f"reader{number}@example.org")) for number in range(count)]


def only(smtp: SmtpServer) -> Mail:
    (mail,) = smtp.messages
    return mail


def head(mail: Mail) -> bytes:
    """The headers as they came."""
    return mail.content.partition(b"\r\n\r\n")[0] + b"\r\n"
