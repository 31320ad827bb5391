"""What a monitor's incident says, in its own words and in its template's."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.status import Impact
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.services import monitors, templates
from flask_statuspage.storage import incidents as stored
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.team import AuditEntry
from flask_statuspage.storage.templates import Template

from . import scenes
from .scenes import result
from .watching import record

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def opened(session: Session, page: Page, **fields: Any) -> Incident:
    """The incident that a monitor with that template opens: its second failure in a row was one too many."""
    scenes.component(session, page, "Checkout")
    if fields:
        template = {"kind": "incident", "name": "Outage", "title": "Outage", **fields}
        templates.create(session, page, **template)
    watcher = scenes.monitor(
        session,
        page,
        "Ping",
        component="checkout",
        failure_threshold=2,
        template="Outage" if fields else None,
    )
    return fail(session, watcher)


def fail(session: Session, watcher: scenes.Monitor) -> Incident:
    failures = [result(watcher, Verdict.DOWN, seconds=n, error="Answered 500") for n in (0, 1)]
    record(session, *failures)
    found = stored.get(session, session.scalars(select(Incident.id)).one())
    assert found is not None
    return found


def body_of(incident: Incident) -> str:
    return incident.updates[0].body


def test_without_a_template_it_uses_its_own_words(session: Session, page: Page) -> None:
    """Readers are told that it fails, not what was found; members see that with the monitor and in the audit."""
    incident = opened(session, page)
    assert incident.title == "Checkout is down"
    assert body_of(incident) == "2 checks in a row failed. We are looking into it."
    (event,) = scenes.events(session, "incident.")
    assert "500" not in str(event.data["incident"])
    watcher = monitors.get(session, page, "ping")
    assert [row.last_error for row in watcher.regions] == ["Answered 500"]
    found = select(AuditEntry).where(AuditEntry.subject_id == incident.id)
    (entry,) = session.scalars(found.where(AuditEntry.action == "find"))
    assert entry.after == {"monitor": "ping", "error": "Answered 500"}


def test_a_template_gives_it_its_words(session: Session, page: Page) -> None:
    """The page's placeholders and those of its own that a monitor can fill; its status and impact, too."""
    incident = opened(
        session,
        page,
        title="{{ component }} has trouble",
        body="{{ monitor }} found {{ error }} ({{ failures }} times, {{ ticket }}).",
        status="identified",
        impact="minor",
        placeholders={"monitor": None, "error": "nothing", "failures": None, "ticket": "no ticket"},
    )
    assert incident.title == "Checkout has trouble"
    assert body_of(incident) == "Ping found Answered 500 (2 times, no ticket)."
    assert (incident.status, incident.impact) == (IncidentStatus.IDENTIFIED, Impact.MINOR)
    assert incident.automatic
    assert scenes.names(session, "incident.") == ["incident.created"]


def test_a_template_for_the_end_opens_all_the_same(session: Session, page: Page) -> None:
    """What begins now is not over, whatever status the template begins with."""
    incident = opened(session, page, title="It was down", status="resolved")
    assert (incident.title, incident.status) == ("It was down", IncidentStatus.INVESTIGATING)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"body": "{{ nothing }}"},
        {"title": "{% if %}"},
        {"placeholders": {"ticket": None}, "body": "{{ ticket }}"},
        {"title": "{{ error }}", "placeholders": {"error": ""}, "body": "x" * 20_000},
    ],
)
def test_a_template_that_cannot_be_rendered_costs_only_its_words(
    session: Session, page: Page, caplog: pytest.LogCaptureFixture, spoilt: dict[str, Any]
) -> None:
    """The incident is opened with the usual text, and a line of the log says why."""
    scenes.component(session, page, "Checkout")
    templates.create(session, page, kind="incident", name="Outage", title="Outage")
    watcher = scenes.monitor(
        session, page, "Ping", component="checkout", failure_threshold=2, template="Outage"
    )
    session.execute(update(Template).values(spoilt))
    session.commit()
    with caplog.at_level(logging.WARNING):
        incident = fail(session, watcher)
    assert incident.title == "Checkout is down"
    assert body_of(incident).startswith("2 checks in a row failed")
    assert "the template of monitor ping cannot be rendered" in caplog.text


def test_a_template_that_is_gone_is_not_missed(session: Session, page: Page) -> None:
    """Whoever deletes a template leaves its monitors with their own words."""
    scenes.component(session, page, "Checkout")
    row = templates.create(session, page, kind="incident", name="Outage", title="Outage")
    watcher = scenes.monitor(
        session, page, "Ping", component="checkout", failure_threshold=2, template="Outage"
    )
    templates.remove(session, page, row, actor=None)
    session.commit()
    assert fail(session, watcher).title == "Checkout is down"


def test_without_a_component_the_template_names_its_own(session: Session, page: Page) -> None:
    """A monitor that watches no component tells of none, but in its template's words."""
    scenes.component(session, page, "Checkout")
    templates.create(
        *(session, page),
        kind="incident",
        name="Outage",
        title="{{ component }} has trouble",
        components=["checkout"],
    )
    watcher = scenes.monitor(session, page, "Ping", failure_threshold=2, template="Outage")
    incident = fail(session, watcher)
    assert (incident.title, list(incident.affected)) == ("Checkout has trouble", [])
