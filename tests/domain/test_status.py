"""Worst-of, the page's status, and what an incident's impact stands for."""

from __future__ import annotations

import itertools

import pytest

from flask_statuspage.domain.status import ComponentStatus, Impact, page_status, worst

UNKNOWN = ComponentStatus.UNKNOWN
OPERATIONAL = ComponentStatus.OPERATIONAL
MAINTENANCE = ComponentStatus.UNDER_MAINTENANCE
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE

MILDEST_FIRST = [UNKNOWN, OPERATIONAL, MAINTENANCE, DEGRADED, PARTIAL, MAJOR]


def test_statuses_rank_as_the_page_shows_them() -> None:
    """Maintenance is worse than operational only, and unknown never hides anything."""
    assert sorted(ComponentStatus, key=lambda status: status.severity) == MILDEST_FIRST


@pytest.mark.parametrize(("mild", "severe"), list(itertools.combinations(MILDEST_FIRST, 2)))
def test_the_more_severe_of_two_is_shown(mild: ComponentStatus, severe: ComponentStatus) -> None:
    """Worst-of takes the more severe status, in whatever order they come."""
    assert worst([mild, severe]) is worst([severe, mild]) is severe


def test_worst_of_nothing_is_unknown() -> None:
    """Where nothing is said, nothing is known."""
    assert worst([]) is UNKNOWN


@pytest.mark.parametrize(
    ("components", "impacts", "expected"),
    [
        ([], [], OPERATIONAL),
        ([UNKNOWN, UNKNOWN], [], UNKNOWN),
        ([UNKNOWN, OPERATIONAL], [], OPERATIONAL),
        ([OPERATIONAL, MAINTENANCE], [], MAINTENANCE),
        ([DEGRADED, MAINTENANCE], [], DEGRADED),
        ([OPERATIONAL], [Impact.NONE], OPERATIONAL),
        ([OPERATIONAL], [Impact.MINOR], DEGRADED),
        ([OPERATIONAL], [Impact.MAJOR], PARTIAL),
        ([OPERATIONAL], [Impact.CRITICAL], MAJOR),
        ([MAJOR], [Impact.MINOR], MAJOR),
        ([DEGRADED], [Impact.MINOR, Impact.CRITICAL], MAJOR),
        ([], [Impact.NONE], OPERATIONAL),
        ([], [Impact.MAJOR], PARTIAL),
        ([UNKNOWN], [Impact.MINOR], DEGRADED),
    ],
)
def test_page_is_as_bad_as_its_worst_part(
    components: list[ComponentStatus], impacts: list[Impact], expected: ComponentStatus
) -> None:
    """The page shows its worst component, raised to the floor of every open incident."""
    assert page_status(components, impacts) is expected


@pytest.mark.parametrize(
    ("statuses", "impact"),
    [
        ([], Impact.NONE),
        ([UNKNOWN], Impact.NONE),
        ([OPERATIONAL, MAINTENANCE], Impact.NONE),
        ([OPERATIONAL, DEGRADED], Impact.MINOR),
        ([DEGRADED, PARTIAL], Impact.MAJOR),
        ([MAJOR, DEGRADED], Impact.CRITICAL),
    ],
)
def test_impact_follows_the_worst_component(
    statuses: list[ComponentStatus], impact: Impact
) -> None:
    """The impact of an incident is what its worst component amounts to."""
    assert Impact.of(statuses) is impact


def test_floor_and_impact_agree() -> None:
    """An incident whose components are at the floor of an impact has that impact."""
    assert [Impact.of([impact.floor]) for impact in Impact] == list(Impact)
    assert sorted(Impact, key=lambda impact: impact.severity) == list(Impact)
