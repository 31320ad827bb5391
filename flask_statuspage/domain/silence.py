"""Checks that are not heard of: nothing is green by old ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from .status import ComponentStatus
from .uptime import Interval

MISSED_CHECKS = 3
"""After this many intervals without a check, what was measured last no longer counts as known."""


def is_silent(last_check_at: datetime | None, interval: int | None, now: datetime) -> bool:
    """Whether checks were missed, *interval* in seconds; not where there are none to be missed."""
    if last_check_at is None or interval is None:
        return False
    return now - last_check_at > timedelta(seconds=MISSED_CHECKS * interval)


def seen_status(
    status: ComponentStatus, last_check_at: datetime | None, interval: int | None, now: datetime
) -> ComponentStatus:
    """What readers see of a component that is kept as *status*. Nobody may be left who would note that nothing is
    heard: never green by old checks.

    :param interval: seconds between checks; None without a monitor.
    """
    is_old = status is ComponentStatus.OPERATIONAL and is_silent(last_check_at, interval, now)
    return ComponentStatus.UNKNOWN if is_old else status


def as_heard(
    history: Iterable[Interval],
    status: ComponentStatus,
    *,
    last_check_at: datetime | None,
    interval: int | None,
    now: datetime,
) -> tuple[Interval, ...]:
    """*history* of a component whose published status is *status*. Where its checks were missed, what still lasts is
    known up to the last one only: nobody may be left who would note that nothing is heard. Never green by old checks.

    :param interval: seconds between checks.
    """
    if last_check_at is None or not status.is_calm or not is_silent(last_check_at, interval, now):
        return tuple(history)
    return tuple(
        item if item.end else item._replace(end=max(item.start, last_check_at)) for item in history
    )
