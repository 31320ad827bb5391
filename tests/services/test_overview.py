"""A page is read once, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import delete, event, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.services import components, groups, incidents, monitoring, overview, pages
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import StatusInterval
from flask_statuspage.storage.monitors import MonitorRegion
from flask_statuspage.storage.pages import Page

from . import scenes


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def furnish(session: Session, page: Page, how_many: int) -> None:
    """So many components in groups, each with a monitor; every fourth has an incident."""
    for number in range(how_many):
        name = f"C{number}"
        group = groups.create(session, page, name=f"G{number}") if number % 5 == 0 else None
        components.create(session, page, name=name, group_id=group.id if group else None)
        row = scenes.monitors.create(
            session, page, name=name, target="http://127.0.0.1:9/", component=name.lower()
        )
        monitoring.record(session, [scenes.result(row, Verdict.UP)])
        if number % 4 == 0:
            incidents.open(session, page, title=name, body="…", affected=[name.lower()])
    session.commit()


def test_a_hundred_components_cost_as_much_as_one(session: Session, page: Page) -> None:
    """The number of statements does not grow with the page, and is at most 25."""
    counts = []
    for how_many in (1, 100):
        other = pages.create(session, name=f"Page {how_many}")
        furnish(session, other, how_many)
        session.expunge_all()
        other = pages.find(session, f"page-{how_many}")
        with statements(session) as sent:
            snapshot = overview.snapshot(session, other)
        assert len(snapshot.components) == how_many
        assert all(state.response_ms == 120 for state in snapshot.components)
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 25


@pytest.mark.parametrize("outcome", [Verdict.DOWN, Verdict.UNKNOWN])
def test_how_long_a_failed_check_took_is_no_response_time(
    session: Session, page: Page, outcome: Verdict
) -> None:
    """A service whose checks fail has none, however fast they do; one that is slow has."""
    api = scenes.component(session, page)
    row = scenes.monitor(session, page, component=api.slug, regions=["default", "eu"])

    def response(outcome: Verdict, seconds: float, region: str) -> int | None:
        result = scenes.result(row, outcome, seconds=seconds, region=region)
        monitoring.record(session, [result])
        session.commit()
        (state,) = overview.snapshot(session, page).components
        assert state.last_check_at == result.at
        return state.response_ms

    assert response(outcome, -50, "default") is None
    assert response(Verdict.DEGRADED, -40, "eu") == 120
    assert response(outcome, -30, "default") == 120  # as the other region was answered
    assert response(outcome, -20, "eu") is None
    assert response(Verdict.UP, -10, "default") == 120


def test_a_snapshot_has_what_a_page_shows(session: Session, page: Page) -> None:
    """Components in the page's order, published incidents newest first, drafts not, and the worst status."""
    second = groups.create(session, page, name="Second", position=2)
    first = groups.create(session, page, name="First", position=1)
    for name, group in (("In second", second), ("In first", first), ("Alone", None)):
        scenes.component(session, page, name, group_id=group.id if group else None)
    incidents.open(session, page, title="Over", status=IncidentStatus.RESOLVED)
    incidents.open(session, page, title="Draft", visibility="draft", impact=Impact.CRITICAL)
    incidents.open(session, page, title="Open", impact=Impact.MAJOR)
    session.commit()
    snapshot = overview.snapshot(session, page)
    assert [state.fact.name for state in snapshot.components] == ["Alone", "In first", "In second"]
    assert [state.fact.group for state in snapshot.components] == [None, "First", "Second"]
    assert [incident.title for incident in snapshot.incidents] == ["Open", "Over"]
    assert snapshot.status is ComponentStatus.PARTIAL_OUTAGE
    assert (snapshot.version, snapshot.page.name) == (page.version, "Status")
    assert snapshot.page.url == "https://status.example.com"


def test_an_open_incident_is_shown_however_old(session: Session, page: Page) -> None:
    """The newest incidents are shown, and beyond them every one that is still open."""
    long_ago = utc_now() - timedelta(days=400)
    incidents.open(session, page, title="Still open", started_at=long_ago)
    incidents.open(
        session, page, title="Long over", started_at=long_ago, status=IncidentStatus.RESOLVED
    )
    for number in range(overview.NEWEST_INCIDENTS):
        incidents.open(session, page, title=str(number), status=IncidentStatus.RESOLVED)
    session.commit()
    titles = [incident.title for incident in overview.snapshot(session, page).incidents]
    assert len(titles) == overview.NEWEST_INCIDENTS + 1
    assert titles[-1] == "Still open"


def test_uptime_comes_from_the_history(session: Session, page: Page) -> None:
    """Of the last hundred days only the window counts, and an outage in it costs its share."""
    api = scenes.component(session, page)
    components.set_status(session, page, api, ComponentStatus.MAJOR_OUTAGE)
    components.set_status(session, page, api, None)
    session.commit()
    now = utc_now()
    first, outage, last = scenes.history(session, api)
    session.execute(
        update(StatusInterval),
        [
            {"id": first.id, "started_at": now - timedelta(days=100)},
            {"id": outage.id, "started_at": now - timedelta(days=9), "ended_at": now},
            {"id": last.id, "started_at": now},
        ],
    )
    session.execute(
        update(StatusInterval).where(StatusInterval.id == first.id),
        {"ended_at": now - timedelta(days=9)},
    )
    session.commit()
    session.expire_all()
    (state,) = overview.snapshot(session, page).components
    assert state.uptime_percent == 90.0


def test_another_page_shows_nothing_of_it(session: Session, page: Page) -> None:
    """Pages share a database and nothing else."""
    other = pages.create(session, name="Internal")
    furnish(session, page, 2)
    snapshot = overview.snapshot(session, other)
    assert (snapshot.components, snapshot.groups, snapshot.incidents) == ((), (), ())
    assert snapshot.status is ComponentStatus.OPERATIONAL
    assert snapshot.page.url == "https://status.example.com/internal"


def test_what_nobody_asks_any_more_is_not_green(session: Session, page: Page) -> None:
    """Where scheduler and workers are gone nobody notes it, so a component by old checks is shown as not known."""
    scenes.component(session, page)
    scenes.component(session, page, "Other")
    row = scenes.monitor(session, page, component="api", interval=60)
    monitoring.record(session, [scenes.result(row, Verdict.UP)])
    session.commit()
    for late, expected in ((170, "operational"), (190, "unknown")):
        at = utc_now() - timedelta(seconds=late)
        session.execute(update(MonitorRegion).values(last_at=at))
        session.commit()
        shown = overview.snapshot(session, page)
        statuses = {state.fact.slug: state.status.value for state in shown.components}
        assert statuses == {"api": expected, "other": "operational"}
    assert shown.status is ComponentStatus.UNKNOWN


def test_what_nobody_asks_any_more_has_no_data(session: Session, page: Page) -> None:
    """Its days are known up to its last check only, so a strip does not stay green without workers."""
    scenes.component(session, page)
    row = scenes.monitor(session, page, component="api", interval=60)
    monitoring.record(session, [scenes.result(row, Verdict.UP)])
    begun, heard = utc_now() - timedelta(days=9), utc_now() - timedelta(days=2)
    # All but the latest: intervals of one beginning come in any order.
    session.execute(delete(StatusInterval).where(StatusInterval.ended_at.is_not(None)))
    session.execute(update(StatusInterval).values(started_at=begun))
    session.execute(update(MonitorRegion).values(last_at=heard))
    session.commit()
    (state,) = overview.snapshot(session, page).components
    (interval,) = state.history
    assert interval.end == heard
    session.execute(update(MonitorRegion).values(last_at=utc_now()))
    session.commit()
    (state,) = overview.snapshot(session, page).components
    (interval,) = state.history
    assert interval.end is None
