"""The page "Monitors". What is done with one of them: :mod:`.monitor` and :mod:`.monitor_edits`."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select

from ...documents.console import monitors as documents
from ...documents.console.monitor_words import SILENCES
from ...documents.console.monitors import STATES, Asked, CheckLine, MonitorRow
from ...domain.rights import Right
from ...domain.verdict import Verdict
from ...probing import probes
from ...services import components, monitor_fields, series
from ...services.monitor_silence import silences
from ...storage import lists as stored
from ...storage import monitor_list
from ...storage.monitors import Monitor
from ...storage.session import database_now
from . import lists, telling
from .desk import Desk
from .visit import Visit

NOTICES = {
    "monitor_made": "The monitor is made. Its first check is due at once.",
    "heartbeat_made": "The monitor is made. Make its address, and let the job report there.",
    "monitor_changed": "The monitor is saved.",
    "monitor_deleted": "The monitor is deleted, with its results.",
    "monitor_paused": "The monitor is paused. Nothing is checked until it is resumed.",
    "monitor_resumed": "The monitor is resumed.",
    "monitor_ran": "It was checked.",
    "monitor_ran_paused": "It was checked. It is paused, so that nothing follows from what came of it:",
}


def add_routes(desk: Desk) -> None:
    desk.area("monitors", "Monitors", Right.SEE, NOTICES)
    desk.page("/monitors", "monitors", index, right=Right.SEE)


def index(visit: Visit) -> str:
    asked = _asked()
    looked_for = {
        "state": asked.state,
        "kind": asked.kind,
        "component": asked.component,
        "q": asked.text,
    }
    rows, pager = lists.listed(visit, _query(visit, asked), "monitors", **looked_for)
    now = database_now(visit.session)
    names = monitor_list.watched(visit.session, rows)
    silent = silences(visit.session, rows, now)
    days = series.glances(visit.session, rows, now)
    return documents.monitors(
        visit.room("monitors"),
        rows=[
            MonitorRow(
                id=row.id,
                name=row.name,
                service=names.get(row.component_id) if row.component_id else None,
                kind=row.kind,
                verdict=row.verdict,
                since=row.verdict_at,
                last=_last(row),
                silence=SILENCES[silent[row.id]] if row.id in silent else None,
                is_declared=monitor_fields.is_declared(row),
                day=days[row.id],
            )
            for row in rows
        ],
        asked=asked,
        kinds=list(probes),
        services=telling.names(visit),
        pager=pager,
    )


def _asked() -> Asked:
    state, kind = lists.asked("state"), lists.asked("kind")
    return Asked(
        state=state if state in dict(STATES) else "",
        kind=kind if kind in probes else "",
        component=lists.asked("component"),
        text=lists.asked("q"),
    )


def _query(visit: Visit, asked: Asked) -> Select[Monitor]:
    query = stored.monitors(
        visit.page.id,
        component_id=_component(visit, asked.component) if asked.component else None,
        kind=asked.kind or None,
        verdict=Verdict(asked.state) if asked.state in set(Verdict) else None,
        paused=True if asked.state == "paused" else None,
        search=asked.text or None,
    )
    # Of one that is paused nothing is known, but nobody waits for that.
    return query.where(Monitor.paused_at.is_(None)) if asked.state == Verdict.UNKNOWN else query


def _component(visit: Visit, ident: str) -> UUID:
    """:raises NotFound: when there is no such one."""
    return components.get(visit.session, visit.page, ident, even_archived=True).id


def _last(monitor: Monitor) -> CheckLine | None:
    checked = [row for row in monitor.regions if row.last_at is not None]
    if not checked:
        return None
    row = max(checked, key=lambda one: one.last_at.timestamp() if one.last_at else 0)
    assert row.last_at is not None
    return CheckLine(
        at=row.last_at,
        region=row.region,
        verdict=row.last_outcome or Verdict.UNKNOWN,
        milliseconds=row.last_ms,
        code=row.last_code,
        error=row.last_error,
    )
