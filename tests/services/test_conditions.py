"""What is said of a component, and what is shown of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Invalid
from flask_statuspage.services import components, conditions, incidents, monitoring, monitors
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Component, Condition
from flask_statuspage.storage.pages import Page

from . import scenes

OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE
UNKNOWN = ComponentStatus.UNKNOWN


def test_the_worst_of_all_sources_is_shown(session: Session, page: Page) -> None:
    """Person, monitor and incident each have a word; as each falls silent the next worst counts."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api", open_incident=False)
    assert scenes.shown(session, api) is UNKNOWN

    components.set_status(session, page, api, DEGRADED)
    session.commit()
    assert scenes.shown(session, api) is DEGRADED

    incident = incidents.open(session, page, title="Slow", affected={"api": PARTIAL})
    session.commit()
    assert scenes.shown(session, api) is PARTIAL

    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN)])
    session.commit()
    assert scenes.shown(session, api) is MAJOR

    monitoring.record(session, [scenes.result(watcher, Verdict.UP, seconds=1)])
    session.commit()
    assert scenes.shown(session, api) is PARTIAL

    incidents.resolve(session, page, incident.id)
    session.commit()
    assert scenes.shown(session, api) is DEGRADED

    components.set_status(session, page, components.get(session, page, "api"), None)
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL


def test_two_incidents_on_one_component(session: Session, page: Page) -> None:
    """Resolving the worse of two incidents leaves the other's word."""
    api = scenes.component(session, page)
    bad = incidents.open(session, page, title="Bad", affected={"api": MAJOR})
    incidents.open(session, page, title="Mild", affected={"api": DEGRADED})
    assert api.status is MAJOR
    incidents.resolve(session, page, bad.id)
    session.commit()
    assert scenes.shown(session, api) is DEGRADED


def test_history_has_no_gap_and_no_overlap(session: Session, page: Page) -> None:
    """Each interval begins where the one before ended; only the last one is open."""
    api = scenes.component(session, page)
    for status in (MAJOR, DEGRADED, OPERATIONAL, PARTIAL, None):
        components.set_status(session, page, api, status)
        session.commit()
    rows = scenes.history(session, api)
    assert [row.status for row in rows] == [
        *(OPERATIONAL, MAJOR, DEGRADED, OPERATIONAL, PARTIAL, OPERATIONAL)
    ]
    assert [row.ended_at for row in rows[:-1]] == [row.started_at for row in rows[1:]]
    assert rows[-1].ended_at is None
    assert rows[-1].started_at == api.since


def test_nothing_is_recorded_when_nothing_changes(session: Session, page: Page) -> None:
    """A word that does not change what is shown adds no interval and no event."""
    api = scenes.component(session, page)
    components.set_status(session, page, api, MAJOR)
    session.commit()
    before = (len(scenes.history(session, api)), scenes.names(session))
    components.set_status(session, page, api, MAJOR, note="still")
    incidents.open(session, page, title="Slow", affected={"api": DEGRADED}, notify=False)
    session.commit()
    after = (len(scenes.history(session, api)), scenes.names(session))
    assert after == (before[0], [*before[1], "incident.created"])


def test_a_change_is_told_with_both_statuses(session: Session, page: Page) -> None:
    """The event holds the component as it is now and the status before."""
    api = scenes.component(session, page)
    hook = scenes.webhook(session, page)
    components.set_status(session, page, api, MAJOR)
    session.commit()
    (event,) = scenes.events(session, "component.")
    assert (event.subject_id, event.component_ids) == (api.id, [str(api.id)])
    assert event.data["component"]["status"] == "major_outage"
    assert event.data["component"]["previous_status"] == "operational"
    assert event.data["page"]["url"] == "https://status.example.com"
    assert scenes.told(session, hook) == ["component.status_change"]


def test_a_first_result_is_no_news(session: Session, page: Page) -> None:
    """From "not known yet" to operational, and back to unknown, no subscriber is told."""
    scenes.component(session, page)
    hook = scenes.webhook(session, page)
    watcher = scenes.monitor(session, page, component="api")
    monitoring.record(session, [scenes.result(watcher, Verdict.UP)])
    session.commit()
    assert scenes.names(session, "component.") == ["component.status_change"] * 2
    assert scenes.told(session, hook) == []


def test_a_word_with_an_end_expires(session: Session, page: Page) -> None:
    """After its time a person's word no longer counts; a word without an end stays."""
    api = scenes.component(session, page)
    web = scenes.component(session, page, "Web")
    soon = utc_now() + timedelta(hours=1)
    components.set_status(session, page, api, MAJOR, until=soon)
    components.set_status(session, page, web, MAJOR)
    session.commit()
    assert conditions.expire(session) == 0
    session.execute(
        update(Condition)
        .where(Condition.component_id == api.id)
        .values(until=utc_now() - timedelta(seconds=1))
    )
    session.commit()
    assert conditions.expire(session) == 1
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL
    assert scenes.shown(session, web) is MAJOR


def test_an_end_in_the_past_is_refused(session: Session, page: Page) -> None:
    """A word cannot have ended already; the error names the field."""
    api = scenes.component(session, page)
    with pytest.raises(Invalid, match="until: Must lie in the future"):
        components.set_status(session, page, api, MAJOR, until=utc_now())


@pytest.mark.parametrize("until", [None, utc_now() + timedelta(days=1)])
def test_a_word_that_was_renewed_does_not_expire(
    app: Flask, session: Session, page: Page, until: datetime | None
) -> None:
    """Whoever speaks again while the old word runs out keeps the new word."""
    api = scenes.component(session, page)
    components.set_status(session, page, api, MAJOR, until=utc_now() + timedelta(hours=1))
    session.commit()
    over = utc_now() - timedelta(seconds=1)
    session.execute(update(Condition).values(until=over))
    session.commit()
    # Housekeeping has seen the old word …
    assert len(session.scalars(select(Condition).where(Condition.until <= utc_now())).all()) == 1

    # … and before it goes on, a person says it anew.
    def renew(other: Session, its_page: Page) -> None:
        row = components.get(other, its_page, "api")
        components.set_status(other, its_page, row, PARTIAL, until=until)

    scenes.elsewhere(app, renew)
    conditions.expire(session)
    session.commit()
    assert scenes.shown(session, api) is PARTIAL


def test_a_status_read_before_the_lock_is_not_trusted(
    app: Flask, session: Session, page: Page
) -> None:
    """Two people speak at once: the later word is shown, though its speaker saw the older state."""
    scenes.component(session, page)
    api = components.get(session, page, "api")
    assert api.status is OPERATIONAL

    def worsen(other: Session, its_page: Page) -> None:
        components.set_status(other, its_page, components.get(other, its_page, "api"), MAJOR)

    scenes.elsewhere(app, worsen)
    components.set_status(session, page, api, OPERATIONAL)
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL
    rows = scenes.history(session, api)
    assert [row.status for row in rows] == [OPERATIONAL, MAJOR, OPERATIONAL]
    assert [row.ended_at for row in rows[:-1]] == [row.started_at for row in rows[1:]]
    last = scenes.events(session, "component.")[-1]
    assert last.data["component"]["previous_status"] == "major_outage"


def test_many_speak_at_once(app: Flask, session: Session, page: Page) -> None:
    """However many change one page at once, its history stays without gap or overlap."""
    api = scenes.component(session, page)
    session.commit()

    def say(number: int):
        def work(other: Session, its_page: Page) -> None:
            for status in (MAJOR, OPERATIONAL, PARTIAL)[number % 3 :]:
                row = components.get(other, its_page, "api")
                components.set_status(other, its_page, row, status)
                other.commit()

        return work

    assert scenes.at_once(app, *map(say, range(6))) == [None] * 6
    rows = scenes.history(session, api)
    assert [row.ended_at for row in rows[:-1]] == [row.started_at for row in rows[1:]]
    assert all(one.status is not two.status for one, two in pairwise(rows))
    assert rows[-1].ended_at is None
    said = session.scalars(select(Condition.status)).one()
    assert scenes.shown(session, api) is rows[-1].status is said


def test_an_incident_without_statuses_gives_its_impact(session: Session, page: Page) -> None:
    """A plain list of components shows each at the status that the impact stands for."""
    api, web = scenes.component(session, page), scenes.component(session, page, "Web")
    incidents.open(session, page, title="Slow", impact=Impact.MAJOR, affected=["api", "web"])
    session.commit()
    assert [scenes.shown(session, row) for row in (api, web)] == [PARTIAL, PARTIAL]


def test_an_update_that_drops_a_component_frees_it(session: Session, page: Page) -> None:
    """A component that an update no longer names is free of the incident's word."""
    api, web = scenes.component(session, page), scenes.component(session, page, "Web")
    incident = incidents.open(
        session, page, title="Slow", impact=Impact.CRITICAL, affected=["api", "web"]
    )
    incidents.update(session, page, incident.id, affected=["web"])
    session.commit()
    assert [scenes.shown(session, row) for row in (api, web)] == [OPERATIONAL, MAJOR]
    incidents.update(session, page, incident.id, status=IncidentStatus.RESOLVED)
    session.commit()
    assert session.scalars(select(Condition)).all() == []
    assert {row.status for row in session.scalars(select(Component))} == {OPERATIONAL}


def test_whoever_heard_of_an_outage_hears_of_its_end(session: Session, page: Page) -> None:
    """A monitor that is paused while it is down leaves nobody with an outage that never ends."""
    api = scenes.component(session, page)
    row = scenes.monitor(session, page, component="api")
    follower = scenes.webhook(session, page, events=["component.status_change"])
    monitoring.record(session, [scenes.result(row, Verdict.DOWN)])
    session.commit()
    monitors.pause(session, page, monitors.get(session, page, "m", lock=True), actor=None)
    session.commit()
    monitors.resume(session, page, monitors.get(session, page, "m", lock=True), actor=None)
    session.commit()
    monitoring.record(session, [scenes.result(row, Verdict.UP, seconds=1)])
    session.commit()
    assert scenes.shown(session, api) is ComponentStatus.OPERATIONAL
    assert scenes.told(session, follower) == ["component.status_change"] * 2
    last = scenes.events(session, "component.status_change")[2].data["component"]
    assert (last["previous_status"], last["status"]) == ("major_outage", "unknown")
