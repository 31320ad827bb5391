"""From check results to verdicts, component statuses and incidents, in one transaction a batch."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ..domain.incident import IncidentStatus
from ..domain.status import ComponentStatus
from ..domain.verdict import Verdict, quorum_verdict, status_for
from ..probing import CheckResult, ProbeOrder
from ..probing.batch import ask_all
from ..state import current_settings
from ..storage import checks, maintenances, pages
from ..storage import components as stored_components
from ..storage import incidents as stored_incidents
from ..storage import monitors as stored
from ..storage.base import utc_now
from ..storage.incidents import Incident
from ..storage.monitors import Monitor
from ..storage.pages import Page
from . import conditions, events, facts, incidents, texts

logger = logging.getLogger(__name__)

CLOCKS_APART = timedelta(seconds=5)
"""How far the clocks of two workers may be apart."""

MAX_ERROR = 200  # characters

OUTAGE_WORDS = {
    ComponentStatus.MAJOR_OUTAGE: "is down",
    ComponentStatus.PARTIAL_OUTAGE: "is partly down",
    ComponentStatus.DEGRADED_PERFORMANCE: "is degraded",
}


def claim_due(session: Session, region: str, now: datetime, *, limit: int) -> list[ProbeOrder]:
    """Take the due checks of *region*; the caller commits before it asks."""
    return [
        order_for(row.monitor, region)
        for row in stored.claim_due(session, region, now, limit=limit)
    ]


def order_for(monitor: Monitor, region: str) -> ProbeOrder:
    return ProbeOrder(
        monitor_id=monitor.id,
        region=region,
        kind=monitor.kind,
        target=monitor.target,
        timeout=monitor.timeout,
        degraded_over_ms=monitor.degraded_over_ms,
        options=monitor.options,
    )


def ask(order: ProbeOrder) -> CheckResult:
    """Ask one target from this process, now. No transaction may be open."""
    return next(iter(ask_all([order], current_settings())))


def record(session: Session, results: Iterable[CheckResult]) -> None:
    """Store *results* and act on the verdicts that they change.

    A monitor whose consequences fail is logged and left as it was; its next result tries again. An error of the
    database ends the whole batch; the caller may repeat it.
    """
    results = [_fitting(result) for result in results]
    pages.begin_writing(session)
    monitors = stored.locked(session, {result.monitor_id for result in results})
    known = [result for result in results if result.monitor_id in monitors]
    checks.add_all(session, map(_row, known))
    latest: dict[UUID, CheckResult] = {}
    for result in sorted(known, key=lambda result: result.at):
        if _count(monitors[result.monitor_id], result):
            latest[result.monitor_id] = result
    session.flush()
    # Pages in one order: two batches that meet on two pages must not wait for each other.
    turned = [monitors[monitor_id] for monitor_id in latest if has_turned(monitors[monitor_id])]
    for monitor in sorted(_heard(session, turned), key=lambda one: (one.page_id, one.id)):
        try:
            with session.begin_nested():
                _unless_maintained(session, monitor, latest[monitor.id])
        except DBAPIError:
            raise  # the database may have rolled back all of it, not only this savepoint
        except Exception:
            logger.exception("status page: monitor %s could not change its page", monitor.slug)


def _fitting(result: CheckResult) -> CheckResult:
    """*result* with an error that fits its column, whatever another package's probe has to say."""
    return replace(result, error=result.error and result.error[:MAX_ERROR])


def _row(result: CheckResult) -> dict[str, object]:
    return {
        "monitor_id": result.monitor_id,
        "region": result.region,
        "at": result.at,
        "outcome": result.outcome,
        "code": result.code,
        "milliseconds": result.milliseconds,
        "error": result.error,
    }


def _count(monitor: Monitor, result: CheckResult) -> bool:
    """Let *result* count in its region's streak; False for one that came too late or to a paused monitor."""
    region = next((row for row in monitor.regions if row.region == result.region), None)
    if region is None or monitor.paused_at is not None:
        return False
    # A latest result that lies in the future was written by a clock that was wrong; it must not silence all others.
    if region.last_at is not None and result.at <= region.last_at <= utc_now() + CLOCKS_APART:
        return False
    region.streak = region.streak.after(result.outcome, monitor.thresholds)
    region.last_outcome, region.last_at = result.outcome, result.at
    region.last_ms, region.last_code = result.milliseconds, result.code
    region.last_error = result.error
    return True


def judged(monitor: Monitor) -> Verdict:
    """What the latest results of all regions call for."""
    return quorum_verdict((row.verdict for row in monitor.regions), monitor.quorum)


def has_turned(monitor: Monitor) -> bool:
    """Whether the latest results call for another verdict than the monitor has."""
    return judged(monitor) is not monitor.verdict


def _heard(session: Session, turned: Collection[Monitor]) -> list[Monitor]:
    """Those of *turned* whose component is not under maintenance: it neither alerts nor counts meanwhile."""
    watched = {monitor.component_id for monitor in turned if monitor.component_id}
    maintained = maintenances.under_maintenance(session, watched) if watched else set()
    return [monitor for monitor in turned if monitor.component_id not in maintained]


def _unless_maintained(session: Session, monitor: Monitor, result: CheckResult) -> None:
    page = session.get_one(Page, monitor.page_id)
    pages.touch(session, page.id, utc_now())
    # Asked again now that the page is held: a maintenance may have begun since the first look.
    if monitor.component_id is None or not maintenances.under_maintenance(
        session, [monitor.component_id], lock=True
    ):
        turn(session, page, monitor, result)


def turn(
    session: Session, page: Page, monitor: Monitor, result: CheckResult, *, notify: bool = True
) -> None:
    """All that follows from a changed verdict, in the order in which it is told. The page is held."""
    previous = monitor.verdict
    monitor.verdict, monitor.verdict_at = judged(monitor), result.at
    session.flush()
    if Verdict.DOWN in (previous, monitor.verdict):
        _tell(session, page, monitor, previous, result, notify=notify)
    if monitor.component_id is not None:
        for component in stored_components.locked(session, [monitor.component_id]):
            conditions.say(
                session,
                page,
                component,
                status_for(monitor.verdict, outage=monitor.outage_status),
                source="monitor",
                reference=str(monitor.id),
                note=result.error or "",
                notify=notify,
            )
    _follow_up(session, page, monitor, result, previous=previous, notify=notify)


def _tell(
    session: Session,
    page: Page,
    monitor: Monitor,
    previous: Verdict,
    result: CheckResult,
    *,
    notify: bool,
) -> None:
    events.record(
        session,
        page,
        "monitor.down" if monitor.verdict is Verdict.DOWN else "monitor.recovered",
        subject_id=monitor.id,
        components=[monitor.component_id] if monitor.component_id else [],
        data={"monitor": facts.monitor(monitor, previous=previous, result=result)},
        notify=notify,
    )


def _follow_up(
    session: Session,
    page: Page,
    monitor: Monitor,
    result: CheckResult,
    *,
    previous: Verdict,
    notify: bool,
) -> None:
    """Open, update or resolve the incident that the monitor speaks for."""
    incident = stored_incidents.open_of_monitor(session, monitor.id)
    if incident is not None and not incident.automatic:
        _add_to(session, page, incident, monitor, result, previous=previous, notify=notify)
    elif monitor.verdict is Verdict.DOWN:
        if incident is not None:
            incidents.update(
                session,
                page,
                incident.id,
                status=IncidentStatus.INVESTIGATING,
                body=_failure_text(monitor, result),
                affected=_affected(session, monitor),
                by_monitor=True,
                notify=notify,
            )
        elif monitor.open_incident and current_settings().auto_incidents != "off":
            _open(session, page, monitor, result)
    elif incident is not None and monitor.verdict is Verdict.DEGRADED:
        incidents.update(
            session,
            page,
            incident.id,
            status=IncidentStatus.MONITORING,
            body="Answers again, but more slowly than it should.",
            affected=_affected(session, monitor),
            by_monitor=True,
            notify=notify,
        )
    elif incident is not None and monitor.verdict is Verdict.UP:
        lasted = result.at - incident.started_at
        incidents.resolve(
            session,
            page,
            incident.id,
            body=f"Working again. It did not for {_duration(lasted)}.",
            notify=notify,
        )


def _add_to(
    session: Session,
    page: Page,
    incident: Incident,
    monitor: Monitor,
    result: CheckResult,
    *,
    previous: Verdict,
    notify: bool,
) -> None:
    """Add what the monitor sees to a person's incident that is linked to it. Only a person ends it.

    Where the site or the monitor publishes nothing by itself, nothing is added to a published incident either.
    """
    if not monitor.open_incident or current_settings().auto_incidents != "publish":
        return
    status = None
    if monitor.verdict is Verdict.DOWN:
        body = _failure_text(monitor, result)
        if incident.status is IncidentStatus.MONITORING:
            status = IncidentStatus.INVESTIGATING
    elif monitor.verdict is Verdict.DEGRADED and previous is Verdict.DOWN:
        body = "Answers again, but more slowly than it should."
    elif monitor.verdict is Verdict.UP and previous in (Verdict.DOWN, Verdict.DEGRADED):
        body = f"The monitor {monitor.name} sees it working again."
        status = IncidentStatus.MONITORING
    else:
        return
    incidents.update(
        session,
        page,
        incident.id,
        status=status,
        body=body,
        affected=_affected(session, monitor),
        by_monitor=True,
        notify=notify,
    )


def _open(session: Session, page: Page, monitor: Monitor, result: CheckResult) -> None:
    component = _component_of(session, monitor)
    publish = current_settings().auto_incidents == "publish"
    incidents.open(
        session,
        page,
        title=f"{component.name if component else monitor.name} "
        f"{OUTAGE_WORDS.get(monitor.outage_status, 'has a problem')}"[: texts.MAX_TITLE],
        body=_failure_text(monitor, result),
        affected=_affected(session, monitor),
        visibility="published" if publish else "draft",
        monitor=monitor,
        automatic=True,
    )


def _affected(session: Session, monitor: Monitor) -> dict[str, ComponentStatus]:
    if monitor.component_id is None:
        return {}
    status = status_for(monitor.verdict, outage=monitor.outage_status)
    return {str(monitor.component_id): status}


def _component_of(session: Session, monitor: Monitor) -> stored_components.Component | None:
    if monitor.component_id is None:
        return None
    return session.get(stored_components.Component, monitor.component_id)


def _failure_text(monitor: Monitor, result: CheckResult) -> str:
    failures = max((row.down for row in monitor.regions), default=1)
    times = "The latest check" if failures == 1 else f"{failures} checks in a row"
    return f"{times} failed: {(result.error or 'no answer').lower()}. We are looking into it."


def _duration(lasted: timedelta) -> str:
    seconds = max(0, round(lasted.total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    if seconds < 60:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min"
