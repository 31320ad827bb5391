"""What readers are told of services when an incident ends: how they are then, whoever else speaks of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Conflict
from flask_statuspage.services import (
    components,
    facts,
    incident_sight,
    incidents,
    maintenances,
    monitoring,
)
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.pages import Page

from . import scenes

OPERATIONAL = ComponentStatus.OPERATIONAL
MAINTAINED = ComponentStatus.UNDER_MAINTENANCE
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE
RESOLVED = IncidentStatus.RESOLVED


@pytest.fixture(autouse=True)
def _services(page: Page, session: Session) -> None:
    for name in ("API", "Web"):
        scenes.component(session, page, name)


def found(session: Session, monitor: Monitor, verdict: Verdict) -> None:
    monitoring.record(session, [scenes.result(monitor, verdict)])
    session.commit()


def failing(session: Session, page: Page) -> tuple[Monitor, Incident]:
    """A monitor of the API that is down, and its incident, to which a member added Web."""
    monitor = scenes.monitor(session, page, component="api")
    found(session, monitor, Verdict.DOWN)
    incident = session.scalars(select(Incident)).one()
    incidents.update(session, page, incident.id, affected={"web": DEGRADED}, actor="ann")
    session.commit()
    return monitor, incident


def told(session: Session, page: Page, incident: Incident) -> dict[str, ComponentStatus]:
    """What the latest update says of each service, which is what rows and the latest event say, too."""
    session.commit()
    latest = facts.incident(incidents.get(session, page, incident.id))
    said = {one.slug: one.status for one in latest.updates[0].components}
    assert {one.slug: one.status for one in latest.components} == said
    event = scenes.events(session, "incident.")[-1].data["incident"]
    for components_of in (event["components"], event["updates"][0]["components"]):
        assert {one["slug"]: one["status"] for one in components_of} == said
    return said


def test_a_service_whose_monitor_still_fails_is_not_told_as_operational(
    session: Session, page: Page
) -> None:
    """It is told as the page shows it, others as working; the postmortem that comes after it recovered says so."""
    monitor, incident = failing(session, page)
    incidents.resolve(session, page, incident.id, actor="ann")
    assert told(session, page, incident) == {"api": MAJOR, "web": OPERATIONAL}
    assert scenes.shown(session, components.get(session, page, "api")) is MAJOR
    assert scenes.shown(session, components.get(session, page, "web")) is OPERATIONAL
    assert incident.impact is Impact.CRITICAL
    incidents.postmortem(session, page, incident.id, body="It goes on.", actor="ann")
    assert told(session, page, incident) == {"api": MAJOR, "web": OPERATIONAL}
    found(session, monitor, Verdict.UP)
    incidents.update(session, page, incident.id)  # says nothing
    assert told(session, page, incident) == {"api": MAJOR, "web": OPERATIONAL}
    incidents.postmortem(session, page, incident.id, body="A cable.", actor="ann")
    assert told(session, page, incident) == {"api": OPERATIONAL, "web": OPERATIONAL}


def test_what_works_again_is_told_as_before(session: Session, page: Page) -> None:
    """A monitor that resolves its own incident tells its service as operational, and a paused one does."""
    monitor, first = failing(session, page)
    found(session, monitor, Verdict.UP)
    assert first.status is RESOLVED
    assert told(session, page, first) == {"api": OPERATIONAL, "web": OPERATIONAL}
    found(session, monitor, Verdict.DOWN)
    (second,) = session.scalars(select(Incident.id).where(Incident.id != first.id))
    watching = scenes.monitors.get(session, page, monitor.slug)
    scenes.monitors.pause(session, page, watching, actor="ann")
    assert told(session, page, incidents.get(session, page, second)) == {"api": OPERATIONAL}


@pytest.mark.parametrize("source", ["incident", "maintenance", "manual"])
def test_whoever_else_speaks_is_heard(session: Session, page: Page, source: str) -> None:
    """Another incident, a maintenance and a member's word count as a monitor's does."""
    incident = incidents.open(session, page, title="Slow", affected={"api": MAJOR, "web": MAJOR})
    wanted = DEGRADED
    if source == "incident":
        incidents.open(session, page, title="Other", affected={"api": DEGRADED})
    elif source == "maintenance":
        end = utc_now() + timedelta(hours=1)
        maintenances.schedule(session, page, title="Work", scheduled_end=end, affected=["api"])
        wanted = MAINTAINED
    else:
        api = components.get(session, page, "api")
        components.set_status(session, page, api, DEGRADED, actor="ann")
    session.commit()
    incidents.resolve(session, page, incident.id)
    assert told(session, page, incident) == {"api": wanted, "web": OPERATIONAL}
    assert scenes.shown(session, components.get(session, page, "api")) is wanted


@pytest.mark.parametrize("freed", [True, False])
def test_a_members_word_that_ends_with_it_does_not_count(
    session: Session, page: Page, freed: bool
) -> None:
    """The console takes back with the end what was set by hand: then the service is told as it shows afterwards."""
    incident = incidents.open(session, page, title="Slow", affected={"api": DEGRADED})
    api = components.get(session, page, "api")
    components.set_status(session, page, api, MAJOR, actor="ann")
    session.commit()
    incident = incidents.get(session, page, incident.id)
    options = {"seen": incident_sight.mark(incident), "actor": "ann", "notify": True}
    incident_sight.resolve(session, page, incident.id, body="", freed=freed, **options)
    wanted = OPERATIONAL if freed else MAJOR
    assert told(session, page, incident) == {"api": wanted}
    assert scenes.shown(session, api) is wanted
    changes = [row.data for row in scenes.events(session, "component.")]
    assert [one["component"]["status"] for one in changes][1:] == ["major_outage"] + (
        ["operational"] if freed else []
    )


def test_no_update_says_that_it_works(session: Session, page: Page) -> None:
    """One that names the service as operational at the end is not believed; one that says worse is."""
    _, incident = failing(session, page)
    affected = {"api": OPERATIONAL, "web": PARTIAL}
    incidents.update(session, page, incident.id, status=RESOLVED, affected=affected)
    assert told(session, page, incident) == {"api": MAJOR, "web": PARTIAL}
    with pytest.raises(Conflict):
        incidents.update(session, page, incident.id, affected={"web": OPERATIONAL})


def test_one_that_is_told_when_it_is_over(session: Session, page: Page) -> None:
    """Over now, it says how the service is now; over a while ago, that it worked then."""
    monitor = scenes.monitor(session, page, component="api", open_incident=False)
    found(session, monitor, Verdict.DOWN)
    now, ended = utc_now(), utc_now() - timedelta(hours=1)
    over = {"status": RESOLVED, "affected": {"api": PARTIAL}}
    late = incidents.open(session, page, title="Late", started_at=ended, resolved_at=ended, **over)
    assert told(session, page, late) == {"api": OPERATIONAL}
    at_once = incidents.open(session, page, title="Now", started_at=now, **over)
    assert told(session, page, at_once) == {"api": MAJOR}
    assert at_once.impact is Impact.MAJOR
    incidents.reopen(session, page, at_once.id)
    assert told(session, page, at_once) == {"api": PARTIAL}
