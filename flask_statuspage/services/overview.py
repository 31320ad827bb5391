"""Read a page once into a frozen snapshot, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row
from sqlalchemy.orm import Session

from ..documents.snapshot import (
    NEWEST_INCIDENTS,
    ComponentState,
    ResponseTimes,
    Snapshot,
    newest,
    overall_status,
)
from ..domain.facts import IncidentFact, MaintenanceFact
from ..domain.silence import as_heard, seen_status
from ..domain.uptime import Interval, from_day, uptime_percent
from ..errors import NotFound
from ..state import current_settings
from ..storage import components as stored_components
from ..storage import incidents as stored_incidents
from ..storage import maintenances as stored_maintenances
from ..storage import monitors as stored_monitors
from ..storage import shown as stored
from ..storage.apart import apart_from_host
from ..storage.base import utc_now
from ..storage.pages import Page
from . import facts, series

NEWEST_MAINTENANCES = 50
BATCH = 200
"""Incidents that are read at once where all of them are listed."""


def snapshot(session: Session, page: Page) -> Snapshot:
    """*page* as it stands: every document is made of this."""
    settings = current_settings()
    now = utc_now()
    version = page.version  # read before the rest: a later change makes a later version
    rows = stored.components(session, page.id)
    measured = stored_monitors.measured(session, page.id)
    histories = _histories(session, rows, zone=ZoneInfo(facts.page(page).time_zone), now=now)
    states = []
    for row in rows:
        seen = measured.get(row.id)
        fact = facts.shown_component(row, row.group)
        if seen:
            fact = replace(fact, status=seen_status(fact.status, seen.last_at, seen.interval, now))
            histories[row.id] = as_heard(
                histories[row.id],
                fact.status,
                last_check_at=seen.last_at,
                interval=seen.interval,
                now=now,
            )
        states.append(
            ComponentState(
                fact=fact,
                uptime_percent=uptime_percent(
                    histories[row.id],
                    since=now - timedelta(days=settings.uptime_days),
                    until=now,
                    partial_weight=settings.partial_outage_weight,
                ),
                response_ms=seen.milliseconds if seen else None,
                check_interval=seen.interval if seen else None,
                last_check_at=seen.last_at if seen else None,
                history=histories[row.id],
            )
        )
    shown = tuple(
        facts.shown_incident(found)
        for found in stored.incidents(session, page.id, newest=NEWEST_INCIDENTS)
    )
    open_impacts = [incident.impact for incident in shown if incident.status.is_open]
    windows = tuple(
        facts.shown_maintenance(found)
        for found in stored.maintenances(session, page.id, newest=NEWEST_MAINTENANCES)
    )
    # One without components is about the page as a whole.
    whole_page = any(fact.status.is_active and not fact.components for fact in windows)
    return Snapshot(
        page=facts.shown_page(page),
        version=version,
        generated_at=now,
        status=overall_status(states, open_impacts, now=now, maintained=whole_page),
        groups=tuple(
            facts.group(row) for row in session.scalars(stored_components.groups_of(page.id))
        ),
        components=tuple(states),
        incidents=shown,
        maintenances=windows,
        uptime_days=settings.uptime_days,
        partial_outage_weight=settings.partial_outage_weight,
        incident_count=stored_incidents.count_published(session, page.id),
        response=_response(session, states, now),
    )


def narrowed(shown: Snapshot, component_slug: str | None) -> Snapshot:
    """What *shown* knows of one component of its page; all of it for None.

    :raises NotFound: without such a component.
    """
    if component_slug is None:
        return shown
    state = shown.component(component_slug)
    if state is None:
        raise NotFound("component", component_slug)
    return shown.about(state)


def with_own_incidents(session: Session, shown: Snapshot, component_slug: str) -> Snapshot:
    """The same with the newest incidents of that component, and all of its open ones, however old.

    :raises NotFound: without such a component.
    """
    about = narrowed(shown, component_slug)
    assert about.focus is not None
    if shown.incident_count <= len(shown.incidents):
        return about  # there are no others
    rows = stored_incidents.published_after(
        session,
        shown.page.id,
        None,
        limit=NEWEST_INCIDENTS,
        component_id=about.focus.fact.id,
    )
    own = newest([*about.open_incidents, *map(facts.incident, rows)])
    return shown.about(about.focus, incidents=own)


def page_of_incidents(session: Session, shown: Snapshot, number: int) -> Snapshot:
    """*shown* with the *number*-th page of its incidents instead of the newest, counted from 1; may be empty."""
    if (number - 1) * NEWEST_INCIDENTS >= shown.incident_count:
        return replace(shown, incidents=())  # strangers may ask for any
    rows = stored_incidents.published(
        session, shown.page.id, limit=NEWEST_INCIDENTS, offset=(number - 1) * NEWEST_INCIDENTS
    )
    return replace(shown, incidents=tuple(facts.incident(row) for row in rows))


def all_incidents(
    shown: Snapshot, *, first_in: Session | None = None
) -> Iterator[list[IncidentFact]]:
    """All published incidents of the page, or of the component in focus, newest first, in batches.

    Each is read in a session of its own, so that no connection is held while they are sent somewhere. What is
    published meanwhile may or may not be among them; none comes twice.

    :param first_in: the session for the first batch, if there is one open anyway: two at once could starve a pool.
    """
    component_id = shown.focus.fact.id if shown.focus else None
    last: tuple[datetime, UUID] | None = None
    while True:
        with apart_from_host() as open_session:
            rows = stored_incidents.published_after(
                first_in or open_session(),
                shown.page.id,
                last,
                limit=BATCH,
                component_id=component_id,
            )
            batch = [facts.incident(row) for row in rows]
        first_in = None
        yield batch
        if len(batch) < BATCH:
            return
        last = batch[-1].started_at, batch[-1].id


def incident(session: Session, page_id: UUID, incident_id: UUID) -> IncidentFact:
    """One published incident of a page, however old.

    :raises NotFound: when there is none.
    """
    row = stored_incidents.get(session, incident_id)
    if row is None or row.page_id != page_id or row.visibility != "published":
        raise NotFound("incident", incident_id)
    return facts.incident(row)


def maintenance(session: Session, page_id: UUID, maintenance_id: UUID) -> MaintenanceFact:
    """One maintenance of a page, however old.

    :raises NotFound: when there is none.
    """
    row = stored_maintenances.get(session, maintenance_id)
    if row is None or row.page_id != page_id:
        raise NotFound("maintenance", maintenance_id)
    return facts.maintenance(row)


def _response(
    session: Session, states: Sequence[ComponentState], now: datetime
) -> ResponseTimes | None:
    """Of the first component, as the page lists them, that was checked in the last day."""
    recent = now - timedelta(days=1)
    for state in states:
        if state.last_check_at is not None and state.last_check_at > recent:
            return ResponseTimes(
                slug=state.fact.slug, series=series.glance(session, state.fact.id, now)
            )
    return None


def _histories(
    session: Session, rows: Sequence[Row[Any]], *, zone: ZoneInfo, now: datetime
) -> dict[UUID, tuple[Interval, ...]]:
    """The published statuses of each component, by its id, from the window's start or its own first day on."""
    window = now - timedelta(days=current_settings().uptime_days)
    found = stored_components.histories(session, [row.id for row in rows], window)
    return {row.id: tuple(from_day(found[row.id], row.start_date, zone)) for row in rows}
