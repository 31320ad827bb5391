"""A mail server that delivers nothing: what it gets is printed and shown at ``/mail``."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from .backstage import Arrivals, Mail
from .console import say

HOST = "127.0.0.1"


class MailCatcher:
    """The handler of an aiosmtpd server."""

    def __init__(self, mails: Arrivals[Mail]) -> None:
        self._mails = mails

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
        part = message.get_body(preferencelist=("plain",))
        mail = Mail(
            to=", ".join(envelope.rcpt_tos),
            subject=str(message["Subject"]),
            text=part.get_content() if part else "",
            at=datetime.now(),
        )
        self._mails.add(mail)
        say("mail", f"to {mail.to}: {mail.subject}")
        return "250 OK"


def free_port() -> int:
    """A port that nobody listens to at the moment."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running(mails: Arrivals[Mail], port: int) -> Iterator[None]:
    """Catch mails on *port* while the block lasts."""
    controller = Controller(
        MailCatcher(mails), hostname=HOST, port=port, server_hostname="localhost"
    )
    controller.start()
    try:
        yield
    finally:
        controller.stop()
