"""The contract of a way out for mails."""

from __future__ import annotations

import socket
from contextlib import suppress
from email.message import EmailMessage
from smtplib import SMTP, SMTPServerDisconnected
from typing import Protocol


class Transport(Protocol):
    """A way out. It connects when it has to, and uses one connection as long as the other side keeps it."""

    def send(self, message: EmailMessage, to: str) -> None:
        """Hand *message* over for the mailbox *to*.

        :raises smtplib.SMTPException: as :meth:`smtplib.SMTP.sendmail` does, or OSError; a sender of the site may raise
            anything.
        """
        ...

    def check(self) -> str:
        """Connect as for a mail, without sending one; returns what was reached, for the site's team."""
        ...

    def cut(self) -> None:
        """End the dialogue from another thread: whoever waits for an answer gets an error. It is not used again."""
        ...

    def close(self) -> None:
        """Take leave of the other side."""
        ...


class Cut(SMTPServerDisconnected):
    """Nobody waits for this mail any more: it was written down as failed, and need not come twice."""


def cut_socket(server: SMTP | None) -> None:
    """Wake whoever waits for *server*'s answer."""
    sock = None if server is None else server.sock
    if sock is not None:
        with suppress(OSError):
            # Not an SSL socket's own one, which would wait for the other side.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


def still_answers(server: SMTP) -> bool:
    """Whether a connection that was used before is still good. Servers hang up after some mails or some silence."""
    try:
        return bool(server.noop()[0] == 250)
    except OSError:  # SMTPException is one
        return False
