"""What many checks amount to."""

from __future__ import annotations

import math
from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.tally import Tally
from flask_statuspage.domain.verdict import Verdict

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN
CHECKS = st.lists(
    st.tuples(st.sampled_from(list(Verdict)), st.none() | st.integers(-5, 120_000), st.booleans()),
    max_size=40,
)
Results = list[tuple[Verdict, int | None, bool]]


def of(checks: Results) -> Tally:
    tally = Tally()
    for outcome, milliseconds, maintained in checks:
        tally.add(outcome, milliseconds, maintained=maintained)
    return tally


@given(CHECKS, CHECKS)
def test_parts_add_up(one: Results, other: Results) -> None:
    """Two tallies merged, in either order, are the tally of all checks, and the other one stays as it was."""
    merged, second, turned = of(one), of(other), of(other)
    before = deepcopy(second)
    merged.merge(second)
    assert second == before
    turned.merge(of(one))
    assert merged == turned == of(one + other)


@given(CHECKS)
def test_uptime_is_what_counting_gives(checks: Results) -> None:
    """The share of the checks that found something out, outside of maintenance, and did not fail; floored."""
    counted = [
        outcome for outcome, _, maintained in checks if not maintained and outcome is not UNKNOWN
    ]
    found = of(checks).uptime_percent
    if not counted:
        assert found is None
        return
    failed = counted.count(DOWN)
    assert found == math.floor((len(counted) - failed) * 10_000 / len(counted)) / 100
    assert (found == 100.0) == (not failed)


def test_one_failure_among_many_is_never_whole() -> None:
    """A single failure in a year shows, and so does a single success."""
    assert Tally(up=10**6, down=1).uptime_percent == 99.99
    assert Tally(up=1, down=10**6).uptime_percent == 0.0
    assert Tally(up=2, down=1).uptime_percent == 66.66


@given(CHECKS, st.floats(0, 1))
def test_only_answers_have_a_duration(checks: Results, share: float) -> None:
    """Least, average, greatest and percentiles are those of the checks that were answered, and lie between them."""
    answers = [
        max(0, ms) for outcome, ms, _ in checks if ms is not None and outcome in (UP, DEGRADED)
    ]
    tally = of(checks)
    if not answers:
        assert (tally.ms_min, tally.average, tally.ms_max, tally.percentile(share)) == (None,) * 4
        return
    assert (tally.ms_min, tally.average, tally.ms_max) == (
        min(answers),
        round(sum(answers) / len(answers)),
        max(answers),
    )
    percentile = tally.percentile(share)
    assert percentile is not None
    assert min(answers) <= percentile <= max(answers)
