"""A batch of checks: each has its result, and none stops another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import CheckResult, Finding, ProbeOrder, batch, probes
from flask_statuspage.probing.batch import Asking, ask_all
from tests.lacking import no_threads_after
from tests.servers.http import Answer, Target

LOOPBACK = Settings(allow_http_targets=True, allow_private_targets=True, worker_threads=8)


def order(target: str, kind: str = "http", *, timeout: float = 5.0) -> ProbeOrder:
    return ProbeOrder(
        monitor_id=new_id(),
        region="eu",
        kind=kind,
        target=target,
        timeout=timeout,
        degraded_over_ms=None,
        asked_at=datetime.now(UTC),
    )


class BrokenProbe:
    """What another package might bring."""

    kind = "broken"

    @contextmanager
    def open(self, settings: Settings) -> Iterator[BrokenProbe]:
        yield self

    def ask(self, order: ProbeOrder) -> Finding:
        raise ZeroDivisionError(order.target)


class ClosedProbe(BrokenProbe):
    kind = "closed"

    @contextmanager
    def open(self, settings: Settings) -> Iterator[BrokenProbe]:
        raise RuntimeError("a library is missing")
        yield self


class OddProbe(BrokenProbe):
    """Finds something that is no finding."""

    kind = "odd"
    found: Any = None

    def ask(self, order: ProbeOrder) -> Finding:
        found: Finding = self.found
        return found


class HangingProbe(BrokenProbe):
    """Never comes back by itself."""

    kind = "hanging"

    def __init__(self) -> None:
        self.asked = 0
        self.released = threading.Event()

    def ask(self, order: ProbeOrder) -> Finding:
        self.asked += 1
        self.released.wait(60)
        return Finding(outcome=Verdict.UP)


ODD = OddProbe()


@pytest.fixture
def _more_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    added = {"broken": BrokenProbe(), "closed": ClosedProbe(), "odd": ODD}
    monkeypatch.setattr(probes, "_all", {**probes._loaded(), **added})


def test_every_order_has_its_result(target: Target) -> None:
    """More orders than threads: each is asked once."""
    orders = [order(target.set(f"/{n}", Answer(status=200 + n % 2 * 300))) for n in range(30)]
    results = {result.monitor_id: result for result in ask_all(orders, LOOPBACK)}
    assert [results[one.monitor_id].code for one in orders] == [200, 500] * 15
    assert len(target.requests) == 30


def test_results_have_the_databases_time(target: Target) -> None:
    """A check happened when the database's clock says so, however wrong this machine's is."""
    ahead = datetime.now(UTC) + timedelta(hours=5)
    given = replace(order(target.url), asked_at=ahead)
    (result,) = ask_all([given], LOOPBACK)
    assert ahead <= result.at < ahead + timedelta(seconds=2)


def test_one_that_hangs_holds_up_no_other(target: Target) -> None:
    """The results of the others are there while the slow one is still waited for."""
    slow = order(target.set("/hang", Answer(hang=True)), timeout=4.0)
    orders = [slow, *(order(target.url) for _ in range(10))]
    started = time.monotonic()
    back = [(result.monitor_id, time.monotonic() - started) for result in ask_all(orders, LOOPBACK)]
    assert back[-1][0] == slow.monitor_id
    assert back[-2][1] < 3


@pytest.mark.usefixtures("_more_probes")
def test_a_probe_that_raises_is_a_failed_check(
    target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged and counts as down; the probes beside it are asked."""
    broken, fine = order("x", "broken"), order(target.url)
    results = {result.monitor_id: result for result in ask_all([broken, fine], LOOPBACK)}
    failed = results[broken.monitor_id]
    assert (failed.outcome, failed.region) == (Verdict.DOWN, "eu")
    assert failed.error == "The probe failed: ZeroDivisionError"
    assert results[fine.monitor_id].outcome is Verdict.UP
    assert "probe broken" in caplog.text


@pytest.mark.usefixtures("_more_probes")
@pytest.mark.parametrize("kind", ["closed", "gone"])
def test_a_kind_that_cannot_be_opened_stops_no_other(
    target: Target, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """A worker without a probe's package, or with a broken one, says nothing of that probe's monitors: the site's own
    mistake is nobody's outage."""
    bad, fine = order("x", kind), order(target.url)
    results = {result.monitor_id: result for result in ask_all([bad, fine], LOOPBACK)}
    found = results[bad.monitor_id]
    assert (found.outcome, found.error) == (Verdict.UNKNOWN, "This worker cannot ask this")
    assert results[fine.monitor_id].outcome is Verdict.UP
    assert f"probe {kind}" in caplog.text


@pytest.mark.usefixtures("_more_probes")
@pytest.mark.parametrize(
    ("found", "error"),
    [
        (None, "TypeError"),
        ("up", "TypeError"),
        (Finding(outcome="up"), "TypeError"),  # type: ignore[arg-type]
        (Finding(outcome=Verdict.UP, milliseconds=1.5), "TypeError"),  # type: ignore[arg-type]
        (Finding(outcome=Verdict.UP, milliseconds=-1), "ValueError"),
        (Finding(outcome=Verdict.UP, code=2**31), "ValueError"),
        (Finding(outcome=Verdict.UP, error=5), "TypeError"),  # type: ignore[arg-type]
        (Finding(outcome=Verdict.UP, observed=[]), "TypeError"),  # type: ignore[arg-type]
        (Finding(outcome=Verdict.UP, at="now"), "AttributeError"),  # type: ignore[arg-type]
        (Finding(outcome=Verdict.UP, at=datetime(2026, 1, 1)), "ValueError"),
    ],
)
def test_what_is_no_finding_is_a_failed_check(
    target: Target, caplog: pytest.LogCaptureFixture, found: object, error: str
) -> None:
    """Nobody waits for it for ever, and the thread that asked goes on."""
    ODD.found = found
    orders = [order("x", "odd"), order(target.url)]
    with Asking(replace(LOOPBACK, worker_threads=1)) as asking:
        asking.add(orders)
        ends = time.monotonic() + 5
        results: list[CheckResult] = []
        while asking.open and time.monotonic() < ends:
            results += asking.collect(within=0.5)
        assert (asking.open, asking.longest) == (0, 0.0)
    assert [result.outcome for result in results] == [Verdict.DOWN, Verdict.UP]
    assert results[0].error == f"The probe failed: {error}"
    assert "probe odd" in caplog.text


def test_nothing_to_ask() -> None:
    """An empty batch is over at once."""
    assert list(ask_all([], LOOPBACK)) == []


def test_as_many_wait_as_are_answered_in_a_moment(target: Target) -> None:
    """Where targets are fast there is room beyond the threads; where all hang there is none."""
    hanging = target.set("/hang", Answer(hang=True))
    with Asking(LOOPBACK) as asking:
        assert asking.room == 8
        asking.add(order(target.url) for _ in range(20))
        while asking.open:
            asking.collect(within=20.0, enough=20)
        assert asking.room == 28
        asking.add(order(hanging, timeout=4.0) for _ in range(8))
        time.sleep(1.1)
        assert asking.room == 0
        asking.add([order(target.url)])
        assert asking.is_stuck
        assert [one.target for one in asking.withdraw()] == [target.url]
        assert (asking.open, asking.is_stuck) == (8, False)
        assert asking.longest > 0.5
    assert len(target.requests) == 28


def test_results_gather(target: Target) -> None:
    """Those that come in a moment are given out together, and nobody waits longer than for the last one."""
    with Asking(LOOPBACK) as asking:
        asking.add(order(target.url) for _ in range(30))
        began = time.monotonic()
        batches = []
        while asking.open:
            batches.append(asking.collect(within=20.0, enough=1000))
        assert sum(map(len, batches)) == 30
        assert len(batches) == 1
        assert time.monotonic() - began < 10


@pytest.mark.parametrize(("threads", "outcome"), [(2, Verdict.UP), (0, Verdict.UNKNOWN)])
def test_with_fewer_threads_than_wanted_every_order_has_its_result(
    target: Target, monkeypatch: pytest.MonkeyPatch, threads: int, outcome: Verdict
) -> None:
    """Those that could be started ask all; without any, nobody could be asked, which says nothing of the targets."""
    no_threads_after(threads, "statuspage-probe", monkeypatch)
    results = list(ask_all([order(target.url) for _ in range(9)], LOOPBACK))
    assert [result.outcome for result in results] == [outcome] * 9
    assert len(target.requests) == (9 if threads else 0)


def test_a_probe_that_never_comes_back_is_left_behind(
    target: Target, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is down for want of an answer, others are asked in its place, and it is not asked anew while it hangs."""
    hanging = HangingProbe()
    monkeypatch.setattr(probes, "_all", {**probes._loaded(), "hanging": hanging})
    monkeypatch.setattr(batch, "PATIENCE", 0.2)
    settings = replace(LOOPBACK, worker_threads=1)
    bad, fine = order("x", "hanging", timeout=0.2), order(target.url)
    results = {result.monitor_id: result for result in ask_all([bad, fine], settings)}
    late = results[bad.monitor_id]
    assert (late.outcome, late.error) == (Verdict.DOWN, "No answer in time")
    assert results[fine.monitor_id].outcome is Verdict.UP
    assert f"probe hanging of {bad.monitor_id} hangs" in caplog.text
    (again,) = ask_all([bad], settings)
    assert (again.outcome, again.error, hanging.asked) == (Verdict.DOWN, late.error, 1)
    hanging.released.set()
    batch._left[bad.monitor_id, bad.region].join(10)
    (back,) = ask_all([bad], settings)
    assert (back.outcome, hanging.asked) == (Verdict.UP, 2)


def test_an_error_while_a_probe_hangs_is_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks ends with it all the same."""
    hanging = HangingProbe()
    monkeypatch.setattr(probes, "_all", {**probes._loaded(), "hanging": hanging})
    monkeypatch.setattr(batch, "PATIENCE", 0.2)

    def fail() -> None:
        with Asking(LOOPBACK) as asking:
            asking.add([order("x", "hanging", timeout=0.2)])
            raise ZeroDivisionError

    began = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert time.monotonic() - began < 30
    hanging.released.set()
