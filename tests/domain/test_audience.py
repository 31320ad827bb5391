"""Which subscription an event concerns."""

from __future__ import annotations

from uuid import UUID

import pytest

from flask_statuspage.domain.audience import LEVELS, Change, Interest, concerns
from flask_statuspage.domain.status import ComponentStatus as S

API, WEB, MAIL = (UUID(int=number) for number in (1, 2, 3))
UNASKED = frozenset({"incident.created", "incident.resolved"})


@pytest.mark.parametrize(
    ("name", "about", "interest", "expected"),
    [
        ("incident.created", [], Interest(), True),
        ("incident.created", [API], Interest(), True),
        ("monitor.down", [API], Interest(), False),
        ("monitor.down", [API], Interest(events=frozenset({"monitor.down"})), True),
        ("incident.created", [API], Interest(events=frozenset({"monitor.down"})), False),
        ("incident.created", [API], Interest(events=frozenset()), False),
        ("incident.created", [API, WEB], Interest(frozenset({WEB, MAIL})), True),
        ("incident.created", [API], Interest(frozenset({WEB, MAIL})), False),
        ("incident.created", [], Interest(frozenset({WEB})), False),
    ],
)
def test_event_reaches_whoever_chose_it(
    name: str, about: list[UUID], interest: Interest, expected: bool
) -> None:
    """No component chosen means all, no event chosen means what the format sends unasked."""
    assert concerns(name, about, interest, unasked=UNASKED) is expected


@pytest.mark.parametrize(
    ("previous", "status", "heard"),
    [
        (S.OPERATIONAL, S.DEGRADED_PERFORMANCE, "any warn"),
        (S.PARTIAL_OUTAGE, S.OPERATIONAL, "any warn"),
        (S.OPERATIONAL, S.MAJOR_OUTAGE, "any warn down"),
        (S.MAJOR_OUTAGE, S.PARTIAL_OUTAGE, "any warn down"),
        (S.MAJOR_OUTAGE, S.OPERATIONAL, "any warn down"),
        (S.UNDER_MAINTENANCE, S.MAJOR_OUTAGE, "any warn down"),
        (S.OPERATIONAL, S.UNDER_MAINTENANCE, "any"),
        (S.UNDER_MAINTENANCE, S.UNKNOWN, "any"),
        (S.DEGRADED_PERFORMANCE, S.PARTIAL_OUTAGE, ""),
        (S.UNKNOWN, S.OPERATIONAL, ""),
        (S.MAJOR_OUTAGE, S.MAJOR_OUTAGE, ""),
    ],
)
def test_a_level_hears_of_what_reaches_it(previous: S, status: S, heard: str) -> None:
    """The word must change, and before or after it must be as bad as the level."""
    change = Change(None, previous, status)
    assert [level for level in LEVELS if change.reaches(level)] == heard.split()


@pytest.mark.parametrize(
    ("chosen", "level", "expected"),
    [
        ([], "down", True),
        ([], "warn", True),
        ([API], "down", False),
        ([API], "warn", True),
        ([WEB], "down", True),
        ([MAIL], "any", False),
    ],
)
def test_levels_look_at_what_was_chosen(chosen: list[UUID], level: str, expected: bool) -> None:
    """With chosen components only theirs count, without all and the page's own."""
    changes = [
        Change(None, S.OPERATIONAL, S.MAJOR_OUTAGE),
        Change(API, S.OPERATIONAL, S.DEGRADED_PERFORMANCE),
        Change(WEB, S.OPERATIONAL, S.MAJOR_OUTAGE),
    ]
    interest = Interest(frozenset(chosen), level=level)
    name = "incident.created"
    found = concerns(name, [API, WEB], interest, unasked=UNASKED, changes=changes)
    assert found is expected


def test_a_page_that_goes_down_by_an_incident_alone() -> None:
    """Without a component that changed it is the page's own change that is judged."""
    changes = [Change(None, S.OPERATIONAL, S.PARTIAL_OUTAGE)]
    name = "incident.created"
    heard = [
        level
        for level in LEVELS
        if concerns(name, [], Interest(level=level), unasked=UNASKED, changes=changes)
    ]
    assert heard == ["any", "warn"]


def test_a_format_without_levels_hears_of_all() -> None:
    """Where there is no level nothing is judged by its badness."""
    assert concerns("incident.created", [], Interest(), unasked=UNASKED, changes=[])
    assert not concerns("incident.created", [], Interest(level="any"), unasked=UNASKED)
