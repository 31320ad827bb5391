"""What is due, and who may say so: one scheduler leads by a lease in the database, others stand by."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..domain.ids import new_id
from ..services import mirror, silent_monitors
from ..state import current_settings
from ..storage import (
    claims,
    components,
    due,
    leases,
    letters,
    maintenances,
    monitor_clock,
    outbox,
)
from ..storage.claims import Lane
from ..storage.races import committed
from ..storage.session import current_session, database_now, release_session
from ..storage.trouble import worded
from .declaring import Declaring

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0

LEASE = "scheduler"
LEASE_SECONDS = 4
"""Another scheduler leads so soon after the leader was killed: windows begin within five seconds even then."""

RENEW_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 60.0
SILENCE_SECONDS = 15.0
SILENT_AT_ONCE = 50
"""How often it is looked for monitors of which nothing is heard, and how many are forgotten at once."""

DECLARING_SECONDS = 60.0
BEAT_SECONDS = 10.0

MIRROR_PATIENCE = 3.0
"""Seconds of endless changes after which the mirror is written all the same."""

MIRROR_RETRY = 10.0
"""Seconds after which a worker is woken again that has not written the mirror: the trigger, or the worker, was lost.

With the time that it takes to write, the mirror is up to date within 15 s of Redis or a worker being back.
"""


def due_tasks(session: Session) -> list[str]:
    """The tasks for which there is work in the database now."""
    now = database_now(session)
    tasks = ["timetable"] if _by_the_clock(session, now) else []
    tasks += [f"probe:{region}" for region in due.due_regions(session, now)]
    if claims.any_due(session, now):
        tasks.append("deliver")
    if claims.any_due(session, now, lane=Lane.SLOW):
        tasks.append("deliver_slow")
    if letters.any_due(session, now):
        tasks.append("letters")
    if outbox.any_waiting(session):
        tasks.append("fan_out")
    return tasks


def _by_the_clock(session: Session, now: datetime) -> bool:
    return (
        maintenances.any_due(session, now)
        or components.any_expired(session, now)
        or monitor_clock.any_escalating(session, now)
    )


class Debounce:
    """Tells when a change is to be followed: once it was quiet for a tick, or has not been for some seconds.

    So a burst of changes is followed once, and endless ones are followed all the same. Who is told to follow may never
    do it: then it is told again.
    """

    def __init__(self, *, patience: float, retry_after: float) -> None:
        self._patience = patience
        self._retry_after = retry_after
        self._told: object = None
        self._told_at = 0.0
        self._seen: object = None
        self._changed_at: float | None = None

    def is_due(self, state: object, now: float, *, followed: bool) -> bool:
        """Whether somebody is to be told now. Call it once a tick; True counts as told.

        :param state: what may have changed. :param now: monotonic seconds.
        :param followed: whether *state* was followed, and need not be once more.
        """
        was_quiet, self._seen = state == self._seen, state
        if followed or state == self._told:
            self._changed_at = None
            if followed or now - self._told_at < self._retry_after:
                return False
        else:
            if self._changed_at is None:
                self._changed_at = now
            if not was_quiet and now - self._changed_at < self._patience:
                return False
        self._told, self._told_at, self._changed_at = state, now, None
        return True


class Heartbeat:
    """Tells the database every few seconds that this process lives. :meth:`beat` needs an app context."""

    def __init__(self, kind: str, name: str = "") -> None:
        self._id = new_id()
        self._kind = kind
        self._name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._next = 0.0

    def beat(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + BEAT_SECONDS
        session = current_session()
        now = database_now(session)
        leases.beat(session, self._id, kind=self._kind, name=self._name, now=now)
        session.commit()

    def stop(self) -> None:
        session = current_session()
        leases.stop(session, self._id)
        session.commit()


class Scheduler:
    """:meth:`run` it, or call :meth:`tick` about once a second, in an app context. Only the leader wakes anybody.

    :param wake: starts a task somewhere.
    """

    def __init__(self, wake: Callable[[str], None]) -> None:
        self._wake = wake
        self._holder = new_id()
        self._heartbeat = Heartbeat("scheduler")
        self._leads = False
        self._renew_at = 0.0
        self._housekeep_at = 0.0
        self._silence_at = 0.0
        self._leads_since: datetime | None = None
        self._renewed: datetime | None = None
        self._declare_at = 0.0
        self._declaring = Declaring()
        self._mirror = Debounce(patience=MIRROR_PATIENCE, retry_after=MIRROR_RETRY)

    def tick(self) -> bool:
        """Look once; returns whether this scheduler leads. A database that is away is logged, not raised."""
        try:
            self._heartbeat.beat()
            self._leads = self._take_lead()
            if self._leads:
                self._declare()
            tasks = due_tasks(current_session()) if self._leads else []
            if self._leads and self._mirror_is_due():
                tasks.append("mirror")
            if self._leads:
                self._forget_silent()
        except SQLAlchemyError as error:
            logger.warning("status page: the scheduler cannot read the database: %s", worded(error))
            self._leads = False
            return False
        finally:
            release_session()
        if self._leads and time.monotonic() >= self._housekeep_at:
            self._housekeep_at = time.monotonic() + HOUSEKEEPING_SECONDS
            tasks += ["housekeep", "forget"]
        for task in tasks:
            self._wake(task)
        return self._leads

    def run(self, stopping: threading.Event, *, every: float = TICK_SECONDS) -> None:
        """Tick every so many seconds until *stopping*, whatever a tick raises; then let another scheduler lead."""
        try:
            while not stopping.wait(every):
                try:
                    self.tick()
                except BaseException as error:
                    is_main = threading.current_thread() is threading.main_thread()
                    if is_main and isinstance(error, KeyboardInterrupt):
                        raise
                    # Whatever else it was: without this loop nothing would be done any more, silently.
                    logger.exception("status page: the scheduler failed; it tries again")
        finally:
            self.stop()

    def stop(self) -> None:
        """Let another scheduler lead at once."""
        session = current_session()
        try:
            leases.give_back(session, LEASE, self._holder)
            session.commit()
            self._heartbeat.stop()
        except SQLAlchemyError as error:
            logger.warning("status page: the scheduler could not say goodbye: %s", worded(error))
        finally:
            release_session()

    def _declare(self) -> None:
        if time.monotonic() >= self._declare_at:
            self._declare_at = time.monotonic() + DECLARING_SECONDS
            self._declaring.run()

    def _mirror_is_due(self) -> bool:
        if current_settings().mirror_dir is None:
            return False
        # Versions are looked at instead of waiting for a word from whoever changed a page: none can be lost.
        session = current_session()
        state = mirror.state_of_pages(session)
        followed = mirror.is_written(session, state)
        return self._mirror.is_due(state, time.monotonic(), followed=followed)

    def _take_lead(self) -> bool:
        if self._leads and time.monotonic() < self._renew_at:
            return True
        session = current_session()
        lasts = timedelta(seconds=LEASE_SECONDS)
        now = database_now(session)
        leads = leases.take(session, LEASE, self._holder, now, lasts=lasts)
        session.commit()
        if leads and not self._leads:
            self._declare_at = 0.0
        self._renew_at = time.monotonic() + RENEW_SECONDS
        # By the database's clock: whoever was stopped, or slept with its machine, led with a gap.
        if self._renewed is None or now - self._renewed > lasts or not leads:
            self._leads_since = None
        # Nobody has led since later than now: a clock that was ahead then was set back.
        self._leads_since = min(self._leads_since or now, now) if leads else None
        self._renewed = now
        return leads

    def _forget_silent(self) -> None:
        """Here, not in a task: where all workers are gone nobody else would."""
        since = self._leads_since
        if since is None or time.monotonic() < self._silence_at:
            return
        forget = partial(silent_monitors.forget, since=since, limit=SILENT_AT_ONCE)
        # While there are more the next portion follows with the next tick: a scheduler must not lose its lead.
        if committed(current_session(), forget) < SILENT_AT_ONCE:
            self._silence_at = time.monotonic() + SILENCE_SECONDS
