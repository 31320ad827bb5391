"""When a failed delivery is tried again."""

from __future__ import annotations

import pytest

from flask_statuspage.domain.retry import DAY, Policy

NATIVE = Policy(jitter=0.0)


def test_native_delays_are_to_the_second() -> None:
    """Retries come after 1, 5 and 30 minutes, then the delivery is given up."""
    assert [NATIVE.delay_after(attempts, chance=1.0) for attempts in (1, 2, 3, 4)] == [
        60.0,
        300.0,
        1800.0,
        None,
    ]


@pytest.mark.parametrize(("chance", "delay"), [(0.0, 100.0), (0.5, 110.0), (1.0, 120.0)])
def test_jitter_adds_a_share_of_the_delay(chance: float, delay: float) -> None:
    """Chance spreads a retry over its delay and up to a fifth more, never less."""
    assert Policy(delays=(100.0,), jitter=0.2).delay_after(1, chance=chance) == pytest.approx(delay)


@pytest.mark.parametrize(
    ("asked", "delay"),
    [(None, 60.0), (5.0, 60.0), (600.0, 600.0), (3 * DAY, DAY), (float("inf"), DAY)],
)
def test_the_longer_wait_counts_up_to_a_day(asked: float | None, delay: float) -> None:
    """A receiver may ask for a longer wait than planned, but for no more than a day."""
    assert NATIVE.delay_after(1, retry_after=asked) == delay


def test_asking_for_patience_adds_no_attempt() -> None:
    """After its last attempt a delivery is given up, whatever the receiver asks for."""
    assert NATIVE.delay_after(4, retry_after=10.0) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, False),
        (199, False),
        (200, True),
        (204, True),
        (299, True),
        (300, False),
        (500, False),
    ],
)
def test_any_2xx_is_a_success(status: int | None, expected: bool) -> None:
    """Redirects, errors and no answer at all are failures."""
    assert NATIVE.is_success(status) is expected
