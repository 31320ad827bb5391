"""The steps of an incident's life: which are allowed, what each tells, and what leaves no trace."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.domain.incident import OPEN, IncidentStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.errors import Conflict, Invalid, NotFound
from flask_statuspage.services import facts, incident_edits, incidents, pages
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Condition
from flask_statuspage.storage.incidents import Incident, IncidentUpdate
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.team import AuditEntry

from . import scenes

OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE
INVESTIGATING = IncidentStatus.INVESTIGATING
IDENTIFIED = IncidentStatus.IDENTIFIED
MONITORING = IncidentStatus.MONITORING
RESOLVED = IncidentStatus.RESOLVED
POSTMORTEM = IncidentStatus.POSTMORTEM

UPDATES = {
    *itertools.product(OPEN, [*OPEN, RESOLVED]),
    (RESOLVED, POSTMORTEM),
    (POSTMORTEM, POSTMORTEM),
}
REOPENINGS = set(itertools.product([RESOLVED, POSTMORTEM], OPEN))


def incident_in(session: Session, page: Page, status: IncidentStatus, **options: Any) -> Incident:
    """An incident that has come as far as *status*."""
    incident = incidents.open(session, page, title="Slow", **options)
    if status is POSTMORTEM:
        incidents.resolve(session, page, incident.id)
    if status is not INVESTIGATING:
        incidents.update(session, page, incident.id, status=status, body="So it is.")
    session.commit()
    return incident


def traces(session: Session) -> tuple[list[str], int, int]:
    """What steps leave behind: events, updates, audit entries."""
    audit = select(AuditEntry).where(AuditEntry.subject == "incident")
    return (
        scenes.names(session),
        len(session.scalars(select(IncidentUpdate)).all()),
        len(session.scalars(audit).all()),
    )


@pytest.mark.parametrize("step", ["update", "reopen"])
@pytest.mark.parametrize("wanted", IncidentStatus)
@pytest.mark.parametrize("current", IncidentStatus)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_step_from_every_status(
    session: Session, page: Page, current: IncidentStatus, wanted: IncidentStatus, step: str
) -> None:
    """Both kinds of step lead exactly where the tables say; all else is refused and leaves nothing."""
    incident = incident_in(session, page, current)
    before = traces(session)
    take: Callable[..., Incident] = getattr(incidents, step)
    allowed = (current, wanted) in (UPDATES if step == "update" else REOPENINGS)
    if allowed:
        take(session, page, incident.id, status=wanted, body="News.")
        session.commit()
        assert incident.status is wanted
        assert len(scenes.names(session)) == len(before[0]) + 1
    else:
        with pytest.raises((Conflict, Invalid)) as caught:
            take(session, page, incident.id, status=wanted, body="News.")
        # A status that no reopening leads to is wrong whatever the incident is; one that no update leads to, too.
        is_wrong = step == "update" or wanted not in OPEN
        assert isinstance(caught.value, Invalid if is_wrong else Conflict)
        if isinstance(caught.value, Invalid):
            assert [error.field for error in caught.value.errors] == ["status"]
        session.commit()  # what was refused has written nothing, even if the host goes on
        assert (incident.status, traces(session)) == (current, before)


def test_a_reopened_incident_speaks_again(app: Flask, session: Session, page: Page) -> None:
    """Its components are as they were before the end, it has no end any more, and one event tells it."""
    api = scenes.component(session, page)
    hook = scenes.webhook(session, page, events=["incident.updated"])
    incident = incident_in(session, page, INVESTIGATING, affected={"api": PARTIAL})
    incidents.update(session, page, incident.id, affected={"api": MAJOR})
    incidents.resolve(session, page, incident.id)
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL
    before = len(scenes.told(session, hook))
    with scenes.listening(app) as heard:
        incidents.reopen(session, page, incident.id, status=IDENTIFIED, body="Again.", actor="ann")
        session.commit()
    assert [event.name for event in heard] == ["component.status_change", "incident.updated"]
    assert len(scenes.told(session, hook)) == before + 1
    assert scenes.shown(session, api) is MAJOR
    assert (incident.status, incident.impact) == (IDENTIFIED, Impact.CRITICAL)
    assert (incident.resolved_at, incident.monitoring_at) == (None, None)
    latest = facts.incident(incident).updates[0]
    assert [(one.old_status, one.status) for one in latest.components] == [(OPERATIONAL, MAJOR)]
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.actor, entry.action) == ("ann", "reopen")
    assert entry.before == {"status": "resolved", "components": {"api": "operational"}}
    assert (entry.after or {})["body"] == "Again."
    incidents.resolve(session, page, incident.id)
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL
    assert incident.resolved_at is not None


def test_reopened_with_other_components(session: Session, page: Page) -> None:
    """Whoever reopens may say which components it affects now, and how much."""
    api, web = scenes.component(session, page), scenes.component(session, page, "Web")
    incident = incident_in(session, page, POSTMORTEM, affected={"api": MAJOR})
    incidents.reopen(session, page, incident.id, status=MONITORING, affected={"web": DEGRADED})
    session.commit()
    assert [scenes.shown(session, row) for row in (api, web)] == [MAJOR, DEGRADED]
    assert incident.monitoring_at == incident.updated_at


def test_news_that_are_none_leave_no_trace(session: Session, page: Page) -> None:
    """The same status, components and impact without a word write no row, no event and no audit entry."""
    scenes.component(session, page)
    incident = incident_in(session, page, IDENTIFIED, affected={"api": MAJOR})
    due = utc_now() + timedelta(hours=1)
    incident_edits.edit(session, page, incident.id, {"next_update_due": due})
    session.commit()
    before, version = traces(session), page.version
    for nothing in (
        {},
        {"status": IDENTIFIED},
        {"body": "  \n"},
        {"affected": ["api"]},
        {"affected": {"api": MAJOR}},
        {"impact": Impact.CRITICAL},
        {"title": "Slow"},
        {"next_update_due": due},
    ):
        same = incidents.update(session, page, incident.id, **nothing)  # type: ignore[arg-type]
        session.commit()
        assert same is incident
        assert (traces(session), page.version) == (before, version), nothing
    assert incident.next_update_due == due
    for change in ({"title": "Slow"}, {"next_update_due": due}, {"visibility": "published"}, {}):
        incident_edits.edit(session, page, incident.id, change)
    update = incident.updates[0]
    written = {"body": update.body, "created_at": update.created_at}
    incident_edits.edit_update(session, page, incident.id, update.id, written)
    session.commit()
    assert (traces(session), page.version) == (before, version)


def test_an_over_incident_asked_for_nothing(session: Session, page: Page) -> None:
    """Nothing asked is nothing done, also after the end; but to resolve it a second time is a conflict."""
    incident = incident_in(session, page, RESOLVED)
    before = traces(session)
    assert incidents.update(session, page, incident.id) is incident
    with pytest.raises(Conflict):
        incidents.resolve(session, page, incident.id)
    assert traces(session) == before


def test_two_members_resolve_at_once(app: Flask, session: Session, page: Page) -> None:
    """One of them wins, the other is told of the conflict, and readers get one event."""
    api = scenes.component(session, page)
    incident = incident_in(session, page, INVESTIGATING, affected={"api": MAJOR})
    ident = incident.id

    def resolve(other: Session, its_page: Page) -> str:
        incidents.get(other, its_page, ident)
        return incidents.resolve(other, its_page, ident, body="Over.").status.value

    done = scenes.at_once(app, resolve, resolve)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "str"], done
    assert scenes.names(session, "incident.") == ["incident.created", "incident.resolved"]
    assert len(session.scalars(select(IncidentUpdate)).all()) == 2
    assert scenes.shown(session, api) is OPERATIONAL


def test_two_members_reopen_at_once(app: Flask, session: Session, page: Page) -> None:
    """It is reopened once."""
    ident = incident_in(session, page, RESOLVED).id

    def reopen(other: Session, its_page: Page) -> str:
        return incidents.reopen(other, its_page, ident).status.value

    done = scenes.at_once(app, reopen, reopen)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "str"], done
    assert scenes.names(session, "incident.").count("incident.updated") == 1


def test_the_next_update_is_promised_and_kept(session: Session, page: Page) -> None:
    """A promise stands until the next update, which may give another one; an end promises nothing."""
    due, later = (utc_now() + timedelta(hours=hours) for hours in (1, 2))
    incident = incidents.open(session, page, title="Slow", next_update_due=due)
    assert facts.incident(incident).next_update_due == due
    incidents.update(session, page, incident.id, body="News.", next_update_due=later)
    assert incident.next_update_due == later
    incidents.update(session, page, incident.id, body="More news.")
    assert incident.next_update_due is None
    incident_edits.edit(session, page, incident.id, {"next_update_due": due})
    assert incident.next_update_due == due
    incidents.resolve(session, page, incident.id)
    session.commit()
    assert incident.next_update_due is None
    promised = [
        event.data["incident"]["next_update_due"] for event in scenes.events(session, "incident.")
    ]
    assert [bool(one) for one in promised] == [True, True, False, True, False]


@pytest.mark.parametrize(
    "due", [datetime(2999, 1, 1), utc_now() - timedelta(minutes=1)], ids=["no zone", "past"]
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_promise_lies_in_the_future(session: Session, page: Page, due: datetime) -> None:
    """A time without zone, or one that has passed, is refused by every step that takes it."""
    incident = incident_in(session, page, INVESTIGATING)
    over = incident_in(session, page, RESOLVED)
    for ask in (
        lambda: incidents.open(session, page, title="x", next_update_due=due),
        lambda: incidents.update(session, page, incident.id, next_update_due=due),
        lambda: incident_edits.edit(session, page, incident.id, {"next_update_due": due}),
        lambda: incidents.reopen(session, page, over.id, next_update_due=due),
    ):
        with pytest.raises(Invalid, match="next_update_due: Must"):
            ask()
    in_time = utc_now() + timedelta(hours=1)
    with pytest.raises(Invalid, match="next_update_due: An incident that is over"):
        incident_edits.edit(session, page, over.id, {"next_update_due": in_time})


def test_a_postmortem(session: Session, page: Page) -> None:
    """It is told under its own name, needs words, and a second one is added to the first."""
    incident = incident_in(session, page, INVESTIGATING)
    with pytest.raises(Conflict):
        incidents.postmortem(session, page, incident.id, body="Too early.")
    incidents.resolve(session, page, incident.id)
    with pytest.raises(Invalid, match="body: Is missing"):
        incidents.postmortem(session, page, incident.id, body=" ")
    with pytest.raises(Invalid, match="body: Is missing"):
        incidents.update(session, page, incident.id, status=POSTMORTEM)
    ended = incident.resolved_at
    for body in ("What we learnt.", "What we learnt later."):
        incidents.postmortem(session, page, incident.id, body=body)
    session.commit()
    assert scenes.names(session, "incident.")[2:] == ["incident.postmortem"] * 2
    assert [update.body for update in facts.incident(incident).updates[:2]] == [
        *("What we learnt later.", "What we learnt.")
    ]
    assert (incident.status, incident.resolved_at) == (POSTMORTEM, ended)


def test_a_draft_is_published_whole(app: Flask, session: Session, page: Page) -> None:
    """All that was written meanwhile is told at once by a single "created", and its word counts from then on."""
    api = scenes.component(session, page)
    hook = scenes.webhook(session, page, events=["incident.created", "incident.updated"])
    with scenes.listening(app) as heard:
        draft = incidents.open(
            session, page, title="Slow", affected={"api": MAJOR}, visibility="draft"
        )
        incidents.update(session, page, draft.id, status=IDENTIFIED, body="A bad deploy.")
        incident_edits.edit(session, page, draft.id, {"title": "Very slow"})
        first = draft.updates[0]
        incident_edits.edit_update(session, page, draft.id, first.id, {"body": "Looking."})
        session.commit()
        assert (heard, scenes.names(session), scenes.shown(session, api)) == ([], [], OPERATIONAL)
        assert {update.notified for update in draft.updates} == {False}
        incident_edits.edit(session, page, draft.id, {"visibility": "published"})
        session.commit()
    assert [event.name for event in heard] == ["component.status_change", "incident.created"]
    assert len(heard[1].data["incident"]["updates"]) == 2
    assert scenes.told(session, hook) == ["incident.created"]
    assert scenes.shown(session, api) is MAJOR
    assert {update.notified for update in draft.updates} == {True}
    incidents.resolve(session, page, draft.id)
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL


def test_a_draft_that_ended_is_published_quietly(session: Session, page: Page) -> None:
    """What is over when it becomes known is one event for the host; subscribers only hear of it when asked for."""
    api = scenes.component(session, page)
    hook = scenes.webhook(session, page, events=["incident.created"])
    told = []
    for notify in (None, True):
        draft = incidents.open(
            session, page, title="Was", affected={"api": MAJOR}, visibility="draft"
        )
        incidents.resolve(session, page, draft.id)
        publish = {"visibility": "published"}
        incident_edits.edit(session, page, draft.id, publish, notify=notify)
        session.commit()
        told.append(len(scenes.told(session, hook)))
    assert scenes.names(session) == ["incident.created"] * 2
    assert told == [0, 1]
    assert scenes.shown(session, api) is OPERATIONAL
    assert len(scenes.history(session, api)) == 1


def test_told_after_its_end(app: Flask, session: Session, page: Page) -> None:
    """An incident with beginning and end notifies nobody and touches neither components nor their history."""
    api = scenes.component(session, page)
    hook = scenes.webhook(session, page)
    began, ended = (utc_now() - timedelta(days=days) for days in (3, 2))
    incident = incidents.open(
        session,
        page,
        title="Was",
        status=RESOLVED,
        affected={"api": MAJOR},
        started_at=began,
        resolved_at=ended,
    )
    session.commit()
    assert (incident.started_at, incident.resolved_at) == (began, ended)
    assert incident.impact is Impact.CRITICAL
    assert scenes.told(session, hook) == []
    assert scenes.names(session) == ["incident.created"]
    assert len(scenes.history(session, api)) == 1
    assert session.scalars(select(Condition)).all() == []
    (update,) = facts.incident(incidents.get(session, page, incident.id)).updates
    assert (update.status, update.created_at, update.notified) == (RESOLVED, ended, False)
    assert [(one.old_status, one.status) for one in update.components] == [(MAJOR, OPERATIONAL)]
    incidents.reopen(session, page, incident.id)
    session.commit()
    assert scenes.shown(session, api) is MAJOR


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"resolved_at": timedelta(hours=-1)}, "resolved_at"),
        ({"status": RESOLVED, "resolved_at": timedelta(hours=1)}, "resolved_at"),
        ({"status": RESOLVED, "resolved_at": timedelta(hours=-1)}, "resolved_at"),
        (
            {
                "status": RESOLVED,
                "started_at": timedelta(hours=-1),
                "resolved_at": timedelta(hours=-2),
            },
            "resolved_at",
        ),
        ({"started_at": timedelta(hours=1)}, "started_at"),
        ({"visibility": "secret"}, "visibility"),
        ({"monitor": "nothing"}, "monitor"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_cannot_have_been(
    session: Session, page: Page, wrong: dict[str, Any], field: str
) -> None:
    """An end without a resolution, before the start or in the future is refused by name."""
    now = utc_now()
    values = {
        name: now + value if isinstance(value, timedelta) else value
        for name, value in wrong.items()
    }
    with pytest.raises(Invalid) as caught:
        incidents.open(session, page, title="Was", **values)
    assert [error.field for error in caught.value.errors] == [field]
    session.commit()
    assert session.scalars(select(Incident)).all() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_steps_of_another_page(session: Session, page: Page) -> None:
    """No step reaches an incident through another page."""
    other = pages.create(session, name="Internal")
    incident = incident_in(session, other, RESOLVED)
    update = incident.updates[0].id
    for ask in (
        lambda: incidents.reopen(session, page, incident.id),
        lambda: incidents.postmortem(session, page, incident.id, body="x"),
        lambda: incidents.postmortem(session, page, incident.id, body=""),
        lambda: incident_edits.edit(session, page, incident.id, {"title": "x"}),
        lambda: incident_edits.edit_update(session, page, incident.id, update, {"body": "x"}),
        lambda: incident_edits.remove_update(session, page, incident.id, update),
        lambda: incident_edits.remove(session, page, incident.id),
    ):
        with pytest.raises(NotFound):
            ask()


def test_a_component_named_at_the_end(session: Session, page: Page) -> None:
    """At the end every component works again but those of which the last update says otherwise."""
    for name in ("API", "Web"):
        scenes.component(session, page, name)
    incident = incident_in(session, page, INVESTIGATING, affected={"api": MAJOR, "web": MAJOR})
    incidents.update(session, page, incident.id, status=RESOLVED, affected={"web": DEGRADED})
    said = {item.component.slug: item.status for item in incident.affected}
    assert said == {"api": OPERATIONAL, "web": DEGRADED}
    assert session.scalars(select(Condition)).all() == []


def test_an_update_knows_the_status_before_it(app: Flask, session: Session, page: Page) -> None:
    """What somebody else said a moment ago is the old status, though this session saw an older one."""
    scenes.component(session, page)
    api = scenes.components.get(session, page, "api")
    assert api.status is OPERATIONAL

    def worsen(other: Session, its_page: Page) -> None:
        incidents.open(other, its_page, title="First", affected={"api": PARTIAL})

    scenes.elsewhere(app, worsen)
    second = incidents.open(session, page, title="Second", affected={"api": MAJOR})
    (update,) = facts.incident(second).updates
    assert [(one.old_status, one.status) for one in update.components] == [(PARTIAL, MAJOR)]
    session.commit()
    assert scenes.shown(session, api) is MAJOR
    incidents.resolve(session, page, second.id)
    session.commit()
    assert scenes.shown(session, api) is PARTIAL
    last = facts.incident(incidents.get(session, page, second.id)).updates[0]
    assert [(one.old_status, one.status) for one in last.components] == [(MAJOR, PARTIAL)]
