"""The life cycle of an incident."""

from __future__ import annotations

import itertools

import pytest

from flask_statuspage.domain.incident import IncidentStatus, event_name, may_become, may_reopen

INVESTIGATING = IncidentStatus.INVESTIGATING
IDENTIFIED = IncidentStatus.IDENTIFIED
MONITORING = IncidentStatus.MONITORING
RESOLVED = IncidentStatus.RESOLVED
POSTMORTEM = IncidentStatus.POSTMORTEM

OPEN = [INVESTIGATING, IDENTIFIED, MONITORING]
ALLOWED = {
    *itertools.product(OPEN, [*OPEN, RESOLVED]),
    (RESOLVED, POSTMORTEM),
    (POSTMORTEM, POSTMORTEM),
}


@pytest.mark.parametrize(
    ("current", "wanted"), list(itertools.product(IncidentStatus, IncidentStatus)), ids=str
)
def test_every_step_is_allowed_or_refused(current: IncidentStatus, wanted: IncidentStatus) -> None:
    """An open incident goes any way but to a postmortem; out of "resolved" only a postmortem leads."""
    assert may_become(current, wanted) is ((current, wanted) in ALLOWED)


@pytest.mark.parametrize(
    ("current", "wanted"), list(itertools.product(IncidentStatus, IncidentStatus)), ids=str
)
def test_only_what_is_over_is_reopened(current: IncidentStatus, wanted: IncidentStatus) -> None:
    """From "resolved" and from a postmortem back to any open status, and from nowhere else."""
    allowed = itertools.product([RESOLVED, POSTMORTEM], OPEN)
    assert may_reopen(current, wanted) is ((current, wanted) in set(allowed))


def test_open_means_not_over() -> None:
    """Investigating, identified and monitoring are open; resolved and postmortem are not."""
    assert [status for status in IncidentStatus if status.is_open] == OPEN


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        (None, INVESTIGATING, "incident.created"),
        (None, MONITORING, "incident.created"),
        (None, RESOLVED, "incident.created"),
        (INVESTIGATING, INVESTIGATING, "incident.updated"),
        (MONITORING, IDENTIFIED, "incident.updated"),
        (MONITORING, RESOLVED, "incident.resolved"),
        (RESOLVED, POSTMORTEM, "incident.postmortem"),
        (POSTMORTEM, POSTMORTEM, "incident.postmortem"),
        (RESOLVED, INVESTIGATING, "incident.updated"),
        (POSTMORTEM, MONITORING, "incident.updated"),
    ],
)
def test_step_names_its_event(
    before: IncidentStatus | None, after: IncidentStatus, name: str
) -> None:
    """Each step of the life cycle is told under its own name."""
    assert event_name(before, after) == name
