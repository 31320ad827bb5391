"""What monitors see on the status pages of other services, and telling it once.

A result that counts is seen at once, while its monitor is held; what it changes is told together with the monitor's
verdict, when the page is held, too. So what happens while the component is under maintenance is told afterwards, if it
is still so, and a paused monitor sees nothing.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..domain import upstream
from ..domain.events import UPSTREAM_CHANGE
from ..domain.verdict import Verdict
from ..probing import CheckResult
from ..storage.monitors import Monitor
from ..storage.pages import Page
from . import events

logger = logging.getLogger(__name__)

HEARD_INTERVALS = 3
"""A region that was silent for more intervals than that cannot vouch any more for what it saw."""


OLDER_COPY = "An older copy of the status page"


def doubted(monitor: Monitor, result: CheckResult) -> CheckResult:
    """*result*, or that it could not find out: it saw a copy of the page that is older than what is known.

    For as long after a change as such a copy is no news, see :data:`~..domain.upstream.OLDER_COPY`.
    """
    if result.observed is None or monitor.observed is None:
        return result
    if (observed := upstream.readable(result.observed)) is None:
        return result
    known = monitor.observed["news"] or monitor.observed["told"]
    before, now = known["as_of"], observed["as_of"]
    if before is None or now is None or known["watched"] != observed["watched"]:
        return result
    is_late = result.at - datetime.fromisoformat(monitor.observed["at"]) > upstream.OLDER_COPY
    if is_late or datetime.fromisoformat(now) >= datetime.fromisoformat(before):
        return result
    return replace(result, outcome=Verdict.UNKNOWN, error=OLDER_COPY, observed=None)


def see(monitor: Monitor, result: CheckResult) -> None:
    """Let *monitor* remember what a result that counts observed; the first one is only remembered.

    Results come in the order of their times. One that is older than what is known changes nothing.
    """
    if result.observed is None:
        return
    if (observed := upstream.readable(result.observed)) is None:
        logger.warning("status page: what monitor %s observed cannot be read", monitor.slug)
        return
    since = result.at - HEARD_INTERVALS * timedelta(seconds=monitor.interval)
    heard = [row.region for row in monitor.regions if row.last_at and row.last_at >= since]
    sight = upstream.Sight(result.region, result.at, observed)
    if (memory := upstream.seen(monitor.observed, sight, heard=heard)) is not None:
        # A new object: changes within a JSON value are not noticed.
        monitor.observed = memory


def has_news(monitor: Monitor) -> bool:
    """Whether *monitor* saw a change that is not told yet."""
    return monitor.observed is not None and monitor.observed["news"] is not None


def tell(session: Session, page: Page, monitor: Monitor) -> None:
    """Write the event of what *monitor* saw, if there is news. The page is held."""
    if monitor.observed is None or not has_news(monitor):
        return
    before, now = monitor.observed["told"], monitor.observed["news"]
    monitor.observed = {**monitor.observed, "told": now, "news": None}
    session.flush()
    events.record(
        session,
        page,
        UPSTREAM_CHANGE,
        subject_id=monitor.id,
        components=[monitor.component_id] if monitor.component_id else [],
        data={
            "upstream": {
                **{name: now[name] for name in _TOLD},
                "previous_status": before["status"],
                "changes": upstream.changes(before, now),
            }
        },
    )


_TOLD = (
    *("name", "slug", "status", "components", "title", "text"),
    *("status_page_url", "home_page_url", "favicon_url"),
)
