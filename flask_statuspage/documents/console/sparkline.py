"""The last day of one monitor as a small drawing: a bar an hour, with its words for who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.series import Point, Series
from ..words import Words

WIDTH = 5
"""Units of a bar with the gap beside it."""

HEIGHT = 24
LOWEST = 3
"""Units of the lowest bar."""


@dataclass(frozen=True)
class Sparkline:
    """Paths of the SVG, and what it says.

    :param good: bars of hours in which all checks were good, as high as the answers took long.
    :param bad: bars of hours in which some failed, of full height.
    """

    width: int
    height: int
    good: str
    bad: str
    text: str


def sparkline(series: Series, words: Words) -> Sparkline | None:
    """*series* as a small drawing, the slowest region's median of each hour; None: nothing was checked."""
    hours = list(zip(*(region.points for region in series.regions), strict=True))
    medians = [max((one.p50 or 0 for one in hour), default=0) for hour in hours]
    if not any(one.checks for hour in hours for one in hour):
        return None
    top = max(medians) or 1
    good, bad, failing = [], [], 0
    for number, (hour, median) in enumerate(zip(hours, medians, strict=True)):
        if not any(one.checks for one in hour):
            continue
        if _failed(hour):
            bad.append(_bar(number, HEIGHT))
            failing += 1
        else:
            good.append(_bar(number, max(LOWEST, round(median * HEIGHT / top))))
    return Sparkline(
        width=len(hours) * WIDTH - 1,
        height=HEIGHT,
        good="".join(good),
        bad="".join(bad),
        text=_text(series, failing, words),
    )


def _failed(hour: Sequence[Point]) -> bool:
    return any(one.down for one in hour)


def _bar(number: int, height: int) -> str:
    return f"M{number * WIDTH} {HEIGHT}v-{height}h{WIDTH - 1}v{height}z"


def _text(series: Series, failing: int, words: Words) -> str:
    said = []
    if series.uptime_percent is not None:
        said.append(f"uptime {words.percent(series.uptime_percent)}")
    medians = [region.p50 for region in series.regions if region.p50 is not None]
    if medians:
        where = " from the slowest region" if len(series.regions) > 1 else ""
        said.append(f"median {words.milliseconds(max(medians))}{where}")
    if failing:
        said.append(f"failures in {failing} of {len(series.regions[0].points)} hours")
    return f"Last 24 hours: {', '.join(said)}" if said else "Last 24 hours"
