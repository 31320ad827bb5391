"""The life cycle of a maintenance window as an explicit transition table, and what its clock does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAX_DURATION = timedelta(days=92)
"""A longer window is a typing error: nobody keeps a service under maintenance for a quarter of a year."""


class MaintenanceStatus(StrEnum):
    """How far a maintenance is."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"
    COMPLETED = "completed"
    CANCELLED = "cancelled"

    @property
    def is_active(self) -> bool:
        """Whether its components are under maintenance."""
        return self in ACTIVE

    @property
    def is_over(self) -> bool:
        return self in OVER


ACTIVE = frozenset({MaintenanceStatus.IN_PROGRESS, MaintenanceStatus.VERIFYING})
OVER = frozenset({MaintenanceStatus.COMPLETED, MaintenanceStatus.CANCELLED})

_RUNNING = ACTIVE | OVER

TRANSITIONS: dict[MaintenanceStatus, frozenset[MaintenanceStatus]] = {
    # A window that was never needed can be completed; one that begins cannot go back to "scheduled".
    MaintenanceStatus.SCHEDULED: _RUNNING | {MaintenanceStatus.SCHEDULED},
    MaintenanceStatus.IN_PROGRESS: _RUNNING,
    MaintenanceStatus.VERIFYING: _RUNNING,
    MaintenanceStatus.COMPLETED: frozenset({MaintenanceStatus.COMPLETED}),
    MaintenanceStatus.CANCELLED: frozenset({MaintenanceStatus.CANCELLED}),
}
"""What an update may make of a maintenance. A word may be added to one that is over; its status stays."""


def may_become(current: MaintenanceStatus, wanted: MaintenanceStatus) -> bool:
    """Whether an update may take a maintenance from *current* to *wanted*."""
    return wanted in TRANSITIONS[current]


def event_name(before: MaintenanceStatus | None, after: MaintenanceStatus) -> str:
    """The name of the event that tells the step from *before* (None: it is new) to *after*."""
    if before is after:
        return "maintenance.updated"
    if after.is_over:
        return "maintenance.completed"
    if before is None and after is MaintenanceStatus.SCHEDULED:
        return "maintenance.scheduled"
    if after.is_active and (before is None or not before.is_active):
        return "maintenance.started"
    return "maintenance.updated"


PLANNED = 0
"""Stands among the reminders that are done once the occurrence after one that has not begun is planned."""


class Step(StrEnum):
    """What the clock does to a maintenance."""

    REMIND = "remind"
    START = "start"
    COMPLETE = "complete"
    PLAN_NEXT = "plan_next"


@dataclass(frozen=True)
class Due:
    """A step and its time. ``minutes`` is the reminder that is meant."""

    at: datetime
    step: Step
    minutes: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the clock has to know of one maintenance. Instants are aware.

    :param remind_before: minutes before the start at which subscribers are reminded.
    :param reminded: those of them that are done, or were over when the window was set; and :data:`PLANNED`.
    :param recurs: whether another occurrence follows.
    """

    status: MaintenanceStatus
    start: datetime
    end: datetime
    auto_start: bool = True
    auto_complete: bool = True
    remind_before: tuple[int, ...] = ()
    reminded: frozenset[int] = frozenset()
    recurs: bool = False

    def next_step(self) -> Due | None:
        """The earliest step that is still to be done; None: the clock has nothing to do."""
        if self.status is MaintenanceStatus.SCHEDULED:
            steps = [
                Due(self.start - timedelta(minutes=minutes), Step.REMIND, minutes)
                for minutes in self.remind_before
                if minutes not in self.reminded
            ]
            if self.auto_start:
                steps.append(Due(self.start, Step.START))
            elif self.recurs and PLANNED not in self.reminded:
                # Nobody may ever begin this one; the series goes on all the same.
                steps.append(Due(self.start, Step.PLAN_NEXT))
            return min(steps, key=lambda due: due.at, default=None)
        if self.status.is_active and self.auto_complete:
            return Due(self.end, Step.COMPLETE)
        return None

    def is_overrun(self, now: datetime) -> bool:
        """Whether it should be over by now and is not."""
        return self.status.is_active and now > self.end


def past_reminders(
    start: datetime, remind_before: Iterable[int], announced_at: datetime
) -> list[int]:
    """The reminders that the announcement itself makes needless: their time is not after *announced_at*."""
    return [
        minutes for minutes in remind_before if start - timedelta(minutes=minutes) <= announced_at
    ]
