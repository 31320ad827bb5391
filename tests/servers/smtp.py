"""A mail server on a loopback port that keeps what it accepts, answers with a refusal, or hangs up."""

from __future__ import annotations

import ssl
from asyncio import BaseTransport
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

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
    refused with it at the command that `reject_at` names; `reject` refuses single recipients. After an answer with 421
    it hangs up. While `drop_at` is set it hangs up there: "DATA" in the midst of the message, "DOT" once it has taken
    the message, before it says so, "NEXT" when the client begins its next message. `connections` counts.
    """

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.port = process.free_port()
        self.reject_with: str | None = None
        self.reject_at: Literal["MAIL", "RCPT", "DATA"] = "RCPT"
        self.reject: dict[str, str] = {}
        self.drop_at: Literal["DATA", "DOT", "NEXT"] | None = None
        self.offers_8bitmime = True
        self.connections = 0
        self.logins: list[str] = []
        self.encrypted: list[bool] = []
        self._accepted: Arrivals[Mail] = Arrivals()

    @property
    def messages(self) -> list[Mail]:
        return self._accepted.so_far()

    def wait_for(self, predicate: Callable[[Mail], object], timeout: float = 10) -> Mail:
        return self._accepted.wait_for(predicate, timeout)

    # The names and arguments of the two hooks are aiosmtpd's.

    async def handle_EHLO(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        return [line for line in responses if self.offers_8bitmime or not line.endswith("8BITMIME")]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.users and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if self.reject_with and self.reject_at == "MAIL":
            return self.reject_with
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.reject_with and self.reject_at == "RCPT":
            return self.reject_with
        if address in self.reject:
            return self.reject[address]
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
        self.encrypted.append(bool(server.transport.get_extra_info("ssl_object")))
        if self.drop_at == "DOT":
            server.transport.abort()
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        name, password = data.login.decode(), data.password.decode()
        is_known = self.users.get(name) == password
        if is_known:
            self.logins.append(name)
        return AuthResult(success=is_known, handled=False)

    users: Mapping[str, str] = {}


class _Dialogue(SMTP):
    """One connection of a client."""

    event_handler: SmtpServer

    def connection_made(self, transport: BaseTransport) -> None:
        if self.transport is None:  # else it is the same one, encrypted from now on
            self.event_handler.connections += 1
        super().connection_made(transport)

    async def push(self, status: str | bytes) -> None:
        await super().push(status)
        if status[:3] in ("421", b"421"):
            self.transport.close()

    async def smtp_NOOP(self, arg: str) -> None:
        if self.event_handler.drop_at == "NEXT":
            self.event_handler.drop_at = None
            await self.push("421 4.4.2 too many messages on this connection")
        else:
            await super().smtp_NOOP(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if self.event_handler.drop_at == "DATA":
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.abort()
        else:
            await super().smtp_DATA(arg)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Dialogue(self.handler, **self.SMTP_kwargs)


@contextmanager
def running(
    *,
    tls: ssl.SSLContext | None = None,
    implicit: bool = False,
    users: Mapping[str, str] | None = None,
) -> Iterator[SmtpServer]:
    """:param tls: with it STARTTLS is needed, or TLS from the first byte if *implicit*.
    :param users: names and passwords; with them a login is needed.
    """
    server = SmtpServer()
    options: dict[str, Any] = {}
    if tls is not None:
        options = (
            {"ssl_context": tls} if implicit else {"tls_context": tls, "require_starttls": True}
        )
    if users is not None:
        server.users = users
        options |= {
            "authenticator": server.authenticate,
            "auth_require_tls": not implicit,
        }
    controller = _Controller(
        # Its own name given, it does not ask DNS for one.
        server,
        hostname=server.host,
        port=server.port,
        server_hostname="localhost",
        **options,
    )
    controller.start()
    server.connections = 0  # it tried itself
    try:
        yield server
    finally:
        controller.stop()
