"""Heartbeats: what a job reports by itself is a result at once, and moves on when the next one is due.

A monitor of this kind uses one region, the first by name: its worker notices what did not come.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, selectinload

from ..domain.verdict import Streak, Verdict
from ..errors import Conflict
from ..probing import CheckResult
from ..probing.heartbeat import REPORTED, HeartbeatOptions, HeartbeatProbe
from ..storage import monitors as stored
from ..storage import pages
from ..storage.monitors import Monitor, MonitorRegion
from ..storage.pages import Page
from ..storage.session import begin_read_committed, database_now
from . import audit, monitoring

KIND = HeartbeatProbe.kind

BURST = timedelta(seconds=1)
"""Of the same word only one in so long a time is recorded."""

CLOCK_STEP = timedelta(minutes=5)
"""By how much the clock may have been set back for the next heartbeat to count all the same."""

LONGEST_MS = 2**31 - 1

_audit = partial(audit.of, subject="monitor")


class Word(StrEnum):
    """What a job says: it is done (or alive), it begins, it failed."""

    DONE = "done"
    START = "start"
    FAIL = "fail"


def take(session: Session, token: str, word: Word) -> bool:
    """Note what a job said; False: nobody has that token.

    A paused monitor counts nothing, and a burst of the same word counts once a second.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{32}", token):
        return False
    begin_read_committed(session)
    query = select(Monitor).where(Monitor.token == token).options(selectinload(Monitor.regions))
    monitor = session.scalars(query).one_or_none()
    # Compared here as well: MariaDB finds a token in any case.
    if monitor is None or not hmac.compare_digest(monitor.token or "", token):
        return False
    if _counts(monitor, word, database_now(session)):
        _note(session, monitor, word)
    return True


def settle(monitor: Monitor, now: datetime, *, anew: bool = False) -> None:
    """Make token and due times of *monitor* those of its kind, once its fields are as they should be.

    :param anew: nothing is known of it any more: nothing is due before its first heartbeat.
    """
    if monitor.kind != KIND:
        if monitor.token is not None:
            monitor.token = None
            for row in monitor.regions:
                row.begun_at, row.due_at = None, None if monitor.paused_at else now
        return
    monitor.token = monitor.token or _new_token()
    used = _used(monitor)
    if not anew:
        _move_to(monitor, used)
    for row in monitor.regions:
        if row is not used or anew or not _is_armed(row):
            row.due_at = row.begun_at = None
        elif (
            row.due_at is not None
            and row.begun_at is None
            and row.last_at is not None
            and row.last_outcome != Verdict.DOWN
        ):
            row.due_at = row.last_at + _patience(monitor)  # interval or grace may be new


def mark(monitor: Monitor) -> str:
    """A print of the token: another one once that was replaced. It tells nothing else of it."""
    return hashlib.sha256((monitor.token or "").encode()).hexdigest()[:20]


def rotate(
    session: Session, page: Page, monitor: Monitor, *, seen: str | None = None, actor: str | None
) -> Monitor:
    """Give the locked *monitor* another token; the old URL leads nowhere from then on.

    :param seen: the :func:`mark` of what somebody saw; None: nobody looked.
    :raises Conflict: when it is no heartbeat, or its token was replaced since. Of two presses of one button the second
        would end the address that the job has.
    """
    if monitor.kind != KIND:
        raise Conflict(f"The monitor {monitor.slug!r} is no heartbeat and has no token.")
    if seen is not None and seen != mark(monitor):
        raise Conflict(
            "The address was changed meanwhile, perhaps by this very button. No other one was made. The one that was "
            "shown last counts; make another one if nobody has it."
        )
    monitor.token = _new_token()
    session.flush()
    was, now_is = {"token": "(hidden)"}, {"token": "(hidden, new)"}
    _audit(session, "rotate_token", monitor, actor, before=was, after=now_is)
    return monitor


def _move_to(monitor: Monitor, used: MonitorRegion) -> None:
    """Let *used* go on with what another region knew, also one that is being removed: silence is noticed anyway."""
    gone = inspect(monitor).attrs.regions.history.deleted or ()
    armed = [row for row in (*monitor.regions, *gone) if _is_armed(row)]
    if not armed:
        return
    latest = max(armed, key=lambda row: row.last_at or row.begun_at or monitor.created_at)
    if latest is used:
        return
    used.due_at = latest.due_at
    for name in stored.KNOWN:
        setattr(used, name, getattr(latest, name))
    if latest in monitor.regions:
        latest.streak, latest.abstained_at = Streak(), None
        latest.last_outcome = latest.last_at = latest.last_ms = None
        latest.last_code = latest.last_error = None


def _is_armed(row: MonitorRegion) -> bool:
    """Whether a heartbeat came, and the next one is missed."""
    return row.last_at is not None or row.begun_at is not None


def _note(session: Session, found: Monitor, word: Word) -> None:
    pages.begin_writing(session)
    monitor = stored.locked(session, [found.id]).get(found.id)
    if monitor is None or monitor.token != found.token:
        return
    now = database_now(session)  # after the wait for the lock
    if not _counts(monitor, word, now):
        return
    row = _used(monitor)
    if word is Word.START:
        _begin(monitor, row, now)
        return
    if row.last_at is not None and now <= row.last_at < now + CLOCK_STEP:
        now = row.last_at + timedelta(microseconds=1)  # the clock was set back, or is a coarse one
    result = _result(monitor, row, word, now)
    row.begun_at, row.due_at = None, now + _patience(monitor)
    session.flush()
    monitoring.record(session, [result])


def _begin(monitor: Monitor, row: MonitorRegion, now: datetime) -> None:
    """Only what has a longest duration is due earlier or later for having begun."""
    longest = _longest(monitor)
    is_retry = longest is not None and row.begun_at is not None and now < row.begun_at + longest
    row.begun_at = now
    if longest is not None and not is_retry:
        row.due_at = now + longest
    elif row.due_at is None:
        row.due_at = now + _patience(monitor)


def _result(monitor: Monitor, row: MonitorRegion, word: Word, now: datetime) -> CheckResult:
    milliseconds = None
    if row.begun_at is not None:
        lasted = (now - row.begun_at).total_seconds()
        milliseconds = min(max(0, round(lasted * 1000)), LONGEST_MS)
    outcome, error = Verdict.UP, None
    limit, longest = monitor.degraded_over_ms, _longest(monitor)
    if word is Word.FAIL:
        outcome, error = Verdict.DOWN, REPORTED
    elif row.begun_at is not None and longest is not None and now > row.begun_at + longest:
        outcome, error = Verdict.DEGRADED, "Took longer than it may"
    elif limit is not None and milliseconds is not None and milliseconds > limit:
        outcome, error = Verdict.DEGRADED, f"Slower than {limit} ms"
    return CheckResult(
        monitor_id=monitor.id,
        region=row.region,
        at=now,
        outcome=outcome,
        milliseconds=milliseconds,
        error=error,
    )


def _counts(monitor: Monitor, word: Word, now: datetime) -> bool:
    if monitor.kind != KIND or monitor.paused_at is not None:
        return False
    row = _used(monitor)
    if word is Word.START:
        return not _just(row.begun_at, now)
    same = (row.last_outcome is Verdict.DOWN) is (word is Word.FAIL)
    fresh = row.due_at is None or row.begun_at is not None or not same
    return fresh or not _just(row.last_at, now)


def _just(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and timedelta(0) <= now - instant < BURST


def _used(monitor: Monitor) -> MonitorRegion:
    return min(monitor.regions, key=lambda row: row.region)


def _patience(monitor: Monitor) -> timedelta:
    options = HeartbeatOptions.model_validate(monitor.options)
    return timedelta(seconds=monitor.interval + options.grace)


def _longest(monitor: Monitor) -> timedelta | None:
    options = HeartbeatOptions.model_validate(monitor.options)
    return None if options.max_duration is None else timedelta(seconds=options.max_duration)


def _new_token() -> str:
    return secrets.token_urlsafe(24)  # 192 bits
