"""Which regions have a say in what is believed of a monitor, what they say together, and what a result adds to it.

A region votes while its latest result is fresh and it does not abstain. It abstains from a result that says nothing of
the target until one that counts: the probe or the region itself could not find out, or what the target depends on
fails too. From a resume on it does so, too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ..domain.verdict import Streak, Thresholds, Verdict, quorum_verdict
from ..probing import CheckResult, probes
from ..storage.base import utc_now
from ..storage.monitors import Monitor, MonitorRegion

CLOCKS_APART = timedelta(seconds=5)
"""How far the clocks of two workers may be apart."""

STALE_INTERVALS = 3
"""After so many intervals without a result, and its timeout, a region votes no more."""


LONGEST_WAIT = timedelta(seconds=135)
"""For so long a monitor may wait for the word of the one that it depends on: the longest timeout and the grace of
:mod:`.monitor_parents`."""


def is_passive(monitor: Monitor) -> bool:
    """Whether its target speaks by itself, so that silence is its own business."""
    return monitor.kind in probes and probes[monitor.kind].passive


def thresholds(monitor: Monitor) -> Thresholds:
    """How many results it takes to believe something of *monitor*, as its kind wants it."""
    if monitor.kind in probes and not probes[monitor.kind].damped:
        return replace(monitor.thresholds, damped=False)
    return monitor.thresholds


def patience(monitor: Monitor) -> timedelta:
    """How old a region's latest result may be for the region to vote."""
    return timedelta(seconds=STALE_INTERVALS * monitor.interval + monitor.timeout)


def is_fresh(row: MonitorRegion, monitor: Monitor, now: datetime) -> bool:
    """Whether the region has spoken lately. *now* is by the database's clock."""
    if row.last_at is None:
        return False
    return is_passive(monitor) or now - row.last_at <= patience(monitor)


def votes(row: MonitorRegion, monitor: Monitor, now: datetime) -> bool:
    """Whether the region counts at *now*."""
    known = row.verdict is not Verdict.UNKNOWN and row.abstained_at is None
    return known and is_fresh(row, monitor, now)


def judged(monitor: Monitor, now: datetime | None = None) -> Verdict:
    """What the regions that vote at *now* (None: at this moment) call for. Where none does, the verdict stays."""
    now = now or utc_now()
    voting = [row.verdict for row in monitor.regions if votes(row, monitor, now)]
    return quorum_verdict(voting, monitor.quorum) if voting else monitor.verdict


def is_of(monitor: Monitor, result: CheckResult) -> bool:
    """Whether *result* is of what the monitor asks now: an answer of its former target is no word on this one."""
    return result.asked is None or result.asked == (monitor.kind, monitor.target)


def place_of(monitor: Monitor, result: CheckResult, now: datetime) -> MonitorRegion | None:
    """The region that *result* counts in; None for one that came too late, or to a paused monitor.

    What was asked before a pause comes too late once the monitor is resumed.
    """
    row = next((row for row in monitor.regions if row.region == result.region), None)
    if row is None or monitor.paused_at is not None:
        return None
    # An instant that lies in the future was written by a clock that was wrong; it must not silence all others.
    if row.last_at is not None and result.at <= row.last_at <= now + CLOCKS_APART:
        return None
    if row.abstained_at is not None and result.at < row.abstained_at <= now + CLOCKS_APART:
        return None
    return row


def is_latest(row: MonitorRegion, result: CheckResult) -> bool:
    """Whether *result* is the one that the region has already."""
    return (row.last_at, row.last_outcome, row.last_ms, row.last_code, row.last_error) == (
        *(result.at, result.outcome, result.milliseconds, result.code, result.error),
    )


def abstains_since(row: MonitorRegion) -> datetime | None:
    """The result since which the region abstains; None: it does not, or nothing has come since a resume."""
    if row.abstained_at is None or row.last_at is None or row.abstained_at > row.last_at:
        return None
    return row.abstained_at


def following(row: MonitorRegion, monitor: Monitor, result: CheckResult) -> Streak:
    """The region's streak once *result* counts."""
    streak, since = row.streak, row.abstained_at or row.last_at
    if since is not None and not is_passive(monitor) and result.at - since > _run(row, monitor):
        streak = streak.anew()
    return streak.after(result.outcome, thresholds(monitor))


def count(row: MonitorRegion, monitor: Monitor, result: CheckResult, *, excused: bool) -> None:
    """Take *result* down as the region's latest one.

    :param excused: it says nothing of the target, as one that could not find out.
    """
    if excused or result.outcome is Verdict.UNKNOWN:
        row.abstained_at = abstains_since(row) or result.at
    else:
        row.streak = following(row, monitor, result)
        row.abstained_at = None
    if row.last_at is not None:
        row.rhythm = max(0.0, (result.at - row.last_at).total_seconds())
    row.last_outcome, row.last_at = result.outcome, result.at
    row.last_ms, row.last_code = result.milliseconds, result.code
    row.last_error = result.error


def _run(row: MonitorRegion, monitor: Monitor) -> timedelta:
    """How long after what counted last a result still belongs to the same run.

    Where the region is asked more seldom than it should be, by a job of cron or by workers that have too much to do,
    its own rhythm is what counts: what lasts longer than that is a gap.
    """
    between = max(float(monitor.interval), row.rhythm or 0.0)
    lasts = timedelta(seconds=STALE_INTERVALS * between + monitor.timeout)
    # Whoever waited for another monitor's word has not stopped failing meanwhile.
    return lasts + LONGEST_WAIT if monitor.depends_on_id is not None else lasts


def latest(monitor: Monitor, verdict: Verdict) -> CheckResult | None:
    """The latest result of any region, of those that say *verdict* if there are any; None: no region has spoken."""
    spoken = [row for row in monitor.regions if row.last_at and row.last_outcome]
    sure = [row for row in spoken if row.last_outcome is not Verdict.UNKNOWN] or spoken
    agreeing = [row for row in sure if row.last_outcome is verdict and row.abstained_at is None]
    return max(map(_result, agreeing or sure), key=lambda result: result.at, default=None)


def decisive(monitor: Monitor, result: CheckResult, verdict: Verdict) -> CheckResult:
    """What is told as the reason for *verdict*: *result*, the latest one, unless it says otherwise and another region
    says why."""
    return result if result.outcome is verdict else latest(monitor, verdict) or result


def _result(row: MonitorRegion) -> CheckResult:
    assert row.last_at is not None
    assert row.last_outcome is not None
    return CheckResult(
        monitor_id=row.monitor_id,
        region=row.region,
        outcome=row.last_outcome,
        at=row.last_at,
        milliseconds=row.last_ms,
        code=row.last_code,
        error=row.last_error,
    )
