"""Histograms of durations."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.latency import LONGEST, Histogram, bucket

DURATIONS = st.lists(st.integers(0, LONGEST), max_size=60)
SHARES = st.floats(0, 1)


def ranked(values: list[int], share: float) -> int:
    """The exact answer, by nearest rank."""
    return sorted(values)[max(1, ceil(share * len(values) - 1e-9)) - 1]


@given(DURATIONS.filter(bool), SHARES)
def test_percentile_lies_in_the_bucket_of_the_exact_answer(values: list[int], share: float) -> None:
    """A percentile is in the same bucket as the value of that rank."""
    found = Histogram.of(values).percentile(share)
    assert found is not None
    assert bucket(found) == bucket(ranked(values, share))


@given(st.integers(21, LONGEST))
def test_bucket_is_a_tenth_wide(ms: int) -> None:
    """No duration is counted with one that is more than a tenth shorter, nor is any answer further off than 5 %."""
    assert ms / 1.1 < bucket(ms) + 1
    found = Histogram.of([ms]).percentile(0.5)
    assert found is not None
    assert abs(found - ms) <= max(1, 0.05 * ms)


@pytest.mark.parametrize("ms", range(21))
def test_short_durations_are_exact(ms: int) -> None:
    """Up to 20 ms a percentile is the value itself."""
    assert Histogram.of([ms]).percentile(0.5) == ms


@given(DURATIONS, DURATIONS)
def test_merged_counts_as_if_added_one_by_one(one: list[int], other: list[int]) -> None:
    """Two histograms merged are the histogram of all values, whatever the order."""
    merged, other_first = Histogram.of(one), Histogram.of(other)
    merged.merge(Histogram.of(other))
    other_first.merge(Histogram.of(one))
    assert merged == other_first == Histogram.of(one + other)
    assert len(merged) == len(one) + len(other)


@given(DURATIONS)
def test_text_brings_back_the_same(values: list[int]) -> None:
    """What was written is read again, and written the same."""
    histogram = Histogram.of(values)
    assert Histogram.read(str(histogram)) == histogram
    assert str(Histogram.read(str(histogram))) == str(histogram)


@given(DURATIONS.filter(bool), SHARES, SHARES)
def test_higher_share_is_never_shorter(values: list[int], one: float, other: float) -> None:
    """Percentiles grow with their share."""
    histogram = Histogram.of(values)
    low, high = histogram.percentile(min(one, other)), histogram.percentile(max(one, other))
    assert low is not None
    assert high is not None
    assert low <= high


def test_text_is_compact() -> None:
    """A bucket with one value is one number, and no values are no text."""
    assert str(Histogram.of([7, 7, 3])) == "3 7*2"
    assert str(Histogram()) == ""


def test_without_values_there_is_no_percentile() -> None:
    """Nothing measured is no duration, not 0."""
    assert Histogram().percentile(0.5) is None


def test_what_no_check_should_take_is_counted_at_the_edges() -> None:
    """A negative duration counts as 0 and one beyond the longest as the longest."""
    assert Histogram.of([-5, 10**9]).counts == {0: 1, LONGEST: 1}


@pytest.mark.parametrize("text", ["x", "12*x", "1:2"])
def test_other_text_is_refused(text: str) -> None:
    """A text that is no histogram is an error, never an empty histogram."""
    with pytest.raises(ValueError, match="invalid literal"):
        Histogram.read(text)
