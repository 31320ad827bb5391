"""Before a region says that something failed, it makes sure that it is not itself cut off.

The reference targets of the settings are asked from the worker that asked the target. If none of them answers, the
failures say something of the region and nothing of the targets: the region abstains. Every failure is doubted, not only
the one that would alert: else some are written into the history, and a region whose word is "down" already would have
its say while it sees nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from ..config import Settings
from ..domain.verdict import Verdict
from ..outgoing import CannotCall, SendFailed
from ..outgoing.site import operator_client
from ..probing import CheckResult, probes
from ..storage import monitors as stored
from ..storage.races import committed
from ..storage.session import current_session

logger = logging.getLogger(__name__)

USER_AGENT = "Flask-StatusPage self-check"
CUT_OFF = "This region cannot reach the reference targets"

TIMEOUT = 4.0  # seconds
REACHED_FOR = 2.0
MISSED_FOR = 10.0
"""Seconds for which an answer is believed. A good one for less: the line may have been cut since."""


def believed(results: list[CheckResult], settings: Settings) -> list[CheckResult]:
    """*results* as they may be recorded; failures that are the region's own fault are ``UNKNOWN``.

    No transaction may be open: reference targets can take seconds.
    """
    failed = {result.monitor_id for result in results if result.outcome is Verdict.DOWN}
    if not failed or not settings.reference_targets:
        return results
    doubted = committed(current_session(), partial(_doubted, ids=failed))
    if not doubted or _line.works(settings):
        return results
    return [
        replace(result, outcome=Verdict.UNKNOWN, error=CUT_OFF)
        if result.outcome is Verdict.DOWN and result.monitor_id in doubted
        else result
        for result in results
    ]


def _doubted(session: Session, *, ids: Collection[UUID]) -> set[UUID]:
    """Those of *ids* that ask the network from their region. What is told by its target, or by the site itself, says
    nothing of the region's line."""
    asking = [name for name, probe in probes.items() if not (probe.passive or probe.declared)]
    return stored.of_kinds(session, ids, asking)


class _Line:
    """Whether this process reaches the world, asked at most once in a while. One of many threads asks for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: tuple[str, ...] = ()
        self._works = False
        self._until = 0.0

    def works(self, settings: Settings) -> bool:
        targets = settings.reference_targets
        with self._lock:
            if targets != self._asked or time.monotonic() >= self._until:
                try:
                    self._works = _any_answers(settings, targets)
                except Exception:  # a lack of this process's own: what was asked meanwhile is recorded all the same
                    logger.exception("status page: reference targets could not be asked")
                    self._works = False
                self._asked = targets
                lasts = REACHED_FOR if self._works else MISSED_FOR
                self._until = time.monotonic() + lasts
                if not self._works:
                    logger.error("status page: %s: failures do not count here", CUT_OFF.lower())
            return self._works


_line = _Line()


def _any_answers(settings: Settings, targets: Sequence[str]) -> bool:
    """Whether one of *targets* answers at all, whatever it says. All are asked at once."""
    client = operator_client(settings, USER_AGENT)

    def answers(url: str) -> bool:
        try:
            client.send("GET", url, timeout=TIMEOUT)
        except SendFailed:
            return False
        except CannotCall as error:
            logger.error("status page: a reference target could not be asked: %s", error)
            return False
        return True

    pool = ThreadPoolExecutor(len(targets), thread_name_prefix="statuspage-self-check")
    try:
        asked = [pool.submit(answers, url) for url in targets]
        return any(call.result() for call in as_completed(asked))
    finally:
        # Nobody waits for the slow ones once a quick one has answered; each ends at its timeout.
        pool.shutdown(wait=False)
