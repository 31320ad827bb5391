"""The life cycle of a maintenance and its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.events import MAINTENANCE_EVENTS
from flask_statuspage.domain.maintenance import (
    TRANSITIONS,
    Due,
    MaintenanceStatus,
    Plan,
    Step,
    event_name,
    may_become,
    past_reminders,
)

S = MaintenanceStatus
START = datetime(2036, 1, 1, 2, tzinfo=UTC)
END = START + timedelta(hours=2)

# From (row) to (column), in the order of the enum; what happens on the way.
TABLE: dict[S, dict[S, str]] = {
    S.SCHEDULED: {
        S.SCHEDULED: "updated",
        S.IN_PROGRESS: "started",
        S.VERIFYING: "started",
        S.COMPLETED: "completed",
        S.CANCELLED: "completed",
    },
    S.IN_PROGRESS: {
        S.IN_PROGRESS: "updated",
        S.VERIFYING: "updated",
        S.COMPLETED: "completed",
        S.CANCELLED: "completed",
    },
    S.VERIFYING: {
        S.IN_PROGRESS: "updated",
        S.VERIFYING: "updated",
        S.COMPLETED: "completed",
        S.CANCELLED: "completed",
    },
    S.COMPLETED: {S.COMPLETED: "updated"},
    S.CANCELLED: {S.CANCELLED: "updated"},
}


@pytest.mark.parametrize("wanted", S)
@pytest.mark.parametrize("current", S)
def test_every_transition(current: S, wanted: S) -> None:
    """Each pair is allowed or not, and an allowed one has its event."""
    assert may_become(current, wanted) is (wanted in TABLE[current])
    if wanted in TABLE[current]:
        assert event_name(current, wanted) == f"maintenance.{TABLE[current][wanted]}"


def test_the_table_is_whole() -> None:
    """No status is without a row, and a new maintenance is announced or begins."""
    assert set(TRANSITIONS) == set(S)
    assert event_name(None, S.SCHEDULED) == "maintenance.scheduled"
    assert event_name(None, S.IN_PROGRESS) == "maintenance.started"
    assert event_name(None, S.COMPLETED) == "maintenance.completed"


def plan(status: S = S.SCHEDULED, **changes: object) -> Plan:
    return Plan(status=status, start=START, end=END, **changes)  # type: ignore[arg-type]


def test_what_the_clock_does() -> None:
    """Reminders, then the start, then the end; nothing where a person wants to do it, and nothing after the end."""
    assert plan().next_step() == Due(START, Step.START)
    reminded = plan(remind_before=(1440, 60))
    assert reminded.next_step() == Due(START - timedelta(days=1), Step.REMIND, 1440)
    once = plan(remind_before=(1440, 60), reminded=frozenset({1440}))
    assert once.next_step() == Due(START - timedelta(hours=1), Step.REMIND, 60)
    assert plan(auto_start=False).next_step() is None
    assert plan(S.IN_PROGRESS).next_step() == Due(END, Step.COMPLETE)
    assert plan(S.VERIFYING).next_step() == Due(END, Step.COMPLETE)
    assert plan(S.IN_PROGRESS, auto_complete=False).next_step() is None
    assert plan(S.COMPLETED).next_step() is None
    assert plan(S.CANCELLED).next_step() is None


def test_overrun() -> None:
    """Only what is going on after its end is late."""
    late, early = END + timedelta(seconds=1), END
    assert plan(S.IN_PROGRESS).is_overrun(late)
    assert plan(S.VERIFYING).is_overrun(late)
    assert not plan(S.IN_PROGRESS).is_overrun(early)
    assert not any(plan(status).is_overrun(late) for status in (S.SCHEDULED, *TABLE[S.COMPLETED]))


@given(
    remind_before=st.lists(st.integers(1, 44_640), max_size=10, unique=True),
    announced=st.integers(0, 50_000),
    auto_start=st.booleans(),
    auto_complete=st.booleans(),
)
def test_the_clock_takes_every_step_once_and_in_order(
    remind_before: list[int], announced: int, auto_start: bool, auto_complete: bool
) -> None:
    """Followed to its end, the plan has each reminder that was to come, once, then start and end as wished."""
    announced_at = START - timedelta(minutes=announced)
    reminded = set(past_reminders(START, remind_before, announced_at))
    expected = sorted((m for m in remind_before if m < announced), reverse=True)
    status, steps = S.SCHEDULED, []
    while True:
        due = Plan(
            status=status,
            start=START,
            end=END,
            auto_start=auto_start,
            auto_complete=auto_complete,
            remind_before=tuple(remind_before),
            reminded=frozenset(reminded),
        ).next_step()
        if due is None:
            break
        steps.append(due)
        if due.step is Step.REMIND:
            reminded.add(due.minutes)
        else:
            status = {Step.START: S.IN_PROGRESS, Step.COMPLETE: S.COMPLETED}[due.step]
    assert [due.minutes for due in steps if due.step is Step.REMIND] == expected
    assert [due.at for due in steps] == sorted(due.at for due in steps)
    rest = [due.step for due in steps if due.step is not Step.REMIND]
    wanted = [Step.START, *([Step.COMPLETE] if auto_complete else [])] if auto_start else []
    assert rest == wanted


def test_names_of_events_are_the_published_ones() -> None:
    """No step has an event that nobody can subscribe to."""
    names = {event_name(a, b) for a in (None, *S) for b in S if a is None or may_become(a, b)}
    assert names == set(MAINTENANCE_EVENTS)
