"""What workers do. A task takes whatever is due, in batches, and commits after each step.

Tasks have the names of :data:`TASKS`; those that probe a region have it behind a colon: ``probe:<region>``. Running one
twice, or when nothing is due, does no harm.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

from flask import Flask, current_app
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ..delivery.sending import CLAIM, Sending
from ..services import (
    conditions,
    deliveries,
    escalations,
    events,
    mirror,
    outcomes,
    signing_secrets,
    subscriptions,
    timetable,
)
from ..state import current_settings
from ..storage import due, leases, retention, traffic
from ..storage.claims import Lane
from ..storage.races import committed
from ..storage.session import begin_read_committed, current_session, database_now, release_session
from ..storage.trouble import worded
from . import checking
from .forgetting import forget
from .letters import send_letters
from .queue import queue_of
from .schedule import BEAT_SECONDS

logger = logging.getLogger(__name__)
T = TypeVar("T")
Stopping = Callable[[], bool]

BUDGET = 20.0
"""Seconds after which a task leaves the rest to the next one. A worker that is told to stop finishes its job first, so
this is how long a graceful stop can take, beside what is in flight."""

SLICES = {"fan_out": 3.0, "forget": 3.0, "mirror": 45.0}
"""Other budgets: ``fan_out`` and ``forget`` share their queue with ``timetable``, which must be on time to a few
seconds; ``mirror`` has its own, and makes little headway if it must begin again too often."""

STUCK_BUDGET = 100.0
"""Seconds for a task of deliveries while some of its calls are stuck."""

ASK_SECONDS = 0.25
RESULT_SECONDS = 0.05

DELETED_AT_ONCE = 1000
ENDPOINT_DAYS = 30
"""How long the behaviour of an endpoint is remembered that is not called any more."""

PULSE_KEPT = timedelta(hours=1)
TRAFFIC_KEPT = timedelta(days=1)
TRAFFIC_READ = timedelta(hours=2)
TRAFFIC_OPEN = timedelta(minutes=1)
"""Counts that are older than this and that windows may still ask for are merged."""

STEPS_AT_ONCE = 50


def leaving() -> bool:
    """Whether this process was told to stop; a worker that runs each job in a process of its own sets another one."""
    return False


def run(task: str, *, stopping: Stopping | None = None) -> int:
    """Do *task* in a fresh app context; returns how many things were done. RQ calls this by name.

    :param stopping: asked between batches; once it says so the rest is left to the next task.
    :raises KeyError: there is no such task.
    """
    stopping = stopping or leaving
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with app.app_context():
        try:
            name, _, detail = task.partition(":")
            return TASKS[name](detail, stopping)
        finally:
            release_session()


def turn(task: str) -> int:
    """When *task* has its turn where all of them are done one after the other."""
    return list(TASKS).index(task.partition(":")[0])


def _repeat(step: Callable[[], int], stopping: Stopping, budget: float) -> int:
    """Call *step* until it has nothing to do, *budget* seconds are spent or the process wants to stop."""
    ends, done = time.monotonic() + budget, 0
    while time.monotonic() < ends and not stopping():
        count = step()
        if not count:
            break
        done += count
    return done


def _committed(work: Callable[[Session], T]) -> T:
    return committed(current_session(), work)


def _deliver(lane: Lane, stopping: Stopping) -> int:
    """Send all that is due, and what becomes due meanwhile; returns how many attempts there were.

    While calls are stuck others go on beyond the budget: a job that only waited for them would hold up the rest.
    """
    settings, workers = current_settings(), _workers_of(lane)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    share = max(1, settings.calls_per_endpoint // workers)
    sending = Sending(settings, share=share, context=app.app_context)
    attempts = 0
    try:
        for results in _sent(sending, lane, workers, stopping):
            attempts += sum(outcome is not None for _, outcome in results)
            _note(results)
    finally:
        _note(sending.close())
    return attempts


def _sent(
    sending: Sending, lane: Lane, workers: int, stopping: Stopping
) -> Iterator[list[outcomes.Sent]]:
    """Claim and send until nothing is due or the time is over; yields what came back."""
    began, ask_at = time.monotonic(), 0.0
    crowded: frozenset[str] = frozenset()
    while True:
        now = time.monotonic()
        budget = STUCK_BUDGET if sending.stuck else BUDGET
        if now - began >= budget or stopping():
            # What waits here goes to whoever comes next; only what is in flight is waited for.
            return
        relieved, crowded = bool(crowded - sending.crowded), sending.crowded
        if (now >= ask_at or relieved or not sending.open) and sending.room:
            claimed = _committed(
                partial(deliveries.claim, limit=sending.room, lane=lane, avoid=crowded)
            )
            # A site's limits are shared by all workers of the lane.
            limits = {name: max(1, most // workers) for name, most in claimed.limits.items()}
            sending.add(claimed.parcels, limits)
            if not claimed.count and not sending.open:
                return
            # Who asked in vain asks again soon, not at once.
            ask_at = 0.0 if claimed.count >= CLAIM else now + ASK_SECONDS
        yield sending.collect(within=RESULT_SECONDS)


def _workers_of(lane: Lane) -> int:
    """How many workers of the lane live, this one included."""
    task = "deliver" if lane is Lane.FAST else "deliver_slow"
    return max(1, _committed(partial(_living, queue=queue_of(task))))


def _living(session: Session, *, queue: str) -> int:
    seen = leases.seen_since(session, database_now(session) - 3 * timedelta(seconds=BEAT_SECONDS))
    return sum(pulse.kind == f"worker {queue}" for pulse in seen)


def _note(results: Sequence[outcomes.Sent]) -> None:
    """Write outcomes down, all together but those that may concern their subscription."""
    alone = [sent for sent in results if outcomes.is_grave(*sent)]
    together = [sent for sent in results if not outcomes.is_grave(*sent)]
    if together and not _noted(partial(outcomes.note_all, sent=together)):
        # Whatever was wrong with one of them, the others are not to be sent again for it.
        alone += together if len(together) > 1 else []
    for parcel, outcome in alone:
        if outcome is not None and outcomes.is_grave(parcel, outcome):
            _noted(partial(outcomes.note_grave, parcel=parcel, outcome=outcome))
        else:
            _noted(partial(outcomes.note_all, sent=[(parcel, outcome)]))


def _noted(step: Callable[[Session], None]) -> bool:
    """Whether *step* was committed. If not, the lease runs out and the delivery is sent again: a double, which the same
    webhook-id tells."""
    try:
        _committed(step)
    except OperationalError as error:  # the database is away: a line is enough
        logger.warning("status page: outcomes of deliveries could not be noted: %s", worded(error))
        return False
    except Exception:
        logger.exception("status page: outcomes of deliveries could not be noted")
        return False
    return True


def _fan_out() -> int:
    return _committed(events.expand_waiting)


def _timetable() -> int:
    """Let manual words expire, begin and end maintenance on time, send reminders and repeated notices."""
    now = _committed(database_now)
    done = 0
    for page_id, maintenance_id in _committed(partial(timetable.due, now=now, limit=STEPS_AT_ONCE)):
        step = partial(timetable.advance, page_id=page_id, maintenance_id=maintenance_id, now=now)
        taken = _guarded(step, f"maintenance {maintenance_id}")
        if taken is None:
            later = partial(timetable.postpone, maintenance_id=maintenance_id, now=now)
            _guarded(later, f"maintenance {maintenance_id}")
        done += taken or 0
    for monitor_id in _committed(partial(escalations.due, now=now, limit=STEPS_AT_ONCE)):
        repeat = partial(escalations.advance, monitor_id=monitor_id, now=now)
        taken = _guarded(repeat, f"monitor {monitor_id}")
        if taken is None:
            later = partial(escalations.postpone, monitor_id=monitor_id, now=now)
            _guarded(later, f"monitor {monitor_id}")
        done += taken or 0
    for place in _committed(conditions.expired):
        expire = partial(conditions.expire, places=[place])
        done += _guarded(expire, f"a word on component {place[1]}") or 0
    return done


def _guarded(step: Callable[[Session], T], what: str) -> T | None:
    """What *step* did; None: it failed, which is logged and holds up no other."""
    try:
        return _committed(step)
    except Exception:
        logger.exception("status page: %s could not take its step", what)
        return None


def _mirror(stopping: Stopping) -> int:
    """Make the mirror's files what the pages show now; returns how many changed."""
    path = current_settings().mirror_dir
    if path is None:
        return 0
    ends = time.monotonic() + SLICES["mirror"]
    state = _committed(mirror.state_of_pages)
    outcome = mirror.write(path, stopping=lambda: stopping() or time.monotonic() >= ends)
    if outcome.failures:
        logger.error("status page: %d files of the mirror could not be kept", len(outcome.failures))
    # What is not noted is asked for again by the scheduler.
    _committed(partial(mirror.note_written, state=state, outcome=outcome))
    return outcome.written + outcome.removed


def _housekeep() -> int:
    """Forget what is too old, drop dead pulses; returns how many deliveries and the like went.

    By the database's clock: of many workers' own ones the one that is farthest ahead would say what stays.
    """
    settings = current_settings()
    now = _committed(database_now)
    told = now - timedelta(days=settings.delivery_retention_days)
    unused = now - timedelta(days=ENDPOINT_DAYS)
    _guarded(partial(subscriptions.forget_unconfirmed, now=now), "forgetting sign-ups")
    _guarded(partial(leases.forget_before, instant=now - PULSE_KEPT), "forgetting dead processes")
    _guarded(_keep_beat, "looking for checks that are due too late")
    most = DELETED_AT_ONCE
    steps: dict[str, Callable[[Session], int]] = {
        "deliveries": partial(retention.delete_deliveries, before=told, limit=most),
        "events": partial(retention.delete_events, before=told, limit=most),
        "endpoints": partial(retention.delete_endpoints, before=unused, limit=most),
        "secrets": partial(signing_secrets.forget_previous, now=now, limit=most),
        "old traffic": partial(traffic.delete_before, instant=now - TRAFFIC_KEPT, limit=most),
        "traffic": partial(
            traffic.merge, begins=now - TRAFFIC_READ, ends=now - TRAFFIC_OPEN, limit=most
        ),
    }
    return sum(_guarded(step, f"housekeeping of {what}") or 0 for what, step in steps.items())


def _keep_beat(session: Session) -> int:
    begin_read_committed(session)  # before the clock is asked, which begins a transaction, too
    return due.keep_beat(session, database_now(session))


def _again_and_again(name: str, step: Callable[[], int]) -> Callable[[str, Stopping], int]:
    return lambda detail, stopping: _repeat(step, stopping, SLICES.get(name, BUDGET))


TASKS: dict[str, Callable[[str, Stopping], int]] = {
    "timetable": _again_and_again("timetable", _timetable),
    "probe": checking.check_due,
    "fan_out": _again_and_again("fan_out", _fan_out),
    "deliver": lambda detail, stopping: _deliver(Lane.FAST, stopping),
    "letters": _again_and_again("letters", send_letters),
    "deliver_slow": lambda detail, stopping: _deliver(Lane.SLOW, stopping),
    "mirror": lambda detail, stopping: _mirror(stopping),
    "housekeep": _again_and_again("housekeep", _housekeep),
    "forget": lambda detail, stopping: forget(stopping, budget=SLICES["forget"]),
}
"""What each task does, given what stands behind the colon. They stand in the order of a sweep: the clock and checks
first, so that what they find is delivered in the same one. What has no place here cannot be run at all."""
