"""Times as people read them, by a clock that is named."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

_CONTINENTS = {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia"}
_CONTINENTS |= {"Europe", "Indian", "Pacific"}


def is_zone(name: str) -> bool:
    """Whether *name* is an IANA time zone's."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder, or a very long one
        return False
    return True


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When *day* begins in *zone*, in UTC."""
    # A midnight that the clocks skip is the instant at which they do.
    return datetime.combine(day, time(), zone).astimezone(UTC)


def instant(text: str, time_zone: str) -> str:
    """``2026-02-19 18:30 CET``: the minute on the reader's clock, and which clock that is.

    ISO dates are read alike in all languages. A zone that has no letters to be called by, and a name for the sun's own
    time of long ago, is told by its distance: ``UTC+3``.

    :param text: RFC 3339, as events have it.
    :param time_zone: an IANA name. UTC serves where the name is not known any more.
    """
    local = datetime.fromisoformat(text).astimezone(_zone(time_zone))
    name = local.tzname() or ""
    # The year by itself: strftime leaves out its zeros on some systems.
    if not name.isalpha() or name == "LMT":
        name = _distance(local.utcoffset() or timedelta())
    return f"{local.year:04}-{local:%m-%d %H:%M} {name}"


@cache
def zones() -> tuple[str, ...]:
    """The zones that people may look for: those of a place, such as ``Europe/Berlin``, and UTC."""
    places = {name for name in available_timezones() if name.partition("/")[0] in _CONTINENTS}
    return "UTC", *sorted(places)


def in_parts(minutes: int) -> tuple[int, int, int]:
    """Days, hours and minutes."""
    days, rest = divmod(minutes, 24 * 60)
    return days, *divmod(rest, 60)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return ZoneInfo(name) if is_zone(name) else UTC


def _distance(offset: timedelta) -> str:
    seconds = round(offset.total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    if not hours and not minutes:
        return "UTC"
    sign = "-" if seconds < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")
