"""Incidents that are linked to a monitor: one is told, whoever speaks first."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Conflict, Invalid
from flask_statuspage.probing import CheckResult
from flask_statuspage.services import incident_edits, incidents, monitoring, monitors, pages
from flask_statuspage.storage.components import Condition
from flask_statuspage.storage.incidents import Incident, IncidentUpdate
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.pages import Page
from tests.apps import running

from . import scenes
from .scenes import result

OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE
INVESTIGATING = IncidentStatus.INVESTIGATING
IDENTIFIED = IncidentStatus.IDENTIFIED
MONITORING = IncidentStatus.MONITORING
RESOLVED = IncidentStatus.RESOLVED
UP, SLOW, DOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN


def record(session: Session, *results: CheckResult) -> None:
    monitoring.record(session, results)
    session.commit()


def watched(session: Session, page: Page, **options: Any) -> Monitor:
    """A monitor "m" of the component "api", which works."""
    scenes.component(session, page)
    monitor = scenes.monitor(session, page, component="api", **options)
    record(session, result(monitor, UP))
    return monitor


def all_incidents(session: Session) -> list[Incident]:
    query = select(Incident).order_by(Incident.created_at)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def bodies(session: Session) -> list[str]:
    return list(session.scalars(select(IncidentUpdate.body).order_by(IncidentUpdate.number)))


def said(session: Session, source: str) -> list[ComponentStatus]:
    return list(session.scalars(select(Condition.status).where(Condition.source == source)))


def test_a_persons_report_joins_the_monitors_incident(session: Session, page: Page) -> None:
    """What a person opens for a monitor that found it already is the next update of the same incident."""
    monitor = watched(session, page)
    web = scenes.component(session, page, "Web")
    record(session, result(monitor, DOWN, seconds=1))
    (first,) = all_incidents(session)
    same = incidents.open(
        session,
        page,
        title="Checkout fails",
        body="We see it.",
        impact=Impact.MAJOR,
        affected=["web"],
        monitor="m",
        actor="ann",
    )
    session.commit()
    assert same.id == first.id
    assert len(all_incidents(session)) == 1
    assert scenes.names(session, "incident.") == ["incident.created", "incident.updated"]
    assert (same.title, same.impact, same.status) == ("Checkout fails", Impact.MAJOR, INVESTIGATING)
    assert bodies(session)[1] == "We see it."
    rows = {i.component.slug: i.status for i in incidents.get(session, page, same.id).affected}
    assert rows == {"api": MAJOR, "web": PARTIAL}
    assert same.automatic
    # The monitor speaks for its own component, the incident for what the person named.
    assert (said(session, "incident"), scenes.shown(session, web)) == ([PARTIAL], PARTIAL)
    record(session, result(monitor, UP, seconds=2))
    assert same.status is RESOLVED
    assert scenes.shown(session, web) is OPERATIONAL


def test_a_report_takes_no_status_back(session: Session, page: Page) -> None:
    """The status of the incident stays unless the report says another one than the first."""
    monitor = watched(session, page)
    record(session, result(monitor, DOWN, seconds=1))
    (first,) = all_incidents(session)
    incidents.update(session, page, first.id, status=IDENTIFIED)
    incidents.open(session, page, title="Checkout", monitor="m")
    assert first.status is IDENTIFIED
    incidents.open(session, page, title="Checkout", monitor=str(monitor.id), status=MONITORING)
    session.commit()
    assert (first.status, len(all_incidents(session))) == (MONITORING, 1)


def test_the_monitor_adds_to_a_persons_incident(session: Session, page: Page) -> None:
    """It goes down, slows and recovers on the incident that a person opened, and never ends it."""
    monitor = watched(session, page)
    api = scenes.components.get(session, page, "api")
    mine = incidents.open(session, page, title="Checkout", body="Seen.", monitor="m", actor="ann")
    session.commit()
    assert not mine.automatic
    steps = []
    for seconds, outcome in enumerate((DOWN, SLOW, DOWN, UP, UP, DOWN), 1):
        record(session, result(monitor, outcome, seconds=seconds))
        session.expire_all()
        row = incidents.get(session, page, mine.id).affected[0]
        steps.append((mine.status, row.status, scenes.shown(session, api)))
    assert steps == [
        (INVESTIGATING, MAJOR, MAJOR),
        (INVESTIGATING, DEGRADED, DEGRADED),
        (INVESTIGATING, MAJOR, MAJOR),
        (INVESTIGATING, MAJOR, MAJOR),  # it fell twice: one good result is not enough
        (MONITORING, OPERATIONAL, OPERATIONAL),
        (INVESTIGATING, MAJOR, MAJOR),
    ]
    assert len(all_incidents(session)) == 1
    assert bodies(session)[4] == "The monitor M sees it working again."
    assert said(session, "incident") == []
    record(session, *(result(monitor, UP, seconds=seconds) for seconds in range(7, 11)))
    assert mine.status is MONITORING
    incidents.resolve(session, page, mine.id)
    session.commit()
    assert scenes.names(session, "incident.")[-1] == "incident.resolved"


def test_a_monitor_does_not_undo_work(session: Session, page: Page) -> None:
    """A failure does not take "identified" back, nor what a person said of the component."""
    monitor = watched(session, page)
    api = scenes.components.get(session, page, "api")
    mine = incidents.open(session, page, title="Slow", monitor="m", affected={"api": PARTIAL})
    incidents.update(session, page, mine.id, status=IDENTIFIED)
    record(session, result(monitor, DOWN, seconds=1))
    assert mine.status is IDENTIFIED
    assert scenes.shown(session, api) is MAJOR
    record(session, result(monitor, UP, seconds=2))
    row = incidents.get(session, page, mine.id).affected[0]
    assert (mine.status, row.status) == (MONITORING, PARTIAL)
    assert scenes.shown(session, api) is PARTIAL


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("setting", "wanted"), [("draft", True), ("publish", False)])
def test_a_silent_monitor_adds_nothing(database_url: str, setting: str, wanted: bool) -> None:
    """Where nothing is published automatically, nothing is added to a published incident."""
    config = {**scenes.SETTINGS, "STATUSPAGE_AUTO_INCIDENTS": setting}
    with running(database_url, **config) as app, app.app_context():
        session = scenes.current_session()
        page = pages.find(session, None)
        monitor = watched(session, page, open_incident=wanted)
        incidents.open(session, page, title="Checkout", body="Seen.", monitor="m")
        session.commit()
        for seconds, outcome in ((1, DOWN), (2, UP)):
            record(session, result(monitor, outcome, seconds=seconds))
        assert len(all_incidents(session)) == 1
        assert bodies(session) == ["Seen."]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_report_publishes_the_monitors_draft(database_url: str) -> None:
    """The draft that a monitor left is what the person's report is added to; readers get one new incident."""
    config = {**scenes.SETTINGS, "STATUSPAGE_AUTO_INCIDENTS": "draft"}
    with running(database_url, **config) as app, app.app_context():
        session = scenes.current_session()
        page = pages.find(session, None)
        monitor = watched(session, page)
        hook = scenes.webhook(session, page, events=["incident.created", "incident.updated"])
        record(session, result(monitor, DOWN, seconds=1))
        assert scenes.names(session, "incident.") == []
        incidents.open(session, page, title="Checkout", body="Seen.", monitor="m")
        session.commit()
        (only,) = all_incidents(session)
        assert (only.visibility, only.title) == ("published", "Checkout")
        assert scenes.names(session, "incident.") == ["incident.created"]
        assert scenes.told(session, hook) == ["incident.created"]
        assert said(session, "incident") == []


def test_a_persons_draft_stands_aside(session: Session, page: Page) -> None:
    """A draft joins nothing and holds nothing up; it cannot be published beside the other one."""
    monitor = watched(session, page)
    draft = incidents.open(session, page, title="Mine", monitor="m", visibility="draft")
    record(session, result(monitor, DOWN, seconds=1))
    assert len(all_incidents(session)) == 2
    other = next(row for row in all_incidents(session) if row.automatic)
    with pytest.raises(Conflict, match=str(other.id)):
        incident_edits.edit(session, page, draft.id, {"visibility": "published"})
    session.commit()
    assert draft.visibility == "draft"
    incident_edits.edit(session, page, draft.id, {"visibility": "published", "monitor": None})
    session.commit()
    assert (draft.visibility, draft.monitor_id) == ("published", None)


def test_a_second_incident_is_not_linked(session: Session, page: Page) -> None:
    """PATCH and reopening that would leave two open incidents of one monitor name the other one."""
    monitor = watched(session, page)
    old = incidents.open(session, page, title="Old", monitor="m")
    incidents.resolve(session, page, old.id)
    first = incidents.open(session, page, title="First", monitor="m")
    second = incidents.open(session, page, title="Second")
    session.commit()
    assert len({old.id, first.id, second.id}) == 3
    before = scenes.names(session)
    with pytest.raises(Conflict, match=str(first.id)):
        incident_edits.edit(session, page, second.id, {"monitor": "m", "title": "x"})
    with pytest.raises(Conflict, match=str(first.id)):
        incidents.reopen(session, page, old.id)
    with pytest.raises(Invalid, match="monitor: There is no monitor 'nothing'"):
        incident_edits.edit(session, page, second.id, {"monitor": "nothing"})
    session.commit()
    assert (second.monitor_id, second.title, old.status) == (None, "Second", RESOLVED)
    assert scenes.names(session) == before
    incidents.resolve(session, page, first.id)
    incident_edits.edit(session, page, second.id, {"monitor": "m"})
    session.commit()
    assert second.monitor_id == monitor.id
    # A link is nothing that readers see.
    assert scenes.names(session, "incident.")[-1] == "incident.resolved"


def test_what_is_over_may_be_linked(session: Session, page: Page) -> None:
    """History is no double: what is told after its end stays an incident of its own."""
    monitor = watched(session, page)
    record(session, result(monitor, DOWN, seconds=1))
    incidents.open(session, page, title="Was", status=RESOLVED, monitor="m")
    session.commit()
    assert len(all_incidents(session)) == 2


def test_a_paused_or_removed_monitor_ends_only_its_own(session: Session, page: Page) -> None:
    """A person's incident stays open when its monitor goes."""
    monitor = watched(session, page)
    mine = incidents.open(session, page, title="Checkout", monitor="m")
    session.commit()
    monitors.pause(session, page, monitors.get(session, page, "m", lock=True), actor="ann")
    session.commit()
    assert mine.status is INVESTIGATING
    monitors.remove(session, page, monitors.get(session, page, "m", lock=True), actor="ann")
    session.commit()
    assert mine.status is INVESTIGATING
    assert monitor not in session


def test_a_reopened_incident_of_a_monitor(session: Session, page: Page) -> None:
    """A person who reopens it has it speak for the component, since the monitor sees no failure."""
    monitor = watched(session, page)
    api = scenes.components.get(session, page, "api")
    record(session, result(monitor, DOWN, seconds=1))
    record(session, result(monitor, UP, seconds=2))
    (only,) = all_incidents(session)
    incidents.reopen(session, page, only.id, body="Not for everybody.", actor="ann")
    session.commit()
    assert scenes.shown(session, api) is MAJOR
    assert said(session, "incident") == [MAJOR]
    incidents.update(session, page, only.id, affected={"api": PARTIAL}, actor="ann")
    session.commit()
    assert scenes.shown(session, api) is PARTIAL


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_monitor_and_person_at_once(app: Flask, session: Session, page: Page) -> None:
    """A monitor goes down while a person reports it: one incident, whoever comes first."""
    for turn in range(6):
        name = f"C{turn}"
        scenes.component(session, page, name)
        monitor = scenes.monitor(session, page, f"M{turn}", component=name.lower())
        record(session, result(monitor, UP))
        failure, slug = result(monitor, DOWN, seconds=1), monitor.slug

        def fail(other: Session, its_page: Page, failure: CheckResult = failure) -> str:
            monitoring.record(other, [failure])
            return "monitor"

        def report(other: Session, its_page: Page, slug: str = slug) -> str:
            incidents.open(other, its_page, title="Checkout", body="Seen.", monitor=slug)
            return "person"

        done = scenes.at_once(app, *((fail, report) if turn % 2 else (report, fail)))
        assert {one for one in done if isinstance(one, str)} == {"monitor", "person"}, done
        query = select(Incident).where(Incident.monitor_id == monitor.id)
        (only,) = session.scalars(query).all()
        updates = select(IncidentUpdate.body).where(IncidentUpdate.incident_id == only.id)
        assert len(session.scalars(updates).all()) == 2
        session.commit()
