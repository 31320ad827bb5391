"""What ``/metrics`` tells of components and monitors, in three statements however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from ..domain import measured
from ..domain.measured import Backlog, MeasuredComponent, MeasuredMonitor
from ..domain.silence import seen_status
from ..domain.status import ComponentStatus
from ..state import current_settings
from ..storage import measured as stored
from ..storage.measured import ComponentRow, MonitorRow


def components_and_monitors(
    db: Session, now: datetime
) -> tuple[list[MeasuredComponent], list[MeasuredMonitor]]:
    """Those of all pages; components with the status that readers see."""
    rows = stored.monitors(db)
    watching = defaultdict(list)
    for row in rows:
        watching[row.component_id].append(row)
    components = [
        MeasuredComponent(
            page=one.page,
            slug=one.slug,
            name=one.name,
            group=one.group or "",
            status=_seen(one, watching.get(one.id, ()), now),
        )
        for one in stored.components(db)
    ]
    return components, [row.monitor for row in rows]


def backlogs(db: Session, now: datetime) -> Sequence[Backlog]:
    """Of each region that there is, or that is named by a monitor with a check that is due."""
    return measured.complete(stored.backlogs(db, now), current_settings().regions)


def _seen(one: ComponentRow, rows: Iterable[MonitorRow], now: datetime) -> ComponentStatus:
    heard = [region.last_at for row in rows for region in row.monitor.regions if region.last_at]
    shortest = min((row.interval for row in rows if row.monitor.regions), default=None)
    return seen_status(one.status, max(heard, default=None), shortest, now)
