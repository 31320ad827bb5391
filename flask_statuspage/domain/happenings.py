"""What happened to a component, and on which days: its published history, its incidents and its maintenance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from .facts import IncidentFact, MaintenanceFact
from .incident import IncidentStatus
from .maintenance import MaintenanceStatus
from .status import Impact
from .strip import Days
from .uptime import Interval

INSTANT = timedelta(microseconds=1)
"""No two times are nearer to each other."""


@dataclass(frozen=True, kw_only=True)
class Happening:
    """An incident or a maintenance, in as few words as a list has.

    :param impact: of an incident; None: it is a maintenance.
    :param end: None: it lasts; the same as *start*: it lasted no time. Of a maintenance that has not begun both times
        are as planned.
    """

    id: UUID
    title: str
    status: IncidentStatus | MaintenanceStatus
    impact: Impact | None
    start: datetime
    end: datetime | None

    @property
    def has_begun(self) -> bool:
        return self.status not in (MaintenanceStatus.SCHEDULED, MaintenanceStatus.CANCELLED)

    @classmethod
    def of_incident(cls, fact: IncidentFact) -> Happening:
        return cls(
            id=fact.id,
            title=fact.title,
            status=fact.status,
            impact=fact.impact,
            start=fact.started_at,
            end=fact.ended_at,
        )

    @classmethod
    def of_maintenance(cls, fact: MaintenanceFact) -> Happening:
        return cls(
            id=fact.id,
            title=fact.title,
            status=fact.status,
            impact=None,
            start=fact.started_at or fact.scheduled_start,
            end=None if fact.status.is_active else fact.ended_at or fact.scheduled_end,
        )


@dataclass(frozen=True, kw_only=True)
class ComponentPast:
    """What is known of a component's past.

    :param history: its published statuses, in no order.
    :param since: the first day that is told of, in the page's zone.
    :param happenings: newest first.
    :param observed_from: from when on *history* is complete; before that nothing is known, not even that there are no
        data.
    """

    history: tuple[Interval, ...]
    happenings: tuple[Happening, ...]
    since: date
    observed_from: datetime


def by_day(happenings: Iterable[Happening], days: Days) -> dict[int, list[Happening]]:
    """By the place of the day, what went on on it: incidents, the worst first, then maintenance.

    Days on which nothing went on are not in it. What was over at midnight did not go on on the day that begins then.
    """
    found: dict[int, list[Happening]] = {}
    last = len(days.dates) - 1
    for one in sorted(happenings, key=_weight):
        if not one.has_begun:
            continue
        end = last
        if one.end is not None:
            end = min(days.index(one.end if one.end <= one.start else one.end - INSTANT), last)
        for place in range(max(days.index(one.start), 0), end + 1):
            found.setdefault(place, []).append(one)
    return found


def _weight(one: Happening) -> tuple[int, datetime]:
    return (1 if one.impact is None else -one.impact.severity), one.start
