"""Maintenance and incidents as a calendar to subscribe to (RFC 5545, RFC 7986)."""

from __future__ import annotations

from ..domain.facts import MaintenanceFact
from .snapshot import Snapshot


def calendar(snapshot: Snapshot) -> bytes:
    """The calendar in UTF-8: each maintenance and incident as an event, each recurring series as one event with a rule.

    It has no ``METHOD``: with ``PUBLISH`` every event would need an ``ORGANIZER`` (RFC 5546, 3.2.1), a mail address.
    """
    # Here and not above: icalendar brings along 90 modules and 0.1 s, which most web processes never need.
    from .calendar_events import written

    return written(snapshot)


def one_maintenance(snapshot: Snapshot, fact: MaintenanceFact) -> bytes:
    """A calendar with one window in it, to be taken over into one's own; of a series this occurrence only."""
    from .calendar_events import alone

    return alone(snapshot, fact)
