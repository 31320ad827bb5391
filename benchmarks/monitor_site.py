"""The host with many monitors of one local server, and what its database tells of their checks."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from flask_statuspage.domain import beat
from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.session import current_engine, database_now

from .delivery_site import DeliverySite, Machinery

INTERVAL = 60
REGION = "default"
QUEUE = f"statuspage-probe-{REGION}"


@dataclass(frozen=True)
class Checked:
    """What was checked in a window of whole intervals.

    :param wanted: checks that were due in it. :param missed: those that were not made.
    :param lags: seconds from due to asked, the smallest first.
    """

    wanted: int
    made: int
    missed: int
    failed: int
    lags: list[float]

    def lag(self, share: float) -> float:
        return self.lags[min(len(self.lags) - 1, int(len(self.lags) * share))] if self.lags else 0.0


class MonitorSite(DeliverySite):
    """A host with *count* monitors of ``http://127.0.0.1:port/``, each a minute apart on its own beat."""

    def __init__(
        self, machinery: Machinery, directory: Path, *, port: int, count: int, **config: Any
    ) -> None:
        super().__init__(machinery, directory, STATUSPAGE_TARGET_PORTS=[port], **config)
        self.count = count
        self.urls = [f"http://127.0.0.1:{port}/?{number}" for number in range(count)]
        with self.app.app_context(), current_engine().begin() as connection:
            # The few that the host has beside.
            connection.execute(update(MonitorRegion).values(due_at=None))
            monitors = [self._monitor(number, url) for number, url in enumerate(self.urls)]
            connection.execute(insert(Monitor), monitors)
            regions = [{"monitor_id": row["id"], "region": REGION} for row in monitors]
            connection.execute(insert(MonitorRegion), regions)
            connection.execute(text("ANALYZE"))
        self.spread()

    def now(self) -> datetime:
        return self.ask(database_now)

    def spread(self, *, ago: timedelta = timedelta(0)) -> None:
        """Make each due on its beat within the next interval, or in the one that was *ago*."""

        def move(session: Session) -> None:
            now = database_now(session) - ago
            query = select(MonitorRegion.id, MonitorRegion.monitor_id).where(
                MonitorRegion.region == REGION, MonitorRegion.last_ms.is_distinct_from(87)
            )
            rows = [
                {
                    "id": row.id,
                    "due_at": beat.following(beat.place(row.monitor_id, row.id), INTERVAL, now),
                }
                for row in session.execute(query)
            ]
            session.execute(update(MonitorRegion), rows)
            session.commit()

        self.ask(move)

    def checked(self, start: datetime, end: datetime) -> Checked:
        """What was due from *start* until *end*, whole intervals later, and asked by now."""

        def read(session: Session) -> Checked:
            query = (
                select(Check.at, Check.region_id, Check.outcome, MonitorRegion.due_at)
                .join(Check.place)
                .where(Check.at >= start, MonitorRegion.due_at.is_not(None))
            )
            lags, failed = {}, 0
            for row in session.execute(query):
                lag = (row.at - row.due_at) % timedelta(seconds=INTERVAL)
                if start <= row.at - lag < end:
                    lags[row.region_id, row.at - lag] = lag.total_seconds()
                    failed += row.outcome is not Verdict.UP
            wanted = self.count * round((end - start).total_seconds() / INTERVAL)
            return Checked(wanted, len(lags), wanted - len(lags), failed, sorted(lags.values()))

        return self.ask(read)

    def per_second(self, start: datetime, seconds: int) -> list[int]:
        """How many checks were made in each second from *start* on."""
        query = select(Check.at).where(
            Check.at >= start, Check.at < start + timedelta(seconds=seconds)
        )
        found = self.ask(lambda session: session.scalars(query).all())
        counted = Counter(int((at - start).total_seconds()) for at in found)
        return [counted[second] for second in range(seconds)]

    def widest_gap(self) -> float:
        """Seconds of the longest pause between two checks of one monitor."""
        earlier = func.lag(Check.at).over(partition_by=Check.region_id, order_by=Check.at)
        gaps = select(func.extract("epoch", Check.at - earlier).label("gap")).subquery()
        return float(self.ask(lambda session: session.scalar(select(func.max(gaps.c.gap)))) or 0)

    def fill(self, count: int) -> float:
        """Write *count* raw checks in the order in which workers write them; MB that a million take with indexes."""
        statement = text("""
            INSERT INTO statuspage_check_result (region_id, at, outcome, code, milliseconds)
            SELECT ids[1 + n % many], now() - interval '20 days' + n * interval '2 ms', 'up', 200, 20 + n % 200
            FROM generate_series(0, :last) AS n,
                (SELECT array_agg(id) AS ids, count(*)::int AS many FROM statuspage_region) AS regions
        """)
        size = text("SELECT pg_total_relation_size('statuspage_check_result')")

        def write(session: Session) -> float:
            before = session.scalar(size)
            for _ in range(10):
                session.execute(statement, {"last": count // 10 - 1})
                session.commit()
            return float(session.scalar(size) - before) / count

        return self.ask(write)

    def wait_until(self, instant: datetime) -> None:
        while (left := (instant - self.now()).total_seconds()) > 0:
            time.sleep(min(left, 1.0))

    def _monitor(self, number: int, url: str) -> dict[str, Any]:
        return {
            "id": new_id(),
            "page_id": self.page_id,
            "slug": f"monitor-{number}",
            "name": f"Monitor {number}",
            "kind": "http",
            "target": url,
            "interval": INTERVAL,
            "timeout": 10.0,
            "failure_threshold": 3,
            "recovery_threshold": 2,
            "outage_status": ComponentStatus.MAJOR_OUTAGE,
            "verdict": Verdict.UP,
        }
