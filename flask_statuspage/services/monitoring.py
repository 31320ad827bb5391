"""From check results to verdicts, in one transaction a batch.

Who has a say is in :mod:`.monitor_votes`, what depends on what in :mod:`.monitor_parents`, and what follows from a
verdict in :mod:`.monitor_reports`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ..domain.verdict import Verdict, is_milder
from ..probing import CheckResult, ProbeOrder
from ..probing.batch import ask_all
from ..state import current_settings
from ..storage import checks, due, maintenances, pages
from ..storage import monitors as stored
from ..storage.base import utc_now
from ..storage.due import DueCheck
from ..storage.monitors import Monitor, MonitorRegion
from ..storage.pages import Page
from ..storage.session import begin_read_committed, database_now
from . import monitor_options, monitor_parents, monitor_votes, rollups, self_check, upstream
from .known import Known, known_of
from .monitor_parents import Parents
from .monitor_reports import turn
from .monitor_votes import judged

__all__ = ["ask", "claim_due", "judged", "order_for", "record", "turn"]

logger = logging.getLogger(__name__)

MAX_ERROR = 200  # characters
LARGEST = 2**31 - 1


def claim_due(session: Session, region: str, now: datetime, *, limit: int) -> list[ProbeOrder]:
    """Take the due checks of *region*; the caller commits before it asks.

    A monitor whose secrets cannot be opened is not asked without them. One that cannot be asked, for whatever reason,
    is logged and holds up no other.
    """
    taken = due.claim(session, region, now, limit=limit)
    orders = []
    for check, known in _with_known(session, taken, now):
        try:
            orders.append(_order_of(check, region, now, known))
        except Exception:
            _log_unasked(check)
    return orders


def _with_known(
    session: Session, taken: Sequence[DueCheck], now: datetime
) -> Iterator[tuple[DueCheck, Known]]:
    try:
        found = known_of(session, taken, now)
    except DBAPIError:
        raise  # the transaction has failed
    except Exception:
        # Whatever is wrong with one of them, the others are asked.
        for check in taken:
            try:
                yield check, known_of(session, [check], now)
            except DBAPIError:
                raise
            except Exception:
                _log_unasked(check)
    else:
        for check in taken:
            yield check, found


def _order_of(check: DueCheck, region: str, now: datetime, known: Known) -> ProbeOrder:
    order = order_for(check.monitor, region, now, known)
    return replace(order, due_at=check.due_at, next_at=check.next_at)


def _log_unasked(check: DueCheck) -> None:
    logger.exception("status page: monitor %s cannot be checked", check.monitor.slug)


def order_for(monitor: Monitor | Row[Any], region: str, now: datetime, known: Known) -> ProbeOrder:
    """What to ask of *monitor* out of turn, which may be a plain row with its columns.

    :raises SetupError: when none of the app's keys opens its secrets.
    """
    return ProbeOrder(
        monitor_id=monitor.id,
        region=region,
        kind=monitor.kind,
        target=monitor.target,
        timeout=monitor.timeout,
        degraded_over_ms=monitor.degraded_over_ms,
        options=monitor_options.complete(monitor),
        asked_at=now,
        known=known.get(monitor.id, {}),
    )


def ask(order: ProbeOrder) -> CheckResult:
    """Ask one target from this process, now. No transaction may be open."""
    settings = current_settings()
    results = list(ask_all([order], settings))
    return next(iter(self_check.believed(results, settings)))


def record(session: Session, results: Iterable[CheckResult]) -> None:
    """Store *results* and act on the verdicts that they change.

    What was asked of another target, or kind, than the monitor has by now is left out, as that of a removed one is.

    A monitor whose consequences fail is logged and left as it was; its next result tries again. An error of the
    database ends the whole batch; the caller may repeat it.
    """
    results = [_fitting(result) for result in results]
    begin_read_committed(session)
    pages.begin_writing(session)
    monitors = stored.locked(session, {result.monitor_id for result in results})
    now = database_now(session)
    known = [
        upstream.doubted(monitors[result.monitor_id], result)
        for result in results
        if result.monitor_id in monitors
        and monitor_votes.is_of(monitors[result.monitor_id], result)
    ]
    rows = {
        (row.monitor_id, row.region): row
        for monitor in monitors.values()
        for row in monitor.regions
    }
    known = _unrecorded(session, rows, known)
    placed = [(rows[result.monitor_id, result.region].id, result) for result in known]
    checks.add_all(session, (_row(number, result) for number, result in placed))
    rollups.write(session, placed)
    latest, spoken = _count(session, monitors, known, now)
    stored.save_regions(session, monitors.values())
    session.flush()
    # Pages in one order: two batches that meet on two pages must not wait for each other.
    turned = [
        monitor
        for monitor in map(monitors.__getitem__, latest)
        if _may_turn(monitor, now, spoken) or upstream.has_news(monitor)
    ]
    for monitor in sorted(_heard(session, turned), key=lambda one: (one.page_id, one.id)):
        try:
            with session.begin_nested():
                _unless_maintained(session, monitor, latest[monitor.id], now, spoken)
        except DBAPIError:
            raise  # the database may have rolled back all of it, not only this savepoint
        except Exception:
            logger.exception("status page: monitor %s could not change its page", monitor.slug)


def _unrecorded(
    session: Session,
    rows: Mapping[tuple[UUID, str], MonitorRegion],
    results: Iterable[CheckResult],
) -> list[CheckResult]:
    """Those of *results* that are of one of *rows* and not stored yet.

    The database may commit a batch, and its word of it be lost, so that the batch comes once more.
    """
    found = [
        (row, result)
        for result in results
        if (row := rows.get((result.monitor_id, result.region))) is not None
        and not monitor_votes.is_latest(row, result)
    ]
    late = [(row.id, one.at) for row, one in found if row.last_at and one.at <= row.last_at]
    stored = checks.stored(session, late) if late else {}
    return [one for row, one in found if stored.get((row.id, one.at)) != _row(row.id, one)]


def _fitting(result: CheckResult) -> CheckResult:
    """*result* as its columns can hold it, whatever another package's probe has to say."""
    code, milliseconds = result.code, result.milliseconds
    is_plain = result.error is None and result.observed is None
    if is_plain and abs(code or 0) <= LARGEST and 0 <= (milliseconds or 0) <= LARGEST:
        return result
    return replace(
        result,
        error=None if result.error is None else _clean(result.error)[:MAX_ERROR],
        code=code if code is not None and abs(code) <= LARGEST else None,
        milliseconds=None if milliseconds is None else max(0, min(milliseconds, LARGEST)),
        observed=None if result.observed is None else _clean(result.observed),
    )


def _clean(value: Any) -> Any:
    """*value* without what PostgreSQL, or UTF-8, does not know, for which the whole batch would be refused."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_clean(name): _clean(part) for name, part in value.items()}
    return [_clean(part) for part in value] if isinstance(value, (list, tuple)) else value


def _row(region_id: int, result: CheckResult) -> dict[str, object]:
    return {
        "region_id": region_id,
        "at": result.at,
        "outcome": result.outcome,
        "code": result.code,
        "milliseconds": result.milliseconds,
        "error": result.error,
    }


def _count(
    session: Session, monitors: dict[UUID, Monitor], results: Collection[CheckResult], now: datetime
) -> tuple[dict[UUID, CheckResult], set[UUID]]:
    """Let *results* count in their regions' streaks.

    :returns: the latest one of each monitor for which one was in time, and the monitors of which one says something.
    """
    failing = (monitors[one.monitor_id] for one in results if one.outcome is Verdict.DOWN)
    parents = Parents(session, failing, now, held=monitors)
    latest: dict[UUID, CheckResult] = {}
    spoken: set[UUID] = set()
    for result in monitor_parents.in_order(results, monitors):
        monitor = monitors[result.monitor_id]
        row = monitor_votes.place_of(monitor, result, now)
        if row is not None:
            excused = parents.excuse(monitor, row, result)
            monitor_votes.count(row, monitor, result, excused=excused)
            latest[monitor.id] = result
            if row.abstained_at is None:
                spoken.add(monitor.id)
            upstream.see(monitor, result)
    parents.wake(session)
    return latest, spoken


def _may_turn(monitor: Monitor, now: datetime, spoken: Collection[UUID]) -> bool:
    """Whether *monitor* gets another verdict. It takes a word for a worse one.

    Where a region abstains fewer are left to decide, but what another one said a while ago proves nothing new.
    """
    verdict = judged(monitor, now)
    if verdict is monitor.verdict:
        return False
    return monitor.id in spoken or is_milder(verdict, monitor.verdict)


def _heard(session: Session, turned: Collection[Monitor]) -> list[Monitor]:
    """Those of *turned* whose component is not under maintenance: it neither alerts nor counts meanwhile."""
    watched = {monitor.component_id for monitor in turned if monitor.component_id}
    maintained = maintenances.under_maintenance(session, watched) if watched else set()
    return [monitor for monitor in turned if monitor.component_id not in maintained]


def _unless_maintained(
    session: Session,
    monitor: Monitor,
    result: CheckResult,
    now: datetime,
    spoken: Collection[UUID],
) -> None:
    page = session.get_one(Page, monitor.page_id)
    pages.touch(session, page.id, utc_now())
    # Asked again now that the page is held: a maintenance may have begun since the first look.
    if monitor.component_id is None or not maintenances.under_maintenance(
        session, [monitor.component_id], lock=True
    ):
        upstream.tell(session, page, monitor)
        if _may_turn(monitor, now, spoken):
            told = monitor_votes.decisive(monitor, result, judged(monitor, now))
            turn(session, page, monitor, told, now=now)
