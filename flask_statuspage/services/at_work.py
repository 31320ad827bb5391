"""Whether anybody does the work: what schedulers and workers said of themselves, as console and `doctor` tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..state import current_settings
from ..storage import leases

SEEN_WITHIN = timedelta(seconds=45)
SWEPT_WITHIN = timedelta(hours=1)

SCHEDULER, SWEEP, WORKER = "scheduler", "sweep", "worker "
"""Kinds of signs of life; of a worker the name of its queue follows."""


@dataclass(frozen=True)
class AtWork:
    """Who was heard of.

    :param kinds: of each process within :data:`SEEN_WITHIN`, in order.
    :param is_swept: ``flask statuspage sweep`` ran within :data:`SWEPT_WITHIN`, as a cron job lets it.
    """

    kinds: Sequence[str]
    is_swept: bool

    @property
    def has_workers(self) -> bool:
        """Whether what is due is done, if only by a sweep."""
        if self.is_swept and not self.kinds:
            return True
        if current_settings().redis_url is None:
            return SCHEDULER in self.kinds
        return any(kind.startswith(WORKER) for kind in self.kinds)

    @property
    def lacking(self) -> list[str]:
        """The commands that nobody runs; empty where the work is done."""
        if self.is_swept and not self.kinds:
            return []
        if current_settings().redis_url is None:
            # It works as well, in the same process.
            return [] if SCHEDULER in self.kinds else ["flask statuspage run"]
        commands = [] if SCHEDULER in self.kinds else ["flask statuspage scheduler"]
        return commands if self.has_workers else [*commands, "flask statuspage worker"]


def look(session: Session, now: datetime) -> AtWork:
    """Who is at work, in one query.

    :param now: by the database's clock.
    """
    pulses = leases.seen_since(session, now - SWEPT_WITHIN)
    lately = [pulse.kind for pulse in pulses if pulse.seen_at >= now - SEEN_WITHIN]
    return AtWork(
        kinds=[kind for kind in lately if kind != SWEEP],
        is_swept=any(pulse.kind == SWEEP for pulse in pulses),
    )
