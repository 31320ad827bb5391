"""Why monitors say nothing at the moment, of many at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from ..storage import maintenances
from ..storage.monitors import Monitor
from . import monitor_votes
from .monitor_parents import Parents


class Silence(StrEnum):
    """What keeps a monitor from alerting; of several the first."""

    PAUSED = "paused"
    MAINTENANCE = "maintenance"
    """Its component is under maintenance."""
    PARENT = "parent"
    """What it depends on fails."""
    UNHEARD = "unheard"
    """Its results are too old to count."""


def silences(session: Session, monitors: Collection[Monitor], now: datetime) -> dict[UUID, Silence]:
    """Those of *monitors* that are silent, by their ids, in two queries.

    :param now: by the database's clock.
    """
    watched = {one.component_id for one in monitors if one.component_id is not None}
    maintained = maintenances.under_maintenance(session, watched) if watched else set()
    parents = Parents(session, monitors, now, held={})
    found = {}
    for one in monitors:
        if one.paused_at is not None:
            found[one.id] = Silence.PAUSED
        elif one.component_id in maintained:
            found[one.id] = Silence.MAINTENANCE
        elif parents.is_failing(one):
            found[one.id] = Silence.PARENT
        elif _is_unheard(one, now):
            found[one.id] = Silence.UNHEARD
    return found


def _is_unheard(monitor: Monitor, now: datetime) -> bool:
    spoken = [row for row in monitor.regions if row.last_at is not None]
    return bool(spoken) and not any(monitor_votes.is_fresh(row, monitor, now) for row in spoken)
