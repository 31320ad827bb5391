"""The contract of a way out for mails, and the limit of time for whatever stands behind it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from smtplib import SMTP, SMTPServerDisconnected
from typing import Protocol, TypeVar
from weakref import WeakSet

T = TypeVar("T")

MOST_ABANDONED = 32
"""Threads of this process that may hang in a mail server or a sender of the site; beyond them nothing is begun."""

_abandoned: WeakSet[threading.Thread] = WeakSet()


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


class Late(TimeoutError):
    """The time is over. What was begun may still have an effect."""


class Cut(SMTPServerDisconnected):
    """Nobody waits for this mail any more: it was written down as failed, and need not come twice."""


def within(seconds: float, work: Callable[[], T], *, cut: Callable[[], None]) -> T:
    """What *work* returns, or raises, if it is done in *seconds*.

    It runs in a thread of its own: neither a name server nor a mail server that drips nor a library without any timeout
    can hold up the caller longer.

    :param cut: called when it is not done, so that its thread ends soon.
    :raises Late: when it is not done.
    """
    if sum(thread.is_alive() for thread in list(_abandoned)) >= MOST_ABANDONED:
        raise Late("too many mails hang already")
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # it is raised where it is waited for
            errors.append(error)

    thread = threading.Thread(target=run, name="statuspage-mail", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _abandoned.add(thread)
        cut()
        raise Late(f"not done in {seconds:g} s")
    if errors:
        raise errors[0]
    return results[0]


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
