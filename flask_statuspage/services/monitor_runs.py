"""A check out of turn, which a person asks for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy.orm import Session

from ..errors import Conflict
from ..probing import CheckResult
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.session import database_now
from . import monitor_votes, monitoring, monitors
from .known import known_of


def run(
    session: Session,
    page: Page,
    ident: str,
    *,
    outside: Callable[[], AbstractContextManager[None]],
    actor: str | None,
) -> tuple[Monitor, CheckResult]:
    """Ask a monitor's target from this process, now. The result counts as one of its first region.

    Of a paused monitor it is kept, and nothing follows from it.

    :param ident: id or slug.
    :param outside: within which no transaction is open: the target may take its time.
    :raises Conflict: of one that reports by itself, which nobody can ask.
    :raises NotFound: also when it is gone by the time that its target has answered.
    """
    monitor = monitors.get(session, page, ident)
    if monitor_votes.is_passive(monitor):
        raise Conflict("It reports by itself; nobody can ask it.")
    now = database_now(session)
    region = monitor.regions[0]
    known = known_of(session, [region], now)
    order = monitoring.order_for(monitor, region.region, now, known)
    with outside():
        result = monitoring.ask(order)
    monitoring.record(session, [result])
    monitor = monitors.get(session, page, ident)
    monitors.note_run(session, monitor, result, actor=actor)
    return monitor, result
