"""By the mail server of ``STATUSPAGE_SMTP_URL``."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ...config_values import flag
from .message import sender_of
from .transport import Cut, cut_socket, still_answers

TIMEOUT = 15.0
"""Seconds for each step of the SMTP dialogue, so that a thread that nobody waits for any more ends."""


class SmtpTransport:
    """One connection, opened at the first mail, and again after the server hung up."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._server: smtplib.SMTP | None = None
        self._opening: smtplib.SMTP | None = None
        self._is_cut = False

    def send(self, message: EmailMessage, to: str) -> None:
        server = self._ready()
        try:
            server.send_message(message, from_addr=sender_of(message), to_addrs=[to])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException):
            self._begin_anew(server)
            raise
        except BaseException:
            self._drop()
            raise

    def check(self) -> str:
        self._ready().noop()
        parts = urlsplit(self._url)
        way = "TLS" if parts.scheme == "smtps" else "STARTTLS" if _wants_starttls(self._url) else ""
        facts = [way or "not encrypted", *(["logged in"] if parts.username else [])]
        return f"{parts.hostname or 'localhost'} answers ({', '.join(facts)})"

    def cut(self) -> None:
        self._is_cut = True
        cut_socket(self._server or self._opening)

    def close(self) -> None:
        if self._server is not None:
            with suppress(OSError):  # SMTPException is one
                self._server.quit()
        self._drop()

    def _ready(self) -> smtplib.SMTP:
        if self._server is not None and not still_answers(self._server):
            self._drop()
        if self._server is None:
            if self._is_cut:
                raise Cut
            self._server = connect(self._url, opening=self._note_opening)
        if self._is_cut:
            self._drop()
            raise Cut
        return self._server

    def _note_opening(self, server: smtplib.SMTP) -> None:
        self._opening = server

    def _begin_anew(self, server: smtplib.SMTP) -> None:
        """After a refusal. The server may have hung up with it, as 421 does."""
        try:
            if server.sock is not None and server.rset()[0] == 250:
                return
        except OSError:
            pass
        self._drop()

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None


def connect(url: str, *, opening: Callable[[smtplib.SMTP], None] | None = None) -> smtplib.SMTP:
    """A session with the mail server of *url*: encrypted and logged in where the URL says so.

    ``?ca=`` names a file with the certificates that are trusted, in the place of the system's.

    :param opening: told the session before it connects.
    :raises OSError: when it cannot be had; :exc:`smtplib.SMTPException` is one.
    """
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = _Secure(host, parts.port or 465, opening=opening, context=_trust(url))
    else:
        server = _Plain(host, parts.port or 587, opening=opening)
    try:
        if _wants_starttls(url):
            server.starttls(context=_trust(url))  # raises where the server does not offer it
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


class _Plain(smtplib.SMTP):
    """Known to somebody else before it connects, which happens while it is made."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        opening: Callable[[smtplib.SMTP], None] | None,
        **options: Any,
    ) -> None:
        if opening is not None:
            opening(self)
        super().__init__(host, port, local_hostname=_own_name(), timeout=TIMEOUT, **options)


class _Secure(_Plain, smtplib.SMTP_SSL):
    """With TLS from the first byte."""


@cache
def _own_name() -> str:
    """What the client calls itself. It asks the name server, so once is enough."""
    return socket.getfqdn()


def _trust(url: str) -> ssl.SSLContext:
    ca = parse_qs(urlsplit(url).query).get("ca", [None])[-1]
    return ssl.create_default_context(cafile=ca)


def _wants_starttls(url: str) -> bool:
    return flag(parse_qs(urlsplit(url).query).get("starttls", ["0"])[-1])
