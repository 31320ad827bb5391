"""Counts of a minute: in Redis for all processes, in the process where there is none."""

from __future__ import annotations

import logging

import pytest
from redis import Redis

from flask_statuspage.storage import rates
from flask_statuspage.storage.rates import MOST_KNOWN, Known, Rate, Rates
from tests.servers.redis import RedisServer


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_a_minute_of_the_clock() -> None:
    """Names are counted apart, until the clock's minute ends."""
    clock = Clock(600.0)
    counted = Rates(None, clock=clock)
    assert counted.count("a", 2) == Rate(limit=2, used=1, resets=60)
    clock.now = 659.5
    assert counted.count("a", 2) == Rate(limit=2, used=2, resets=1)
    third = counted.count("a", 2)
    assert (third.left, third.is_exceeded) == (0, True)
    assert counted.count("b", 2).used == 1
    assert counted.count_here("a", 2, times=0).used == 3
    clock.now = 660.0
    assert counted.count("a", 2) == Rate(limit=2, used=1, resets=60)


def test_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many names new ones share one count, and old keys are forgotten."""
    monkeypatch.setattr(rates, "MOST_NAMES", 2)
    counted = Rates(None, clock=Clock(0.0))
    used = [counted.count(name, 9).used for name in ("a", "b", "c", "d", "a")]
    assert used == [1, 1, 1, 2, 2]
    known = Known()
    for number in range(MOST_KNOWN + 1):
        known.add(str(number))
    assert ("0" in known, "1" in known, str(MOST_KNOWN) in known) == (False, True, True)


def test_processes_count_together(redis_server: RedisServer) -> None:
    """Two processes with one Redis have one count, which Redis forgets by itself."""
    redis_server.flushall()
    clock = Clock(6000.0)
    here, there = (Rates(redis_server.url, clock=clock) for _ in range(2))
    assert [one.count("key", 9).used for one in (here, there, here)] == [1, 2, 3]
    with Redis.from_url(redis_server.url) as client:
        (key,) = client.keys("statuspage-rate:*")
        assert 60 < client.ttl(key) <= 120


def test_without_its_redis_a_process_counts_alone(caplog: pytest.LogCaptureFixture) -> None:
    """A Redis that does not answer is asked once, said once, and then left alone for a while."""
    counted = Rates("redis://127.0.0.1:1/0", clock=Clock(0.0))
    with caplog.at_level(logging.WARNING):
        assert [counted.count("key", 9).used for _ in range(3)] == [1, 2, 3]
    assert len(caplog.records) == 1
