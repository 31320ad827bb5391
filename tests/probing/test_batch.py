"""A batch of checks: each has its result, and none stops another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import CheckResult, ProbeOrder, probes
from flask_statuspage.probing.batch import ask_all
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
    )


class BrokenProbe:
    """What another package might bring."""

    kind = "broken"

    @contextmanager
    def open(self, settings: Settings) -> Iterator[BrokenProbe]:
        yield self

    def ask(self, order: ProbeOrder) -> CheckResult:
        raise ZeroDivisionError(order.target)


class ClosedProbe(BrokenProbe):
    kind = "closed"

    @contextmanager
    def open(self, settings: Settings) -> Iterator[BrokenProbe]:
        raise RuntimeError("a library is missing")
        yield self


@pytest.fixture
def _more_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    added = {"broken": BrokenProbe(), "closed": ClosedProbe()}
    monkeypatch.setattr(probes, "_all", {**probes._loaded(), **added})


def test_every_order_has_its_result(target: Target) -> None:
    """More orders than threads: each is asked once."""
    orders = [order(target.set(f"/{n}", Answer(status=200 + n % 2 * 300))) for n in range(30)]
    results = {result.monitor_id: result for result in ask_all(orders, LOOPBACK)}
    assert [results[one.monitor_id].code for one in orders] == [200, 500] * 15
    assert len(target.requests) == 30


def test_one_that_hangs_holds_up_no_other(target: Target) -> None:
    """The results of the others are there while the slow one is still waited for."""
    slow = order(target.set("/hang", Answer(hang=True)), timeout=1.5)
    orders = [slow, *(order(target.url) for _ in range(10))]
    started = time.monotonic()
    back = [(result.monitor_id, time.monotonic() - started) for result in ask_all(orders, LOOPBACK)]
    assert back[-1][0] == slow.monitor_id
    assert back[-2][1] < 1.2


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
    """A probe whose package is broken, or was uninstalled, fails its own monitors only."""
    bad, fine = order("x", kind), order(target.url)
    results = {result.monitor_id: result for result in ask_all([bad, fine], LOOPBACK)}
    assert results[bad.monitor_id].outcome is Verdict.DOWN
    assert results[fine.monitor_id].outcome is Verdict.UP
    assert f"probe {kind}" in caplog.text


def test_nothing_to_ask() -> None:
    """An empty batch is over at once."""
    assert list(ask_all([], LOOPBACK)) == []
