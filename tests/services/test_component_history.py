"""A year of one component, read for its page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, event, update
from sqlalchemy.orm import Session

from flask_statuspage.documents.snapshot import ComponentState, Snapshot
from flask_statuspage.domain.happenings import ComponentPast, by_day
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.months import first_day
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.strip import last_days, strip
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.services import component_history, facts, monitoring, overview
from flask_statuspage.storage import maintenances as stored
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Component, StatusInterval
from flask_statuspage.storage.incidents import AffectedComponent, Incident
from flask_statuspage.storage.maintenances import MaintainedComponent, Maintenance
from flask_statuspage.storage.monitors import MonitorRegion
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_engine

from . import scenes

GOOD, MAJOR = ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR_OUTAGE

DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"], indirect=True)


def ago(**parts: float) -> datetime:
    return utc_now() - timedelta(**parts)


def incident(
    session: Session,
    page: Page,
    title: str,
    *components: Component,
    start: float,
    end: float | None,
    visibility: str = "published",
) -> Incident:
    """From so many days ago until so many days ago."""
    row = Incident(
        page_id=page.id,
        title=title,
        status=IncidentStatus.INVESTIGATING if end is None else IncidentStatus.RESOLVED,
        impact=Impact.MAJOR,
        started_at=ago(days=start),
        resolved_at=None if end is None else ago(days=end),
        visibility=visibility,
    )
    for component in components:
        row.affected.append(AffectedComponent(component_id=component.id, status=MAJOR))
    session.add(row)
    session.commit()
    return row


def maintenance(
    session: Session,
    page: Page,
    title: str,
    *components: Component,
    start: float,
    status: MaintenanceStatus = MaintenanceStatus.COMPLETED,
    begun: float | None = None,
    ended: float | None = None,
) -> None:
    """Planned for an hour from so many days ago on."""
    row = Maintenance(
        page_id=page.id,
        title=title,
        status=status,
        scheduled_start=ago(days=start),
        scheduled_end=ago(days=start, hours=-1),
        started_at=None if begun is None else ago(days=begun),
        ended_at=None if ended is None else ago(days=ended),
    )
    for component in components:
        row.affected.append(MaintainedComponent(component_id=component.id))
    session.add(row)
    session.commit()


def interval(
    session: Session, of: Component, status: ComponentStatus, start: float, end: float | None
) -> None:
    session.add(
        StatusInterval(
            component_id=of.id,
            status=status,
            started_at=ago(days=start),
            ended_at=None if end is None else ago(days=end),
        )
    )
    session.commit()


def state_of(session: Session, page: Page, slug: str) -> tuple[Snapshot, ComponentState]:
    session.expire_all()
    shown = overview.snapshot(session, page)
    state = shown.component(slug)
    assert state is not None
    return shown, state


def of_year(session: Session, page: Page, slug: str = "api") -> ComponentPast:
    return component_history.of_year(session, *state_of(session, page, slug))


def known(session: Session, page: Page, slug: str = "api") -> ComponentPast:
    return component_history.known(*state_of(session, page, slug))


def titles(past: ComponentPast) -> list[str]:
    return [one.title for one in past.happenings]


@DATABASES
def test_incidents_of_the_component_and_of_the_year(session: Session, page: Page) -> None:
    """Published ones that affect it and reach into the year, the newest first; nobody else's and no draft."""
    api, other = scenes.component(session, page), scenes.component(session, page, "Other")
    incident(session, page, "Old", api, start=500, end=499)
    incident(session, page, "Into the year", api, other, start=380, end=300)
    incident(session, page, "Recent", api, start=5, end=4)
    incident(session, page, "Not ours", other, start=5, end=4)
    incident(session, page, "Draft", api, start=3, end=2, visibility="draft")
    incident(session, page, "Lasts", api, start=400, end=None)
    found = of_year(session, page)
    assert titles(found) == ["Recent", "Into the year", "Lasts"]
    recent, _, lasts = found.happenings
    assert (recent.impact, recent.status, recent.has_begun) == (
        Impact.MAJOR,
        IncidentStatus.RESOLVED,
        True,
    )
    assert recent.end is not None
    assert (recent.end - recent.start).days == 1
    assert lasts.end is None


@DATABASES
def test_maintenance_of_the_component_and_of_the_page(session: Session, page: Page) -> None:
    """Its own and that of the page as a whole, with the times at which it really was; no cancelled one."""
    api, other = scenes.component(session, page), scenes.component(session, page, "Other")
    maintenance(session, page, "Old", api, start=500, begun=500, ended=499)
    maintenance(session, page, "Moved", api, start=50, begun=49, ended=48)
    maintenance(session, page, "Whole page", start=20, begun=20, ended=19)
    maintenance(session, page, "Not ours", other, start=5, begun=5, ended=4)
    cancelled, active = MaintenanceStatus.CANCELLED, MaintenanceStatus.IN_PROGRESS
    maintenance(session, page, "Cancelled", api, start=3, status=cancelled)
    maintenance(session, page, "Going on", api, start=2, begun=2, status=active)
    planned = MaintenanceStatus.SCHEDULED
    maintenance(session, page, "Planned", api, start=-3, status=planned)
    found = of_year(session, page)
    assert titles(found) == ["Planned", "Going on", "Whole page", "Moved"]
    ahead, going_on, _, moved = found.happenings
    assert [one.has_begun for one in found.happenings] == [False, True, True, True]
    assert ahead.end is not None
    assert going_on.end is None
    assert moved.end is not None
    assert abs(moved.start - ago(days=49)) < timedelta(minutes=1)
    assert abs(moved.end - ago(days=48)) < timedelta(minutes=1)
    assert titles(known(session, page)) == ["Planned", "Going on", "Whole page", "Moved", "Old"]


@DATABASES
def test_history_begins_with_the_components_own_first_day(session: Session, page: Page) -> None:
    """What was before its first day is not told, as in its uptime."""
    row = scenes.component(session, page, start_date=ago(days=100).date())
    interval(session, row, MAJOR, 300, 200)
    interval(session, row, GOOD, 200, 50)
    found = of_year(session, page)
    assert MAJOR not in {one.status for one in found.history}
    assert min(one.start for one in found.history).date() == ago(days=100).date()
    assert found.since == first_day(utc_now().date())
    assert found.observed_from <= ago(days=365)


@DATABASES
def test_what_a_snapshot_knows_is_less(session: Session, page: Page) -> None:
    """Without a query it is what is within the window of uptimes, from the first whole day on."""
    row = scenes.component(session, page)
    interval(session, row, MAJOR, 300, 200)
    incident(session, page, "Recent", row, start=5, end=4)
    whole, part = of_year(session, page), known(session, page)
    assert MAJOR in {one.status for one in whole.history}
    assert MAJOR not in {one.status for one in part.history}
    assert part.since == ago(days=90).date() + timedelta(days=1)
    assert titles(part) == titles(whole) == ["Recent"]
    assert isinstance(part.since, date)


@DATABASES
def test_a_silent_component_is_not_green_in_its_calendar(session: Session, page: Page) -> None:
    """Strip and calendar of a component whose checks were missed know nothing of the days since the last one."""
    row = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    monitoring.record(session, [scenes.result(watcher, Verdict.UP, seconds=-5)])
    assert row.status is GOOD
    # As if all of it had been days ago.
    session.execute(update(MonitorRegion).values(last_at=ago(days=5)))
    session.execute(delete(StatusInterval))
    interval(session, row, GOOD, 100, None)
    shown, state = state_of(session, page, "api")
    assert state.status is ComponentStatus.UNKNOWN
    days = last_days(60, until=shown.generated_at, zone=ZoneInfo("UTC"))
    year = component_history.of_year(session, shown, state)
    found = strip(year.history, days).statuses
    assert found == strip(state.history, days).statuses
    assert set(found[-4:]) == {ComponentStatus.UNKNOWN}
    assert set(found[:-6]) == {GOOD}


@DATABASES
def test_over_and_nobody_noted_since_when(session: Session, page: Page) -> None:
    """A closed incident without an end, such as an imported one, lasted no time; an older one is not of the year."""
    row = scenes.component(session, page)
    for title, start in (("Imported", 20), ("Imported long ago", 500)):
        incident(session, page, title, row, start=start, end=start).resolved_at = None
    session.commit()
    whole, part = of_year(session, page), known(session, page)
    assert titles(whole) == ["Imported"]
    assert whole.happenings[0].end == whole.happenings[0].start
    assert part.happenings[0] == whole.happenings[0]
    days = last_days(30, until=utc_now(), zone=ZoneInfo("UTC"))
    assert len(by_day(whole.happenings, days)) == 1


def test_what_ends_at_midnight(session: Session, page: Page) -> None:
    """It is not told on the day that begins then, unless it lasted no time."""
    row = scenes.component(session, page)
    days = last_days(10, until=utc_now(), zone=ZoneInfo("UTC"))
    midnight = datetime.fromtimestamp(days.edges[5], UTC)
    for title, start in (("Until then", midnight - timedelta(hours=2)), ("At once", midnight)):
        one = incident(session, page, title, row, start=1, end=1)
        one.started_at, one.resolved_at = start, midnight
    session.commit()
    told = by_day(of_year(session, page).happenings, days)
    assert {place: [one.title for one in found] for place, found in told.items()} == {
        4: ["Until then"],
        5: ["At once"],
    }


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_three_queries_whatever_happened(session: Session, page: Page) -> None:
    """Neither incidents nor maintenance nor changes of the status cost a query of their own."""
    row = scenes.component(session, page)
    for number in range(3):
        incident(session, page, f"I{number}", row, start=number + 1, end=number + 0.5)
        maintenance(session, page, f"M{number}", row, start=number + 9, begun=9, ended=8)
        interval(session, row, MAJOR, number + 20, number + 19)
    shown, state = state_of(session, page, "api")
    assert len(sent(lambda: component_history.of_year(session, shown, state))) == 3
    assert sent(lambda: component_history.known(shown, state)) == []


@DATABASES
def test_all_components_at_once(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all that happened, in one query, each component has what it would have alone, and not more of it."""
    api, other = scenes.component(session, page), scenes.component(session, page, "Other")
    scenes.component(session, page, "Quiet", start_date=ago(days=9).date())
    planned, active = MaintenanceStatus.SCHEDULED, MaintenanceStatus.IN_PROGRESS
    incident(session, page, "Old", api, start=500, end=499)
    incident(session, page, "Both", api, other, start=380, end=300)
    incident(session, page, "Lasts", other, start=400, end=None)
    maintenance(session, page, "Old", api, start=500, begun=500, ended=499)
    maintenance(session, page, "Moved", other, start=50, begun=5, ended=4)
    maintenance(session, page, "Whole page", start=20, begun=20, ended=19)
    maintenance(session, page, "Cancelled", api, start=3, status=MaintenanceStatus.CANCELLED)
    maintenance(session, page, "Going on", api, start=500, begun=500, status=active)
    maintenance(session, page, "Planned", api, start=-3, status=planned)
    interval(session, api, MAJOR, 300, 200)
    interval(session, other, MAJOR, 20, 10)
    session.expire_all()
    shown = overview.snapshot(session, page)
    incidents = [one for some in overview.all_incidents(shown) for one in some]
    windows = [facts.maintenance(row) for row in session.scalars(stored.of_page(page.id))]

    def all_of() -> dict[UUID, ComponentPast]:
        return component_history.of_all(session, shown, incidents, windows)

    assert len(sent(all_of)) == 1
    for most in (component_history.MOST, 1):
        monkeypatch.setattr(component_history, "MOST", most)
        for state in shown.components:
            alone = component_history.of_year(session, shown, state)
            ordered = tuple(sorted(alone.history, key=lambda one: one.start))
            assert all_of()[state.fact.id] == replace(alone, history=ordered), state.fact.slug
    assert len(all_of()[api.id].happenings) == 2


@DATABASES
def test_response_times_on_the_page(session: Session, page: Page) -> None:
    """The first component that was checked in the last day is drawn; two queries, and none without such a one."""
    for name in ("Paper", "Api", "Search"):
        scenes.component(session, page, name)
    session.expire_all()
    without = len(sent(lambda: overview.snapshot(session, page)))
    assert overview.snapshot(session, page).response is None
    for name in ("Search", "Api"):
        watcher = scenes.monitor(session, page, f"M {name}", component=name.lower())
        monitoring.record(session, [scenes.result(watcher, Verdict.UP, seconds=-5)])
        session.commit()
    session.expire_all()
    assert len(sent(lambda: overview.snapshot(session, page))) <= without + 2
    shown = overview.snapshot(session, page).response
    assert shown is not None
    assert shown.slug == "api"
    (region,) = shown.series.regions
    assert (len(region.points), shown.series.step, region.p50) == (24, 3600, 120)
    assert sum(point.checks for point in region.points) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_was_measured_long_ago_is_not_drawn(session: Session, page: Page) -> None:
    """A monitor that has been silent for a day has no chart on the page."""
    scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    monitoring.record(session, [scenes.result(watcher, Verdict.UP, seconds=-86_500)])
    session.commit()
    assert overview.snapshot(session, page).response is None


def sent(work: Any) -> list[str]:
    """The statements that *work* sends."""
    found: list[str] = []

    def note(*arguments: Any) -> None:
        found.append(arguments[2])

    engine = current_engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return found
