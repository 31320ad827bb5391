"""A job that reports by itself: nobody is asked, silence is the failure.

A heartbeat is recorded when it comes, see :mod:`..services.heartbeats`; what is due here is a heartbeat that did not
come in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from pydantic import Field

from ..config import Settings
from ..domain.verdict import Thresholds, Verdict
from ..errors import Invalid
from .probe import Finding, Probe, ProbeOptions, ProbeOrder

LONGEST = 31 * 86_400  # seconds

SILENT = "No heartbeat in time"
UNFINISHED = "Began, but was not done in time"
REPORTED = "Reported a failure"


class HeartbeatOptions(ProbeOptions):
    """Both are seconds.

    :param grace: how late a heartbeat may be.
    :param max_duration: how long after ``/start`` the job may take to be done; None: however long it takes, as long as
        heartbeats are in time.
    """

    grace: Annotated[int, Field(strict=True, ge=0, le=86_400)] = 60
    max_duration: Annotated[int, Field(strict=True, ge=1, le=LONGEST)] | None = None


class HeartbeatProbe(Probe):
    kind = "heartbeat"
    Options = HeartbeatOptions
    thresholds = Thresholds(failure=1, recovery=1)
    damped = False
    intervals = (5, LONGEST)
    passive = True

    def normalise(self, target: str, settings: Settings) -> str:
        if target.strip():
            raise Invalid.field("target", "Stays empty: its target reports to heartbeat_url.")
        return ""

    @contextmanager
    def open(self, settings: Settings) -> Iterator[HeartbeatAsker]:
        yield HeartbeatAsker()


class HeartbeatAsker:
    def ask(self, order: ProbeOrder) -> Finding:
        if order.due_at is None:
            return Finding(outcome=Verdict.UNKNOWN, error="It reports by itself")
        # At the instant at which it was due: one that came meanwhile is later, and so it counts.
        error = UNFINISHED if order.known.get("begun") else SILENT
        return Finding(outcome=Verdict.DOWN, error=error, at=order.due_at)
