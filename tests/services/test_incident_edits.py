"""What is mended in an incident afterwards, and that the audit keeps what was there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session, object_session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.errors import Conflict, Invalid, NotFound
from flask_statuspage.services import events, incident_edits, incidents
from flask_statuspage.storage import claims, outbox
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Condition
from flask_statuspage.storage.incidents import AffectedComponent, Incident, IncidentUpdate
from flask_statuspage.storage.outbox import Delivery, DeliveryState
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.team import AuditEntry

from . import scenes

OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE


def last_entry(session: Session) -> AuditEntry:
    query = select(AuditEntry).where(AuditEntry.subject == "incident")
    entry = session.scalars(query.order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    return entry


def opened(session: Session, page: Page, *bodies: str, **options: Any) -> Incident:
    """An incident with an update for each of *bodies*."""
    incident = incidents.open(session, page, title="Slow", body=bodies[0], **options)
    for body in bodies[1:]:
        incidents.update(session, page, incident.id, body=body)
    session.commit()
    return incident


def ordered(incident: Incident) -> list[IncidentUpdate]:
    """Its updates in the database, the oldest first."""
    query = select(IncidentUpdate).where(IncidentUpdate.incident_id == incident.id)
    session = object_session(incident)
    assert session is not None
    return list(session.scalars(query.order_by(IncidentUpdate.number)))


def test_a_mended_title_mails_nobody(app: Flask, session: Session, page: Page) -> None:
    """The host hears of every edit; subscribers only when that is asked for. The old text is in the audit."""
    hook = scenes.webhook(session, page, events=["incident.updated"])
    incident = opened(session, page, "Looking.")
    with scenes.listening(app) as heard:
        incident_edits.edit(session, page, incident.id, {"title": "Slower"}, actor="ann")
        session.commit()
    assert [event.name for event in heard] == ["incident.updated"]
    assert scenes.told(session, hook) == []
    entry = last_entry(session)
    assert (entry.actor, entry.action) == ("ann", "edit")
    assert (entry.before, entry.after) == ({"title": "Slow"}, {"title": "Slower"})
    incident_edits.edit(session, page, incident.id, {"title": "Slowest"}, notify=True)
    session.commit()
    assert scenes.told(session, hook) == ["incident.updated"]


def test_an_impact_follows_the_components_again(session: Session, page: Page) -> None:
    """Null takes a chosen impact back; of an incident that is over it is what it was before the end."""
    scenes.component(session, page)
    incident = opened(session, page, "", impact=Impact.NONE, affected={"api": PARTIAL})
    derive: dict[str, Any] = {"impact": None}
    assert incident_edits.edit(session, page, incident.id, derive).impact is Impact.MAJOR
    incidents.update(session, page, incident.id, affected={"api": MAJOR})
    assert incident.impact is Impact.CRITICAL
    incidents.resolve(session, page, incident.id)
    incident_edits.edit(session, page, incident.id, {"impact": Impact.MINOR})
    assert (incident.impact, incident.impact_set) == (Impact.MINOR, True)
    incident_edits.edit(session, page, incident.id, derive)
    assert (incident.impact, incident.impact_set) == (Impact.CRITICAL, False)
    late = incidents.open(
        session, page, title="Was", status=IncidentStatus.RESOLVED, affected={"api": PARTIAL}
    )
    incident_edits.edit(session, page, late.id, {"impact": Impact.NONE})
    assert incident_edits.edit(session, page, late.id, derive).impact is Impact.MAJOR


def test_an_update_is_mended(app: Flask, session: Session, page: Page) -> None:
    """Its text and time change in place; the host hears of it, nobody is mailed, the audit keeps the old text."""
    hook = scenes.webhook(session, page, events=["incident.updated"])
    incident = opened(session, page, "Loking.", started_at=utc_now() - timedelta(hours=1))
    update = ordered(incident)[0]
    at = utc_now() - timedelta(minutes=30)
    change = {"body": "Looking.", "created_at": at}
    with scenes.listening(app) as heard:
        incident_edits.edit_update(session, page, incident.id, update.id, change, actor="ann")
        session.commit()
    session.expire_all()
    assert (update.body, update.created_at) == ("Looking.", at)
    assert [event.name for event in heard] == ["incident.updated"]
    assert heard[0].data["incident"]["updates"][0]["body"] == "Looking."
    assert scenes.told(session, hook) == []
    entry = last_entry(session)
    assert (entry.actor, entry.action) == ("ann", "edit_update")
    assert entry.before is not None
    assert entry.before["update"] == str(update.id)
    assert entry.before["body"] == "Loking."
    assert (entry.after or {})["body"] == "Looking."
    again = {"body": "Looking into it."}
    incident_edits.edit_update(session, page, incident.id, update.id, again, notify=True)
    session.commit()
    assert scenes.told(session, hook) == ["incident.updated"]


def test_an_update_keeps_its_place(session: Session, page: Page) -> None:
    """It can be moved up to the ones beside it, not before the start and not into the future."""
    start = utc_now() - timedelta(hours=1)
    incident = opened(session, page, "One.", "Two.", "Three.", started_at=start)
    one, two, three = ordered(incident)

    def move(update: IncidentUpdate, at: Any) -> None:
        incident_edits.edit_update(session, page, incident.id, update.id, {"created_at": at})

    second = timedelta(seconds=1)
    for update, at in (
        (one, start - second),
        (one, two.created_at + second),
        (two, one.created_at - second),
        (three, utc_now() + timedelta(minutes=1)),
        (one, start.replace(tzinfo=None)),
    ):
        with pytest.raises(Invalid) as caught:
            move(update, at)
        assert [error.field for error in caught.value.errors] == ["created_at"]
    move(one, start)
    move(two, start + 2 * second)
    move(three, start + 3 * second)
    session.commit()
    session.expire_all()
    assert [u.created_at - start for u in ordered(incident)] == [0 * second, 2 * second, 3 * second]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_an_update_cannot_become(session: Session, page: Page) -> None:
    """Too long a text, an empty postmortem and an update of another incident are refused."""
    incident, other = opened(session, page, "One."), opened(session, page, "Two.")
    incidents.resolve(session, page, incident.id)
    incidents.postmortem(session, page, incident.id, body="Learnt.")
    lesson = ordered(incident)[-1]
    for update, body in ((lesson, " "), (lesson, "x" * 10_001)):
        with pytest.raises(Invalid, match="body: "):
            incident_edits.edit_update(session, page, incident.id, update.id, {"body": body})
    for ident in (ordered(other)[0].id, new_id()):
        with pytest.raises(NotFound):
            incident_edits.edit_update(session, page, incident.id, ident, {"body": "x"})
        with pytest.raises(NotFound):
            incident_edits.remove_update(session, page, incident.id, ident)


def test_an_update_is_taken_back(app: Flask, session: Session, page: Page) -> None:
    """It is gone from the incident and kept in the audit; the only one cannot go."""
    hook = scenes.webhook(session, page, events=["incident.updated"])
    incident = opened(session, page, "One.")
    with pytest.raises(Conflict, match="at least one"):
        incident_edits.remove_update(session, page, incident.id, ordered(incident)[0].id)
    incidents.update(session, page, incident.id, body="A slip.", notify=False)
    slip = ordered(incident)[1]
    with scenes.listening(app) as heard:
        incident_edits.remove_update(session, page, incident.id, slip.id, actor="ann")
        session.commit()
    assert [event.name for event in heard][-1] == "incident.updated"
    assert scenes.told(session, hook) == []
    assert [update.body for update in session.scalars(select(IncidentUpdate))] == ["One."]
    entry = last_entry(session)
    assert (entry.actor, entry.action) == ("ann", "delete_update")
    assert (entry.before or {})["body"] == "A slip."
    incidents.update(session, page, incident.id, body="Two.")
    session.commit()
    assert [update.body for update in ordered(incident)] == ["One.", "Two."]


def test_the_update_that_tells_the_status_stays(session: Session, page: Page) -> None:
    """Without it the page would say "resolved" above a list that ends with "investigating"."""
    incident = opened(session, page, "One.")
    incidents.resolve(session, page, incident.id, body="Over.")
    first, last = ordered(incident)
    with pytest.raises(Conflict, match="resolved"):
        incident_edits.remove_update(session, page, incident.id, last.id)
    incident_edits.remove_update(session, page, incident.id, first.id)
    session.commit()
    assert [update.body for update in ordered(incident)] == ["Over."]


def test_a_deleted_incident_is_gone(app: Flask, session: Session, page: Page) -> None:
    """Rows, its word on the components and what was still to be sent go; the audit keeps all of it."""
    api = scenes.component(session, page)
    hook = scenes.webhook(session, page, events=["incident.created", "component.status_change"])
    incident = opened(session, page, "Looking.", affected={"api": MAJOR})
    opened(session, page, "Another.")
    ident = incident.id
    incident_edits.remove(session, page, ident, actor="ann")
    session.commit()
    assert session.scalars(select(Incident.title)).all() == ["Slow"]
    assert session.scalars(select(IncidentUpdate.body)).all() == ["Another."]
    assert session.scalar(select(func.count(AffectedComponent.id))) == 0
    assert session.scalars(select(Condition)).all() == []
    assert scenes.shown(session, api) is OPERATIONAL
    assert scenes.names(session) == [
        *("component.status_change", "incident.created", "incident.created"),
        "component.status_change",
    ]
    about = select(Delivery.subject_id, Delivery.state, Delivery.reason)
    about = about.where(Delivery.subscription_id == hook.id).order_by(Delivery.sequence)
    states = [(row.subject_id == ident, row.state, row.reason) for row in session.execute(about)]
    assert states == [
        (False, DeliveryState.PENDING, None),
        (True, DeliveryState.CANCELLED, "The incident was deleted."),
        (False, DeliveryState.PENDING, None),
        (False, DeliveryState.PENDING, None),
    ]
    entry = last_entry(session)
    assert (entry.actor, entry.action, entry.subject_id) == ("ann", "delete", ident)
    assert (entry.before or {})["updates"][0]["body"] == "Looking."
    with pytest.raises(NotFound):
        incident_edits.remove(session, page, ident)


def test_what_is_being_sent_keeps_its_lease(session: Session, page: Page) -> None:
    """A delivery that a worker holds is left to it, so that its outcome is written down."""
    hook = scenes.webhook(session, page, events=["incident.created"])
    incident = opened(session, page, "Looking.")
    (held,) = claims.claim(session, utc_now(), lease=timedelta(minutes=1), limit=1)
    session.commit()
    incident_edits.remove(session, page, incident.id)
    session.commit()
    delivery = scenes.delivery(session, hook)
    assert (delivery.id, delivery.state) == (held.id, DeliveryState.PENDING)


def test_what_waits_for_its_deliveries_gets_none(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many subscribers the deliveries are written later; for a deleted incident they are not."""
    hook = scenes.webhook(session, page, events=["incident.created"])
    monkeypatch.setattr(events, "INLINE", 0)
    incident = opened(session, page, "Looking.")
    assert outbox.any_waiting(session)
    incident_edits.remove(session, page, incident.id)
    session.commit()
    assert events.expand_waiting(session) == 0
    assert scenes.told(session, hook) == []


def test_a_rollback_of_an_edit_leaves_nothing(app: Flask, session: Session, page: Page) -> None:
    """Edits and deletion belong to the host's transaction: without its commit nothing has happened."""
    api = scenes.component(session, page)
    incident = opened(session, page, "One.", "Two.", affected={"api": MAJOR})
    over = opened(session, page, "Over.", affected={"api": DEGRADED})
    incidents.resolve(session, page, over.id)
    session.commit()
    ids = [update.id for update in ordered(incident)]
    audit = session.scalar(select(func.count(AuditEntry.id)))
    before = (scenes.names(session), page.version)
    with scenes.listening(app) as heard:
        for ask in (
            lambda: incident_edits.edit(session, page, incident.id, {"title": "x"}),
            lambda: incident_edits.edit_update(session, page, incident.id, ids[0], {"body": "x"}),
            lambda: incident_edits.remove_update(session, page, incident.id, ids[0]),
            lambda: incidents.reopen(session, page, over.id, affected={"api": MAJOR}),
            lambda: incidents.postmortem(session, page, over.id, body="Learnt."),
            lambda: incident_edits.remove(session, page, incident.id),
        ):
            ask()
            session.rollback()
            session.commit()
    assert heard == []
    assert (scenes.names(session), page.version) == before
    assert session.scalar(select(func.count(AuditEntry.id))) == audit
    query = select(IncidentUpdate.body).where(IncidentUpdate.incident_id == incident.id)
    assert session.scalars(query.order_by(IncidentUpdate.number)).all() == ["One.", "Two."]
    assert scenes.shown(session, api) is MAJOR


def test_two_mend_one_update_at_once(app: Flask, session: Session, page: Page) -> None:
    """Both edits are audited one after the other: the second one's "before" is the first one's "after"."""
    incident = opened(session, page, "Zero.")
    ident, update = incident.id, ordered(incident)[0].id

    def mend(body: str):
        def work(other: Session, its_page: Page) -> None:
            incidents.get(other, its_page, ident)
            incident_edits.edit_update(other, its_page, ident, update, {"body": body})

        return work

    assert scenes.at_once(app, mend("One."), mend("Two.")) == [None, None]
    query = select(AuditEntry).where(AuditEntry.action == "edit_update").order_by(AuditEntry.id)
    first, second = session.scalars(query)
    assert (first.before or {})["body"] == "Zero."
    assert (second.before or {})["body"] == (first.after or {})["body"]
