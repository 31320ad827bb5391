"""What many checks amount to: how many ended how, how long the answers took, and the uptime that follows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .latency import Histogram
from .verdict import Verdict


@dataclass(slots=True)
class Tally:
    """Counts of checks by outcome, and how long those took that were answered, in milliseconds.

    A check that failed has no duration here: a refusal after one millisecond or a timeout after ten seconds says
    nothing of how fast the service is. ``unknown`` are those that could not find out, which count nowhere else.
    ``maintained`` of the others, and ``maintained_down`` of the failures, were made while their component was under
    maintenance: they are shown, and do not count for the uptime.
    """

    up: int = 0
    degraded: int = 0
    down: int = 0
    unknown: int = 0
    maintained: int = 0
    maintained_down: int = 0
    ms_count: int = 0
    ms_sum: int = 0
    ms_min: int | None = None
    ms_max: int | None = None
    histogram: Histogram = field(default_factory=Histogram)

    @property
    def checks(self) -> int:
        """How many found something out."""
        return self.up + self.degraded + self.down

    @property
    def average(self) -> int | None:
        return round(self.ms_sum / self.ms_count) if self.ms_count else None

    def add(self, outcome: Verdict, milliseconds: int | None, *, maintained: bool = False) -> None:
        """Count one check."""
        if outcome is Verdict.UNKNOWN:
            self.unknown += 1
            return
        self.maintained += maintained
        if outcome is Verdict.DOWN:
            self.down += 1
            self.maintained_down += maintained
            return
        if outcome is Verdict.UP:
            self.up += 1
        else:
            self.degraded += 1
        if milliseconds is None:
            return
        ms = max(0, milliseconds)
        self.ms_count += 1
        self.ms_sum += ms
        self.ms_min = ms if self.ms_min is None or ms < self.ms_min else self.ms_min
        self.ms_max = ms if self.ms_max is None or ms > self.ms_max else self.ms_max
        self.histogram.add(ms)

    def merge(self, other: Tally) -> None:
        """Count all that *other* counted, too."""
        self.up += other.up
        self.degraded += other.degraded
        self.down += other.down
        self.unknown += other.unknown
        self.maintained += other.maintained
        self.maintained_down += other.maintained_down
        if other.ms_min is None or other.ms_max is None:
            return
        self.ms_count += other.ms_count
        self.ms_sum += other.ms_sum
        self.ms_min = other.ms_min if self.ms_min is None else min(self.ms_min, other.ms_min)
        self.ms_max = other.ms_max if self.ms_max is None else max(self.ms_max, other.ms_max)
        self.histogram.merge(other.histogram)

    def percentile(self, share: float) -> int | None:
        """Milliseconds that *share* (0 to 1) of the answers do not exceed, 5 % off at most; None without answers."""
        found = self.histogram.percentile(share)
        if found is None or self.ms_min is None or self.ms_max is None:
            return None
        return min(max(found, self.ms_min), self.ms_max)

    @property
    def uptime_percent(self) -> float | None:
        """The share of the checks that did not fail, maintenance left out, floored to two decimals.

        100.0 only without any failure. None: there were no checks that count.
        """
        observed = self.checks - self.maintained
        failed = self.down - self.maintained_down
        if observed <= 0:
            return None
        return math.floor((observed - failed) * 10_000 / observed) / 100 if failed else 100.0
