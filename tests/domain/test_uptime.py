"""Uptime in percent from a published history."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.uptime import Interval, from_day, uptime_percent

START = datetime(2026, 1, 1, tzinfo=UTC)
NOT_OBSERVED = (ComponentStatus.UNKNOWN, ComponentStatus.UNDER_MAINTENANCE)
STATUSES = {
    "?": ComponentStatus.UNKNOWN,
    "o": ComponentStatus.OPERATIONAL,
    "w": ComponentStatus.UNDER_MAINTENANCE,
    "g": ComponentStatus.DEGRADED_PERFORMANCE,
    "p": ComponentStatus.PARTIAL_OUTAGE,
    "m": ComponentStatus.MAJOR_OUTAGE,
}


def percent(
    *stretches: tuple[str, float],
    skipped: float = 0,
    observed: float | None = None,
    weight: float = 0.3,
) -> float | None:
    """The uptime of consecutive (status, seconds); the last one still lasts."""
    history, at = [], START
    for letter, seconds in stretches:
        end = at + timedelta(seconds=seconds)
        history.append(Interval(STATUSES[letter], at, end))
        at = end
    if history:
        history[-1] = Interval(history[-1].status, history[-1].start)
    until = at if observed is None else START + timedelta(seconds=skipped + observed)
    since = START + timedelta(seconds=skipped)
    return uptime_percent(history, since=since, until=until, partial_weight=weight)


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([("o", 100)], 100.0),
        ([("o", 50), ("w", 30), ("g", 20)], 100.0),
        ([("o", 90), ("m", 10)], 90.0),
        ([("o", 10), ("m", 90)], 10.0),
        ([("m", 100)], 0.0),
        ([("p", 100)], 70.0),
        ([("o", 50), ("p", 50)], 85.0),
        ([("?", 900), ("o", 50), ("m", 50)], 50.0),
        ([("w", 900), ("o", 50), ("m", 50)], 50.0),
        ([("?", 100)], None),
        ([("w", 100)], None),
        ([], None),
    ],
)
def test_only_outages_cost_uptime(
    stretches: list[tuple[str, float]], expected: float | None
) -> None:
    """A major outage counts whole, a partial one by its weight; unknown time and maintenance are not observed."""
    assert percent(*stretches) == expected


def test_percentage_is_floored_to_two_decimals() -> None:
    """One third of downtime is 66.66, never 66.67."""
    assert percent(("o", 2), ("m", 1)) == 66.66
    assert percent(("o", 99_999), ("m", 1)) == 99.99


@pytest.mark.parametrize("down", range(0, 101))
def test_whole_percents_are_exact(down: int) -> None:
    """Arithmetic with floats never takes a hundredth from a percentage that has no fraction."""
    assert percent(("o", 100 - down), ("m", down)) == 100.0 - down


def test_never_whole_while_a_second_was_lost() -> None:
    """One second of downtime in 90 days shows as 99.99, not as 100."""
    ninety_days = 90 * 24 * 3600
    assert percent(("o", ninety_days - 1), ("m", 1)) == 99.99
    assert percent(("o", ninety_days - 1), ("p", 1)) == 99.99
    assert percent(("o", ninety_days), ("m", 0.0001)) == 99.99


@pytest.mark.parametrize(("weight", "expected"), [(0.0, 100.0), (0.5, 75.0), (1.0, 50.0)])
def test_weight_of_a_partial_outage_is_chosen(weight: float, expected: float) -> None:
    """The site's own weight says how much of a partial outage is downtime."""
    assert percent(("o", 50), ("p", 50), weight=weight) == expected


def test_only_the_window_counts() -> None:
    """What ended before the window or begins after it costs nothing; what reaches into it is cut."""
    assert percent(("m", 100), ("o", 100), skipped=100) == 100.0
    assert percent(("m", 100), ("o", 100), skipped=50) == 66.66
    assert percent(("o", 100), ("m", 100), observed=100) == 100.0


# Against a computation that looks at every second

stretches_of_seconds = st.lists(
    st.tuples(st.sampled_from("?owgpm"), st.integers(0, 40)), max_size=12
)
weights = st.sampled_from([0.0, 0.25, 0.3, 0.5, 1.0])


def brute_force(
    history: list[Interval], since: int, until: int, weight: float
) -> tuple[Fraction, int] | None:
    """What is left of the observed time, and the observed seconds, one second after the other."""
    costs = {
        ComponentStatus.MAJOR_OUTAGE: Fraction(1),
        ComponentStatus.PARTIAL_OUTAGE: Fraction(str(weight)),
    }
    observed, lost = 0, Fraction(0)
    for second in range(since, until):
        at = START + timedelta(seconds=second)
        for interval in history:
            covers = interval.start <= at and (interval.end is None or at < interval.end)
            if covers and interval.status not in NOT_OBSERVED:
                observed += 1
                lost += costs.get(interval.status, 0)
    return (observed - lost, observed) if observed else None


def as_history(
    stretches: list[tuple[str, int]], gaps: list[int], *, lasting: bool
) -> list[Interval]:
    history, second = [], 0
    for (letter, seconds), gap in zip(stretches, gaps, strict=False):
        second += gap
        start, second = second, second + seconds
        history.append(
            Interval(
                STATUSES[letter],
                START + timedelta(seconds=start),
                START + timedelta(seconds=second),
            )
        )
    if history and lasting:
        history[-1] = Interval(history[-1].status, history[-1].start)
    return history


@given(
    stretches=stretches_of_seconds,
    gaps=st.lists(st.sampled_from([0, 0, 0, 1, 7]), min_size=12, max_size=12),
    lasting=st.booleans(),
    since=st.integers(-20, 200),
    length=st.integers(-5, 300),
    weight=weights,
)
@example(
    stretches=[("o", 2), ("m", 1)], gaps=[0] * 12, lasting=False, since=0, length=3, weight=0.3
)
@example(stretches=[("p", 10)], gaps=[0] * 12, lasting=True, since=5, length=100, weight=0.3)
def test_as_if_every_second_was_looked_at(
    stretches: list[tuple[str, int]],
    gaps: list[int],
    lasting: bool,
    since: int,
    length: int,
    weight: float,
) -> None:
    """Interval arithmetic gives what counting second by second gives, floored to hundredths, in any order."""
    history = as_history(stretches, gaps, lasting=lasting)
    found = uptime_percent(
        reversed(history),
        since=START + timedelta(seconds=since),
        until=START + timedelta(seconds=since + length),
        partial_weight=weight,
    )
    counted = brute_force(history, since, since + length, weight)
    if counted is None:
        assert found is None
        return
    left, observed = counted
    exact = math.floor(left * 10_000 / observed)
    assert found == (100.0 if left == observed else min(exact / 100, 99.99))


@given(stretches=stretches_of_seconds, weight=weights, cut=st.integers(0, 480))
def test_a_cut_of_an_interval_changes_nothing(
    stretches: list[tuple[str, int]], weight: float, cut: int
) -> None:
    """Two intervals of one status that follow each other are as good as one."""
    history = as_history(stretches, [0] * 12, lasting=False)
    at = START + timedelta(seconds=cut)
    parts = []
    for interval in history:
        end = interval.end
        assert end is not None
        if interval.start < at < end:
            parts += [
                Interval(interval.status, interval.start, at),
                Interval(interval.status, at, end),
            ]
        else:
            parts.append(interval)
    window = {"since": START, "until": START + timedelta(seconds=500), "partial_weight": weight}
    assert uptime_percent(parts, **window) == uptime_percent(history, **window)  # type: ignore[arg-type]


@given(stretches=stretches_of_seconds, weight=weights)
def test_it_is_a_percentage(stretches: list[tuple[str, int]], weight: float) -> None:
    """Whatever happened: from 0 to 100, and 100 exactly when nothing was lost."""
    found = percent(*stretches, weight=weight)
    if found is None:
        return
    assert 0 <= found <= 100
    costs = {"m": 1.0, "p": weight}
    lost = any(costs.get(letter) for letter, seconds in stretches if seconds)
    assert (found == 100) is not lost


@given(
    stretches=stretches_of_seconds.filter(bool),
    weight=weights,
    place=st.integers(0, 11),
    worse=weights,
)
def test_worse_never_raises_it(
    stretches: list[tuple[str, int]], weight: float, place: int, worse: float
) -> None:
    """More of an outage, or a greater weight, never makes a better percentage."""
    found = percent(*stretches, weight=weight)
    if found is None:
        return
    harder = percent(*stretches, weight=max(weight, worse))
    assert harder is not None
    assert harder <= found
    place %= len(stretches)
    letter, seconds = stretches[place]
    if letter in "ogp":
        broken = [*stretches[:place], ("m", seconds), *stretches[place + 1 :]]
        after = percent(*broken, weight=weight)
        assert after is not None
        assert after <= found


@given(stretches=stretches_of_seconds, weight=weights, cut=st.integers(0, 480))
def test_a_window_lies_between_its_parts(
    stretches: list[tuple[str, int]], weight: float, cut: int
) -> None:
    """Two windows that follow each other add up: the percentage of both is neither below nor above those of both."""
    history = as_history(stretches, [0] * 12, lasting=False)
    start, at, end = (START + timedelta(seconds=second) for second in (0, cut, 480))
    parts = [
        uptime_percent(history, since=one, until=other, partial_weight=weight)
        for one, other in ((start, at), (at, end))
    ]
    whole = uptime_percent(history, since=start, until=end, partial_weight=weight)
    known = [part for part in parts if part is not None]
    if not known:
        assert whole is None
        return
    assert whole is not None
    assert min(known) <= whole <= max(known)


def test_history_from_a_day_on() -> None:
    """What ended before the day began by that clock is left out, what went on is cut; without a day all counts."""
    up = ComponentStatus.OPERATIONAL
    begins = datetime(2026, 1, 1, 23, tzinfo=UTC)  # the 2nd in Berlin
    hour = timedelta(hours=1)
    before = Interval(up, begins - 2 * hour, begins)
    across = Interval(up, begins - hour, begins + hour)
    lasting = Interval(up, begins - 3 * hour)
    after = Interval(up, begins + hour, begins + 2 * hour)
    history = [before, across, lasting, after]
    berlin = ZoneInfo("Europe/Berlin")
    assert list(from_day(history, date(2026, 1, 2), berlin)) == [
        Interval(up, begins, begins + hour),
        Interval(up, begins),
        after,
    ]
    assert list(from_day(history, None, berlin)) == history
