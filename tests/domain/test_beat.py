"""Beats: everybody's own, without drift, whatever the clock does."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.beat import PLACES, following, is_astray, is_missed, place
from flask_statuspage.domain.ids import new_id

places = st.integers(0, PLACES - 1)
intervals = st.one_of(st.integers(1, 120), st.integers(1, 86_400))
instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
NOW = datetime(2030, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


@given(places, intervals, instants)
def test_the_next_one_is_at_most_an_interval_away(where: int, interval: int, now: datetime) -> None:
    """It lies after now and no farther than one interval, whatever was before."""
    away = following(where, interval, now) - now
    assert timedelta(0) < away <= timedelta(seconds=interval)
    assert not is_astray(now + away, interval, now)


@given(places, intervals, instants, st.lists(st.floats(0, 0.999), min_size=1, max_size=30))
def test_a_beat_does_not_drift(where: int, interval: int, now: datetime, lags: list[float]) -> None:
    """Each is due an interval after the one before, however late each claim came within its interval."""
    due = following(where, interval, now)
    for number, lag in enumerate(lags, 1):
        claimed_at = due + timedelta(seconds=(number - 1) * interval + lag * interval)
        assert following(where, interval, claimed_at) == due + timedelta(seconds=number * interval)


@given(places, intervals, instants, st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_the_beat_survives_stops_and_wrong_clocks(
    where: int, interval: int, now: datetime, steps: list[float]
) -> None:
    """After any steps of the clock, back or forth, the next one is on the same beat and within an interval."""
    due = following(where, interval, now)
    for step in steps:
        now += timedelta(seconds=step)
        again = following(where, interval, now)
        assert timedelta(0) < again - now <= timedelta(seconds=interval)
        assert (again - due) % timedelta(seconds=interval) == timedelta(0)


@given(intervals, instants, st.floats(0, 200_000))
def test_what_is_missed(interval: int, due_at: datetime, late: float) -> None:
    """Late by more than an interval and by a minute at least; what is just late is asked."""
    now = due_at + timedelta(seconds=late)
    assert is_missed(due_at, interval, now) == (
        (now - due_at) >= max(timedelta(seconds=60), timedelta(seconds=interval, microseconds=1))
    )
    assert not is_missed(now, interval, due_at)


@given(intervals, st.floats(0.001, 1e6))
def test_what_a_clock_ahead_left_is_astray(interval: int, ahead: float) -> None:
    """A due time that no beat would give is recognised, the last possible one is not."""
    last = NOW + timedelta(seconds=interval)
    assert not is_astray(last, interval, NOW)
    assert is_astray(last + timedelta(seconds=ahead), interval, NOW)


def test_many_made_at_once_are_spread() -> None:
    """Of 600 made in one go about ten are due in each second of a minute, and never a tenth of them."""
    dues = [following(place(new_id(), number), 60, NOW) for number in range(600)]
    seconds = [int((due - NOW).total_seconds()) for due in dues]
    busiest = max(seconds.count(second) for second in range(60))
    assert busiest < 40
    assert len(set(seconds)) > 50


def test_the_regions_of_one_monitor_take_turns() -> None:
    """Three neighbouring numbers of one owner are each at least a fifth of the interval apart."""
    dues = sorted(following(place(UUID(int=5), number), 60, NOW) for number in (7, 8, 9))
    gaps = [later - sooner for sooner, later in itertools.pairwise(dues)]
    gaps.append(timedelta(seconds=60) - (dues[-1] - dues[0]))
    assert min(gaps) > timedelta(seconds=12)


def test_another_interval_has_another_beat_of_the_same_place() -> None:
    """A longer interval begins within itself, not within the shorter one."""
    half = PLACES // 2
    assert following(half, 60, NOW).second == 30
    assert following(half, 3600, NOW).minute == 30
