"""Times by a reader's clock."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_statuspage.domain import clock

ZONES = sorted(available_timezones())


@pytest.mark.parametrize(
    ("text", "zone", "told"),
    [
        ("2026-02-19T17:30:00+00:00", "UTC", "2026-02-19 17:30 UTC"),
        ("2026-02-19T17:30:00+00:00", "Europe/Berlin", "2026-02-19 18:30 CET"),
        ("2026-07-19T17:30:59+00:00", "Europe/Berlin", "2026-07-19 19:30 CEST"),
        # Around both changes of the clock, to the minute; an hour that is there twice is told apart.
        ("2026-03-29T00:59:00+00:00", "Europe/Berlin", "2026-03-29 01:59 CET"),
        ("2026-03-29T01:00:00+00:00", "Europe/Berlin", "2026-03-29 03:00 CEST"),
        ("2026-10-25T00:30:00+00:00", "Europe/Berlin", "2026-10-25 02:30 CEST"),
        ("2026-10-25T01:30:00+00:00", "Europe/Berlin", "2026-10-25 02:30 CET"),
        ("2026-02-19T23:30:00+00:00", "Asia/Tokyo", "2026-02-20 08:30 JST"),
        ("2026-02-19T02:30:00+00:00", "America/New_York", "2026-02-18 21:30 EST"),
        ("2026-02-19T17:30:00+00:00", "Asia/Riyadh", "2026-02-19 20:30 UTC+3"),
        ("2026-02-19T17:30:00+00:00", "America/Sao_Paulo", "2026-02-19 14:30 UTC-3"),
        ("2026-02-19T17:30:00+00:00", "Asia/Kathmandu", "2026-02-19 23:15 UTC+5:45"),
        ("2026-02-19T17:30:00+00:00", "Pacific/Marquesas", "2026-02-19 08:00 UTC-9:30"),
        ("2026-02-19T17:30:00+00:00", "Pacific/Kiritimati", "2026-02-20 07:30 UTC+14"),
        ("2026-07-19T17:30:00+00:00", "Antarctica/Troll", "2026-07-19 19:30 UTC+2"),
        ("2026-02-19T17:30:00+00:00", "Antarctica/Troll", "2026-02-19 17:30 UTC"),
        ("2026-02-19T17:30:00+00:00", "Australia/Lord_Howe", "2026-02-20 04:30 UTC+11"),
        ("2026-07-19T17:30:00+00:00", "Australia/Lord_Howe", "2026-07-20 04:00 UTC+10:30"),
        ("1900-01-01T00:00:00+00:00", "Asia/Kathmandu", "1900-01-01 05:41 UTC+5:41"),
        ("2026-02-19T17:30:00Z", "Mars/Olympus", "2026-02-19 17:30 UTC"),
        ("2026-02-19T17:30:00Z", "../UTC", "2026-02-19 17:30 UTC"),
        ("2026-02-19T17:30:00Z", "", "2026-02-19 17:30 UTC"),
    ],
)
def test_a_time_names_its_clock(text: str, zone: str, told: str) -> None:
    """The minute on the clock of the zone, with the zone's letters or its distance."""
    assert clock.instant(text, zone) == told


@settings(max_examples=100)
@given(
    st.sampled_from(ZONES),
    st.datetimes(timezones=st.just(clock.UTC)).filter(lambda at: 1900 <= at.year < 9999),
)
def test_every_zone_has_a_name(zone: str, at: clock.datetime) -> None:
    """In no zone and at no time is there a number where a name belongs."""
    _, minute, name = clock.instant(at.isoformat(), zone).split(" ")
    assert minute[2] == ":"
    assert name.isalpha() or name.startswith("UTC")


def test_minutes_in_parts() -> None:
    """Days, hours and minutes that are the same time together."""
    assert clock.in_parts(1530) == (1, 1, 30)
    assert clock.in_parts(60) == (0, 1, 0)
    assert clock.in_parts(0) == (0, 0, 0)
