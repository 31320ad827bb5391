"""What workers do. A task takes whatever is due, in batches, and commits after each step.

Tasks have names: ``deliver``, ``fan_out``, ``housekeep``, ``probe:<region>``. Running one twice, or
when nothing is due, does no harm.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from flask import Flask, current_app
from sqlalchemy.orm import Session

from ..delivery.batch import send_all
from ..probing.batch import ask_all
from ..services import conditions, deliveries, events, monitoring, subscriptions
from ..state import current_settings
from ..storage import checks, leases
from ..storage.base import utc_now
from ..storage.session import current_session, database_now, release_session

logger = logging.getLogger(__name__)
T = TypeVar("T")

BUDGET = 45.0
"""Seconds after which a task leaves the rest to the next one, well within RQ's time limit for a job."""

DELIVERIES_AT_ONCE = 100
PROBES_AT_ONCE = 200
CHECKS_DELETED_AT_ONCE = 1000


def run(task: str, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Do *task* in a fresh app context; returns how many things were done. RQ calls this by name.

    :param stopping: asked between batches; once it says so the rest is left to the next task.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with app.app_context():
        try:
            return _repeat(_step(task), stopping)
        finally:
            release_session()


def _step(task: str) -> Callable[[], int]:
    name, _, region = task.partition(":")
    return (lambda: _probe(region)) if name == "probe" else TASKS[name]


def _repeat(step: Callable[[], int], stopping: Callable[[], bool]) -> int:
    """Call *step* until it has nothing to do, the budget is spent or the process wants to stop."""
    ends, done = time.monotonic() + BUDGET, 0
    while time.monotonic() < ends and not stopping():
        count = step()
        if not count:
            break
        done += count
    return done


def _committed(work: Callable[[Session], T]) -> T:
    session = current_session()
    try:
        result = work(session)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    return result


def _deliver() -> int:
    settings = current_settings()
    claimed_at = time.monotonic()
    parcels = _committed(lambda session: deliveries.claim(session, limit=DELIVERIES_AT_ONCE))
    if not parcels:
        return int(_committed(deliveries.any_due))
    lease_ends = claimed_at + settings.lease_seconds
    sent = 0
    for parcel, outcome in send_all(parcels, settings, lease_ends=lease_ends):
        sent += outcome is not None
        try:
            _committed(lambda session: deliveries.finish(session, parcel, outcome))  # noqa: B023
        except Exception:
            # The lease runs out and the delivery is sent again: a double, which the same webhook-id tells.
            logger.exception("status page: delivery %s could not be noted", parcel.delivery_id)
    return sent


def _fan_out() -> int:
    return _committed(events.expand_waiting)


def _probe(region: str) -> int:
    orders = _committed(
        lambda session: monitoring.claim_due(
            session, region, database_now(session), limit=PROBES_AT_ONCE
        )
    )
    results = list(ask_all(orders, current_settings()))
    if results:
        _committed(lambda session: monitoring.record(session, results))
    return len(orders)


def _housekeep() -> int:
    """Let manual words expire, forget what is too old, drop dead pulses."""
    settings = current_settings()
    now = utc_now()
    oldest = now - timedelta(days=settings.check_retention_days)
    _committed(conditions.expire)
    _committed(subscriptions.forget_unconfirmed)
    _committed(lambda session: leases.forget_before(session, now - timedelta(hours=1)))
    return _committed(
        lambda session: checks.delete_before(session, oldest, limit=CHECKS_DELETED_AT_ONCE)
    )


TASKS: dict[str, Callable[[], int]] = {
    "deliver": _deliver,
    "fan_out": _fan_out,
    "housekeep": _housekeep,
}
