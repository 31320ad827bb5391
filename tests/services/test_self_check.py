"""A region makes sure of its own line before it says that something is down for the first time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from flask_statuspage.config import Settings
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import CheckResult, probes
from flask_statuspage.services import monitoring, self_check
from flask_statuspage.state import current_settings, state_of
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import database_now
from tests.lacking import no_threads_after
from tests.servers.http import Answer, Target

from . import scenes
from .scenes import result
from .watching import record, verdict_of

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def settings(*references: str) -> Settings:
    return replace(current_settings(), reference_targets=references)


@contextmanager
def deaf() -> Iterator[str]:
    """The URL of a port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/reference"


def outcomes(results: list[CheckResult]) -> list[Verdict]:
    return [one.outcome for one in results]


def test_failures_of_a_region_that_is_cut_off_do_not_count(session: Session, page: Page) -> None:
    """If no reference answers, the failure becomes "could not find out" in fixed words, and turns nothing."""
    watcher = scenes.monitor(session, page)
    record(session, result(watcher, UP))
    with deaf() as url:
        results = self_check.believed([result(watcher, DOWN, seconds=1)], settings(url))
    assert outcomes(results) == [UNKNOWN]
    assert results[0].error == "This region cannot reach the reference targets"
    record(session, *results)
    assert verdict_of(session, watcher) is UP


def test_one_reference_that_answers_anything_is_enough(
    session: Session, page: Page, target: Target
) -> None:
    """Whatever it says: the line works, so the failure is the target's."""
    watcher = scenes.monitor(session, page)
    angry = target.set("/reference", Answer(status=503))
    with deaf() as url:
        results = self_check.believed([result(watcher, DOWN)], settings(url, angry))
    assert outcomes(results) == [DOWN]
    assert target.count("/reference") == 1


def test_every_failure_is_doubted(session: Session, page: Page) -> None:
    """Also those that would turn nothing yet, and those of what is down already: none of them is history."""
    patient = scenes.monitor(session, page, "Patient", failure_threshold=3)
    known = scenes.monitor(session, page, "Known")
    record(session, result(patient, UP), result(known, DOWN))
    with deaf() as url:
        batch = [result(patient, DOWN, seconds=1), result(known, DOWN, seconds=1)]
        batch = self_check.believed(batch, settings(url))
    assert outcomes(batch) == [UNKNOWN, UNKNOWN]
    record(session, *batch)
    assert (verdict_of(session, patient), verdict_of(session, known)) == (UP, DOWN)


def test_a_region_that_says_down_has_no_say_while_it_is_cut_off(
    session: Session, page: Page
) -> None:
    """With one region abstaining, the other one's old word alone must not turn the monitor."""
    watcher = scenes.monitor(session, page, regions=["eu", "us"], quorum=2)
    record(session, *(result(watcher, UP, region=region) for region in ("eu", "us")))
    record(session, result(watcher, DOWN, region="eu", seconds=1))
    assert verdict_of(session, watcher) is UP
    with deaf() as url:
        for region in ("us", "eu"):
            failed = [result(watcher, DOWN, region=region, seconds=2)]
            record(session, *self_check.believed(failed, settings(url)))
    assert verdict_of(session, watcher) is UP


def test_good_results_and_none_cost_nothing(session: Session, page: Page, target: Target) -> None:
    """Without a failure, or without references, nobody is asked and nothing is read."""
    watcher = scenes.monitor(session, page)
    url = target.set("/reference", Answer())
    good = [result(watcher, UP), result(watcher, DEGRADED), result(watcher, UNKNOWN)]
    assert self_check.believed(good, settings(url)) is good
    bad = [result(watcher, DOWN)]
    assert self_check.believed(bad, settings()) is bad
    assert target.requests == []


@pytest.mark.parametrize("trait", ["passive", "declared"])
def test_what_does_not_ask_the_network_is_believed(
    session: Session, page: Page, trait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target that reports by itself, or the site's own code, does not need the region's line."""
    watcher = scenes.monitor(session, page)
    monkeypatch.setattr(type(probes["http"]), trait, True)
    with deaf() as url:
        assert outcomes(self_check.believed([result(watcher, DOWN)], settings(url))) == [DOWN]


def test_the_answer_holds_for_a_while(session: Session, page: Page, target: Target) -> None:
    """Batch after batch of failures asks the references once."""
    watcher = scenes.monitor(session, page)
    url = target.set("/reference", Answer())
    for seconds in range(5):
        self_check.believed([result(watcher, DOWN, seconds=seconds)], settings(url))
    assert target.count("/reference") == 1


def test_a_run_on_demand_is_checked_too(app: Flask, session: Session, page: Page) -> None:
    """A check out of turn goes the same way."""
    watcher = scenes.monitor(session, page)
    order = monitoring.order_for(watcher, "default", database_now(session), {})
    session.commit()
    state = state_of(app)
    kept = state.settings
    with deaf() as url:
        state.settings = settings(url)
        try:
            assert monitoring.ask(order).outcome is UNKNOWN
        finally:
            state.settings = kept


@pytest.mark.parametrize("lack", ["authorities", "threads"])
def test_a_reference_that_could_not_be_asked_loses_no_result(
    session: Session,
    page: Page,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    lack: str,
) -> None:
    """For a lack of this process's own: whether the line works is not known, so failures do not count here."""
    watcher = scenes.monitor(session, page)
    authorities, port = None, 9
    if lack == "authorities":
        authorities = str(tmp_path / "gone.pem")
    else:
        port = 10  # another reference: of the first one is known by now that it was not reached
        no_threads_after(0, "statuspage-self-check_0", monkeypatch)
    lacking = replace(settings(f"https://127.0.0.1:{port}/reference"), ca_file=authorities)
    batch = [result(watcher, UP), result(watcher, DOWN, seconds=1)]
    assert outcomes(self_check.believed(batch, lacking)) == [UP, UNKNOWN]
    assert (authorities or "can't start new thread") in caplog.text
