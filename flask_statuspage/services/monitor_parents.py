"""Monitors that others depend on: while one fails, what depends on it is silent.

A gateway that is down makes all behind it fail, and one alert is enough. A failure of a monitor whose parent fails too
is stored and does not count. Whoever would go down before its parent has been asked waits for one word of it, and has
it asked at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.verdict import Verdict, is_milder
from ..probing import CheckResult
from ..storage import monitor_clock
from ..storage import monitors as stored
from ..storage.monitors import Monitor, MonitorRegion
from . import events, monitor_votes

GRACE = timedelta(seconds=15)
"""How long a parent's answer is waited for beside its timeout: until a scheduler has found it due, and a worker."""


class Parents:
    """The parents of *children*, read in one query, or none where nobody has one.

    :param held: monitors that the caller has locked.
    """

    def __init__(
        self,
        session: Session,
        children: Iterable[Monitor],
        now: datetime,
        *,
        held: Mapping[UUID, Monitor],
    ) -> None:
        wanted = {one.depends_on_id for one in children if one.depends_on_id is not None}
        missing = wanted - held.keys()
        found = stored.by_id(session, missing) if missing else {}
        self._parents = {**found, **{ident: held[ident] for ident in wanted & held.keys()}}
        self._now = now
        self._asked: set[int] = set()

    def excuse(self, monitor: Monitor, row: MonitorRegion, result: CheckResult) -> bool:
        """Whether *result* of *row* does not count against *monitor*."""
        parent = self._of(monitor)
        if parent is None or result.outcome is not Verdict.DOWN:
            return False
        if fails(parent, row.region, self._now):
            return True
        turned = monitor_votes.following(row, monitor, result)
        if not is_milder(row.verdict, turned.verdict):
            return False
        return self._is_waited_for(parent, monitor, row, result)

    def is_failing(self, monitor: Monitor) -> bool:
        """Whether the parent of *monitor* fails, as seen from any of its regions."""
        parent = self._of(monitor)
        return parent is not None and all(
            fails(parent, row.region, self._now) for row in monitor.regions
        )

    def wake(self, session: Session) -> None:
        """Let the parents whose word is waited for be asked at once."""
        for region in monitor_clock.make_due(
            session, self._asked, self._now, unless_woken_since=self._now - GRACE
        ):
            events.wake_after_commit(session, f"probe:{region}")

    def _of(self, monitor: Monitor) -> Monitor | None:
        return self._parents.get(monitor.depends_on_id) if monitor.depends_on_id else None

    def _is_waited_for(
        self, parent: Monitor, monitor: Monitor, row: MonitorRegion, result: CheckResult
    ) -> bool:
        places = _places(parent, row.region, self._now)
        waits_since = monitor_votes.abstains_since(row) or result.at
        # When the failing run began. What the parent said before that is no word on it.
        began = waits_since - timedelta(seconds=row.down * monitor.interval)
        if not places or any(_spoke_since(place, began) for place in places):
            return False
        if result.at - waits_since > timedelta(seconds=parent.timeout) + GRACE:
            return False
        self._asked.update(place.id for place in places if not self._is_awake(place, parent))
        return True

    def _is_awake(self, place: MonitorRegion, parent: Monitor) -> bool:
        """Whether *parent* was asked for a word there, and may still answer: one that hangs is not asked by each of its
        children anew."""
        if place.woken_at is None or (
            place.last_at is not None and place.last_at >= place.woken_at
        ):
            return False
        return self._now - place.woken_at <= timedelta(seconds=parent.timeout) + GRACE


def fails(parent: Monitor, region: str, now: datetime) -> bool:
    """Whether *parent* is down or failed its latest check, from *region* if it is asked from there, else from any.

    One that is paused, or was not asked for long, says nothing.
    """
    places = [place for place in _places(parent, region, now) if _is_sure(place)]
    if not places:
        return False
    if parent.verdict is Verdict.DOWN:
        return True
    latest = max(places, key=lambda place: place.last_at)  # type: ignore[arg-type, return-value]
    return latest.last_outcome is Verdict.DOWN


def in_order(results: Iterable[CheckResult], monitors: Mapping[UUID, Monitor]) -> list[CheckResult]:
    """*results* as they were asked, but parents before what depends on them."""
    listed = sorted(results, key=lambda result: result.at)
    if all(monitor.depends_on_id not in monitors for monitor in monitors.values()):
        return listed
    return sorted(listed, key=lambda result: _depth(result.monitor_id, monitors))


def _depth(ident: UUID | None, monitors: Mapping[UUID, Monitor]) -> int:
    depth, above = 0, monitors[ident].depends_on_id if ident else None
    while above in monitors and depth < len(monitors):
        depth, above = depth + 1, monitors[above].depends_on_id if above else None
    return depth


def _places(parent: Monitor, region: str, now: datetime) -> Sequence[MonitorRegion]:
    """Where *parent* is asked, as far as it can say something of what is seen from *region*."""
    if parent.paused_at is not None:
        return ()
    fresh = [row for row in parent.regions if monitor_votes.is_fresh(row, parent, now)]
    return [row for row in fresh if row.region == region] or fresh


def _is_sure(place: MonitorRegion) -> bool:
    return place.last_outcome not in (None, Verdict.UNKNOWN)


def _spoke_since(place: MonitorRegion, instant: datetime) -> bool:
    return _is_sure(place) and place.last_at is not None and place.last_at >= instant
