"""A year of a component, for its page: three queries, however much happened; one for all components of a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ..documents.snapshot import ComponentState, Snapshot
from ..domain.clock import midnight
from ..domain.facts import IncidentFact, MaintenanceFact
from ..domain.happenings import ComponentPast, Happening
from ..domain.maintenance import MaintenanceStatus
from ..domain.months import first_day
from ..domain.silence import as_heard
from ..domain.uptime import Interval, from_day
from ..storage import components as stored_components
from ..storage import incidents as stored_incidents
from ..storage import maintenances as stored_maintenances

YEAR = timedelta(days=365)
MOST = 500
"""So many incidents, and so many maintenances, are told of."""


def of_year(session: Session, shown: Snapshot, state: ComponentState) -> ComponentPast:
    """The last twelve months of *state*, and the last 365 days of its history."""
    zone, since, start = _year(shown)
    component_id = state.fact.id
    history = stored_components.histories(session, [component_id], start)[component_id]
    incidents = stored_incidents.of_component(
        session, shown.page.id, component_id, since=start, limit=MOST
    )
    maintenances = stored_maintenances.of_component(
        session, shown.page.id, component_id, since=start, limit=MOST
    )
    return ComponentPast(
        history=_heard(shown, state, history, zone),
        happenings=_ordered(
            [
                *(
                    Happening(
                        id=ident, title=title, status=status, impact=impact, start=begun, end=ended
                    )
                    for ident, title, status, impact, begun, ended in incidents
                ),
                *(
                    Happening(
                        id=ident, title=title, status=status, impact=None, start=begun, end=ended
                    )
                    for ident, title, status, begun, ended in maintenances
                ),
            ]
        ),
        since=since,
        observed_from=start,
    )


def of_all(
    session: Session,
    shown: Snapshot,
    incidents: Sequence[IncidentFact],
    maintenances: Sequence[MaintenanceFact],
) -> dict[UUID, ComponentPast]:
    """The same of each component of *shown*, by its id, in one query.

    :param incidents: all published ones of the page, newest first; ``maintenances`` all, the latest window first.
    """
    zone, since, start = _year(shown)
    ids = [state.fact.id for state in shown.components]
    histories = stored_components.histories(session, ids, start)
    happened: dict[UUID, list[Happening]] = defaultdict(list)
    for incident in incidents:
        one = Happening.of_incident(incident)
        if one.end is None or one.end > start:
            for ident in {item.id for item in incident.components}:
                happened[ident].append(one)
    planned: dict[UUID, list[Happening]] = defaultdict(list)
    for window in maintenances:
        one = Happening.of_maintenance(window)
        if window.status is not MaintenanceStatus.CANCELLED and (
            one.end is None or one.end > start
        ):
            # One without components is about the page as a whole.
            for ident in {item.id for item in window.components} or ids:
                planned[ident].append(one)
    for history in histories.values():
        # The same each time it is read, for whoever looks for a change.
        history.sort(key=lambda interval: interval.start)
    return {
        state.fact.id: ComponentPast(
            history=_heard(shown, state, histories[state.fact.id], zone),
            happenings=_ordered(
                [
                    *_ordered(happened[state.fact.id])[:MOST],
                    *_ordered(planned[state.fact.id])[:MOST],
                ]
            ),
            since=since,
            observed_from=start,
        )
        for state in shown.components
    }


def known(shown: Snapshot, state: ComponentState) -> ComponentPast:
    """What a snapshot knows of the same, without any query."""
    zone = ZoneInfo(shown.page.time_zone)
    start = shown.generated_at - timedelta(days=shown.uptime_days)
    about = shown.about(state)
    # The day that the window begins on is known by half.
    since = start.astimezone(zone).date() + timedelta(days=1)
    return ComponentPast(
        history=state.history,
        happenings=_ordered(
            [
                *map(Happening.of_incident, about.incidents),
                *(
                    Happening.of_maintenance(fact)
                    for fact in about.maintenances
                    if fact.status is not MaintenanceStatus.CANCELLED
                ),
            ]
        ),
        since=since,
        observed_from=start,
    )


def _year(shown: Snapshot) -> tuple[ZoneInfo, date, datetime]:
    """The page's zone, the first day of its calendar in it, and from when on history is read."""
    zone = ZoneInfo(shown.page.time_zone)
    today = shown.generated_at.astimezone(zone).date()
    since = first_day(today)
    return zone, since, midnight(min(since, today - YEAR), zone)


def _heard(
    shown: Snapshot, state: ComponentState, history: Iterable[Interval], zone: ZoneInfo
) -> tuple[Interval, ...]:
    """*history* from the component's own first day on, up to where something was heard."""
    return as_heard(
        from_day(history, state.fact.start_date, zone),
        state.status,
        last_check_at=state.last_check_at,
        interval=state.check_interval,
        now=shown.generated_at,
    )


def _ordered(happenings: Iterable[Happening]) -> tuple[Happening, ...]:
    return tuple(sorted(happenings, key=lambda one: (one.start, one.id), reverse=True))
