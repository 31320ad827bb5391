"""Maintenance: its life, its components and monitors, the clock, and what is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Conflict, Invalid, NotFound
from flask_statuspage.jobs import tasks
from flask_statuspage.services import (
    components,
    conditions,
    incidents,
    maintenance_course,
    maintenance_edits,
    maintenances,
    monitoring,
    overview,
)
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Component, Condition
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.maintenances import Maintenance
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.team import AuditEntry

from . import scenes

S = MaintenanceStatus
OPERATIONAL = ComponentStatus.OPERATIONAL
MAINTAINED = ComponentStatus.UNDER_MAINTENANCE
MAJOR = ComponentStatus.MAJOR_OUTAGE

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

NOON = datetime(2036, 1, 1, 12, tzinfo=UTC)
ALL = list(S)
ALLOWED = {
    S.SCHEDULED: {S.SCHEDULED, S.IN_PROGRESS, S.VERIFYING, S.CANCELLED},
    S.IN_PROGRESS: {S.IN_PROGRESS, S.VERIFYING, S.COMPLETED, S.CANCELLED},
    S.VERIFYING: {S.IN_PROGRESS, S.VERIFYING, S.COMPLETED, S.CANCELLED},
    S.COMPLETED: {S.COMPLETED},
    S.CANCELLED: {S.CANCELLED},
}


def inside(minutes: float) -> datetime:
    """So many minutes from now."""
    return utc_now() + timedelta(minutes=minutes)


def planned(
    session: Session, page: Page, *affected: str, start: float = 60, end: float = 120, **more: Any
) -> Maintenance:
    """A committed maintenance; *start* and *end* are minutes from now."""
    options: dict[str, Any] = {
        "title": "New disks",
        "scheduled_start": inside(start),
        "scheduled_end": inside(end),
        "affected": affected,
        "remind_before": [],
    }
    row = maintenances.schedule(session, page, **(options | more))
    session.commit()
    return row


def set_back(session: Session, row: Maintenance, minutes: float) -> None:
    """Let *minutes* pass for *row*: all its times lie so much earlier."""
    back = timedelta(minutes=minutes)
    row.scheduled_start -= back
    row.scheduled_end -= back
    if row.occurrence_at is not None and row.series_start is not None:
        row.occurrence_at -= back
        row.series_start -= back
    if row.next_at is not None:
        row.next_at -= back
    session.commit()


def now_is(session: Session, row: Maintenance) -> Maintenance:
    """*row* as the database has it now."""
    session.rollback()
    return session.get_one(Maintenance, row.id, populate_existing=True)


def put(session: Session, row: Maintenance, status: S) -> None:
    row.status = status
    session.commit()


# Life cycle


@ON_SQLITE
@pytest.mark.parametrize("wanted", ALL)
@pytest.mark.parametrize("current", ALL)
def test_every_transition(session: Session, page: Page, current: S, wanted: S) -> None:
    """Each status leads where the table says and nowhere else; a refused step leaves nothing."""
    row = planned(session, page)
    put(session, row, current)
    before = len(scenes.events(session))
    if wanted in ALLOWED[current]:
        maintenances.update(session, page, row.id, status=wanted, body="News")
        session.commit()
        assert now_is(session, row).status is wanted
        assert len(scenes.events(session)) == before + 1
    else:
        with pytest.raises(
            Invalid, match=f"status: It (is {current.value} and cannot become|has not begun)"
        ):
            maintenances.update(session, page, row.id, status=wanted, body="News")
        assert now_is(session, row).status is current
        assert len(scenes.events(session)) == before


def test_a_whole_life(app: Flask, session: Session, page: Page) -> None:
    """Scheduled, in progress, verifying, completed: components, events, times, each once and in order."""
    api = scenes.component(session, page)
    hook = scenes.webhook(session, page)
    with scenes.listening(app) as heard:
        row = planned(session, page, "api", body="We **replace** disks.")
        assert scenes.shown(session, api) is OPERATIONAL
        maintenances.start(session, page, row.id)
        session.commit()
        assert scenes.shown(session, api) is MAINTAINED
        maintenances.update(session, page, row.id, status=S.VERIFYING, body="Looks good.")
        session.commit()
        assert scenes.shown(session, api) is MAINTAINED
        maintenances.complete(session, page, row.id, body="Done.")
        session.commit()
    assert scenes.shown(session, api) is OPERATIONAL
    expected = [
        "maintenance.scheduled",
        "component.status_change",
        "maintenance.started",
        "maintenance.updated",
        "component.status_change",
        "maintenance.completed",
    ]
    assert scenes.names(session) == expected
    assert [event.name for event in heard] == expected
    assert scenes.told(session, hook) == expected
    row = now_is(session, row)
    assert row.started_at is not None
    assert row.ended_at is not None
    assert row.next_at is None
    last = scenes.events(session)[-1].data["maintenance"]
    assert [update["body"] for update in last["updates"]] == [
        "Done.",
        "Looks good.",
        "",
        "We **replace** disks.",
    ]
    assert last["components"][0]["slug"] == "api"
    assert last["url"].endswith(f"/maintenance/{row.id}")
    statuses = [interval.status for interval in scenes.history(session, api)]
    assert statuses == [OPERATIONAL, MAINTAINED, OPERATIONAL]


def test_a_step_twice_is_a_conflict(session: Session, page: Page) -> None:
    """What has begun cannot begin again, what is over cannot end again; nothing more is told."""
    row = planned(session, page)
    for step in (maintenances.start, maintenances.complete):
        step(session, page, row.id)
        session.commit()
        with pytest.raises(Conflict):
            step(session, page, row.id)
        session.rollback()
    with pytest.raises(Conflict):
        maintenances.cancel(session, page, row.id)
    session.rollback()
    assert len(scenes.events(session, "maintenance")) == 3


def test_nothing_said_is_nothing_told(session: Session, page: Page) -> None:
    """An update without a text and with the same status leaves no update, event or entry."""
    row = planned(session, page)
    before = (len(scenes.events(session)), len(session.scalars(select(AuditEntry)).all()))
    maintenances.update(session, page, row.id, status=S.SCHEDULED, body="  ")
    session.commit()
    after = (len(scenes.events(session)), len(session.scalars(select(AuditEntry)).all()))
    assert before == after


def test_notify_false_tells_host_code_only(app: Flask, session: Session, page: Page) -> None:
    """Without notices the signals are sent and no delivery is written."""
    scenes.component(session, page)
    hook = scenes.webhook(session, page)
    with scenes.listening(app) as heard:
        row = planned(session, page, "api", notify=False)
        maintenances.start(session, page, row.id, notify=False)
        maintenances.complete(session, page, row.id, notify=False)
        session.commit()
    assert len(heard) == 5
    assert scenes.told(session, hook) == []


def test_a_rollback_leaves_nothing(app: Flask, session: Session, page: Page) -> None:
    """No row, no word on the component, no event, no signal."""
    api = scenes.component(session, page)
    with scenes.listening(app) as heard:
        maintenances.schedule(
            session,
            page,
            title="X",
            scheduled_end=inside(5),
            affected=["api"],
            status=S.IN_PROGRESS,
        )
        session.rollback()
    assert heard == []
    assert session.scalars(select(Maintenance)).all() == []
    assert scenes.events(session) == []
    assert scenes.shown(session, api) is OPERATIONAL


def test_told_afterwards(session: Session, page: Page) -> None:
    """A completed one is history: shown, not sent, and the components are as they were."""
    api = scenes.component(session, page)
    hook = scenes.webhook(session, page)
    row = planned(session, page, "api", start=-120, end=-60, status=S.COMPLETED)
    assert (row.started_at, row.ended_at) == (row.scheduled_start, row.scheduled_end)
    assert scenes.told(session, hook) == []
    assert scenes.events(session) == []
    assert [interval.status for interval in scenes.history(session, api)] == [OPERATIONAL]
    assert [fact.id for fact in overview.snapshot(session, page).maintenances] == [row.id]


def test_another_page_has_none_of_it(session: Session, page: Page) -> None:
    """A maintenance is found on its own page only."""
    row = planned(session, page)
    other = Page(slug="other", name="Other")
    session.add(other)
    session.commit()
    for attempt in (maintenances.get, maintenances.start, maintenances.remove):
        with pytest.raises(NotFound):
            attempt(session, other, row.id)
        session.rollback()


def test_delete(session: Session, page: Page) -> None:
    """One that goes on is taken from its components; what is pending about it is cancelled; the audit keeps it."""
    api = scenes.component(session, page)
    hook = scenes.webhook(session, page)
    row = planned(session, page, "api")
    maintenances.start(session, page, row.id)
    session.commit()
    ident = row.id
    maintenances.remove(session, page, ident, actor="ada")
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL
    assert session.get(Maintenance, ident) is None
    states = {
        delivery.event.name: delivery.state.value for delivery in scenes.deliveries(session, hook)
    }
    assert {states[name] for name in ("maintenance.scheduled", "maintenance.started")} == {
        "cancelled"
    }
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.actor) == ("delete", "ada")
    assert entry.before is not None
    assert entry.before["title"] == "New disks"


# Bad input


@ON_SQLITE
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("scheduled_end", {"scheduled_start": NOON, "scheduled_end": NOON}),
        ("scheduled_end", {"scheduled_start": inside(60), "scheduled_end": inside(59)}),
        ("scheduled_end", {"scheduled_start": inside(-60), "scheduled_end": inside(-1)}),
        ("scheduled_end", {"scheduled_start": inside(1), "scheduled_end": inside(60 * 24 * 93)}),
        ("scheduled_start", {"scheduled_start": datetime(2036, 1, 1)}),
        ("scheduled_start", {"status": S.IN_PROGRESS}),
        ("scheduled_end", {"status": S.COMPLETED}),
        ("status", {"status": S.VERIFYING}),
        ("status", {"status": S.CANCELLED}),
        ("title", {"title": " "}),
        ("title", {"title": "a\nb"}),
        ("title", {"title": "x" * 201}),
        ("body", {"body": "x" * 10_001}),
        ("components", {"affected": ["nope"]}),
        ("remind_before", {"remind_before": [0]}),
        ("remind_before", {"remind_before": [60 * 24 * 32]}),
        ("remind_before", {"remind_before": list(range(1, 13))}),
        ("exceptions", {"exceptions": ["2026-12-24"]}),
        ("rrule", {"rrule": "FREQ=SECONDLY"}),
    ],
)
def test_wrong_fields_are_named(
    session: Session, page: Page, field: str, values: dict[str, Any]
) -> None:
    """Whatever is wrong is named, and nothing is left of it."""
    with pytest.raises(Invalid) as caught:
        planned(session, page, **values)
    assert [error.field for error in caught.value.errors] == [field]
    session.rollback()
    assert session.scalars(select(Maintenance)).all() == []


@ON_SQLITE
def test_overlapping_windows_of_a_component(session: Session, page: Page) -> None:
    """Two windows on one component must not overlap; they may touch, and others are free."""
    scenes.component(session, page)
    scenes.component(session, page, name="Web")
    first = planned(session, page, "api", start=60, end=120)
    for start, end in ((30, 61), (60, 120), (119, 200), (70, 80), (10, 300)):
        with pytest.raises(Invalid, match=r"scheduled_start: Overlaps 'New disks'"):
            planned(session, page, "api", start=start, end=end)
        session.rollback()
    planned(session, page, "web", start=60, end=120)
    second = planned(
        session,
        page,
        "api",
        scheduled_start=first.scheduled_end,
        scheduled_end=first.scheduled_end + timedelta(hours=1),
    )
    with pytest.raises(Invalid, match="scheduled_start"):
        maintenance_edits.edit(session, page, second.id, {"scheduled_start": first.scheduled_start})
    session.rollback()
    maintenances.cancel(session, page, first.id)
    session.commit()
    maintenance_edits.edit(session, page, second.id, {"scheduled_start": first.scheduled_start})
    session.commit()


@ON_SQLITE
def test_a_series_overlaps_as_well(session: Session, page: Page) -> None:
    """A later occurrence of a series is in the way of another window, and the other way round."""
    scenes.component(session, page)
    planned(session, page, "api", rrule="FREQ=WEEKLY;COUNT=10")
    week = 7 * 24 * 60
    with pytest.raises(Invalid, match="scheduled_start"):
        planned(session, page, "api", start=60 + 3 * week, end=90 + 3 * week)
    session.rollback()
    planned(session, page, "api", start=60 + 11 * week, end=90 + 11 * week)
    with pytest.raises(Invalid, match="scheduled_start"):
        planned(
            session,
            page,
            "api",
            start=61 + 2 * week,
            end=70 + 2 * week,
            rrule="FREQ=WEEKLY;COUNT=2",
        )


# The clock


def test_it_begins_and_ends_by_itself(session: Session, page: Page) -> None:
    """The task starts what is due and completes what is over, once; before that it does nothing."""
    api = scenes.component(session, page)
    row = planned(session, page, "api")
    assert tasks.run("timetable") == 0
    set_back(session, row, 61)
    assert tasks.run("timetable") == 1
    assert tasks.run("timetable") == 0
    assert scenes.shown(session, api) is MAINTAINED
    row = now_is(session, row)
    assert (row.status, row.next_at) == (S.IN_PROGRESS, row.scheduled_end)
    set_back(session, row, 60)
    assert tasks.run("timetable") == 1
    assert tasks.run("timetable") == 0
    assert now_is(session, row).status is S.COMPLETED
    assert scenes.shown(session, api) is OPERATIONAL
    assert scenes.names(session, "maintenance") == [
        "maintenance.scheduled",
        "maintenance.started",
        "maintenance.completed",
    ]


def test_a_window_that_was_missed_as_a_whole(session: Session, page: Page) -> None:
    """A late sweep starts and completes it in one go, in this order."""
    scenes.component(session, page)
    row = planned(session, page, "api", remind_before=[30])
    set_back(session, row, 600)
    assert tasks.run("timetable") == 3
    assert now_is(session, row).status is S.COMPLETED
    assert scenes.names(session, "maintenance") == [
        "maintenance.scheduled",
        "maintenance.started",
        "maintenance.completed",
    ]


def test_without_the_clock(session: Session, page: Page) -> None:
    """auto_start and auto_complete off: a person does both, and what takes too long is an overrun."""
    row = planned(session, page, auto_start=False, auto_complete=False)
    set_back(session, row, 61)
    assert tasks.run("timetable") == 0
    maintenances.start(session, page, row.id)
    session.commit()
    fact = overview.snapshot(session, page).maintenances[0]
    assert not fact.is_overrun(utc_now())
    set_back(session, row, 60)
    assert tasks.run("timetable") == 0
    assert now_is(session, row).status is S.IN_PROGRESS
    assert overview.snapshot(session, page).maintenances[0].is_overrun(utc_now())


@pytest.mark.parametrize("way", ["start", "update"])
@pytest.mark.parametrize("auto_complete", [True, False])
def test_one_that_somebody_begins_after_its_end(
    session: Session, page: Page, way: str, auto_complete: bool
) -> None:
    """Its window moves to now and is as long as planned: the clock leaves it alone until then, and it is no overrun."""
    api = scenes.component(session, page)
    row = planned(session, page, "api", auto_start=False, auto_complete=auto_complete)
    set_back(session, row, 300)
    revision, before = row.revision, row.scheduled_end
    if way == "start":
        maintenances.start(session, page, row.id, actor="ann")
    else:
        maintenances.update(session, page, row.id, status=S.IN_PROGRESS, actor="ann")
    session.commit()
    assert tasks.run("timetable") == 0
    row = now_is(session, row)
    assert row.status is S.IN_PROGRESS
    assert row.scheduled_start == row.started_at
    assert row.scheduled_end - row.scheduled_start == timedelta(minutes=60)
    assert row.revision == revision + 1
    assert not overview.snapshot(session, page).maintenances[0].is_overrun(utc_now())
    event = scenes.events(session, "maintenance")[-1]
    assert event.name == "maintenance.started"
    ends = row.scheduled_end.isoformat(timespec="seconds")
    assert event.data["maintenance"]["scheduled_end"] == ends
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "edit"))
    assert (entry.before or {})["scheduled_end"] == before.isoformat(timespec="seconds")
    set_back(session, row, 60)
    assert tasks.run("timetable") == (1 if auto_complete else 0)
    assert now_is(session, row).status is (S.COMPLETED if auto_complete else S.IN_PROGRESS)
    assert scenes.shown(session, api) is (OPERATIONAL if auto_complete else MAINTAINED)


@ON_SQLITE
def test_one_that_begins_late_but_before_its_end_keeps_its_window(
    session: Session, page: Page
) -> None:
    """What was announced holds as long as it can."""
    row = planned(session, page, auto_start=False)
    set_back(session, row, 90)
    window = row.scheduled_start, row.scheduled_end
    maintenances.start(session, page, row.id)
    session.commit()
    row = now_is(session, row)
    assert (row.scheduled_start, row.scheduled_end) == window


@ON_SQLITE
def test_one_that_begins_after_its_end_is_not_in_the_way(session: Session, page: Page) -> None:
    """Another window on the same component comes first; nothing is left half-written, and it may begin elsewhere."""
    scenes.component(session, page)
    row = planned(session, page, "api", auto_start=False)
    set_back(session, row, 300)
    other = planned(session, page, "api", start=30, end=40)
    with pytest.raises(Invalid, match="Overlaps") as caught:
        maintenances.start(session, page, row.id)
    assert [error.field for error in caught.value.errors] == ["scheduled_start"]
    session.rollback()
    assert now_is(session, row).status is S.SCHEDULED
    maintenances.cancel(session, page, other.id)
    maintenances.start(session, page, row.id)
    session.commit()
    assert now_is(session, row).status is S.IN_PROGRESS


@ON_SQLITE
def test_what_follows_one_that_began_after_its_end_is_as_it_was(
    session: Session, page: Page
) -> None:
    """The next occurrence of a series is planned where the rule has it, and as long as ever."""
    row = planned(session, page, auto_start=False, rrule="FREQ=WEEKLY;COUNT=9")
    set_back(session, row, 300)
    began = row.scheduled_start
    maintenances.start(session, page, row.id)
    session.commit()
    following = session.scalars(select(Maintenance).where(Maintenance.id != row.id)).one()
    assert following.scheduled_start == began + timedelta(days=7)
    assert following.scheduled_end - following.scheduled_start == timedelta(minutes=60)


def test_two_schedulers_begin_it_once(app: Flask, session: Session, page: Page) -> None:
    """However many workers take the task at the same time, each step is taken once."""
    scenes.component(session, page)
    row = planned(session, page, "api")
    set_back(session, row, 61)
    scenes.at_once(app, *[lambda session, page: tasks.run("timetable")] * 4)
    assert now_is(session, row).status is S.IN_PROGRESS
    assert scenes.names(session, "maintenance") == ["maintenance.scheduled", "maintenance.started"]
    assert len(scenes.events(session, "component")) == 1


def test_two_members_complete_it_at_once(app: Flask, session: Session, page: Page) -> None:
    """One of them wins, the other is told that it is over."""
    scenes.component(session, page)
    ident = planned(session, page, "api", start=-5, status=S.IN_PROGRESS).id
    done = scenes.at_once(
        app, *[lambda session, page: maintenances.complete(session, page, ident).id] * 2
    )
    assert sorted(isinstance(answer, Conflict) for answer in done) == [False, True], done
    assert scenes.names(session, "maintenance.completed") == ["maintenance.completed"]


def test_reminders(session: Session, page: Page) -> None:
    """Each reminder once, at its time; what the announcement made needless is left out."""
    hook = scenes.webhook(session, page, events=["maintenance.reminder"])
    row = planned(session, page, start=120, end=180, remind_before=[1440, 60, 10])
    assert row.reminded == [1440]
    assert tasks.run("timetable") == 0
    set_back(session, row, 61)
    assert tasks.run("timetable") == 1
    set_back(session, now_is(session, row), 50)
    assert tasks.run("timetable") == 1
    assert tasks.run("timetable") == 0
    told = scenes.events(session, "maintenance.reminder")
    assert [event.data["maintenance"]["minutes"] for event in told] == [60, 10]
    assert scenes.told(session, hook) == ["maintenance.reminder"] * 2


def test_reminders_that_are_late_are_one(session: Session, page: Page) -> None:
    """Two reminders that a sweep finds together are told as the nearer one."""
    row = planned(session, page, start=1500, end=1600, remind_before=[1440, 60])
    set_back(session, row, 1450)
    assert tasks.run("timetable") == 1
    told = scenes.events(session, "maintenance.reminder")
    assert [event.data["maintenance"]["minutes"] for event in told] == [50]


def test_a_step_that_fails_holds_up_no_other(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that cannot begin is tried again a minute later; the others begin."""
    broken = planned(session, page, title="Broken")
    sound = planned(session, page, title="Sound")
    for row in (broken, sound):
        set_back(session, row, 61)
    begin = maintenance_course.begin
    ident = broken.id

    def sometimes(session: Session, page: Page, row: Maintenance, *args: Any, **more: Any) -> None:
        if row.id == ident:
            raise RuntimeError("this one cannot")
        begin(session, page, row, *args, **more)

    monkeypatch.setattr(maintenance_course, "begin", sometimes)
    tasks.run("timetable")
    assert now_is(session, sound).status is S.IN_PROGRESS
    late = now_is(session, broken)
    assert late.status is S.SCHEDULED
    assert late.next_at is not None
    assert 20 < (late.next_at - utc_now()).total_seconds() < 70


# Components and monitors


def test_two_maintenances_one_after_the_other(session: Session, page: Page) -> None:
    """A component is under maintenance until the last one that is about it ends."""
    api = scenes.component(session, page)
    row = planned(session, page, "api", start=-5, status=S.IN_PROGRESS)
    incident = incidents.open(session, page, title="Fire", affected={"api": MAJOR})
    session.commit()
    assert scenes.shown(session, api) is MAJOR
    incidents.resolve(session, page, incident.id)
    session.commit()
    assert scenes.shown(session, api) is MAINTAINED
    maintenances.complete(session, page, row.id)
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL


def test_components_come_and_go(session: Session, page: Page) -> None:
    """While it goes on, a component that is added is under maintenance and one that is dropped is not."""
    api = scenes.component(session, page)
    web = scenes.component(session, page, name="Web")
    row = planned(session, page, "api", start=-5, status=S.IN_PROGRESS)
    maintenance_edits.edit(session, page, row.id, {"components": ["web"]})
    session.commit()
    assert (scenes.shown(session, api), scenes.shown(session, web)) == (OPERATIONAL, MAINTAINED)
    assert scenes.names(session, "maintenance.updated") == ["maintenance.updated"]


def test_monitors_say_nothing_meanwhile(app: Flask, session: Session, page: Page) -> None:
    """A target that fails during maintenance neither alerts nor opens an incident nor costs uptime."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api", failure_threshold=2)
    monitoring.record(session, [scenes.result(watcher, Verdict.UP)])
    row = planned(session, page, "api", start=-5, status=S.IN_PROGRESS)
    with scenes.listening(app) as heard:
        for seconds in range(1, 5):
            monitoring.record(session, [scenes.result(watcher, Verdict.DOWN, seconds=seconds)])
            session.commit()
    assert heard == []
    assert scenes.shown(session, api) is MAINTAINED
    maintenances.complete(session, page, row.id)
    session.commit()
    # Failures from the time of the maintenance do not count: it takes two new ones.
    assert scenes.shown(session, api) is OPERATIONAL
    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN, seconds=10)])
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL
    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN, seconds=11)])
    session.commit()
    assert scenes.shown(session, api) is MAJOR
    assert scenes.names(session, "monitor") == ["monitor.down"]
    assert overview.snapshot(session, page).components[0].uptime_percent is not None


def test_an_outage_from_before_is_not_shown_again(session: Session, page: Page) -> None:
    """What was down before and works again by the end of the maintenance is green at once, its incident resolved."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN)])
    session.commit()
    assert scenes.shown(session, api) is MAJOR
    row = planned(session, page, "api", start=-5, status=S.IN_PROGRESS)
    assert scenes.shown(session, api) is MAINTAINED
    monitoring.record(session, [scenes.result(watcher, Verdict.UP, seconds=1)])
    session.commit()
    assert scenes.names(session, "monitor") == ["monitor.down"]
    maintenances.complete(session, page, row.id)
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL
    assert scenes.names(session, "monitor") == ["monitor.down", "monitor.recovered"]
    assert session.scalars(select(Incident.status)).one().value == "resolved"
    statuses = [interval.status for interval in scenes.history(session, api)]
    assert MAJOR not in statuses[statuses.index(MAINTAINED) :]


def test_an_outage_that_lasts_is_shown_again(session: Session, page: Page) -> None:
    """What was down before and still is at the end of the maintenance is red again, without a second alert."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN)])
    row = planned(session, page, "api", start=-5, status=S.IN_PROGRESS)
    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN, seconds=1)])
    maintenances.complete(session, page, row.id)
    session.commit()
    assert scenes.shown(session, api) is MAJOR
    assert scenes.names(session, "monitor") == ["monitor.down"]


def test_a_monitor_alerts_or_the_maintenance_begins(
    app: Flask, session: Session, page: Page
) -> None:
    """A failure and a start that meet: either the alert was first or there is none, and the page is in maintenance."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    ident = planned(session, page, "api").id
    result = scenes.result(watcher, Verdict.DOWN)
    done = scenes.at_once(
        app,
        lambda session, page: monitoring.record(session, [result]),
        lambda session, page: maintenances.start(session, page, ident).id,
    )
    assert not [answer for answer in done if isinstance(answer, Exception)]
    assert scenes.shown(session, api) is MAINTAINED
    names = scenes.names(session)
    if "monitor.down" in names:
        assert names.index("monitor.down") < names.index("maintenance.started")


# Changes of the window


def test_a_moved_window_is_told_once(session: Session, page: Page) -> None:
    """Start, end and title at once are one event, with the window from before; reminders are armed anew."""
    hook = scenes.webhook(session, page)
    row = planned(session, page, remind_before=[60, 30])
    before = (row.scheduled_start, row.scheduled_end)
    values = {
        "scheduled_start": before[0] + timedelta(days=1),
        "scheduled_end": before[1] + timedelta(days=1),
        "title": "Newer disks",
    }
    maintenance_edits.edit(session, page, row.id, values, actor="ada")
    session.commit()
    maintenance_edits.edit(session, page, row.id, values, actor="ada")
    session.commit()
    row = now_is(session, row)
    assert row.revision == 1
    assert row.reminded == []
    assert row.next_at == row.scheduled_start - timedelta(minutes=60)
    events = scenes.events(session, "maintenance.updated")
    assert len(events) == 1
    told = events[0].data["maintenance"]
    assert told["moved_from"]["scheduled_start"] == before[0].isoformat(timespec="seconds")
    assert told["title"] == "Newer disks"
    assert scenes.told(session, hook) == ["maintenance.scheduled", "maintenance.updated"]
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "edit")).all()
    assert [entry.before and entry.before["title"] for entry in entries] == ["New disks"]


def test_a_longer_window_while_it_goes_on(session: Session, page: Page) -> None:
    """The end may move while it goes on, the start not; what is over keeps its window."""
    row = planned(session, page, start=-5, status=S.IN_PROGRESS)
    end = inside(240).replace(microsecond=0)
    maintenance_edits.edit(session, page, row.id, {"scheduled_end": end})
    session.commit()
    assert now_is(session, row).next_at == end
    with pytest.raises(Conflict, match="start cannot move"):
        maintenance_edits.edit(session, page, row.id, {"scheduled_start": inside(30)})
    session.rollback()
    maintenances.complete(session, page, row.id)
    session.commit()
    with pytest.raises(Conflict, match="only its title"):
        maintenance_edits.edit(session, page, row.id, {"scheduled_end": inside(300)})
    session.rollback()
    maintenance_edits.edit(session, page, row.id, {"title": "Old disks"})
    session.commit()
    assert now_is(session, row).title == "Old disks"


def test_the_clock_can_be_changed_quietly(session: Session, page: Page) -> None:
    """Readers see nothing of auto_start, auto_complete and reminders, so nothing is told; the audit knows."""
    row = planned(session, page)
    values = {"auto_start": False, "auto_complete": False, "remind_before": [15]}
    maintenance_edits.edit(session, page, row.id, values)
    session.commit()
    assert scenes.names(session, "maintenance.updated") == []
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "edit")).all()) == 1
    row = now_is(session, row)
    assert row.next_at == row.scheduled_start - timedelta(minutes=15)


def test_a_mended_text(session: Session, page: Page) -> None:
    """The audit keeps the old text, host code hears of it, and nobody else unless asked."""
    hook = scenes.webhook(session, page)
    row = planned(session, page, body="We replace dicks.")
    update = maintenances.get(session, page, row.id).updates[0].id
    maintenance_edits.edit_update(session, page, row.id, update, body="We replace disks.")
    session.commit()
    assert scenes.told(session, hook) == ["maintenance.scheduled"]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "edit_update")).one()
    assert entry.before == {"update": str(update), "body": "We replace dicks."}
    maintenance_edits.edit_update(
        session, page, row.id, update, body="We replace all disks.", notify=True
    )
    session.commit()
    assert scenes.told(session, hook) == ["maintenance.scheduled", "maintenance.updated"]
    with pytest.raises(NotFound):
        maintenance_edits.edit_update(session, page, row.id, UUID(int=1), body="X")


# Recurrence


def series(session: Session) -> list[Maintenance]:
    query = select(Maintenance).order_by(Maintenance.scheduled_start)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def test_the_next_occurrence(session: Session, page: Page) -> None:
    """When one begins the next is planned, with its texts, components and reminders, told to nobody yet."""
    scenes.component(session, page)
    hook = scenes.webhook(session, page)
    row = planned(
        session, page, "api", rrule="FREQ=DAILY;COUNT=3", body="Nightly.", remind_before=[60]
    )
    first = row.scheduled_start
    for number in (1, 2):
        maintenances.start(session, page, series(session)[-1].id)
        session.commit()
        maintenances.complete(session, page, series(session)[number - 1].id)
        session.commit()
        rows = series(session)
        assert len(rows) == number + 1
        assert rows[-1].status is S.SCHEDULED
        assert rows[-1].scheduled_start == first + timedelta(days=number)
        assert rows[-1].scheduled_end - rows[-1].scheduled_start == timedelta(minutes=60)
        assert rows[-1].remind_before == [60]
    maintenances.start(session, page, series(session)[-1].id)
    session.commit()
    assert len(series(session)) == 3  # COUNT=3
    assert scenes.told(session, hook).count("maintenance.scheduled") == 1
    assert scenes.names(session, "maintenance.scheduled") == ["maintenance.scheduled"] * 3
    body = maintenances.get(session, page, series(session)[-1].id).updates[-1].body
    assert body == "Nightly."


def test_cancelling_one_and_all(session: Session, page: Page) -> None:
    """A cancelled occurrence is followed by the next one; with series=True by none."""
    row = planned(session, page, rrule="FREQ=WEEKLY;COUNT=5")
    maintenances.cancel(session, page, row.id, body="Not this week.")
    session.commit()
    assert [one.status for one in series(session)] == [S.CANCELLED, S.SCHEDULED]
    maintenances.cancel(session, page, series(session)[1].id, series=True)
    session.commit()
    assert [one.status for one in series(session)] == [S.CANCELLED, S.CANCELLED]
    data = scenes.events(session, "maintenance.completed")[-1].data
    assert data["maintenance"]["status"] == "cancelled"


def test_occurrences_that_were_missed(session: Session, page: Page) -> None:
    """After a long stop the occurrences that are over are left out; nobody is told of each of them."""
    row = planned(session, page, rrule="FREQ=DAILY;COUNT=100")
    set_back(session, row, 60 * 24 * 20)
    tasks.run("timetable")
    rows = series(session)
    assert [one.status for one in rows] == [S.COMPLETED, S.SCHEDULED]
    assert timedelta(0) < rows[1].scheduled_start - utc_now() < timedelta(days=1)


def test_a_moved_occurrence_leaves_the_series_where_it_is(session: Session, page: Page) -> None:
    """Only this one moves; the next is where the rule says."""
    row = planned(session, page, rrule="FREQ=WEEKLY;COUNT=5")
    first = row.scheduled_start
    values = {
        "scheduled_start": first + timedelta(hours=5),
        "scheduled_end": first + timedelta(hours=7),
    }
    maintenance_edits.edit(session, page, row.id, values)
    session.commit()
    maintenances.start(session, page, row.id)
    session.commit()
    assert series(session)[1].scheduled_start == first + timedelta(weeks=1)


def test_exceptions_and_the_end_of_a_rule(session: Session, page: Page) -> None:
    """A day without an occurrence is left out; without a rule nothing follows."""
    row = planned(session, page, rrule="FREQ=DAILY;COUNT=9")
    tomorrow = (row.scheduled_start + timedelta(days=1)).date().isoformat()
    maintenance_edits.edit(session, page, row.id, {"exceptions": [tomorrow]})
    session.commit()
    maintenances.start(session, page, row.id)
    session.commit()
    following = series(session)[1]
    assert following.scheduled_start == row.scheduled_start + timedelta(days=2)
    maintenance_edits.edit(session, page, following.id, {"rrule": None})
    session.commit()
    maintenances.complete(session, page, row.id)
    maintenances.start(session, page, following.id)
    session.commit()
    assert len(series(session)) == 2


@ON_SQLITE
def test_the_page_s_clock_over_dst(session: Session, page: Page) -> None:
    """03:30 in Berlin stays 03:30 in Berlin when the clocks go back, whatever that is in UTC."""
    page.time_zone = "Europe/Berlin"
    session.commit()
    begins = datetime(2036, 10, 25, 1, 30, tzinfo=UTC)  # 03:30, the day before the change
    row = planned(
        session,
        page,
        scheduled_start=begins,
        scheduled_end=begins + timedelta(hours=1),
        rrule="FREQ=DAILY;COUNT=3",
    )
    maintenances.cancel(session, page, row.id)
    session.commit()
    assert series(session)[1].scheduled_start == datetime(2036, 10, 26, 2, 30, tzinfo=UTC)


# What is shown


def test_a_maintenance_of_the_whole_page(session: Session, page: Page) -> None:
    """One without components makes the page one under maintenance, unless something is worse."""
    scenes.component(session, page)
    planned(session, page, start=-5, status=S.IN_PROGRESS)
    assert overview.snapshot(session, page).status is MAINTAINED
    components.set_status(session, page, components.get(session, page, "api"), MAJOR)
    session.commit()
    assert overview.snapshot(session, page).status is MAJOR


def test_what_a_snapshot_holds(session: Session, page: Page) -> None:
    """All that is not over and what is, the earliest window first; queries do not grow with their number."""
    later = planned(session, page, start=500, end=600)
    sooner = planned(session, page, start=100, end=200)
    over = planned(session, page, start=300, end=400)
    maintenances.cancel(session, page, over.id)
    session.commit()
    snapshot = overview.snapshot(session, page)
    assert [fact.id for fact in snapshot.maintenances] == [sooner.id, over.id, later.id]
    assert [fact.id for fact in snapshot.upcoming_maintenances] == [sooner.id, later.id]
    assert snapshot.active_maintenances == ()


# After a review: what a series, a monitor or a deletion must not lose


def test_few_failures_of_the_time_do_not_count_either(session: Session, page: Page) -> None:
    """Two failures during the maintenance and one after it are one failure, whatever the threshold is."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api", failure_threshold=3)
    monitoring.record(session, [scenes.result(watcher, Verdict.UP)])
    row = planned(session, page, "api", start=-5, status=S.IN_PROGRESS)
    for seconds in (1, 2):
        monitoring.record(session, [scenes.result(watcher, Verdict.DOWN, seconds=seconds)])
    maintenances.complete(session, page, row.id)
    for seconds in (3, 4):
        monitoring.record(session, [scenes.result(watcher, Verdict.DOWN, seconds=seconds)])
        session.commit()
        assert scenes.shown(session, api) is OPERATIONAL
    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN, seconds=5)])
    session.commit()
    assert scenes.shown(session, api) is MAJOR


def test_one_region_s_failures_of_the_time_do_not_count(session: Session, page: Page) -> None:
    """A region that went down meanwhile without a quorum has no vote left over afterwards."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api", regions=["eu", "us"], quorum=2)
    for region in ("eu", "us"):
        monitoring.record(session, [scenes.result(watcher, Verdict.UP, region=region)])
    row = planned(session, page, "api", start=-5, status=S.IN_PROGRESS)
    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN, region="eu", seconds=1)])
    maintenances.complete(session, page, row.id)
    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN, region="us", seconds=2)])
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL


def test_deleting_an_active_one_lets_its_monitors_be_heard(session: Session, page: Page) -> None:
    """As its end would: an outage from before that is over does not come back, failures of its time do not count."""
    api = scenes.component(session, page)
    web = scenes.component(session, page, name="Web")
    was_down = scenes.monitor(session, page, name="A", component="api")
    was_up = scenes.monitor(session, page, name="B", component="web", failure_threshold=2)
    monitoring.record(session, [scenes.result(was_down, Verdict.DOWN)])
    monitoring.record(session, [scenes.result(was_up, Verdict.UP)])
    row = planned(session, page, "api", "web", start=-5, status=S.IN_PROGRESS)
    monitoring.record(session, [scenes.result(was_down, Verdict.UP, seconds=1)])
    monitoring.record(session, [scenes.result(was_up, Verdict.DOWN, seconds=1)])
    session.commit()
    maintenances.remove(session, page, row.id)
    session.commit()
    assert scenes.shown(session, api) is OPERATIONAL
    monitoring.record(session, [scenes.result(was_up, Verdict.DOWN, seconds=2)])
    session.commit()
    assert scenes.shown(session, web) is OPERATIONAL


def test_cancelling_a_running_series(session: Session, page: Page) -> None:
    """What is planned of it is cancelled as well; only who was reminded of that window hears of it."""
    hook = scenes.webhook(session, page)
    row = planned(session, page, rrule="FREQ=WEEKLY;COUNT=5")
    maintenances.start(session, page, row.id)
    session.commit()
    maintenances.cancel(session, page, row.id, series=True, actor="ada")
    session.commit()
    assert [one.status for one in series(session)] == [S.CANCELLED, S.CANCELLED]
    assert tasks.run("timetable") == 0
    assert scenes.told(session, hook).count("maintenance.completed") == 1
    ends = session.scalars(select(AuditEntry).where(AuditEntry.action == "end_series")).all()
    assert [entry.before for entry in ends] == [{"rrule": "FREQ=WEEKLY;COUNT=5"}] * 2


def test_a_series_that_begins_at_once(session: Session, page: Page) -> None:
    """Its second window is planned when the first one begins; its rule is changed on the planned one only."""
    row = planned(session, page, start=-1, status=S.IN_PROGRESS, rrule="FREQ=WEEKLY;COUNT=3")
    assert [one.status for one in series(session)] == [S.IN_PROGRESS, S.SCHEDULED]
    for values in ({"rrule": "FREQ=MONTHLY"}, {"rrule": None}, {"exceptions": ["2036-01-01"]}):
        with pytest.raises(Conflict, match="has begun"):
            maintenance_edits.edit(session, page, row.id, values)
        session.rollback()
    with pytest.raises(Invalid, match="rrule"):
        planned(session, page, start=-9, end=-1, status=S.COMPLETED, rrule="FREQ=WEEKLY")


def test_a_series_goes_on_though_nobody_begins_one(session: Session, page: Page) -> None:
    """Without auto_start the next window is planned at the time of the one before, once."""
    row = planned(session, page, rrule="FREQ=WEEKLY;COUNT=3", auto_start=False)
    set_back(session, row, 61)
    assert tasks.run("timetable") == 1
    assert tasks.run("timetable") == 0
    assert [one.status for one in series(session)] == [S.SCHEDULED, S.SCHEDULED]
    maintenances.start(session, page, row.id)
    session.commit()
    assert len(series(session)) == 2


def test_reminders_of_a_daily_series(session: Session, page: Page) -> None:
    """A reminder as long as the gap is due when the window before begins, and is sent then."""
    row = planned(session, page, rrule="FREQ=DAILY;COUNT=9", remind_before=[1440])
    set_back(session, row, 61)
    tasks.run("timetable")
    told = scenes.events(session, "maintenance.reminder")
    assert [event.subject_id for event in told] == [series(session)[1].id]
    assert 1370 <= told[0].data["maintenance"]["minutes"] <= 1440


def test_a_late_reminder_tells_the_time_that_is_left(session: Session, page: Page) -> None:
    """A sweep that comes five minutes before the start does not say "in 1 h"."""
    row = planned(session, page, start=120, end=180, remind_before=[60])
    set_back(session, row, 115)
    assert tasks.run("timetable") == 1
    (told,) = scenes.events(session, "maintenance.reminder")
    assert told.data["maintenance"]["minutes"] == 5


@ON_SQLITE
def test_exceptions_and_moves_that_the_window_contradicts(session: Session, page: Page) -> None:
    """The day of the window itself is no exception, and a window does not move past the next one."""
    day = (utc_now() + timedelta(minutes=60)).date().isoformat()
    with pytest.raises(Invalid, match=r"exceptions: .*this window itself"):
        planned(session, page, rrule="FREQ=DAILY;COUNT=9", exceptions=[day])
    session.rollback()
    row = planned(session, page, rrule="FREQ=DAILY;COUNT=9")
    start = row.scheduled_start
    with pytest.raises(Invalid, match="exceptions"):
        maintenance_edits.edit(session, page, row.id, {"exceptions": [day]})
    session.rollback()
    later = {"scheduled_start": start + timedelta(hours=27)}
    with pytest.raises(Invalid, match="scheduled_start: The next occurrence begins"):
        maintenance_edits.edit(
            session, page, row.id, {**later, "scheduled_end": start + timedelta(hours=28)}
        )


def test_a_new_rule_never_meets_an_old_window(session: Session, page: Page) -> None:
    """However windows were cancelled and moved, a changed rule plans its next one and the clock goes on."""
    week, day = timedelta(weeks=1), timedelta(days=1)
    first = planned(session, page, rrule="FREQ=WEEKLY;COUNT=20")
    start = first.scheduled_start
    for number in range(2):
        maintenances.cancel(session, page, series(session)[number].id)
        session.commit()
    third = series(session)[2]
    assert third.scheduled_start == start + 2 * week
    values = {
        "scheduled_start": start + week - day,
        "scheduled_end": start + week - day + timedelta(hours=1),
        "rrule": "FREQ=DAILY;COUNT=5",
    }
    maintenance_edits.edit(session, page, third.id, values)
    session.commit()
    maintenances.start(session, page, third.id)
    session.commit()
    planned_next = [one for one in series(session) if one.status is S.SCHEDULED]
    assert [one.scheduled_start for one in planned_next] == [start + week]


@ON_SQLITE
def test_another_zone_of_the_page_leaves_a_series_on_its_own(session: Session, page: Page) -> None:
    """Between the two changes of the clock a day must not come twice."""
    page.time_zone = "America/New_York"
    session.commit()
    begins = datetime(2036, 10, 27, 12, tzinfo=UTC)  # 08:00 in New York, 13:00 in Berlin
    window = {"scheduled_start": begins, "scheduled_end": begins + timedelta(hours=1)}
    row = planned(session, page, **window, rrule="FREQ=DAILY;COUNT=5")
    page.time_zone = "Europe/Berlin"
    session.commit()
    maintenances.cancel(session, page, row.id)
    session.commit()
    assert series(session)[1].scheduled_start == begins + timedelta(days=1)


@ON_SQLITE
@pytest.mark.parametrize("name", ["title", "scheduled_start", "auto_start", "components"])
def test_null_is_named(session: Session, page: Page, name: str) -> None:
    """What cannot be nothing is refused by name, not by the database."""
    row = planned(session, page)
    with pytest.raises(Invalid, match=f"{name}: Must not be null"):
        maintenance_edits.edit(session, page, row.id, {name: None})


def test_a_word_that_cannot_expire_holds_up_no_maintenance(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails on one component, windows begin, and other words end."""
    for name in ("Good", "Bad"):
        row = scenes.component(session, page, name=name)
        components.set_status(session, page, row, MAJOR, until=inside(1))
    session.commit()
    session.execute(update(Condition).values(until=inside(-1)))
    window = planned(session, page)
    set_back(session, window, 61)
    hush = conditions.hush
    bad = components.get(session, page, "bad").id

    def sometimes(session: Session, page: Page, rows: list[Component], **more: Any) -> None:
        if bad in [row.id for row in rows]:
            raise RuntimeError("this one cannot")
        hush(session, page, rows, **more)

    monkeypatch.setattr(conditions, "hush", sometimes)
    tasks.run("timetable")
    monkeypatch.undo()
    assert now_is(session, window).status is S.IN_PROGRESS
    assert scenes.shown(session, components.get(session, page, "good")) is OPERATIONAL
    assert scenes.shown(session, components.get(session, page, "bad")) is MAJOR


def test_a_component_that_is_added_while_it_ends(app: Flask, session: Session, page: Page) -> None:
    """A check, an end and an added component that meet: each is done, none is lost to a deadlock."""
    for name in ("API", "Web"):
        scenes.component(session, page, name=name)
    watcher = scenes.monitor(session, page, component="web")
    for number in range(4):
        ident = planned(session, page, "api", start=-5, status=S.IN_PROGRESS).id
        result = scenes.result(watcher, Verdict.UP, seconds=number)
        works = [
            lambda session, page, ident=ident: maintenances.complete(session, page, ident).id,
            lambda session, page, ident=ident: (
                maintenance_edits.edit(session, page, ident, {"components": ["api", "web"]}).id
            ),
            lambda session, page, result=result: monitoring.record(session, [result]),
        ]
        done = scenes.at_once(app, *works)
        wrong = [
            one for one in done if isinstance(one, Exception) and not isinstance(one, Conflict)
        ]
        assert not wrong, wrong
        if now_is(session, session.get_one(Maintenance, ident)).status.is_active:
            maintenances.complete(session, page, ident)
            session.commit()
