"""Uptime in percent from a published history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.uptime import Interval, uptime_percent

START = datetime(2026, 1, 1, tzinfo=UTC)
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
        ([("?", 100)], None),
        ([], None),
    ],
)
def test_only_outages_cost_uptime(
    stretches: list[tuple[str, float]], expected: float | None
) -> None:
    """A major outage counts whole, a partial one by its weight, and unknown time not at all."""
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
