"""Mail over SMTP, one connection for a batch."""

from __future__ import annotations

import json
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from ...config import Settings
from ...errors import Invalid
from ..parcel import Failure, Outcome, Parcel
from .channel import Line

TIMEOUT = 15.0  # seconds for each step of the SMTP dialogue
# Folded at 78 characters, a long URL in a header becomes an encoded word, which RFC 2047 forbids there and which no
# mail provider reads: List-Unsubscribe would be lost. 998 is the limit of RFC 5322.
_WHOLE_LINES = SMTP.clone(max_line_length=998)

MAX_ADDRESS = 254  # characters, RFC 5321 4.5.3.1.3

_NO_MAILBOX = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}

# Deliberately simple: a dot-atom or anything printable before the @, a name with a dot (or localhost) behind it.
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]+@[^\s@<>()\[\]\\,;:\"]+", re.ASCII)


class EmailChannel:
    name = "email"
    default_format = "email"
    needs_confirmation = True
    confirms_by_code = False
    members_only = False
    secret_address = False
    for_people = True
    replies = False
    target_seconds = 300.0
    parallel: int | None = 2

    def available(self, settings: Settings) -> str | None:
        return None if settings.smtp_url else "STATUSPAGE_SMTP_URL is not set."

    def normalise(self, address: str, settings: Settings) -> str:
        address = address.strip()
        local, _, domain = address.rpartition("@")
        # Beyond ASCII every server on the way would have to know SMTPUTF8 (RFC 6531).
        if not address.isascii():
            raise Invalid.field(
                "address", "Only ASCII letters are possible in an email address here."
            )
        if len(address) > MAX_ADDRESS or not _ADDRESS.fullmatch(address) or ".." in address:
            raise Invalid.field(
                "address", "This is not an email address, such as name@example.com."
            )
        try:
            Address(username=local, domain=domain)
        except (MessageError, ValueError) as error:
            raise Invalid.field(
                "address", "This is not an email address, such as name@example.com."
            ) from error
        # The domain's case never matters; the mailbox's could.
        return f"{local}@{domain.lower()}"

    def vet(self, address: str, settings: Settings) -> None:
        """Only a mail to it tells whether a mailbox is there."""

    def endpoint(self, address: str) -> str:
        return self.name

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Line]:
        line = EmailLine(settings)
        try:
            yield line
        finally:
            line.close()


class EmailLine:
    """Connects at the first parcel and again after the server hung up."""

    def __init__(self, settings: Settings) -> None:
        assert settings.smtp_url is not None
        assert settings.email_from is not None
        self._url = settings.smtp_url
        self._sender = settings.email_from
        self._server: smtplib.SMTP | None = None

    def send(self, parcel: Parcel) -> Outcome:
        started = time.monotonic()
        # smtplib's timeout is for each step; a server that drips would outlast the lease.
        deadline = threading.Timer(parcel.policy.timeout, self._cut)
        deadline.start()
        try:
            outcome = self._try(parcel)
        finally:
            deadline.cancel()
        milliseconds = round((time.monotonic() - started) * 1000)
        return replace(outcome, milliseconds=milliseconds)

    def _try(self, parcel: Parcel) -> Outcome:
        message = _message(parcel, self._sender)
        try:
            self._connected().send_message(
                message, from_addr=parseaddr(self._sender)[1], to_addrs=[parcel.address]
            )
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            return self._refused(code, answer, about_address=True)
        except smtplib.SMTPResponseException as error:
            return self._refused(error.smtp_code, error.smtp_error, about_address=False)
        except (OSError, smtplib.SMTPException):
            self.close()
            return Outcome(error="The mail server could not be reached.", kind=Failure.CONNECT)
        return Outcome(code=250)

    def _refused(self, code: int, answer: bytes | str, *, about_address: bool) -> Outcome:
        """A mailbox that does not exist ends the subscription. All else is worth a retry: 4xx, and 5xx that may come
        from our own settings or reputation, such as "554 5.7.1 Relay access denied"."""
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        gone = about_address and _is_gone(code, text)
        if self._server is not None:
            try:
                self._server.rset()
            except (OSError, smtplib.SMTPException):
                self.close()
        return Outcome(
            error=f"The mail server answered {code}.",
            kind=Failure.STATUS,
            code=code,
            answer=text[:4096].replace("\x00", ""),
            final=gone,
            ends_subscription=gone,
        )

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            self._server = connect(self._url)
        return self._server

    def _cut(self) -> None:
        """End the dialogue from another thread: whoever waits for an answer gets an error."""
        server = self._server
        if server is not None and server.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(server.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        if self._server is not None:
            try:
                self._server.quit()
            except (OSError, smtplib.SMTPException):
                self._server.close()
            self._server = None


def _is_gone(code: int, text: str) -> bool:
    """Whether an answer says that there is no such mailbox: by its enhanced status (RFC 3463), else by its code."""
    if enhanced := re.match(r"\s*(5\.\d{1,3}\.\d{1,3})\b", text):
        return enhanced[1] in _NO_MAILBOX
    return code in (550, 551, 553)


def connect(url: str) -> smtplib.SMTP:
    """A session with the mail server of *url*, logged in where the URL says so."""
    parts = urlsplit(url)
    host, query = parts.hostname or "localhost", parse_qs(parts.query)
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        context = ssl.create_default_context()
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT)
    try:
        if query.get("starttls", ["0"])[-1] not in ("0", "false", ""):
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _message(parcel: Parcel, sender: str) -> EmailMessage:
    content = json.loads(parcel.body)
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage(policy=_WHOLE_LINES)
    # One line each: a title with a line break must not start a header of its own.
    message["Subject"] = " ".join(content["subject"].split())
    message["From"] = sender
    message["To"] = parcel.address
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{parcel.delivery_id}@{domain}>" if domain else make_msgid()
    # All mails about one incident hang together under an id that no mail bears itself.
    message["References"] = f"<{parcel.subject_id}.{parcel.subscription_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    text, html = content["text"], content["html"]
    if parcel.unsubscribe_url and parcel.manage_url:
        message["List-Unsubscribe"] = f"<{parcel.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        text += f"\n\nChange what you receive: {parcel.manage_url}\nUnsubscribe: {parcel.unsubscribe_url}\n"
        html += (
            f'<p><a href="{parcel.manage_url}">Change what you receive</a> · '
            f'<a href="{parcel.unsubscribe_url}">Unsubscribe</a></p>'
        )
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message
