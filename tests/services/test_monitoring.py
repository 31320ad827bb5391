"""From check results to verdicts, statuses and incidents."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Conflict, Invalid, NotFound
from flask_statuspage.probing import CheckResult, probes
from flask_statuspage.services import archive, components, incidents, monitoring, monitors, pages
from flask_statuspage.state import current_settings
from flask_statuspage.storage import due
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.rollups import Rollup
from flask_statuspage.storage.session import database_now, lost_race
from tests.apps import running

from . import scenes
from .scenes import result

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN


def record(session: Session, *results: CheckResult) -> None:
    monitoring.record(session, results)
    session.commit()


def incident_of(session: Session) -> Incident:
    query = select(Incident).execution_options(populate_existing=True)
    return session.scalars(query).one()


def verdict_of(session: Session, row: Monitor) -> Verdict:
    return session.execute(select(Monitor.verdict).where(Monitor.id == row.id)).scalar_one()


def test_down_opens_and_up_resolves(session: Session, page: Page) -> None:
    """A monitor that goes down opens an incident in its own words, and resolves it when it is up."""
    api = scenes.component(session, page, "Checkout")
    hook = scenes.webhook(session, page, events=["monitor.down", "monitor.recovered"])
    watcher = scenes.monitor(session, page, component="checkout")
    record(session, result(watcher, UP))
    assert scenes.shown(session, api) is ComponentStatus.OPERATIONAL

    record(session, result(watcher, DOWN, seconds=60))
    assert scenes.shown(session, api) is ComponentStatus.MAJOR_OUTAGE
    incident = incident_of(session)
    assert (incident.title, incident.status) == (
        "Checkout is down",
        IncidentStatus.INVESTIGATING,
    )
    assert (incident.impact, incident.monitor_id) == (Impact.CRITICAL, watcher.id)

    record(session, result(watcher, UP, seconds=60 + 3 * 60))
    assert scenes.shown(session, api) is ComponentStatus.OPERATIONAL
    assert incident_of(session).status is IncidentStatus.RESOLVED
    assert scenes.told(session, hook) == ["monitor.down", "monitor.recovered"]

    down, recovered = scenes.events(session, "monitor.")
    assert down.data["monitor"]["check"]["error"] == "No answer in time"
    assert (down.data["monitor"]["previous"], down.data["monitor"]["failures"]) == ("up", 1)
    assert recovered.data["monitor"]["verdict"] == "up"
    created, resolved = scenes.events(session, "incident.")
    words = "The latest check failed. We are looking into it."
    assert created.data["incident"]["updates"][0]["body"] == words
    assert created.data["incident"]["automatic"] is True
    assert resolved.data["incident"]["updates"][0]["body"].startswith("Working again.")


def test_it_takes_the_thresholds(session: Session, page: Page) -> None:
    """Three failures in a row open the incident, not two; two good results close it, not one."""
    scenes.component(session, page)
    watcher = scenes.monitor(
        session, page, component="api", failure_threshold=3, recovery_threshold=2
    )
    record(session, result(watcher, UP))
    for seconds in (1, 2):
        record(session, result(watcher, DOWN, seconds=seconds))
    assert scenes.names(session, "incident.") == []
    record(session, result(watcher, DOWN, seconds=3))
    (created,) = scenes.events(session, "incident.")
    assert created.data["incident"]["updates"][0]["body"].startswith("3 checks in a row failed")
    record(session, result(watcher, UP, seconds=4))
    assert scenes.names(session, "incident.") == ["incident.created"]
    record(session, result(watcher, UP, seconds=5))
    assert scenes.names(session, "incident.") == ["incident.created", "incident.resolved"]


def test_slow_again_is_monitoring_and_down_again_investigating(
    session: Session, page: Page
) -> None:
    """An open incident follows its monitor: down, degraded, down, up is one incident with updates. After the second
    fall it takes twice as many good results to believe in the end."""
    scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    for seconds, outcome in enumerate((UP, DOWN, DEGRADED, DOWN, UP, UP)):
        record(session, result(watcher, outcome, seconds=seconds))
    assert scenes.names(session, "incident.") == [
        *("incident.created", "incident.updated", "incident.updated", "incident.resolved")
    ]
    statuses = [one.data["incident"]["status"] for one in scenes.events(session, "incident.")]
    assert statuses == ["investigating", "monitoring", "investigating", "resolved"]
    impacts = [one.data["incident"]["impact"] for one in scenes.events(session, "incident.")]
    assert impacts == ["critical", "minor", "critical", "critical"]


def test_merely_slow_opens_no_incident(session: Session, page: Page) -> None:
    """Degraded performance shows on the component and is no incident."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    record(session, result(watcher, DEGRADED))
    assert scenes.shown(session, api) is ComponentStatus.DEGRADED_PERFORMANCE
    assert scenes.names(session, "incident.") == []
    assert scenes.names(session, "monitor.") == []


def test_a_late_result_is_kept_and_does_not_count(session: Session, page: Page) -> None:
    """A result that was asked for before the latest one is stored, and turns nothing."""
    scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    record(session, result(watcher, UP, seconds=-10))
    record(session, result(watcher, DOWN, seconds=-15), result(watcher, DOWN, seconds=-19))
    assert verdict_of(session, watcher) is UP
    assert session.scalar(select(func.count(Check.at))) == 3


def test_a_clock_that_was_ahead_does_not_silence_a_monitor(session: Session, page: Page) -> None:
    """A latest result from the future is no reason to ignore all that come until then."""
    scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    record(session, result(watcher, UP, seconds=3600))
    record(session, result(watcher, DOWN, seconds=1))
    assert verdict_of(session, watcher) is DOWN


def test_results_of_one_batch_count_in_their_order(session: Session, page: Page) -> None:
    """However a batch is ordered, its results count as they were asked for."""
    watcher = scenes.monitor(session, page, failure_threshold=2)
    record(
        session,
        *(result(watcher, DOWN, seconds=3), result(watcher, UP, seconds=1)),
        result(watcher, DOWN, seconds=2),
    )
    assert verdict_of(session, watcher) is DOWN


def test_a_paused_monitor_does_not_count(session: Session, page: Page) -> None:
    """A result that comes in after the pause changes nothing; what it watched is not known."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    record(session, result(watcher, DOWN))
    watcher = monitors.get(session, page, "m", lock=True)
    monitors.pause(session, page, watcher, actor="ann")
    session.commit()
    assert incident_of(session).status is IncidentStatus.RESOLVED
    record(session, result(watcher, DOWN, seconds=1))
    assert verdict_of(session, watcher) is UNKNOWN
    assert scenes.shown(session, api) is ComponentStatus.UNKNOWN
    assert due.due_regions(session, utc_now() + timedelta(days=1)) == []

    watcher = monitors.get(session, page, "m", lock=True)
    monitors.resume(session, page, watcher, actor="ann")
    session.commit()
    assert due.due_regions(session, utc_now() + timedelta(seconds=1)) == ["default"]
    record(session, result(watcher, UP, seconds=2))
    assert scenes.shown(session, api) is ComponentStatus.OPERATIONAL


def test_unknown_monitors_and_regions_are_passed_over(session: Session, page: Page) -> None:
    """A result of a monitor or of a region that is gone by now is dropped."""
    watcher = scenes.monitor(session, page)
    gone = CheckResult(monitor_id=new_id(), region="default", outcome=DOWN, at=utc_now())
    record(session, gone, result(watcher, DOWN, region="mars"))
    assert verdict_of(session, watcher) is UNKNOWN
    assert session.scalars(select(Check)).all() == []


def test_a_quorum_of_regions_decides(session: Session, page: Page) -> None:
    """With a quorum of two, one region alone cannot call a target down."""
    watcher = scenes.monitor(session, page, regions=["eu", "us", "ap"], quorum=2)
    record(session, *(result(watcher, UP, region=region) for region in ("eu", "us", "ap")))
    record(session, result(watcher, DOWN, region="eu", seconds=1))
    assert verdict_of(session, watcher) is UP
    record(session, result(watcher, DOWN, region="us", seconds=1))
    assert verdict_of(session, watcher) is DOWN


def test_an_incident_resolved_by_hand_stays_so(session: Session, page: Page) -> None:
    """A person who resolves the monitor's incident is not overruled while the monitor stays down."""
    scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    record(session, result(watcher, DOWN))
    incidents.resolve(session, page, incident_of(session).id)
    session.commit()
    record(session, result(watcher, DOWN, seconds=1))
    record(session, result(watcher, UP, seconds=2))
    assert scenes.names(session, "incident.") == ["incident.created", "incident.resolved"]


def test_a_monitor_may_keep_quiet(session: Session, page: Page) -> None:
    """Without open_incident a monitor changes its component and opens nothing."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(
        session,
        page,
        component="api",
        open_incident=False,
        outage_status=ComponentStatus.PARTIAL_OUTAGE,
    )
    record(session, result(watcher, DOWN))
    assert scenes.shown(session, api) is ComponentStatus.PARTIAL_OUTAGE
    assert scenes.names(session, "incident.") == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("choice", "visibilities"), [("draft", ["draft"]), ("off", [])])
def test_the_site_decides_on_automatic_incidents(
    database_url: str, choice: str, visibilities: list[str]
) -> None:
    """STATUSPAGE_AUTO_INCIDENTS keeps them as drafts, or does not open any."""
    settings = {**scenes.SETTINGS, "STATUSPAGE_AUTO_INCIDENTS": choice}
    with running(database_url, **settings) as app, app.app_context():
        session = scenes.current_session()
        page = pages.find(session, None)
        scenes.component(session, page)
        watcher = scenes.monitor(session, page, component="api")
        record(session, result(watcher, DOWN))
        assert session.scalars(select(Incident.visibility)).all() == visibilities
        assert scenes.names(session, "incident.") == []
        record(session, result(watcher, UP, seconds=1))
        assert scenes.names(session, "incident.") == []


def test_two_batches_at_once(app: Flask, session: Session, page: Page) -> None:
    """Batches of many workers about the same monitors wait for each other; every result counts once."""
    watched = []
    for number in range(4):
        scenes.component(session, page, f"C{number}")
        watched.append(scenes.monitor(session, page, f"M{number}", component=f"c{number}"))
    for row in watched:
        record(session, result(row, UP, seconds=-10))
    batches = [
        [result(row, DOWN, seconds=number) for row in watched[:: 1 if number % 2 else -1]]
        for number in range(4)
    ]

    def work(batch: list[CheckResult]):
        return lambda other, its_page: monitoring.record(other, batch)

    assert scenes.at_once(app, *map(work, batches)) == [None] * 4
    assert scenes.names(session, "monitor.") == ["monitor.down"] * 4
    assert scenes.names(session, "incident.") == ["incident.created"] * 4
    assert session.scalar(select(func.count(Check.at))) == 4 + 16
    assert {verdict_of(session, row) for row in watched} == {DOWN}


def test_batches_of_several_pages_at_once(app: Flask, session: Session, page: Page) -> None:
    """Batches that meet on two pages do not block each other for good, in round after round."""
    is_mariadb = session.get_bind().dialect.name in ("mysql", "mariadb")
    rows = []
    for name in ("One", "Two"):
        other = pages.create(session, name=name)
        for number in range(2):
            scenes.component(session, other, f"C{number}")
            rows.append(scenes.monitor(session, other, f"M{number}", component=f"c{number}"))
    session.commit()

    for number in range(3):
        outcome = DOWN if number % 2 else UP

        def work(share: list[Monitor], number: int = number, outcome: Verdict = outcome):
            batch = [result(row, outcome, seconds=number) for row in share]
            return lambda other, its_page: monitoring.record(other, batch)

        shares = [rows[0::2], rows[1::2][::-1]]
        works = [work(share) for share in shares]
        for own, done in zip(works, scenes.at_once(app, *works), strict=True):
            # MariaDB may end one for the sake of the other, whatever their order; the worker records it again.
            if done is not None and is_mariadb:
                assert isinstance(done, DBAPIError)
                assert lost_race(done)
                (done,) = scenes.at_once(app, own)
            assert done is None
        assert {verdict_of(session, row) for row in rows} == {outcome}
        session.commit()


def test_one_monitor_that_fails_stops_no_other(
    session: Session, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    """Its consequences are rolled back and logged, the others' are kept, and its next result tries again."""
    for name in ("Good", "Bad", "Fine"):
        scenes.component(session, page, name)
    watched = {
        name: scenes.monitor(session, page, name.title(), component=name)
        for name in ("good", "bad", "fine")
    }
    record(session, *(result(row, UP) for row in watched.values()))

    def refuse(mapper: object, connection: object, incident: Incident) -> None:
        if incident.title == "Bad is down":
            raise RuntimeError("a listener of the host broke")

    event.listen(Incident, "before_insert", refuse)
    try:
        with caplog.at_level(logging.ERROR):
            record(session, *(result(row, DOWN, seconds=1) for row in watched.values()))
    finally:
        event.remove(Incident, "before_insert", refuse)
    assert "monitor bad could not change its page" in caplog.text
    verdicts = {name: verdict_of(session, row) for name, row in watched.items()}
    assert verdicts == {"good": DOWN, "bad": UP, "fine": DOWN}
    assert len(scenes.names(session, "monitor.")) == 2
    titles = session.scalars(select(Incident.title)).all()
    assert sorted(titles) == ["Fine is down", "Good is down"]

    record(session, result(watched["bad"], DOWN, seconds=2))
    assert verdict_of(session, watched["bad"]) is DOWN
    assert len(scenes.names(session, "monitor.")) == 3


def test_an_error_of_any_length_is_kept(session: Session, page: Page) -> None:
    """A probe of another package may say much; its check is kept, and so are those beside it."""
    watcher, other = scenes.monitor(session, page), scenes.monitor(session, page, "Other")
    record(session, result(watcher, DOWN, error="\0why " * 200), result(other, UP))
    assert [verdict_of(session, row) for row in (watcher, other)] == [DOWN, UP]
    longest = session.scalar(select(func.max(func.length(Check.error))))
    assert longest == 200


def test_a_removed_monitor_falls_silent(session: Session, page: Page) -> None:
    """Its word on the component ends, its open incident is resolved, its regions are gone."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    record(session, result(watcher, DOWN))
    with pytest.raises(Conflict, match="A monitor watches 'api'"):
        archive.remove(session, page, components.get(session, page, "api"), actor=None)
    session.rollback()
    monitors.remove(session, page, monitors.get(session, page, "m", lock=True), actor="ann")
    session.commit()
    assert scenes.shown(session, api) is ComponentStatus.OPERATIONAL
    assert incident_of(session).status is IncidentStatus.RESOLVED
    for model in (Monitor, MonitorRegion):  # what they measured goes later, see test_history
        assert session.scalars(select(model)).all() == []


def test_another_target_starts_anew(session: Session, page: Page) -> None:
    """What was found of the old target says nothing of the new one; a new name keeps the verdict."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api", open_incident=False)
    record(session, result(watcher, DOWN))
    watcher = monitors.get(session, page, "m", lock=True)
    monitors.change(session, page, watcher, {"name": "Other name"}, actor=None)
    session.commit()
    assert verdict_of(session, watcher) is DOWN
    watcher = monitors.get(session, page, "m", lock=True)
    monitors.change(session, page, watcher, {"target": "http://127.0.0.1:8/"}, actor=None)
    session.commit()
    assert verdict_of(session, watcher) is UNKNOWN
    assert scenes.shown(session, api) is ComponentStatus.UNKNOWN


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_all_wrong_fields_are_named_together(session: Session, page: Page) -> None:
    """A form with several mistakes is answered once, with each field's name."""
    with pytest.raises(Invalid) as caught:
        monitors.create(
            session,
            page,
            name="M",
            target="ftp://x",
            interval=0,
            quorum=2,
            outage_status=ComponentStatus.OPERATIONAL,
            options={"method": "BREW", "colour": 1},
        )
    assert {error.field for error in caught.value.errors} == {
        *("interval", "quorum", "outage_status", "target", "options.method", "options.colour")
    }
    with pytest.raises(NotFound):
        monitors.get(session, page, "m")


def test_due_checks_become_orders(session: Session, page: Page) -> None:
    """An order has all that a probe needs, so no row is read while the network is used."""
    watcher = scenes.monitor(session, page, timeout=3.5, degraded_over_ms=200)
    now = utc_now() + timedelta(seconds=1)
    (order,) = monitoring.claim_due(session, "default", now, limit=10)
    assert (order.monitor_id, order.kind, order.timeout) == (watcher.id, "http", 3.5)
    assert (order.target, order.degraded_over_ms) == ("http://127.0.0.1:9/", 200)
    assert order.options == probes["http"].check_options({}, current_settings())
    assert order.options["expected_status"] == ["2xx"]


@pytest.mark.parametrize("how", ["pause", "remove", "another target"])
def test_what_was_told_to_be_down_is_told_to_be_over(
    session: Session, page: Page, how: str
) -> None:
    """Whoever was alarmed by a monitor hears of its end, also when a person pauses, removes or mends it."""
    scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    monitoring.record(session, [result(watcher, Verdict.DOWN)])
    session.commit()
    row = monitors.get(session, page, watcher.slug, lock=True)
    if how == "pause":
        monitors.pause(session, page, row, actor=None)
    elif how == "remove":
        monitors.remove(session, page, row, actor=None)
    else:
        values = {"target": "http://127.0.0.1:9/elsewhere"}
        monitors.change(session, page, row, values, actor=None)
    session.commit()
    assert scenes.names(session, "monitor") == ["monitor.down", "monitor.recovered"]
    told = scenes.events(session, "monitor.recovered")[0].data["monitor"]
    assert (told["previous"], told["verdict"], told["check"]) == ("down", "unknown", None)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_monitor_that_cannot_be_asked_holds_up_no_other(
    session: Session, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    """Options that nobody understands any more cost their own monitors, which the log names."""
    for name in ("Good", "Odd", "Traffic", "Fine"):
        scenes.monitor(session, page, name)
    broken = {"odd": {"secrets": "[1", "options": {}}}
    broken["traffic"] = {"kind": "traffic", "options": {"window": "for ever"}}
    for slug, values in broken.items():
        session.execute(update(Monitor).where(Monitor.slug == slug).values(values))
    session.commit()
    with caplog.at_level(logging.ERROR):
        orders = monitoring.claim_due(session, "default", utc_now(), limit=10)
    session.commit()
    slugs = {row.id: row.slug for row in session.scalars(select(Monitor))}
    assert {slugs[order.monitor_id] for order in orders} == {"good", "fine"}
    for slug in broken:
        assert caplog.text.count(f"monitor {slug} cannot be checked") == 1


def asked_before(session: Session, page: Page, **values: Any) -> CheckResult:
    """What the monitor answers that is changed after it was claimed; its own target refuses all calls."""
    (order,) = monitoring.claim_due(session, "default", database_now(session), limit=10)
    session.commit()
    watcher = monitors.get(session, page, "m", lock=True)
    if values:
        monitors.change(session, page, watcher, values, actor="ann")
    else:
        monitors.pause(session, page, watcher, actor="ann")
        monitors.resume(session, page, watcher, actor="ann")
    session.commit()
    found = monitoring.ask(order)
    session.rollback()
    assert found.outcome is DOWN
    return found


@pytest.mark.parametrize(
    "values",
    [
        {"target": "http://127.0.0.1:9/other"},
        {"kind": "tcp", "target": "127.0.0.1:9"},
        {"kind": "heartbeat", "target": ""},
    ],
    ids=["target", "kind", "heartbeat"],
)
def test_an_answer_of_the_former_target_is_no_word_on_the_new_one(
    session: Session, page: Page, values: dict[str, Any]
) -> None:
    """It was claimed before the change and came after it: nothing is kept of it, neither verdict nor uptime."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api")
    record(session, asked_before(session, page, **values))
    assert verdict_of(session, watcher) is UNKNOWN
    assert scenes.shown(session, api) is ComponentStatus.UNKNOWN
    for model in (Check, Rollup, Incident):
        assert session.scalars(select(model)).all() == []


def test_an_answer_counts_where_its_target_stayed(session: Session, page: Page) -> None:
    """A change of something else does not undo what is being asked."""
    watcher = scenes.monitor(session, page)
    record(session, asked_before(session, page, name="Other name", interval=300))
    assert verdict_of(session, watcher) is DOWN


def test_an_answer_from_before_a_pause_turns_nothing(session: Session, page: Page) -> None:
    """It is kept, as it is true for its time; the first one that is asked after the resume counts."""
    watcher = scenes.monitor(session, page)
    record(session, asked_before(session, page))
    assert verdict_of(session, watcher) is UNKNOWN
    assert session.scalar(select(func.count(Check.at))) == 1
    (order,) = monitoring.claim_due(session, "default", database_now(session), limit=10)
    session.commit()
    record(session, monitoring.ask(order))
    assert verdict_of(session, watcher) is DOWN


def test_a_clock_that_was_ahead_at_a_resume_does_not_silence_a_monitor(
    session: Session, page: Page
) -> None:
    """What is asked counts, though it was asked an hour before the resume by the clock of then."""
    watcher = scenes.monitor(session, page)
    asked_before(session, page)
    ahead = utc_now() + timedelta(hours=1)
    session.execute(update(MonitorRegion).values(abstained_at=ahead))
    session.commit()
    record(session, result(watcher, DOWN))
    assert verdict_of(session, watcher) is DOWN
