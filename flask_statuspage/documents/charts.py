"""Response times as a drawing: where the lines of an SVG go, and the words and numbers beside them.

One region at a time: the lines and bands of several on top of each other cannot be told apart, and percentiles of
several regions cannot be added up from their points. Readers choose the region by a link.

The drawing is stretched to whatever width there is, so no text is within it: labels are HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ..domain.series import DAY, RANGES, Point, RegionSeries, Series
from ..errors import Invalid
from ..translation import marked
from .words import Moment, Words

STEP = 10
"""Units from one point to the next."""

HEIGHT = 100
"""Units from the bottom to the top."""

CALM = 4
"""Where the longest is so many times the 95th percentile, it would press all else flat: the drawing is cut off."""

# Translators: a length of time up to now, within a sentence such as "Checkout, last 24 hours: median 98 ms".
SPANS = {
    "1h": marked("last hour"),
    "24h": marked("last 24 hours"),
    "7d": marked("last 7 days"),
    "30d": marked("last 30 days"),
    "90d": marked("last 90 days"),
    "1y": marked("last year"),
}

# Translators: what a link says that shows so long a time in a chart.
LENGTHS = {
    "1h": marked("1 hour"),
    "24h": marked("24 hours"),
    "7d": marked("7 days"),
    "30d": marked("30 days"),
    "90d": marked("90 days"),
    "1y": marked("1 year"),
}
assert SPANS.keys() == LENGTHS.keys() == RANGES.keys()


@dataclass(frozen=True)
class TableRow:
    """The numbers of one point as texts; None: there are none."""

    time: Moment
    shortest: str | None
    median: str | None
    p95: str | None
    longest: str | None


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The chart of one region.

    :param region: None where only one has ever looked, so that its name says nothing.
    :param regions: the names of all, if there are several.
    :param span: the time that it covers, in words.
    :param first: the only point that there is; with it, or without any ``is_drawn`` is false.
    :param band: path from the shortest to the longest, ``median`` and ``p95`` those of the lines. Gaps are not bridged.
    :param grid: path of the lines at the labels.
    :param levels: labels of the heights, from the top down, at equal distances.
    :param times: labels of the time, from the left to the right, at equal distances.
    :param clock: whose clock *times* are read from; None: they are dates.
    :param cut: what is longer than this is not drawn; None: nothing is.
    :param rows: every point, the newest first.
    """

    region: str | None
    regions: tuple[str, ...]
    span: str
    is_drawn: bool
    first: Moment | None
    width: int
    height: int = HEIGHT
    band: str = ""
    median: str = ""
    p95: str = ""
    grid: str = ""
    levels: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    clock: str | None = None
    cut: str | None = None
    summary: TableRow | None = None
    rows: tuple[TableRow, ...] = ()


def chart(series: Series, words: Words, *, region: str | None = None) -> Chart | None:
    """*series* as a chart; None: nobody watches.

    :param region: whose; None: the first that has something to show.
    :raises Invalid: naming ``region``, when there is no such one.
    """
    shown = _chosen(series, region)
    if shown is None:
        return None
    points = shown.points
    names = tuple(one.region for one in series.regions)
    several = len(names) > 1
    answered = [point for point in points if point.p50 is not None]
    empty = Chart(
        region=shown.region if several else None,
        regions=names if several else (),
        span=words.gettext(SPANS[series.range]),
        is_drawn=False,
        first=words.moment(answered[0].at) if answered else None,
        width=len(points) * STEP,
    )
    if len(answered) < 2:
        return empty
    longest = max(point.max or 0 for point in answered)
    usual = max(2 * (shown.p95 or 0), *(point.p50 or 0 for point in answered))
    cut = longest > CALM * max(shown.p95 or 0, 1)
    step, count = _levels(usual if cut else longest)
    top = step * count
    heights = _Heights(top)
    return replace(
        empty,
        is_drawn=True,
        first=None,
        band="".join(heights.band(run) for run in _runs(points)),
        median="".join(heights.line(run, [p.p50 or 0 for _, p in run]) for run in _runs(points)),
        p95="".join(heights.line(run, [p.p95 or 0 for _, p in run]) for run in _runs(points)),
        grid="".join(f"M0 {heights.of(step * n)}H{empty.width}" for n in range(count + 1)),
        levels=tuple(words.milliseconds(step * n) for n in range(count, -1, -1)),
        times=_times(series, words),
        clock=words.clock(series.until) if _is_of_a_day(series) else None,
        cut=words.milliseconds(top) if longest > top else None,
        summary=TableRow(
            words.moment(series.since),
            None,
            words.milliseconds(shown.p50 or 0),
            words.milliseconds(shown.p95 or 0),
            words.milliseconds(shown.max or 0),
        ),
        rows=tuple(_row(point, words) for point in reversed(points)),
    )


_Run = list[tuple[int, Point]]


def _chosen(series: Series, region: str | None) -> RegionSeries | None:
    if region is None:
        known = (one for one in series.regions if one.p50 is not None)
        return next(known, next(iter(series.regions), None))
    found = next((one for one in series.regions if one.region == region), None)
    if found is None:
        names = ", ".join(one.region for one in series.regions)
        raise Invalid.field("region", f"Must be one of {names}." if names else "There is none.")
    return found


def _runs(points: Sequence[Point]) -> Iterator[_Run]:
    """Points in a row that have values, with their numbers."""
    run: _Run = []
    for number, point in enumerate(points):
        if point.p50 is None:
            if run:
                yield run
            run = []
        else:
            run.append((number, point))
    if run:
        yield run


class _Heights:
    """Paths in a drawing whose upper edge is at *top* milliseconds."""

    def __init__(self, top: int) -> None:
        self._top = top

    def of(self, milliseconds: int) -> str:
        return f"{HEIGHT - min(milliseconds, self._top) * HEIGHT / self._top:.4g}"

    def line(self, run: _Run, values: Sequence[int]) -> str:
        if len(run) == 1:  # a line of one point would not be seen
            left = run[0][0] * STEP
            return f"M{left} {self.of(values[0])}H{left + STEP}"
        return "M" + " ".join(
            f"{_middle(number)} {self.of(value)}"
            for (number, _), value in zip(run, values, strict=True)
        )

    def band(self, run: _Run) -> str:
        if len(run) == 1:
            number, point = run[0]
            low, high, left = self.of(point.min or 0), self.of(point.max or 0), number * STEP
            return f"M{left} {high}H{left + STEP}V{low}H{left}Z"
        upper = [f"{_middle(number)} {self.of(point.max or 0)}" for number, point in run]
        lower = [f"{_middle(number)} {self.of(point.min or 0)}" for number, point in reversed(run)]
        return f"M{' '.join([*upper, *lower])}Z"


def _middle(number: int) -> int:
    return number * STEP + STEP // 2


def _levels(longest: int) -> tuple[int, int]:
    """Round milliseconds from one label to the next, and how many such steps reach *longest*: at most five."""
    step = 1
    while step * 5 < longest:
        # 1, 2, 5, 10, 20, 50 …
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return step, max(1, -(-longest // step))


def _times(series: Series, words: Words) -> tuple[str, ...]:
    """The clock of a day in five labels, the dates of more in three: those are longer."""
    whole = series.until - series.since
    if _is_of_a_day(series):
        marks = [series.since + whole * part / 4 for part in range(5)]
        return tuple(f"{mark.astimezone(words.zone):%H:%M}" for mark in marks)
    # The last point may end in days to come.
    last = series.until - timedelta(seconds=series.step)
    marks = [series.since, series.since + whole / 2, last]
    return tuple(words.day(mark.astimezone(words.zone).date()).text for mark in marks)


def _is_of_a_day(series: Series) -> bool:
    return series.until - series.since <= timedelta(seconds=DAY)


def _row(point: Point, words: Words) -> TableRow:
    values = (point.min, point.p50, point.p95, point.max)
    return TableRow(
        words.moment(point.at),
        *(None if value is None else words.milliseconds(value) for value in values),
    )
