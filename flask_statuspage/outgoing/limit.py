"""The limit of time for what has none of its own: name servers, libraries, functions of the site."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakSet

T = TypeVar("T")

MOST_ABANDONED = 32
"""Threads of this process that may hang in calls of one kind; beyond them nothing of that kind is begun."""

_abandoned: defaultdict[str, WeakSet[threading.Thread]] = defaultdict(WeakSet)
_turning = threading.Lock()


class Late(TimeoutError):
    """The time is over. What was begun may still have an effect."""


class Crowded(Late):
    """Nothing was begun: too many calls of that kind hang in this process, or it has no thread to spare."""


def within(
    seconds: float, work: Callable[[], T], *, cut: Callable[[], None], kind: str = "send"
) -> T:
    """What *work* returns, or raises, if it is done in *seconds*.

    It runs in a thread of its own: neither a name server nor a mail server that drips nor a library without any timeout
    can hold up the caller longer.

    :param cut: called when it is not done, so that its thread ends soon.
    :param kind: calls that hang use up the room of their own kind only.
    :raises Late: when it is not done.
    :raises Crowded: when it was not even begun.
    """
    if _hanging(kind) >= MOST_ABANDONED:
        raise Crowded("too many calls hang already")
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # it is raised where it is waited for
            errors.append(error)

    thread = threading.Thread(target=run, name="statuspage-within", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise Crowded("no further thread could be started") from error
    thread.join(seconds)
    if thread.is_alive():
        with _turning:
            _abandoned[kind].add(thread)
        cut()
        raise Late(f"not done in {seconds:g} s")
    if errors:
        raise errors[0]
    return results[0]


def _hanging(kind: str) -> int:
    with _turning:  # a set that others add to meanwhile cannot be looked through
        return sum(thread.is_alive() for thread in _abandoned[kind])


def _forget_parent() -> None:
    """In a child process: the threads are its parent's, one of which may have held the lock."""
    global _turning
    _turning = threading.Lock()
    _abandoned.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
