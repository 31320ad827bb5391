"""When what comes at an interval is due: everybody has a beat of their own, on which they stay for good.

A beat is all instants that are a whole number of intervals apart from one place in the interval, counted from a fixed
instant. So it does not drift however late each check is, it needs no memory, and it is the same again after a stop,
after a pause and after the clock was wrong. Its place is as good as random, so many monitors made at once do not stay
in step.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

PLACES = 2**32

MISSED = timedelta(seconds=60)
"""What is late by less was not missed, however short its interval: it is asked, oldest first."""

OF_THE_TARGET = ("heartbeat",)
"""Kinds whose targets set their own times: they are due where their last word says, however far away, and never missed,
since nobody is asked: what did not come is told as soon as somebody looks."""

_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_GOLDEN = 2_654_435_769
"""The golden section of all places: its multiples lie as far apart as they can."""


def place(owner: UUID, number: int) -> int:
    """Where in its interval the beat of *number* lies, of :data:`PLACES`.

    :param number: tells the beats of one *owner* apart, which lie apart as far as they can.
    """
    return (owner.int + number * _GOLDEN) % PLACES


def following(place: int, interval: int, now: datetime) -> datetime:
    """The first instant of the beat after *now*, at most one interval away.

    :param interval: seconds. :param now: aware.
    """
    length = interval * 1_000_000
    offset = length * place // PLACES
    passed = (now - _ZERO) // _MICROSECOND
    return now + timedelta(microseconds=length - (passed - offset) % length)


def is_missed(due_at: datetime, interval: int, now: datetime) -> bool:
    """Whether a check that was due then is not made up for: it is late by a whole interval and by a minute at least."""
    late = now - due_at
    return late >= MISSED and late > timedelta(seconds=interval)


def is_astray(due_at: datetime, interval: int, now: datetime) -> bool:
    """Whether *due_at* is farther away than any beat: the interval was longer, or a clock ahead, when it was set."""
    return due_at - now > timedelta(seconds=interval)
