"""By what the site sends its own mail with: Flask-Mail, Flask-Mailman, or a function that it registered.

They get the mail as it is, every header and both parts; what they hold back (``MAIL_SUPPRESS_SEND``, a backend that
keeps mails in memory) is the site's decision and counts as sent.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from functools import cache
from typing import Any

from flask import Flask

from ...state import EmailSender
from .message import sender_of
from .transport import Cut, cut_socket, still_answers

FIELDS = frozenset({"subject", "from", "to", "content-type", "mime-version"})
"""Headers that both libraries know by other names, for those of the site's own code that look at them."""


class RegisteredSender:
    """A function that the site registered."""

    def __init__(self, app: Flask, sender: EmailSender) -> None:
        self._app = app
        self._sender = sender

    def send(self, message: EmailMessage, to: str) -> None:
        with self._app.app_context():
            self._sender(message)

    def check(self) -> str:
        return "not tried"

    def cut(self) -> None:
        """Nobody knows how."""

    def close(self) -> None:
        """Nothing is open."""


class FlaskMail:
    """The connection of ``mail.connect()``."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._connection: Any = None
        self._is_cut = False

    def send(self, message: EmailMessage, to: str) -> None:
        with self._app.app_context():
            mail = _flask_mail_message()(
                subject=str(message["Subject"]),
                recipients=[to],
                body=_part(message, "plain"),
                html=_part(message, "html"),
                sender=sender_of(message),
                extra_headers=_extra(message),
            )
            mail.finished, mail.msgId = message, message["Message-ID"]
            connection = self._ready()
            _guarded(lambda: connection.send(mail), self._drop)

    def check(self) -> str:
        with self._app.app_context():
            connection = self._ready()
            if connection.host is None:
                return "sends nothing, as MAIL_SUPPRESS_SEND or TESTING is set"
            connection.host.noop()
            return f"{self._app.extensions['mail'].server} answers"

    def cut(self) -> None:
        self._is_cut = True
        cut_socket(getattr(self._connection, "host", None))

    def close(self) -> None:
        if self._connection is not None:
            with suppress(OSError):  # SMTPException is one
                self._connection.__exit__(None, None, None)
        self._connection = None

    def _ready(self) -> Any:
        host = getattr(self._connection, "host", None)
        if host is not None and not still_answers(host):
            self._drop()
        if self._connection is None:
            if self._is_cut:
                raise Cut
            self._connection = self._app.extensions["mail"].connect().__enter__()
        if self._is_cut:
            self._drop()
            raise Cut
        return self._connection

    def _drop(self) -> None:
        if (host := getattr(self._connection, "host", None)) is not None:
            host.close()
        self._connection = None


class FlaskMailman:
    """A backend of ``mail.get_connection()``, which need not be one of SMTP."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._backend: Any = None
        self._is_cut = False

    def send(self, message: EmailMessage, to: str) -> None:
        with self._app.app_context():
            mail = _flask_mailman_message()(
                subject=str(message["Subject"]),
                body=_part(message, "plain"),
                from_email=sender_of(message),
                to=[to],
                headers=_extra(message),
            )
            mail.attach_alternative(_part(message, "html"), "text/html")
            mail.finished = _Finished.of(message)
            backend = self._ready()
            if _guarded(lambda: backend.send_messages([mail]), self._drop) == 0:
                raise smtplib.SMTPException("the backend sent nothing")

    def check(self) -> str:
        with self._app.app_context():
            backend = self._ready()
            name = f"{type(backend).__module__}.{type(backend).__name__}"
            return f"{self._app.extensions['mailman'].server} answers" if _smtp(backend) else name

    def cut(self) -> None:
        self._is_cut = True
        cut_socket(_smtp(self._backend))

    def close(self) -> None:
        if self._backend is not None:
            with suppress(OSError):  # SMTPException is one
                self._backend.close()
        self._backend = None

    def _ready(self) -> Any:
        server = _smtp(self._backend)
        if server is not None and not still_answers(server):
            self._drop()
        if self._backend is None:
            if self._is_cut:
                raise Cut
            backend = self._app.extensions["mailman"].get_connection()
            backend.open()
            self._backend = backend
        if self._is_cut:
            self._drop()
            raise Cut
        return self._backend

    def _drop(self) -> None:
        if (server := _smtp(self._backend)) is not None:
            server.close()
        self._backend = None


class _Finished(EmailMessage):
    """A mail that leaves as it is, whatever line ends it is asked for: Flask-Mailman knows arguments of its own."""

    raw: bytes

    @classmethod
    def of(cls, message: EmailMessage) -> _Finished:
        raw = message.as_bytes()
        finished: _Finished = message_from_bytes(raw, _class=cls, policy=message.policy)
        finished.raw = raw
        return finished

    def as_bytes(self, *args: Any, **options: Any) -> bytes:
        return self.raw

    def as_string(self, *args: Any, **options: Any) -> str:
        return self.raw.decode("ascii")


@cache
def _flask_mail_message() -> Any:
    from flask_mail import Message

    class Finished(Message):
        finished: EmailMessage

        def as_bytes(self) -> bytes:
            return self.finished.as_bytes()

        def as_string(self) -> str:
            return self.as_bytes().decode("ascii")

    return Finished


@cache
def _flask_mailman_message() -> Any:
    from flask_mailman import EmailMultiAlternatives

    class Finished(EmailMultiAlternatives):  # type: ignore[misc]
        finished: _Finished

        def message(self) -> EmailMessage:
            return self.finished

    return Finished


def _guarded(send: Callable[[], Any], drop: Callable[[], None]) -> Any:
    """What *send* returns. Whatever was not a plain refusal of the recipient ends the connection."""
    try:
        return send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [answer[0] for answer in error.recipients.values()]
        if 421 in codes:
            drop()
        raise
    except BaseException:
        drop()
        raise


def _smtp(backend: Any) -> smtplib.SMTP | None:
    connection = getattr(backend, "connection", None)
    return connection if isinstance(connection, smtplib.SMTP) else None


def _extra(message: EmailMessage) -> dict[str, str]:
    return {name: str(value) for name, value in message.items() if name.lower() not in FIELDS}


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content())
