"""Response times as a drawing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from flask_statuspage.documents.charts import HEIGHT, STEP, Chart, chart
from flask_statuspage.documents.words import words_in
from flask_statuspage.domain.series import RANGES
from flask_statuspage.errors import Invalid

from .conftest import series_of

WORDS = words_in("en", "UTC")


def drawn(*values: list[int | None], **options: str) -> Chart:
    found = chart(series_of(*values), WORDS, **options)
    assert found is not None
    return found


def numbers(path: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?[\d.]+", path)]


def test_every_point_is_at_its_place() -> None:
    """The line runs from the middle of a point to the middle of the next, the higher the longer."""
    found = drawn([100, 0, 50])
    assert found.is_drawn
    assert found.levels == ("100 ms", "80 ms", "60 ms", "40 ms", "20 ms", "0 ms")
    assert found.width == RANGES["1h"].points * STEP
    assert found.median == found.p95 == "M5 0 15 100 25 50"
    assert found.band == "M5 0 15 100 25 50 25 50 15 100 5 0Z"
    assert found.grid.count("M") == len(found.levels)


def test_gaps_are_not_bridged() -> None:
    """Each run of points is a piece of its own in the one path of its kind; one alone is a level piece."""
    found = drawn([10, 10, None, 20, None, None, 10, 10])
    assert found.median == "M5 50 15 50M30 0H40M65 50 75 50"
    assert found.band == "M5 50 15 50 15 50 5 50ZM30 0H40V0H30ZM65 50 75 50 75 50 65 50Z"
    assert found.median.count("M") == found.p95.count("M") == found.band.count("Z") == 3


def test_too_few_points_are_not_drawn() -> None:
    """One point is no line; when it was is told, and of none nothing."""
    one, none = drawn([None, 7]), drawn([None])
    assert (one.is_drawn, one.rows, one.median) == (False, (), "")
    assert one.first is not None
    assert one.first.text == "19 Feb 2026, 16:40 UTC"
    assert (none.is_drawn, none.first) == (False, None)


def test_nobody_watches() -> None:
    """Without any region there is no chart at all."""
    assert chart(series_of(), WORDS) is None
    with pytest.raises(Invalid) as caught:
        chart(series_of(), WORDS, region="eu")
    assert caught.value.errors[0].field == "region"


@pytest.mark.parametrize("value", [0, 1, 7, 120_000])
def test_constant_values(value: int) -> None:
    """A level line lies within the drawing, also on its floor and of the longest answers that there are."""
    found = drawn([value] * 12)
    heights = numbers(found.median)[1::2]
    assert set(heights) == {heights[0]}
    assert 0 <= heights[0] <= HEIGHT
    assert (heights[0] == HEIGHT) is (value == 0)
    assert found.cut is None
    assert 2 <= len(found.levels) <= 6


@pytest.mark.parametrize("longest", [1, 3, 5, 6, 49, 51, 99, 101, 250, 999, 1001, 119_999])
def test_labels_are_round_and_reach_the_longest(longest: int) -> None:
    """At most five equal steps of 1, 2 or 5 times a power of ten, the last of them above everything."""
    found = drawn([longest, longest])
    assert len(found.levels) <= 6
    assert min(numbers(found.band)[1::2]) >= 0
    steps = [float(level.split()[0]) for level in reversed(found.levels)]
    assert re.fullmatch(r"[125]0*", f"{steps[1] * (1000 if steps[1] % 1 else 1):g}")


def test_one_slow_answer_does_not_flatten_all_others() -> None:
    """What is far beyond the usual leaves the drawing by its upper edge, and that is told with the true longest."""
    series = series_of([100] * 12)
    (region,) = series.regions
    slow = replace(region.points[3], max=90_000)
    points = (*region.points[:3], slow, *region.points[4:])
    region = replace(region, points=points, max=90_000)
    found_slow = chart(replace(series, regions=(region,)), WORDS)
    assert found_slow is not None
    assert (found_slow.cut, found_slow.levels[0]) == ("200 ms", "200 ms")
    assert found_slow.summary is not None
    assert found_slow.summary.longest == "90.0 s"
    assert min(numbers(found_slow.band)[1::2]) == 0
    assert min(numbers(found_slow.median)[1::2]) == 50


def test_the_median_is_never_cut_off() -> None:
    """Where only a few points are slow throughout, the drawing reaches up to them."""
    series = series_of([10] * 11 + [5000])
    (region,) = series.regions
    found = chart(replace(series, regions=(replace(region, p95=10),)), WORDS)
    assert found is not None
    assert (found.cut, found.levels[0]) == (None, "5000 ms")


def test_a_region_at_a_time() -> None:
    """Without a wish it is the first that has something to show; the others are named, and only those can be asked."""
    found = drawn([None], [5, 5], [9, 9])
    assert (found.region, found.regions) == ("us", ("default", "us", "ap"))
    other = drawn([None], [5, 5], [9, 9], region="ap")
    assert other.region == "ap"
    assert other.summary is not None
    assert other.summary.median == "9 ms"
    alone = drawn([5, 5])
    assert (alone.region, alone.regions) == (None, ())
    with pytest.raises(Invalid) as caught:
        drawn([5], [5], region="mars")
    assert "default, us" in str(caught.value)


@pytest.mark.parametrize("name", RANGES)
def test_every_range_is_drawn_with_its_times(name: str) -> None:
    """Clocks for a day, dates for more; the table has every point, the newest first."""
    found = chart(series_of([5] * 120, name=name), WORDS)
    assert found is not None
    assert len(found.rows) == RANGES[name].points <= 120
    assert found.rows[0].time.iso > found.rows[-1].time.iso
    if name in ("1h", "24h"):
        assert len(found.times) == 5
        assert all(re.fullmatch(r"\d\d:\d\d", mark) for mark in found.times)
    else:
        assert len(found.times) == 3
        assert found.times[-1] == ("16 Feb 2026" if name == "1y" else "19 Feb 2026")


def test_a_gap_has_a_row_without_numbers() -> None:
    """The table does not hide what the line does not draw."""
    found = drawn([5, None, 5])
    assert [row.median for row in found.rows[-3:]] == ["5 ms", None, "5 ms"]
