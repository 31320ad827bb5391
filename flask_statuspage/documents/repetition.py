"""How often a maintenance comes again, in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from ..domain.facts import MaintenanceFact
from ..domain.rrule import CLOCK, Rule, read
from ..errors import Invalid
from .words import Words

_LAST_EVERYWHERE = 28
"""The last day that every month has."""


def repetition(fact: MaintenanceFact, words: Words) -> str | None:
    """As in "Every week", or in general that it repeats where that would be less than the truth; None: it does not."""
    if fact.rrule is None:
        return None
    try:
        rule = read(fact.rrule)
    except Invalid:  # as an older release may have kept it
        return words.gettext("Repeats regularly")
    if not _is_once(rule) or _skips(rule, fact):
        return words.gettext("Repeats regularly")
    count = rule.interval
    if rule.freq == "DAILY":
        return words.ngettext("Every day", "Every {count} days", count, count=count)
    if rule.freq == "WEEKLY":
        return words.ngettext("Every week", "Every {count} weeks", count, count=count)
    if rule.freq == "MONTHLY":
        return words.ngettext("Every month", "Every {count} months", count, count=count)
    return words.ngettext("Every year", "Every {count} years", count, count=count)


def _skips(rule: Rule, fact: MaintenanceFact) -> bool:
    """Whether it comes on the day of the month on which it began, which some months or years do not have."""
    if rule.freq not in ("MONTHLY", "YEARLY") or rule.weekdays or "BYMONTHDAY" in rule.by:
        return False
    # Without a series it is by the clock of the instant itself.
    start = fact.series_start or fact.scheduled_start
    if fact.series_zone:
        start = start.astimezone(ZoneInfo(fact.series_zone))
    if rule.freq == "MONTHLY" or "BYMONTH" in rule.by:
        return start.day > _LAST_EVERYWHERE
    return (start.month, start.day) == (2, 29)


def _is_once(rule: Rule) -> bool:
    """Whether it comes exactly once in each day, week, month or year that it counts."""
    parts = rule.by.keys() - set(CLOCK)
    if rule.freq == "DAILY":
        return not parts and not rule.weekdays
    if rule.freq == "WEEKLY":
        return not parts and len(rule.weekdays) <= 1
    month_days, numbers = rule.by.get("BYMONTHDAY", ()), [day.n for day in rule.weekdays]
    # Not every month has a 29th, nor a fifth Tuesday.
    is_one = not month_days or (len(month_days) == 1 and abs(month_days[0]) <= _LAST_EVERYWHERE)
    is_one = is_one and (not numbers or (len(numbers) == 1 and 1 <= abs(numbers[0] or 0) <= 4))
    if not is_one or (month_days and numbers):
        return False
    if rule.freq == "MONTHLY":
        return parts <= {"BYMONTHDAY"}
    has_month = len(rule.by.get("BYMONTH", ())) == 1
    return not (parts or numbers) or (has_month and parts <= {"BYMONTH", "BYMONTHDAY"})
