"""A mail server on a loopback port that keeps what it accepts, or answers with a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from . import process
from .arrivals import Arrivals


class Mail(EmailMessage):
    """A parsed message with the addresses of its SMTP envelope and the bytes as they came."""

    envelope_from: str = ""
    envelope_to: tuple[str, ...] = ()
    content: bytes = b""

    def __repr__(self) -> str:
        return f"<Mail {self['Subject']!r} to {', '.join(self.envelope_to)}>"


class SmtpServer:
    """A running mail server.

    While `reject_with` is an answer such as "550 no such user" or "451 later", every message is
    refused with it at the command that `reject_at` names.
    """

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.port = process.free_port()
        self.reject_with: str | None = None
        self.reject_at: Literal["RCPT", "DATA"] = "RCPT"
        self._accepted: Arrivals[Mail] = Arrivals()

    @property
    def messages(self) -> list[Mail]:
        return self._accepted.so_far()

    def wait_for(self, predicate: Callable[[Mail], object], timeout: float = 10) -> Mail:
        return self._accepted.wait_for(predicate, timeout)

    # The names and arguments of the two hooks are aiosmtpd's.

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.reject_with and self.reject_at == "RCPT":
            return self.reject_with
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.reject_with and self.reject_at == "DATA":
            return self.reject_with
        mail = message_from_bytes(envelope.original_content or b"", _class=Mail, policy=SMTP_POLICY)
        mail.content = envelope.original_content or b""
        mail.envelope_from = envelope.mail_from or ""
        mail.envelope_to = tuple(envelope.rcpt_tos)
        self._accepted.add(mail)
        return "250 OK"


@contextmanager
def running() -> Iterator[SmtpServer]:
    server = SmtpServer()
    controller = Controller(
        # Its own name given, it does not ask DNS for one.
        server,
        hostname=server.host,
        port=server.port,
        server_hostname="localhost",
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
