"""When a maintenance may be: its window, its reminders, the rule it recurs by, and other windows in its way."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ..config import MAX_REMINDER
from ..domain.maintenance import MAX_DURATION, MaintenanceStatus
from ..domain.recurrence import Recurrence, dates_of
from ..errors import Invalid, Problems, Timed
from ..state import current_settings
from ..storage import maintenances as stored
from ..storage.maintenances import Maintenance
from ..storage.pages import Page

Window = tuple[datetime, datetime]

MAX_REMINDERS = 10
COMPARED = 200
"""So many occurrences of a series are compared with other windows."""


def zone_of(page: Page) -> ZoneInfo:
    """The zone in which the page's windows recur."""
    return ZoneInfo(page.time_zone or current_settings().time_zone)


def checked(start: datetime, end: datetime) -> Window:
    """The window to the second, as calendars have it.

    :raises Invalid: naming ``scheduled_start`` or ``scheduled_end``.
    """
    for field, value in (("scheduled_start", start), ("scheduled_end", end)):
        if value.tzinfo is None:
            raise Invalid.field(field, "Must have a time zone.")
    start, end = start.replace(microsecond=0), end.replace(microsecond=0)
    if end <= start:
        raise Invalid.field("scheduled_end", "Must be after scheduled_start.")
    if end - start > MAX_DURATION:
        raise Invalid.field("scheduled_end", f"A window may last {MAX_DURATION.days} days at most.")
    return start, end


def reminders(wanted: Collection[int] | None) -> list[int]:
    """The reminders to be sent, in minutes before the start, the earliest first; None: as the settings say.

    :raises Invalid: naming ``remind_before``.
    """
    if wanted is None:
        wanted = current_settings().remind_before
    if len(wanted) > MAX_REMINDERS:
        raise Invalid.field("remind_before", f"At most {MAX_REMINDERS} reminders.")
    for minutes in wanted:
        if not 1 <= minutes <= MAX_REMINDER:
            raise Invalid.field(
                "remind_before", f"Minutes before the start, each from 1 to {MAX_REMINDER}."
            )
    return sorted(set(wanted), reverse=True)


def recurrence(
    page: Page, rrule: str, *, start: datetime, end: datetime, exceptions: Iterable[str]
) -> Recurrence:
    """The rule of a new series.

    :raises Invalid: naming ``rrule`` or ``exceptions``.
    """
    problems, zone = Problems(), zone_of(page)
    with problems.gathered():
        rule = Recurrence.parse(rrule, start=start, duration=end - start, zone=zone)
    with problems.gathered():
        days = dates_of(exceptions)
    problems.tell()
    rule = replace(rule, exceptions=days)
    refuse_own_day(rule, start)
    return rule


def refuse_own_day(rule: Recurrence, occurrence_at: datetime) -> None:
    """:raises Invalid: naming ``exceptions``, when they have the day of the occurrence that is there already."""
    day = occurrence_at.astimezone(rule.zone).date()
    if day in rule.exceptions:
        raise Invalid.field(
            "exceptions", f"{day.isoformat()} is the day of this window itself; cancel or move it."
        )


def refuse_passing(rule: Recurrence, row: Maintenance, start: datetime) -> None:
    """:raises Invalid: naming ``scheduled_start``, when an occurrence would move past the one that follows it."""
    following = rule.after(row.occurrence_at) if row.occurrence_at else None
    if following is not None and start >= following:
        raise Invalid.field(
            "scheduled_start",
            Timed(
                lambda clock, _: (
                    f"The next occurrence begins at {clock(following)}; cancel this one instead."
                )
            ),
        )


def following(page: Page, row: Maintenance, now: datetime) -> datetime | None:
    """When the next occurrence after *row* begins; those whose window is over by *now* are left out."""
    if row.rrule is None or row.occurrence_at is None:
        return None
    duration = row.scheduled_end - row.scheduled_start
    return rule_of(page, row).after(max(row.occurrence_at, now - duration))


def refuse_overlap(
    session: Session,
    page: Page,
    component_ids: Collection[UUID],
    *,
    start: datetime,
    end: datetime,
    rule: Recurrence | None = None,
    own: Maintenance | None = None,
) -> None:
    """Refuse a window on a component that has another one at the same time.

    :param rule: of a series; its next occurrences are looked at too.
    :param own: the maintenance that is being changed; it and its series do not count.
    :raises Invalid: naming ``scheduled_start``, of one that has begun ``scheduled_end``.
    """
    if not component_ids:
        return
    wanted = _windows(start, end, rule)
    for other in stored.pending(session, page.id, component_ids, but=own.id if own else None):
        if own is not None and _are_one_series(own, other):
            continue
        there = _windows(other.scheduled_start, other.scheduled_end, _rule(page, other))
        if found := _first_overlap(wanted, there):
            raise Invalid.field(_movable(own), _overlap(other.title, *found))


def _movable(own: Maintenance | None) -> str:
    """The field by which a window can get out of the way: the start of one that has begun stays."""
    has_begun = own is not None and own.status is not MaintenanceStatus.SCHEDULED
    return "scheduled_end" if has_begun else "scheduled_start"


def _overlap(title: str, start: datetime, end: datetime) -> Timed:
    return Timed(
        lambda clock, component: (
            f"Overlaps {title!r} on the same {component}, which is planned from {clock(start)} to {clock(end)}."
        )
    )


def _rule(page: Page, row: Maintenance) -> Recurrence | None:
    return rule_of(page, row) if row.rrule is not None else None


def rule_of(page: Page, row: Maintenance) -> Recurrence:
    assert row.rrule is not None
    assert row.series_start is not None
    # Not parsed again: it was when it was saved. Its zone is the page's of that time, so that no change of the page's
    # zone makes an occurrence come twice.
    return Recurrence(
        rule=row.rrule,
        start=row.series_start,
        zone=ZoneInfo(row.series_zone) if row.series_zone else zone_of(page),
        exceptions=frozenset(map(date.fromisoformat, row.exceptions)),
    )


def _are_one_series(one: Maintenance, other: Maintenance) -> bool:
    return one.series_id is not None and one.series_id == other.series_id


def _windows(start: datetime, end: datetime, rule: Recurrence | None) -> list[Window]:
    """The window, and the ones that *rule* has after it."""
    windows = [(start, end)]
    if rule is not None:
        until = start + timedelta(days=366)
        later = rule.between(start + timedelta(seconds=1), until, limit=COMPARED)
        windows += [(begin, begin + (end - start)) for begin in later]
    return windows


def _first_overlap(wanted: list[Window], there: list[Window]) -> Window | None:
    """The first of *there* that shares time with one of *wanted*; both are in order and free of overlaps."""
    mine, others = iter(wanted), iter(there)
    one, other = next(mine, None), next(others, None)
    while one and other:
        if one[1] <= other[0]:
            one = next(mine, None)
        elif other[1] <= one[0]:
            other = next(others, None)
        else:
            return other
    return None
