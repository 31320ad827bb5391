"""Which regions have a say: fresh ones that do not abstain."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import probes
from flask_statuspage.services import facts, monitor_votes, monitors
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.pages import Page

from . import scenes
from .scenes import result
from .watching import age, record, regions_of, verdict_of

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def votes(session: Session, page: Page, row: Monitor) -> dict[str, bool]:
    monitor = monitors.get(session, page, row.slug)
    return {one.region: facts.region(one, monitor, utc_now()).votes for one in monitor.regions}


def test_a_stale_region_does_not_vote(session: Session, page: Page) -> None:
    """What a region said before three intervals and its timeout is no vote: the others decide."""
    watcher = scenes.monitor(session, page, regions=["eu", "us"], quorum=2, interval=60, timeout=10)
    record(session, *(result(watcher, UP, region=region) for region in ("eu", "us")))
    assert votes(session, page, watcher) == {"eu": True, "us": True}
    age(session, watcher, 180, regions=["us"])
    assert votes(session, page, watcher) == {"eu": True, "us": True}
    record(session, result(watcher, DOWN, region="eu", seconds=1))
    assert verdict_of(session, watcher) is UP
    age(session, watcher, 20, regions=["us"])
    assert votes(session, page, watcher) == {"eu": True, "us": False}
    record(session, result(watcher, DOWN, region="eu", seconds=2))
    assert verdict_of(session, watcher) is DOWN


def test_where_no_region_votes_the_verdict_stays(session: Session, page: Page) -> None:
    """A result that comes so late that it is stale at once counts in its streak, and turns nothing."""
    watcher = scenes.monitor(session, page)
    record(session, result(watcher, UP))
    age(session, watcher, 2000)
    record(session, result(watcher, DOWN, seconds=-1000))
    assert regions_of(session, watcher)["default"].verdict is DOWN
    assert verdict_of(session, watcher) is UP


def test_what_could_not_find_out_is_kept_and_does_not_count(session: Session, page: Page) -> None:
    """It is stored, its region abstains, the verdict stays; the next result that counts has a vote again."""
    watcher = scenes.monitor(session, page, failure_threshold=2)
    record(session, result(watcher, UP), result(watcher, DOWN, seconds=1))
    record(session, result(watcher, UNKNOWN, seconds=2), result(watcher, UNKNOWN, seconds=3))
    row = regions_of(session, watcher)["default"]
    assert (row.down, row.last_outcome, row.verdict) == (1, UNKNOWN, UP)
    assert row.abstained_at is not None
    assert 0.9 < (row.last_at - row.abstained_at).total_seconds() < 1.9
    assert votes(session, page, watcher) == {"default": False}
    assert verdict_of(session, watcher) is UP
    assert session.scalar(select(func.count(Check.at))) == 4
    record(session, result(watcher, DOWN, seconds=4))
    assert verdict_of(session, watcher) is DOWN
    assert votes(session, page, watcher) == {"default": True}


def test_an_abstaining_region_leaves_the_decision_to_the_others(
    session: Session, page: Page
) -> None:
    """Of two that must agree one abstains: the other one's outage is told, with its own check."""
    watcher = scenes.monitor(session, page, regions=["eu", "us"], quorum=2)
    record(session, *(result(watcher, UP, region=region) for region in ("eu", "us")))
    record(session, result(watcher, DOWN, region="eu", seconds=1, error="Answered 500"))
    assert verdict_of(session, watcher) is UP
    record(session, result(watcher, UNKNOWN, region="us", seconds=2, error="No line"))
    assert verdict_of(session, watcher) is UP
    record(session, result(watcher, DOWN, region="eu", seconds=3, error="Answered 500"))
    assert verdict_of(session, watcher) is DOWN
    told = scenes.events(session, "monitor.down")[0].data["monitor"]
    assert (told["check"]["region"], told["check"]["error"]) == ("eu", "Answered 500")
    assert {one["region"]: one["votes"] for one in told["regions"]} == {"eu": True, "us": False}


def test_a_long_gap_ends_a_run(session: Session, page: Page) -> None:
    """Failures from before a stop and those after it are no run, and one failure after it is not "up"."""
    watcher = scenes.monitor(session, page, failure_threshold=3, recovery_threshold=2)
    record(
        session,
        *(result(watcher, outcome, seconds=n) for n, outcome in enumerate([UP, DOWN, DOWN])),
    )
    age(session, watcher, 3600)
    record(session, result(watcher, DOWN, seconds=3))
    row = regions_of(session, watcher)["default"]
    assert (row.down, row.verdict) == (1, UNKNOWN)
    assert verdict_of(session, watcher) is UP
    record(session, result(watcher, DOWN, seconds=4), result(watcher, DOWN, seconds=5))
    assert verdict_of(session, watcher) is DOWN
    age(session, watcher, 3600)
    record(session, result(watcher, UP, seconds=6))
    assert verdict_of(session, watcher) is DOWN
    record(session, result(watcher, UP, seconds=7))
    assert verdict_of(session, watcher) is UP


def test_who_is_asked_seldom_has_runs_too(session: Session, page: Page) -> None:
    """A monitor of every minute that a job of cron asks every five goes down and recovers as its thresholds say."""
    watcher = scenes.monitor(session, page, failure_threshold=3, recovery_threshold=2)

    def sweep(outcome: Verdict, *, minutes: float = 5) -> Verdict:
        age(session, watcher, 60 * minutes)
        record(session, result(watcher, outcome))
        return verdict_of(session, watcher)

    assert [sweep(one) for one in (UP, UP, DOWN, DOWN, DOWN)] == [UP, UP, UP, UP, DOWN]
    assert [sweep(one) for one in (UP, UP)] == [DOWN, UP]
    assert [sweep(one) for one in (DOWN, DOWN)] == [UP, UP]
    # Longer than its rhythm: what was before that is no run with what comes.
    assert sweep(DOWN, minutes=60) is UP
    assert regions_of(session, watcher)["default"].down == 1
    assert [sweep(one) for one in (DOWN, DOWN)] == [UP, DOWN]


def test_what_speaks_by_itself_is_never_stale(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last word of a passive kind counts however old it is."""
    watcher = scenes.monitor(session, page)
    record(session, result(watcher, UP))
    age(session, watcher, 10**6)
    assert votes(session, page, watcher) == {"default": False}
    monkeypatch.setattr(type(probes["http"]), "passive", True)
    assert votes(session, page, watcher) == {"default": True}


def test_a_target_that_flaps_stays_bad(session: Session, page: Page) -> None:
    """With each fall it takes twice as many good results, so the verdict changes ever more seldom."""
    watcher = scenes.monitor(session, page, component=None)
    seconds = count()
    outcomes = [UP] + [DOWN, UP] * 30
    record(session, *(result(watcher, outcome, seconds=next(seconds)) for outcome in outcomes[:2]))
    for outcome in outcomes[2:]:
        record(session, result(watcher, outcome, seconds=next(seconds)))
    assert verdict_of(session, watcher) is DOWN
    assert scenes.names(session, "monitor.") == [
        "monitor.down",
        "monitor.recovered",
        "monitor.down",
    ]
    assert monitors.get(session, page, "m").regions[0].streak.is_flapping


def test_the_patience_follows_the_monitor(session: Session, page: Page) -> None:
    """Three intervals and the timeout, whatever they are."""
    watcher = scenes.monitor(session, page, interval=3600, timeout=30.5)
    assert monitor_votes.patience(watcher) == timedelta(seconds=3 * 3600 + 30.5)


def test_the_word_of_a_job_is_never_damped(session: Session, page: Page) -> None:
    """However often a nightly job fails, one good night ends it: twice as many words would be two nights."""
    scenes.component(session, page)
    job = monitors.create(session, page, name="Backup", kind="heartbeat", component="api")
    session.commit()
    for night in range(8):
        record(session, result(job, DOWN, seconds=2 * night))
        assert verdict_of(session, job) is DOWN
        record(session, result(job, UP, seconds=2 * night + 1))
        assert verdict_of(session, job) is UP
