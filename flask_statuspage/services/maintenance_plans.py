"""What a new maintenance is made of, looked at as a whole: what is wrong with it is told of all fields together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..domain import recurrence
from ..domain.maintenance import MaintenanceStatus
from ..domain.recurrence import Recurrence
from ..errors import Invalid, Problems
from ..storage.base import utc_now
from ..storage.pages import Page
from . import components, texts
from . import maintenance_windows as windows

S = MaintenanceStatus
FIRST = (S.SCHEDULED, S.IN_PROGRESS, S.COMPLETED)
"""What a maintenance can begin as: planned, going on already, or told afterwards."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """When a new maintenance is. ``reminders`` are minutes before its start."""

    window: windows.Window
    rule: Recurrence | None
    reminders: list[int]


def check(session: Session, page: Page, values: Mapping[str, Any], now: datetime) -> Plan:
    """Look at all that :func:`.maintenances.schedule` is given, but the components.

    These are looked up only where something else is wrong: else whoever plans it does so under the lock of the page.

    :param values: its arguments; ``status`` is the one that it begins with, and both ends of the window are there.
    :raises Invalid: naming every field that is wrong.
    """
    problems = _problems_of_rest(values)
    status, window, rule = values["status"], None, None
    with problems.gathered():
        window = windows.checked(values["scheduled_start"], values["scheduled_end"])
        _check_clock(status, *window, now)
    with problems.gathered():
        rule = _rule(page, values, status, window)
    if problems.found:
        with problems.gathered():
            components.by_ident(session, page, list(values["affected"]))
    problems.tell()
    assert window is not None
    return Plan(window=window, rule=rule, reminders=windows.reminders(values.get("remind_before")))


def check_rest(session: Session, page: Page, values: Mapping[str, Any]) -> None:
    """Look at what is there of a plan that is known to be wrong elsewhere.

    :param values: some of the arguments of :func:`.maintenances.schedule`.
    :raises Invalid: naming every further field that is wrong, whatever the others may become.
    """
    problems = _problems_of_rest(values)
    status, window = values.get("status", S.SCHEDULED), None
    start, now = values.get("scheduled_start"), utc_now()
    if start is not None and "scheduled_end" in values:
        with problems.gathered():
            window = windows.checked(start, values["scheduled_end"])
            _check_clock(status, *window, now)
    elif start is None and "scheduled_end" in values:
        with problems.gathered():
            _check_clock(status, now, values["scheduled_end"], now)
    with problems.gathered():
        _rule(page, values, status, window)
    with problems.gathered():
        components.by_ident(session, page, list(values.get("affected") or ()))
    problems.tell()


def _problems_of_rest(values: Mapping[str, Any]) -> Problems:
    """What is wrong with the fields that stand by themselves."""
    problems = Problems()
    with problems.gathered():
        texts.check(title=values.get("title"), body=values.get("body"))
    with problems.gathered():
        if values.get("status", S.SCHEDULED) not in FIRST:
            raise Invalid.field("status", f"Must be one of {', '.join(FIRST)} to begin with.")
    with problems.gathered():
        windows.reminders(values.get("remind_before"))
    return problems


def _check_clock(status: S, start: datetime, end: datetime, now: datetime) -> None:
    if status is S.COMPLETED and end > now:
        raise Invalid.field("scheduled_end", "Must not lie in the future of a completed one.")
    if status is not S.COMPLETED and end <= now:
        raise Invalid.field("scheduled_end", "Must lie in the future.")
    if status is S.IN_PROGRESS and start > now:
        raise Invalid.field("scheduled_start", "Must not lie in the future of one in progress.")


def _rule(
    page: Page, values: Mapping[str, Any], status: S, window: windows.Window | None
) -> Recurrence | None:
    """:param window: None where it is wrong itself, so that only the rule's own words can be looked at."""
    rrule, exceptions = values.get("rrule"), values.get("exceptions", ())
    if rrule is None:
        if exceptions and "rrule" in values:
            raise Invalid.field("exceptions", "There is no rrule to make an exception from.")
        return None
    if status is S.COMPLETED:
        raise Invalid.field("rrule", "What is told afterwards cannot recur.")
    if window is not None:
        start, end = window
        return windows.recurrence(page, rrule, start=start, end=end, exceptions=exceptions)
    problems = Problems()
    with problems.gathered():
        recurrence.check(rrule)
    with problems.gathered():
        recurrence.dates_of(exceptions)
    problems.tell()
    return None
