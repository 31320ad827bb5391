"""What monitors see on other services' status pages: told once, to whom it concerns, and quietly remembered else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.domain.events import UPSTREAM_CHANGE
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.upstream import (
    VERDICTS,
    UpstreamComponent,
    UpstreamNews,
    UpstreamState,
    described,
)
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import CheckResult
from flask_statuspage.services import maintenances, monitoring, monitors, redelivery
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.outbox import DeliveryState
from flask_statuspage.storage.pages import Page

from . import scenes
from .watching import verdict_of

UP = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
DOWN = ComponentStatus.MAJOR_OUTAGE

URL = "http://127.0.0.1:9/"

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For rules that are the same whatever keeps the rows."""


def monitor(session: Session, page: Page, **options: Any) -> Monitor:
    row = monitors.create(session, page, name="Heroku", kind="upstream", target=URL, **options)
    session.commit()
    return row


def sees(
    of: Monitor,
    *statuses: ComponentStatus,
    seconds: float = 0,
    region: str = "default",
    title: str | None = None,
) -> CheckResult:
    """A result that saw the components of the page so, *seconds* from now."""
    told = [UpstreamNews(title=title, text="Delays.", status=statuses[0])] if title else []
    state = UpstreamState(
        name="Heroku",
        components=tuple(
            UpstreamComponent(name=name, status=status)
            for name, status in zip(("Apps", "Data"), statuses, strict=False)
        ),
        news=tuple(told),
    )
    return CheckResult(
        monitor_id=of.id,
        region=region,
        outcome=VERDICTS[state.status],
        at=utc_now() + timedelta(seconds=seconds),
        observed=described(state, target=of.target, watched=None, told={}),
    )


def record(session: Session, *results: CheckResult) -> None:
    monitoring.record(session, results)
    session.commit()


def told(session: Session) -> list[tuple[str, str]]:
    """Previous and present status of each event."""
    rows = [row.data["upstream"] for row in scenes.events(session, "upstream.")]
    return [(one["previous_status"], one["status"]) for one in rows]


def memory(session: Session, of: Monitor) -> dict[str, Any] | None:
    query = select(Monitor.observed).where(Monitor.id == of.id)
    return session.execute(query).scalar_one()


def test_a_change_is_one_event(session: Session, page: Page) -> None:
    """The first sight is remembered; a change is told with all components and those that changed, and only to formats
    that tell a service as a whole."""
    gator = scenes.webhook(session, page, format="statusgator")
    others = [scenes.webhook(session, page, format=name) for name in ("native", "statuspage")]
    watcher = monitor(session, page)
    record(session, sees(watcher, UP, UP))
    assert told(session) == []
    record(session, sees(watcher, DEGRADED, UP, seconds=30, title="Slow deployments"))
    (row,) = scenes.events(session, UPSTREAM_CHANGE)
    assert (row.subject_id, row.component_ids) == (watcher.id, [])
    assert row.data["upstream"] == {
        "name": "Heroku",
        "slug": "heroku",
        "previous_status": "operational",
        "status": "degraded_performance",
        "components": [
            {"id": None, "name": "Apps", "group": None, "status": "degraded_performance"},
            {"id": None, "name": "Data", "group": None, "status": "operational"},
        ],
        "changes": [
            {
                "id": None,
                "name": "Apps",
                "group": None,
                "previous_status": "operational",
                "status": "degraded_performance",
            }
        ],
        "title": "Slow deployments",
        "text": "Delays.",
        "status_page_url": URL,
        "home_page_url": URL,
        "favicon_url": URL + "favicon.ico",
    }
    assert scenes.told(session, gator) == [UPSTREAM_CHANGE]
    assert [scenes.told(session, one) for one in others] == [[], []]


def test_what_has_not_changed_is_not_told(session: Session, page: Page) -> None:
    """The same again, a double, a late result and other words for the same state make no event."""
    watcher = monitor(session, page)
    record(session, sees(watcher, UP), sees(watcher, DOWN, seconds=30))
    again = sees(watcher, DOWN, seconds=60, title="Other words")
    before = memory(session, watcher)
    record(session, again)
    record(session, replace(again, at=again.at + timedelta(milliseconds=1)))
    record(session, sees(watcher, UP, seconds=10))
    assert told(session) == [("operational", "major_outage")]
    assert memory(session, watcher) == before
    record(session, sees(watcher, UP, seconds=90))
    assert told(session)[1:] == [("major_outage", "operational")]


@ON_SQLITE
def test_a_page_that_cannot_be_read_changes_nothing(session: Session, page: Page) -> None:
    """Results without a sight leave what is known of the page alone."""
    watcher = monitor(session, page)
    record(session, sees(watcher, UP))
    unread = CheckResult(
        monitor_id=watcher.id,
        region="default",
        outcome=Verdict.UNKNOWN,
        at=utc_now() + timedelta(seconds=30),
        error="The status page could not be read: it answered 500",
    )
    record(session, unread)
    record(session, sees(watcher, UP, seconds=60))
    assert told(session) == []


def test_two_regions(session: Session, page: Page) -> None:
    """A change that both see is told once, and an older copy in one of them takes nothing back."""
    watcher = monitor(session, page, regions=["eu", "us"])
    steps = [(UP, UP), (DOWN, UP), (DOWN, UP), (DOWN, DOWN), (DOWN, DOWN), (UP, UP)]
    for number, (first, second) in enumerate(steps):
        record(
            session,
            sees(watcher, second, seconds=30 * number + 1, region="us"),
            sees(watcher, first, seconds=30 * number, region="eu"),
        )
    assert told(session) == [("operational", "major_outage"), ("major_outage", "operational")]


@ON_SQLITE
def test_an_older_copy_is_no_outage(session: Session, page: Page) -> None:
    """For a quarter of an hour after a change a copy that says it is older could not find out, whatever it says."""
    watcher = monitor(session, page, failure_threshold=1)

    def copy(status: ComponentStatus, *, hours_old: float, seconds: float) -> CheckResult:
        found = sees(watcher, status, seconds=seconds)
        as_of = (utc_now() - timedelta(hours=hours_old)).isoformat()
        return replace(found, observed={**(found.observed or {}), "as_of": as_of})

    record(session, copy(UP, hours_old=1, seconds=0))
    record(session, copy(DOWN, hours_old=48, seconds=60))
    assert verdict_of(session, watcher) is Verdict.UP
    assert session.scalars(select(Check.outcome).order_by(Check.at)).all() == [
        Verdict.UP,
        Verdict.UNKNOWN,
    ]
    assert session.scalars(select(Incident.id)).all() == []
    record(session, copy(DOWN, hours_old=0, seconds=120))
    assert verdict_of(session, watcher) is Verdict.DOWN


@ON_SQLITE
def test_a_region_that_fell_silent(session: Session, page: Page) -> None:
    """What it told stands for three intervals against what others see; then theirs counts."""
    watcher = monitor(session, page, regions=["eu", "us"], interval=60)
    record(session, *(sees(watcher, UP, region=region) for region in ("eu", "us")))
    record(session, sees(watcher, DOWN, seconds=60, region="eu"))
    for seconds in (61, 121, 181):
        record(session, sees(watcher, UP, seconds=seconds, region="us"))
    assert told(session) == [("operational", "major_outage")]
    record(session, sees(watcher, UP, seconds=245, region="us"))
    assert told(session)[1:] == [("major_outage", "operational")]


def test_regions_at_once(app: Flask, session: Session, page: Page) -> None:
    """Two workers that record one change at the same moment tell it once."""
    watcher = monitor(session, page, regions=["eu", "us"])
    record(session, *(sees(watcher, UP, region=region) for region in ("eu", "us")))
    results = [sees(watcher, DOWN, seconds=30, region=region) for region in ("eu", "us")]
    done = scenes.at_once(
        app, *(lambda db, _, one=one: monitoring.record(db, [one]) for one in results)
    )
    assert done == [None, None]
    assert told(session) == [("operational", "major_outage")]


def test_the_component_follows(session: Session, page: Page) -> None:
    """The component that stands for the service shows what its page says, and the event is about it."""
    api = scenes.component(session, page)
    gator = scenes.webhook(session, page, format="statusgator")
    watcher = monitor(session, page, component="api", open_incident=False)
    record(session, sees(watcher, UP))
    record(session, sees(watcher, DOWN, seconds=30))
    assert scenes.shown(session, api) is DOWN
    (row,) = scenes.events(session, UPSTREAM_CHANGE)
    assert row.component_ids == [str(api.id)]
    assert sorted(scenes.told(session, gator)) == ["page.status_change", row.name]


@ON_SQLITE
def test_chosen_components(session: Session, page: Page) -> None:
    """A subscription to some components hears of it only if the monitor's is among them."""
    scenes.component(session, page)
    scenes.component(session, page, "Web")
    hooks = {
        name: scenes.webhook(session, page, format="statusgator", components=[name])
        for name in ("api", "web")
    }
    attached = monitor(session, page, component="api", open_incident=False)
    alone = monitor(session, page)
    for row in (attached, alone):
        record(session, sees(row, UP))
        record(session, sees(row, DOWN, seconds=30))
    heard = {
        name: scenes.told(session, hook).count(UPSTREAM_CHANGE) for name, hook in hooks.items()
    }
    assert heard == {"api": 1, "web": 0}


@ON_SQLITE
def test_a_subscription_that_chose_other_events(session: Session, page: Page) -> None:
    """It comes to whoever chose changes of components, as nobody can choose it by itself."""
    hook = scenes.webhook(session, page, format="statusgator", events=["component.status_change"])
    watcher = monitor(session, page)
    record(session, sees(watcher, UP), sees(watcher, DOWN, seconds=30))
    assert scenes.told(session, hook) == [UPSTREAM_CHANGE]


@ON_SQLITE
@pytest.mark.parametrize(("level", "heard"), [("any", 5), ("warn", 4), ("down", 2)])
def test_levels(session: Session, page: Page, level: str, heard: int) -> None:
    """A change that stays below the subscription's level is silent, and one for which there is one word is none."""
    scenes.component(session, page)
    hooks = [
        scenes.webhook(session, page, format="statusgator", level=level),
        scenes.webhook(session, page, format="statusgator", level=level, components=["api"]),
    ]
    watcher = monitor(session, page, component="api", open_incident=False)
    steps = [UP, DEGRADED, PARTIAL, DOWN, UP, DEGRADED, UP]
    maintained = ComponentStatus.UNDER_MAINTENANCE
    for number, status in enumerate([*steps[:5], maintained, DEGRADED]):
        record(session, sees(watcher, status, seconds=30 * number))
    assert [scenes.told(session, hook).count(UPSTREAM_CHANGE) for hook in hooks] == [heard] * 2


def test_under_maintenance_it_is_quiet(session: Session, page: Page) -> None:
    """While the component is under maintenance nothing is told; afterwards what is different by then, and nothing if
    it is as before."""
    scenes.component(session, page)
    watcher = monitor(session, page, component="api", open_incident=False)
    record(session, sees(watcher, UP))
    for number, (during, after) in enumerate([(DOWN, UP), (DOWN, DOWN)], start=1):
        window = maintenances.schedule(
            session,
            page,
            title="Work",
            affected=["api"],
            scheduled_end=utc_now() + timedelta(hours=1),
        )
        session.commit()
        record(session, sees(watcher, during, seconds=100 * number))
        assert told(session) == []
        maintenances.update(session, page, window.id, status=MaintenanceStatus.COMPLETED)
        session.commit()
        record(session, sees(watcher, after, seconds=100 * number + 30))
    assert told(session) == [("operational", "major_outage")]


@ON_SQLITE
def test_a_paused_monitor_sees_nothing(session: Session, page: Page) -> None:
    """What happened while it was paused is not told; the first sight afterwards is a first sight."""
    watcher = monitor(session, page)
    record(session, sees(watcher, UP))
    watcher = monitors.get(session, page, "heroku", lock=True)
    monitors.pause(session, page, watcher, actor=None)
    session.commit()
    record(session, sees(watcher, DOWN, seconds=30))
    assert memory(session, watcher) is None
    watcher = monitors.get(session, page, "heroku", lock=True)
    monitors.resume(session, page, watcher, actor=None)
    session.commit()
    record(session, sees(watcher, DOWN, seconds=60))
    assert told(session) == []
    record(session, sees(watcher, UP, seconds=90))
    assert told(session) == [("major_outage", "operational")]


@ON_SQLITE
def test_another_target_is_another_page(session: Session, page: Page) -> None:
    """Two services are not compared with each other."""
    watcher = monitor(session, page)
    record(session, sees(watcher, UP))
    watcher = monitors.get(session, page, "heroku", lock=True)
    monitors.change(session, page, watcher, {"target": URL + "other"}, actor=None)
    session.commit()
    record(session, sees(watcher, DOWN, seconds=30))
    assert told(session) == []


@ON_SQLITE
def test_it_can_be_sent_again(session: Session, page: Page) -> None:
    """A delivery of it that was given up is sent again like any other, in a format that words it."""
    hook = scenes.webhook(session, page, format="statusgator")
    watcher = monitor(session, page)
    record(session, sees(watcher, UP), sees(watcher, DOWN, seconds=30))
    delivery = scenes.delivery(session, hook)
    delivery.state = DeliveryState.DEAD
    delivery.finished_at = utc_now()
    session.commit()
    since = utc_now() - timedelta(hours=1)
    hook.format = "native"  # which has no words for it
    session.commit()
    assert redelivery.redeliver_failed(session, page, since=since, actor=None) == 0
    hook.format = "statusgator"
    session.commit()
    assert redelivery.redeliver_failed(session, page, since=since, actor=None) == 1


@ON_SQLITE
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"status": "purple"},
        {"components": [{"name": "A"}]},
        {"components": 5},
        {"as_of": "yesterday"},
        {"text": None},
        {"components": [{"id": ["a"], "name": "A", "group": None, "status": "operational"}]},
        {"components": [{"id": None, "name": "A", "group": {}, "status": "operational"}]},
        {"as_of": "2026-03-01T10:00:00"},
        {"title": 5},
        {"watched": None},
        {"watched": [object()]},
    ],
)
def test_what_another_packages_probe_observes(
    session: Session, page: Page, caplog: pytest.LogCaptureFixture, change: dict[str, Any]
) -> None:
    """What has another shape is logged and left out; the result counts, as do all others of its batch."""
    watcher = monitor(session, page)
    good = sees(watcher, UP)
    odd = replace(good, observed={**(good.observed or {}), **change} if change else {})
    record(session, odd)
    assert "cannot be read" in caplog.text
    assert memory(session, watcher) is None
    assert monitors.get(session, page, "heroku").verdict is Verdict.UP


@ON_SQLITE
def test_whoever_fails_is_logged_and_told_later(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the event cannot be written, the change stays news and is told with the next result."""
    watcher = monitor(session, page)
    record(session, sees(watcher, UP))
    with monkeypatch.context() as patched:
        patched.setattr("flask_statuspage.services.upstream.upstream.changes", lambda *_: 1 / 0)
        record(session, sees(watcher, DOWN, seconds=30))
    assert "could not change its page" in caplog.text
    assert told(session) == []
    record(session, sees(watcher, DOWN, seconds=60))
    assert told(session) == [("operational", "major_outage")]


@ON_SQLITE
def test_only_what_is_known_of_an_observation_is_kept(session: Session, page: Page) -> None:
    """What another package's probe adds, which may be nothing that can be stored, breaks no batch, and no text does."""
    watcher = monitor(session, page)
    good = sees(watcher, UP)
    told = {**(good.observed or {}), "more": object(), "name": "A\0B\ud800", "as_of": AS_OF}
    told["components"] = [{**one, "since": session} for one in told["components"]]
    record(session, replace(good, observed=told))
    kept = (watcher.observed or {})["told"]
    assert kept.keys() == (good.observed or {}).keys()
    assert (kept["name"], kept["as_of"]) == ("AB?", "2026-03-01T10:00:00+00:00")


AS_OF = "2026-03-01T12:00:00+02:00"
