"""What follows from a monitor's verdict: events, the component's status, the incident that the monitor speaks for.

Monitors are locked before their page; callers hold both.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..domain.incident import IncidentStatus
from ..domain.status import ComponentStatus
from ..domain.verdict import Verdict, status_for
from ..probing import CheckResult
from ..state import current_settings
from ..storage import components as stored_components
from ..storage import incidents as stored_incidents
from ..storage.incidents import Incident
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.session import database_now
from . import audit, conditions, events, facts, incidents, monitor_texts, monitor_votes


def turn(
    session: Session,
    page: Page,
    monitor: Monitor,
    result: CheckResult,
    *,
    notify: bool = True,
    now: datetime | None = None,
) -> None:
    """All that follows from a changed verdict, in the order in which it is told. The page is held.

    :param now: by the database's clock; None: asked for here.
    """
    now = now or database_now(session)
    previous = monitor.verdict
    monitor.verdict, monitor.verdict_at = monitor_votes.judged(monitor, now), result.at
    if monitor.verdict is Verdict.DOWN:
        begin_notices(monitor, now)
    else:
        end_notices(monitor)
    session.flush()
    if Verdict.DOWN in (previous, monitor.verdict):
        tell(session, page, monitor, previous, result, now=now, notify=notify)
    say(session, page, monitor, note=result.error or "", notify=notify)
    _follow_up(session, page, monitor, result, previous=previous, notify=notify)


def say(
    session: Session, page: Page, monitor: Monitor, *, note: str = "", notify: bool = True
) -> None:
    """Let the component show the monitor's verdict, as far as nothing else speaks of it."""
    if monitor.component_id is None:
        return
    for component in stored_components.locked(session, [monitor.component_id]):
        conditions.say(
            session,
            page,
            component,
            status_for(monitor.verdict, outage=monitor.outage_status),
            source="monitor",
            reference=str(monitor.id),
            note=note,
            notify=notify,
        )


def begin_notices(monitor: Monitor, now: datetime) -> None:
    """The first notice of being down goes out now."""
    monitor.notification_level = 0
    count_notice(monitor, now)


def count_notice(monitor: Monitor, now: datetime) -> None:
    """One more notice goes out now; the next one follows after its interval, as long as the monitor names one."""
    pauses = monitor.escalation_intervals or []
    following = pauses[monitor.notification_level : monitor.notification_level + 1]
    monitor.notification_level += 1
    monitor.escalates_at = now + timedelta(seconds=following[0]) if following else None


def renew_notices(monitor: Monitor, before: Sequence[int], now: datetime) -> None:
    """Its intervals, which were those *before*, are others now: the next notice follows as they say.

    It counts from the latest notice, or from now if none was to come any more.
    """
    if monitor.verdict is not Verdict.DOWN or monitor.notification_level == 0:
        return
    place = monitor.notification_level - 1
    was, following = before[place : place + 1], (monitor.escalation_intervals or [])[place:]
    told_at = now
    if monitor.escalates_at is not None and was:
        told_at = monitor.escalates_at - timedelta(seconds=was[0])
    monitor.escalates_at = told_at + timedelta(seconds=following[0]) if following else None


def end_notices(monitor: Monitor) -> None:
    """It is not down any more, or nobody knows."""
    monitor.notification_level, monitor.escalates_at = 0, None


def tell(
    session: Session,
    page: Page,
    monitor: Monitor,
    previous: Verdict,
    result: CheckResult | None,
    *,
    now: datetime,
    notify: bool = True,
    signal: bool = True,
) -> None:
    """Write ``monitor.down``, or ``monitor.recovered`` if it is not down."""
    events.record(
        session,
        page,
        "monitor.down" if monitor.verdict is Verdict.DOWN else "monitor.recovered",
        subject_id=monitor.id,
        components=[monitor.component_id] if monitor.component_id else [],
        data={"monitor": facts.monitor(monitor, previous=previous, result=result, now=now)},
        notify=notify,
        signal=signal,
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
            _keep(session, incident, monitor, result)
            incidents.update(
                session,
                page,
                incident.id,
                status=IncidentStatus.INVESTIGATING,
                body=monitor_texts.failure(monitor),
                affected=_affected(monitor),
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
            body=monitor_texts.ANSWERS_SLOWLY,
            affected=_affected(monitor),
            by_monitor=True,
            notify=notify,
        )
    elif incident is not None and monitor.verdict is Verdict.UP:
        lasted = result.at - incident.started_at
        incidents.resolve(
            session,
            page,
            incident.id,
            body=f"Working again. It did not for {monitor_texts.duration(lasted)}.",
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
        _keep(session, incident, monitor, result)
        body = monitor_texts.failure(monitor)
        if incident.status is IncidentStatus.MONITORING:
            status = IncidentStatus.INVESTIGATING
    elif monitor.verdict is Verdict.DEGRADED and previous is Verdict.DOWN:
        body = monitor_texts.ANSWERS_SLOWLY
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
        affected=_affected(monitor),
        by_monitor=True,
        notify=notify,
    )


def _open(session: Session, page: Page, monitor: Monitor, result: CheckResult) -> None:
    publish = current_settings().auto_incidents == "publish"
    incident = incidents.open(
        session,
        page,
        **monitor_texts.opening(session, page, monitor, result),
        affected=_affected(monitor),
        visibility="published" if publish else "draft",
        monitor=monitor,
        automatic=True,
    )
    _keep(session, incident, monitor, result)


def _keep(session: Session, incident: Incident, monitor: Monitor, result: CheckResult) -> None:
    """Note what was found in the audit of *incident*: readers are told only that it fails."""
    found = {"monitor": monitor.slug, "error": monitor_texts.finding(result)}
    audit.of(session, "find", incident, None, subject="incident", after=found)


def _affected(monitor: Monitor) -> dict[str, ComponentStatus]:
    if monitor.component_id is None:
        return {}
    status = status_for(monitor.verdict, outage=monitor.outage_status)
    return {str(monitor.component_id): status}
