"""Monitors of which nothing is heard any more: what was well is not known, and what was down stays down.

Silence counts only from when on a scheduler has led without a gap: after a stop of the whole site every monitor is
silent, and the next results are about to come.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ..domain.verdict import Verdict
from ..probing import probes
from ..storage import monitor_clock, pages
from ..storage import monitors as stored
from ..storage.base import utc_now
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.session import database_now
from . import monitor_reports, monitor_votes

logger = logging.getLogger(__name__)

GRACE = 60.0
"""Seconds of silence beyond those after which a region votes no more."""


def forget(session: Session, since: datetime, *, limit: int) -> int:
    """Believe nothing any more of at most *limit* monitors that are silent; returns how many.

    Nobody is alerted. The component is shown as unknown until the next results.

    :param since: from when on a scheduler has seen to it that they are asked.
    """
    pages.begin_writing(session)
    now = database_now(session)
    held = stored.locked(session, _silent(session, now, since, limit=limit))
    # Looked at again now that they are held: a result may have come meanwhile.
    silent = [monitor for monitor in held.values() if _is_silent(monitor, now)]
    done = 0
    for monitor in sorted(silent, key=lambda one: (one.page_id, one.id)):
        slug = monitor.slug
        try:
            with session.begin_nested():
                _forget(session, monitor, now)
        except DBAPIError:
            raise  # the database may have rolled back all of it, not only this savepoint
        except Exception:
            logger.exception("status page: monitor %s is silent, and could not say so", slug)
        else:
            logger.warning("status page: nothing is heard of monitor %s any more", slug)
            done += 1
    return done


def _forget(session: Session, monitor: Monitor, now: datetime) -> None:
    page = session.get_one(Page, monitor.page_id)
    pages.touch(session, page.id, utc_now())
    monitor.verdict, monitor.verdict_at = Verdict.UNKNOWN, now
    session.flush()
    monitor_reports.say(session, page, monitor)


def _silent(session: Session, now: datetime, since: datetime, *, limit: int) -> list[UUID]:
    return monitor_clock.silent(
        session,
        now,
        intervals=monitor_votes.STALE_INTERVALS,
        grace=GRACE,
        since=since,
        but=[kind for kind, probe in probes.items() if probe.passive],
        limit=limit,
    )


def _is_silent(monitor: Monitor, now: datetime) -> bool:
    if monitor.verdict not in (Verdict.UP, Verdict.DEGRADED) or monitor.paused_at is not None:
        return False
    long_ago = now - monitor_votes.patience(monitor) - timedelta(seconds=GRACE)
    voted = (
        row.abstained_at or row.last_at
        for row in monitor.regions
        if row.verdict is not Verdict.UNKNOWN
    )
    return all(last is None or last < long_ago for last in voted)
