"""A day of a component in words. Strips, their lists, calendars and exports all say it by :func:`day_text`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ..domain.happenings import Happening
from ..domain.status import ComponentStatus
from ..domain.strip import THRESHOLD, Day, Strip, status_of
from ..domain.uptime import percent_of
from ..translation import marked
from .words import Moment, Words

# Translators: what happened on a day, such as "Partial outage 2 h 30 min".
_FIRST = {
    ComponentStatus.MAJOR_OUTAGE: marked("Major outage {duration}"),
    ComponentStatus.PARTIAL_OUTAGE: marked("Partial outage {duration}"),
    ComponentStatus.DEGRADED_PERFORMANCE: marked("Degraded performance {duration}"),
    ComponentStatus.UNDER_MAINTENANCE: marked("Under maintenance {duration}"),
}
# Translators: the same after something else, such as "…, degraded 12 min".
_FURTHER = {
    ComponentStatus.MAJOR_OUTAGE: marked("major outage {duration}"),
    ComponentStatus.PARTIAL_OUTAGE: marked("partial outage {duration}"),
    ComponentStatus.DEGRADED_PERFORMANCE: marked("degraded {duration}"),
    ComponentStatus.UNDER_MAINTENANCE: marked("under maintenance {duration}"),
    ComponentStatus.UNKNOWN: marked("no data {duration}"),
}
NO_DATA = marked("No data")
OPERATIONAL = marked("Operational")


class DayText(NamedTuple):
    """A day in words: what stands behind "12 Oct 2026: ".

    :param said: what happened: "Partial outage 2 h 30 min, 93.75%".
    :param named: the same with a title and the number of others: "Partial outage 2 h 30 min, 93.75% · Errors (+1)".
    """

    date: Moment
    said: str
    named: str
    happenings: tuple[Happening, ...]


def day_text(
    day: Day,
    words: Words,
    *,
    happenings: Sequence[Happening] = (),
    partial_weight: float,
    begins: bool = False,
) -> DayText:
    """*day* in the words of readers.

    :param happenings: what went on on it, what matters most first.
    :param begins: on this day the history begins: what is missing before is not told as a gap.
    """
    date = words.day(day.date)
    said = _said(tuple(day.seconds.items()), words, partial_weight, begins)
    named = said
    if happenings:
        name = words.isolated(happenings[0].title)
        if len(happenings) > 1:
            # Translators: the title of an incident and how many others there are.
            name = words.gettext("{title} (+{count})", title=name, count=len(happenings) - 1)
        # Translators: what happened on a day, and the title of an incident or a maintenance.
        named = words.gettext("{text} · {title}", text=said, title=name)
    return DayText(date, said, named, tuple(happenings))


def event_days(
    found: Strip,
    happened: Mapping[int, Sequence[Happening]],
    words: Words,
    *,
    partial_weight: float,
) -> tuple[tuple[int, DayText], ...]:
    """The days of which there is something to tell by their places, the newest first.

    :param happened: what went on on them, see :func:`..domain.happenings.by_day`.
    """
    events = []
    for place in sorted(found.eventful.keys() | happened.keys(), reverse=True):
        day = found.day(place)
        named = happened.get(place, ())
        begins = place == found.first
        if named or not _is_calm(day, begins):
            told = day_text(
                day, words, happenings=named, partial_weight=partial_weight, begins=begins
            )
            events.append((place, told))
    return tuple(events)


def _is_calm(day: Day, begins: bool) -> bool:
    """Whether nothing happened but that the history begins, or that something is missing for a moment."""
    for status in day.seconds:
        if status is not ComponentStatus.OPERATIONAL and status is not ComponentStatus.UNKNOWN:
            return False
    return begins or day.seconds.get(ComponentStatus.UNKNOWN, 0.0) < THRESHOLD


# A page has a thousand days with events, and nearly all of them are the same in its next version.
@lru_cache(maxsize=10_000)
def _said(
    seconds: tuple[tuple[ComponentStatus, float], ...],
    words: Words,
    partial_weight: float,
    begins: bool,
) -> str:
    day = dict(seconds)
    colour = status_of(day)
    parts: list[str] = []
    if colour is ComponentStatus.OPERATIONAL:
        parts.append(words.gettext(OPERATIONAL))
    elif colour is ComponentStatus.UNKNOWN:
        parts.append(words.gettext(NO_DATA))
    told = [
        status
        for status in day
        if status is not ComponentStatus.OPERATIONAL
        and (status is not ComponentStatus.UNKNOWN or not (begins or colour is status))
    ]
    if len(told) > 1:  # what has the colour first: the text explains what is seen
        told.sort(key=lambda one: (one is not colour, -one.severity))
    for status in told:
        message = _FURTHER[status] if parts else _FIRST[status]
        parts.append(words.gettext(message, duration=words.seconds(day[status])))
    percent = percent_of(day, partial_weight=partial_weight)
    if percent is not None and percent < 100:
        parts.append(words.percent(percent))
    return words.separator.join(parts)
