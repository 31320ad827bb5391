"""Results of checks added to their five minutes, their hour and their day, in the transaction that records them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.tally import Tally
from ..probing import CheckResult
from ..storage import maintenances
from ..storage import rollups as stored
from ..storage.monitors import Monitor
from ..storage.rollups import KEPT, Place


def write(session: Session, placed: Sequence[tuple[int, CheckResult]]) -> None:
    """Count results, each with its region's number. The caller holds their monitors.

    A result counts in the spans of its own instant, however late it comes.
    """
    if not placed:
        return
    windows = _Windows(session, [result for _, result in placed])
    news: dict[Place, Tally] = {}
    for region_id, result in placed:
        second, maintained = int(result.at.timestamp()), windows.cover(result)
        for span in KEPT:
            place = Place(region_id, span, second - second % span)
            if (tally := news.get(place)) is None:
                tally = news[place] = Tally()
            tally.add(result.outcome, result.milliseconds, maintained=maintained)
    stored.add_all(session, news)


class _Windows:
    """When the components of these results were under maintenance, by one query."""

    def __init__(self, session: Session, results: Sequence[CheckResult]) -> None:
        self._component: dict[UUID, UUID] = {}
        for monitor_id in {result.monitor_id for result in results}:
            monitor = session.get(Monitor, monitor_id)  # is there already: it is held
            if monitor is not None and monitor.component_id is not None:
                self._component[monitor_id] = monitor.component_id
        self._windows: dict[UUID, list[tuple[datetime, datetime | None]]] = defaultdict(list)
        if not self._component:
            return
        instants = [result.at for result in results]
        for component_id, start, end in maintenances.windows(
            session, set(self._component.values()), since=min(instants), until=max(instants)
        ):
            self._windows[component_id].append((start, end))

    def cover(self, result: CheckResult) -> bool:
        """Whether the result was asked for under maintenance."""
        if not self._windows:
            return False
        component_id = self._component.get(result.monitor_id)
        return component_id is not None and any(
            start <= result.at and (end is None or result.at < end)
            for start, end in self._windows.get(component_id, ())
        )
