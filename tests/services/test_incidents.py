"""Incidents: open, update, resolve, and who is told."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.errors import Invalid, NotFound
from flask_statuspage.services import facts, incidents, pages
from flask_statuspage.storage import shown
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.incidents import Incident, IncidentUpdate
from flask_statuspage.storage.outbox import Delivery
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.team import AuditEntry

from . import scenes

OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE
IDENTIFIED = IncidentStatus.IDENTIFIED
MONITORING = IncidentStatus.MONITORING
RESOLVED = IncidentStatus.RESOLVED
POSTMORTEM = IncidentStatus.POSTMORTEM


def test_a_life_is_told_in_order_with_its_data(app: Flask, session: Session, page: Page) -> None:
    """Open, update, monitor, resolve, postmortem: each step is one event with what was true then."""
    scenes.component(session, page)
    hook = scenes.webhook(session, page)
    incident = incidents.open(
        session, page, title="API is slow", body="Looking.", affected={"api": PARTIAL}
    )
    for status, body in (
        (IDENTIFIED, "A bad deploy."),
        (MONITORING, "Rolled back."),
        (RESOLVED, "Over."),
        (POSTMORTEM, "What we learnt."),
    ):
        incidents.update(session, page, incident.id, status=status, body=body)
    session.commit()

    told = scenes.events(session, "incident.")
    assert [event.name for event in told] == [
        *("incident.created", "incident.updated", "incident.updated"),
        *("incident.resolved", "incident.postmortem"),
    ]
    assert scenes.told(session, hook) == scenes.names(session)
    for number, event in enumerate(told):
        data = event.data["incident"]
        assert (event.subject_id, data["id"]) == (incident.id, str(incident.id))
        assert len(event.component_ids) == 1
        assert len(data["updates"]) == number + 1
        assert data["url"] == f"https://status.example.com/incidents/{incident.id}"
    assert [event.data["incident"]["status"] for event in told] == [
        *("investigating", "identified", "monitoring", "resolved", "postmortem")
    ]
    bodies = [update["body"] for update in told[-1].data["incident"]["updates"]]
    assert bodies == ["What we learnt.", "Over.", "Rolled back.", "A bad deploy.", "Looking."]
    assert told[3].data["incident"]["components"][0]["status"] == "operational"
    times = [incident.started_at, incident.monitoring_at, incident.resolved_at]
    assert None not in times
    assert times == sorted(times)  # type: ignore[type-var]


def test_events_of_one_step_come_in_order(session: Session, page: Page) -> None:
    """The component's change is told before the incident that it belongs to, with a lower number."""
    scenes.component(session, page)
    incident = incidents.open(session, page, title="Down", affected={"api": MAJOR})
    incidents.resolve(session, page, incident.id)
    session.commit()
    assert scenes.names(session) == [
        *("component.status_change", "incident.created"),
        *("component.status_change", "incident.resolved"),
    ]
    sequences = [event.sequence for event in scenes.events(session)]
    assert sequences == sorted(set(sequences))


def test_each_update_keeps_old_and_new_status(session: Session, page: Page) -> None:
    """An update remembers how each component was before and after it, as typed facts."""
    api = scenes.component(session, page)
    incident = incidents.open(session, page, title="Slow", affected={"api": DEGRADED})
    incidents.update(session, page, incident.id, affected={"api": MAJOR})
    incidents.resolve(session, page, incident.id)
    session.commit()
    session.expire_all()
    fact = facts.incident(incidents.get(session, page, incident.id))
    steps = [(one.old_status, one.status) for update in fact.updates for one in update.components]
    assert steps == [(MAJOR, OPERATIONAL), (DEGRADED, MAJOR), (OPERATIONAL, DEGRADED)]
    assert {one.id for update in fact.updates for one in update.components} == {api.id}


def test_impact_follows_the_components_until_somebody_sets_it(session: Session, page: Page) -> None:
    """Without a chosen impact each update derives it anew; a chosen one stays."""
    scenes.component(session, page)
    scenes.component(session, page, "Web")
    incident = incidents.open(session, page, title="Slow", affected={"api": DEGRADED})
    assert incident.impact is Impact.MINOR
    incidents.update(session, page, incident.id, affected={"web": MAJOR})
    assert incident.impact is Impact.CRITICAL
    incidents.update(session, page, incident.id, impact=Impact.MINOR)
    incidents.update(session, page, incident.id, affected={"api": MAJOR})
    assert incident.impact is Impact.MINOR
    incidents.resolve(session, page, incident.id)
    assert incident.impact is Impact.MINOR


def test_a_resolved_incident_keeps_its_impact(session: Session, page: Page) -> None:
    """Once everything works again the incident still says how bad it was."""
    scenes.component(session, page)
    incident = incidents.open(session, page, title="Down", affected={"api": MAJOR})
    incidents.resolve(session, page, incident.id)
    assert incident.impact is Impact.CRITICAL


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ([], POSTMORTEM),
        ([RESOLVED], RESOLVED),
        ([RESOLVED], IDENTIFIED),
        ([RESOLVED, POSTMORTEM], IncidentStatus.INVESTIGATING),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_step_that_the_life_cycle_forbids_is_refused(
    session: Session, page: Page, path: list[IncidentStatus], refused: IncidentStatus
) -> None:
    """The error names the field and the present state, and nothing has changed."""
    incident = incidents.open(session, page, title="Slow")
    for status in path:
        incidents.update(session, page, incident.id, status=status, body="So it is.")
    session.commit()
    before = (incident.status, len(scenes.events(session)))
    with pytest.raises(Invalid, match="status: It is "):
        incidents.update(session, page, incident.id, status=refused)
    session.rollback()
    assert (incident.status, len(scenes.events(session))) == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"body": "x" * 10_001}, "body"),
        ({"affected": ["nothing"]}, "components"),
        ({"status": POSTMORTEM}, "status"),
        ({"started_at": utc_now() + timedelta(days=1)}, "started_at"),
    ],
)
def test_wrong_input_is_refused_by_field(
    session: Session, page: Page, wrong: dict[str, Any], field: str
) -> None:
    """Each wrong value is told with the name of its field, and leaves no row."""
    with pytest.raises(Invalid) as caught:
        incidents.open(session, page, **{"title": "Slow", **wrong})
    assert [error.field for error in caught.value.errors] == [field]
    session.rollback()
    assert session.scalars(select(Incident)).all() == []


def test_a_draft_tells_nobody(app: Flask, session: Session, page: Page) -> None:
    """A draft shows on no component, reaches no subscriber and sends no signal, whatever its steps."""
    api = scenes.component(session, page)
    hook = scenes.webhook(session, page)
    with scenes.listening(app) as heard:
        draft = incidents.open(
            session, page, title="Maybe", affected={"api": MAJOR}, visibility="draft"
        )
        incidents.update(session, page, draft.id, status=IDENTIFIED, affected={"api": PARTIAL})
        incidents.resolve(session, page, draft.id)
        session.commit()
    assert (heard, scenes.names(session), scenes.told(session, hook)) == ([], [], [])
    assert scenes.shown(session, api) is OPERATIONAL
    assert shown.incidents(session, page.id, newest=10) == []


def test_without_notify_only_the_host_is_told(app: Flask, session: Session, page: Page) -> None:
    """notify=False reaches the host's signals and no subscriber, for components as well."""
    scenes.component(session, page)
    hook = scenes.webhook(session, page)
    with scenes.listening(app) as heard:
        incident = incidents.open(
            session, page, title="Quiet", affected={"api": MAJOR}, notify=False
        )
        incidents.update(session, page, incident.id, affected={"api": PARTIAL}, notify=False)
        incidents.resolve(session, page, incident.id, notify=False)
        session.commit()
    assert [event.name for event in heard] == scenes.names(session)
    assert len(heard) == 6
    assert scenes.told(session, hook) == []


def test_a_rollback_of_the_host_leaves_nothing(app: Flask, session: Session, page: Page) -> None:
    """When the host's transaction is rolled back there is no row, no signal and no delivery."""
    api = scenes.component(session, page)
    scenes.webhook(session, page)
    before = session.scalar(select(func.count(AuditEntry.id)))
    version = page.version
    with scenes.listening(app) as heard:
        incidents.open(session, page, title="Never", affected={"api": MAJOR})
        session.rollback()
        session.commit()
    assert heard == []
    for model in (Incident, IncidentUpdate, Delivery):
        assert session.scalars(select(model)).all() == []
    assert scenes.names(session, "incident.") == []
    assert session.scalar(select(func.count(AuditEntry.id))) == before
    assert (page.version, scenes.shown(session, api)) == (version, OPERATIONAL)


def test_a_signal_comes_after_the_commit_with_the_event(
    app: Flask, session: Session, page: Page
) -> None:
    """A receiver hears nothing before the commit, and then the event as it was written."""
    with scenes.listening(app) as heard:
        incident = incidents.open(session, page, title="Slow")
        assert heard == []
        session.commit()
        (event,) = heard
    assert (event.name, event.subject_id) == ("incident.created", incident.id)
    assert event.data["incident"]["title"] == "Slow"
    assert event.occurred_at.tzinfo is UTC


def test_an_incident_told_late(session: Session, page: Page) -> None:
    """One that is over already has a beginning and an end, and leaves its components alone."""
    api = scenes.component(session, page)
    began = (utc_now() - timedelta(hours=2)).astimezone(timezone(timedelta(hours=2)))
    incident = incidents.open(
        session, page, title="Was", status=RESOLVED, affected={"api": MAJOR}, started_at=began
    )
    session.commit()
    assert incident.started_at == began
    assert incident.resolved_at is not None
    assert scenes.shown(session, api) is OPERATIONAL
    (event,) = scenes.events(session, "incident.")
    assert event.data["incident"]["started_at"].endswith("+00:00")
    assert event.data["incident"]["resolved_at"] is not None


def test_an_incident_opened_as_monitoring_has_its_time(session: Session, page: Page) -> None:
    """Whoever opens an incident after the fix was made has begun to monitor."""
    incident = incidents.open(session, page, title="Was", status=MONITORING)
    assert incident.monitoring_at == incident.created_at


def test_an_incident_belongs_to_its_page(session: Session, page: Page) -> None:
    """Another page's incident cannot be read or updated through this one, nor one that is not."""
    other = pages.create(session, name="Internal")
    incident = incidents.open(session, other, title="Slow")
    session.commit()
    for ident in (incident.id, new_id()):
        with pytest.raises(NotFound):
            incidents.get(session, page, ident)
        with pytest.raises(NotFound):
            incidents.update(session, page, ident, body="x")
        session.rollback()


def test_two_people_update_at_once(app: Flask, session: Session, page: Page) -> None:
    """Both updates are kept, numbered one after the other, though one reader saw the older state."""
    scenes.component(session, page)
    ident = incidents.open(session, page, title="Slow", affected={"api": MAJOR}).id
    session.commit()
    page = pages.find(session, None)
    assert len(incidents.get(session, page, ident).updates) == 1

    def first(other: Session, its_page: Page) -> None:
        scenes.components.create(other, its_page, name="Web")
        incidents.update(other, its_page, ident, body="first", affected={"web": PARTIAL})

    scenes.elsewhere(app, first)
    incidents.update(session, page, ident, body="second", affected={"api": DEGRADED})
    session.commit()
    query = select(IncidentUpdate.number, IncidentUpdate.body).order_by(IncidentUpdate.number)
    assert session.execute(query).all() == [(1, ""), (2, "first"), (3, "second")]
    latest = scenes.events(session, "incident.")[-1].data["incident"]
    assert {one["slug"]: one["status"] for one in latest["components"]} == {
        "api": "degraded_performance",
        "web": "partial_outage",
    }


def test_many_update_at_once(app: Flask, session: Session, page: Page) -> None:
    """Six people in a hurry leave six updates with six numbers."""
    scenes.component(session, page)
    ident = incidents.open(session, page, title="Slow", affected={"api": MAJOR}).id
    session.commit()

    def update(number: int):
        def work(other: Session, its_page: Page) -> UUID:
            incidents.get(other, its_page, ident)
            return incidents.update(other, its_page, ident, body=str(number)).id

        return work

    assert scenes.at_once(app, *map(update, range(6))) == [ident] * 6
    numbers = session.scalars(select(IncidentUpdate.number).order_by(IncidentUpdate.number))
    assert list(numbers) == [1, 2, 3, 4, 5, 6, 7]
    assert len(scenes.names(session, "incident.updated")) == 6


def test_every_change_raises_the_version_and_is_audited(session: Session, page: Page) -> None:
    """Readers look again after each step, and the audit knows who made it."""
    scenes.component(session, page)
    version = page.version
    incident = incidents.open(session, page, title="Slow", actor="ann")
    session.commit()
    incidents.resolve(session, page, incident.id, actor="bob")
    session.commit()
    assert page.version > version + 1
    query = select(AuditEntry.actor, AuditEntry.action).where(AuditEntry.subject == "incident")
    assert session.execute(query.order_by(AuditEntry.id)).all() == [
        ("ann", "create"),
        ("bob", "update"),
    ]
