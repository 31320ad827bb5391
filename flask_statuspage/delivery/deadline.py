"""The limit of time for what has none of its own: name servers, libraries, functions of the site."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakSet

T = TypeVar("T")

MOST_ABANDONED = 32
"""Threads of this process that may hang in a server or a function of the site; beyond them nothing is begun."""

_abandoned: WeakSet[threading.Thread] = WeakSet()


class Late(TimeoutError):
    """The time is over. What was begun may still have an effect."""


def within(seconds: float, work: Callable[[], T], *, cut: Callable[[], None]) -> T:
    """What *work* returns, or raises, if it is done in *seconds*.

    It runs in a thread of its own: neither a name server nor a mail server that drips nor a library without any timeout
    can hold up the caller longer.

    :param cut: called when it is not done, so that its thread ends soon.
    :raises Late: when it is not done.
    """
    if sum(thread.is_alive() for thread in list(_abandoned)) >= MOST_ABANDONED:
        raise Late("too many calls hang already")
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # it is raised where it is waited for
            errors.append(error)

    thread = threading.Thread(target=run, name="statuspage-within", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _abandoned.add(thread)
        cut()
        raise Late(f"not done in {seconds:g} s")
    if errors:
        raise errors[0]
    return results[0]
