"""A range of time in at most 120 points per region: what a chart of response times and availability is drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .tally import Tally

FORMULA = (
    "Uptime is the share of the checks that did not fail: slow ones count as working; checks made while the component "
    "was under maintenance, checks that could not find anything out and time without checks do not count; the result "
    "is rounded down, and is 100 only without any failure."
)


@dataclass(frozen=True)
class Range:
    """:param step: seconds from one point to the next, a multiple of ``span``.
    :param span: seconds of the rollups that it is made from.
    """

    points: int
    step: int
    span: int


HOUR, DAY = 3_600, 86_400
RANGES: Mapping[str, Range] = {
    "1h": Range(12, 300, 300),
    "24h": Range(96, 900, 300),
    "7d": Range(84, 2 * HOUR, HOUR),
    "30d": Range(120, 6 * HOUR, HOUR),
    "90d": Range(90, DAY, DAY),
    "1y": Range(73, 5 * DAY, DAY),
}
DEFAULT = "24h"
GLANCE = Range(24, HOUR, HOUR)
"""The last day in few points: it is read with every snapshot of a page."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """The checks of ``step`` seconds from ``at`` on.

    ``checks`` is the sum of ``up``, ``degraded`` and ``down``; 0 is a gap. Milliseconds of those that were answered:
    None where none was. ``p50``, ``p95`` and ``p99`` are at most 5 % off.
    """

    at: datetime
    checks: int
    up: int
    degraded: int
    down: int
    min: int | None
    avg: int | None
    max: int | None
    p50: int | None
    p95: int | None
    p99: int | None


@dataclass(frozen=True, kw_only=True)
class RegionSeries:
    """What one region saw; all regions have the same points.

    :param uptime_percent: None where no check counts.
    :param no_data: seconds of the range until now that no check covers, each covering one interval.
    :param p50: milliseconds over all answers in the range, as ``p95`` and ``max``; None without any.
    """

    region: str
    uptime_percent: float | None
    no_data: int
    p50: int | None
    p95: int | None
    max: int | None
    points: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True)
class Series:
    """:param range: such as ``24h``. :param since: where the first point begins. :param until: where the last one ends,
        which may lie ahead. :param step: seconds from one point to the next.
    :param formula: how the uptimes are computed, for people.
    :param uptime_percent: over all regions; None where no check counts.
    """

    range: str
    since: datetime
    until: datetime
    step: int
    formula: str
    uptime_percent: float | None
    regions: tuple[RegionSeries, ...]


@dataclass(frozen=True)
class Window:
    """One of :data:`RANGES`, or as long as one, that ends now.

    Instants in seconds since 1970; ``start`` is a multiple of the step.
    """

    name: str
    chosen: Range
    start: int
    now: int

    @classmethod
    def ending(cls, now: datetime, name: str, chosen: Range | None = None) -> Window:
        """The window whose last point is the one that *now* lies in.

        :param name: one of :data:`RANGES`.
        :param chosen: other points for the same length of time.
        """
        chosen, second = chosen or RANGES[name], int(now.timestamp())
        start = second // chosen.step * chosen.step - (chosen.points - 1) * chosen.step
        return cls(name, chosen, start, second)

    @property
    def end(self) -> int:
        """When the last point ends, in seconds since 1970."""
        return self.start + self.chosen.points * self.chosen.step

    def region(
        self, name: str, rows: Iterable[tuple[int, Tally]], *, interval: int
    ) -> tuple[RegionSeries, Tally]:
        """The series of a region, and the tally of all of its checks in the window.

        :param rows: start and tally of rollups, in any order. Those from before the window only say that the time after
            them was covered; those from after it, by a clock that was ahead, say nothing.
        :param interval: seconds that one check stands for.
        """
        total, by_point, covered = Tally(), [Tally() for _ in range(self.chosen.points)], []
        for start, tally in rows:
            if start >= self.end:
                continue
            if tally.checks:
                covered.append(start)
            if start >= self.start:
                by_point[(start - self.start) // self.chosen.step].merge(tally)
        for tally in by_point:
            total.merge(tally)
        found = RegionSeries(
            region=name,
            uptime_percent=total.uptime_percent,
            no_data=self._uncovered(covered, max(self.chosen.span, interval)),
            p50=total.percentile(0.5),
            p95=total.percentile(0.95),
            max=total.ms_max,
            points=tuple(
                self._point(self.start + number * self.chosen.step, tally)
                for number, tally in enumerate(by_point)
            ),
        )
        return found, total

    def series(self, regions: Iterable[tuple[RegionSeries, Tally]]) -> Series:
        """What all *regions* saw together."""
        regions, total = list(regions), Tally()
        for _, tally in regions:
            total.merge(tally)
        return Series(
            range=self.name,
            since=_instant(self.start),
            until=_instant(self.end),
            step=self.chosen.step,
            formula=FORMULA,
            uptime_percent=total.uptime_percent,
            regions=tuple(region for region, _ in regions),
        )

    def _uncovered(self, starts: list[int], lasts: int) -> int:
        missing, known = 0, self.start
        for start in sorted(starts):
            missing += max(0, min(start, self.now) - known)
            known = max(known, start + lasts)
        return missing + max(0, self.now - known)

    @staticmethod
    def _point(start: int, tally: Tally) -> Point:
        return Point(
            at=_instant(start),
            checks=tally.checks,
            up=tally.up,
            degraded=tally.degraded,
            down=tally.down,
            min=tally.ms_min,
            avg=tally.average,
            max=tally.ms_max,
            p50=tally.percentile(0.5),
            p95=tally.percentile(0.95),
            p99=tally.percentile(0.99),
        )


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=second)
