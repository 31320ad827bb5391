"""The page of one monitor: how it is, what it found, and the buttons that need no form."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ...documents.console import monitor as documents
from ...documents.console.monitor import MonitorView, Named
from ...documents.console.monitor_words import SILENCES
from ...documents.console.monitors import CheckLine
from ...domain.rights import Right
from ...domain.series import DEFAULT, RANGES
from ...services import (
    addresses,
    facts,
    heartbeats,
    monitor_fields,
    monitor_runs,
    monitors,
    series,
)
from ...services.monitor_silence import silences
from ...state import current_settings
from ...storage import checks as stored_checks
from ...storage import monitor_list
from ...storage import pages as stored_pages
from ...storage.checks import Check
from ...storage.monitors import Monitor
from ...storage.session import database_now
from . import option_fields, reading
from .desk import Desk
from .lists import asked
from .visit import Done, Told, Visit

SHOWN = 50
"""So many of the last checks are listed."""


def add_routes(desk: Desk) -> None:
    one, watch = "/monitors/<ident>", Right.WATCH
    desk.page(one, "monitor", show, right=Right.SEE)
    desk.action(f"{one}/run", "monitor_run", run, right=watch, back=show)
    desk.action(f"{one}/pause", "monitor_pause", pause, right=watch, back=show)
    desk.action(f"{one}/resume", "monitor_resume", resume, right=watch, back=show)
    desk.action(f"{one}/rotate-token", "monitor_rotate_token", rotate, right=watch, back=show)


def show(visit: Visit, ident: str) -> str:
    row = monitors.get(visit.session, visit.page, ident)
    found = stored_checks.newest(visit.session, [region.id for region in row.regions], SHOWN)
    lines = [_line(check) for check in found]
    name, region = asked("range"), asked("region")
    known = {one.region for one in row.regions}
    return documents.monitor(
        visit.room("monitors"),
        _view(visit, row),
        checks=lines,
        series=series.of_monitor(visit.session, row, name if name in RANGES else DEFAULT),
        region=region if region in known else None,
        ran=_ran(lines),
    )


def run(visit: Visit, ident: str) -> Done:
    """Check now, as the manage API does; no transaction is open while the target is asked."""
    row, result = monitor_runs.run(
        visit.session, visit.page, ident, outside=visit.outside, actor=visit.actor
    )
    told = {"ident": row.id, "ran": result.at.isoformat(), "from": result.region}
    return Done("monitor", "monitor_ran_paused" if row.paused_at else "monitor_ran", told)


def pause(visit: Visit, ident: str) -> Done:
    row = held(visit, ident)
    monitors.pause(visit.session, visit.page, row, actor=visit.actor)
    return Done("monitor", "monitor_paused", {"ident": row.id})


def resume(visit: Visit, ident: str) -> Done:
    row = held(visit, ident)
    monitors.resume(visit.session, visit.page, row, actor=visit.actor)
    return Done("monitor", "monitor_resumed", {"ident": row.id})


def rotate(visit: Visit, ident: str) -> Told:
    seen, row = reading.words(visit.sent, "seen"), held(visit, ident)
    row = heartbeats.rotate(visit.session, visit.page, row, seen=seen, actor=visit.actor)
    assert row.token is not None  # it has just got one
    ident_, name, url = row.id, row.name, addresses.heartbeat_url(row.token)
    return Told(
        lambda visit: documents.address(visit.room("monitors"), ident=ident_, name=name, url=url)
    )


def held(visit: Visit, ident: str, *, dependants: bool = False) -> Monitor:
    """The monitor as it is now, held until the transaction ends.

    :param dependants: with those that depend on it.
    """
    visit.begin_anew()
    stored_pages.begin_writing(visit.session)
    return monitors.get(visit.session, visit.page, ident, lock=True, dependants=dependants)


def _view(visit: Visit, row: Monitor) -> MonitorView:
    now = database_now(visit.session)
    silence = silences(visit.session, [row], now).get(row.id)
    return MonitorView(
        id=row.id,
        name=row.name,
        slug=row.slug,
        kind=row.kind,
        target=row.target,
        interval=row.interval,
        timeout=row.timeout,
        failure_threshold=row.failure_threshold,
        recovery_threshold=row.recovery_threshold,
        degraded_threshold=row.degraded_threshold,
        degraded_over_ms=row.degraded_over_ms,
        quorum=row.quorum,
        outage_status=row.outage_status,
        open_incident=row.open_incident,
        escalation_intervals=list(row.escalation_intervals or ()),
        verdict=row.verdict,
        since=row.verdict_at,
        silence=SILENCES[silence] if silence else None,
        is_paused=row.paused_at is not None,
        is_flapping=any(region.streak.is_flapping for region in row.regions),
        is_declared=monitor_fields.is_declared(row),
        reports=row.kind == heartbeats.KIND,
        address_mark=heartbeats.mark(row),
        notices=row.notification_level,
        **_ties(visit, row),
        regions=[facts.region(region, row, now) for region in row.regions],
        run_counts_as=_run_counts_as(row),
        options=option_fields.told(row.kind, row.options),
    )


def _run_counts_as(row: Monitor) -> str | None:
    """The region that a check of this process counts for; None where the site has no other."""
    return row.regions[0].region if len(current_settings().regions) > 1 else None


def _ties(visit: Visit, row: Monitor) -> dict[str, Named | None]:
    """What it watches, what it depends on, and what its incidents are made of."""
    names = monitor_fields.names(visit.session, visit.page, [row])
    services = monitor_list.watched(visit.session, [row])
    found: dict[str, Named | None] = dict.fromkeys(("service", "parent", "template"))
    if row.component_id in services:
        may = visit.may(Right.ARRANGE)
        url = visit.to("service", ident=row.component_id) if may else None
        found["service"] = Named(services[row.component_id], url)
    if row.depends_on_id in names:
        url = visit.to("monitor", ident=row.depends_on_id)
        found["parent"] = Named(names[row.depends_on_id], url)
    if row.template_id in names:
        may = visit.may(Right.TELL)
        url = visit.to("template", template_id=row.template_id) if may else None
        found["template"] = Named(names[row.template_id], url)
    return found


def _line(check: Check) -> CheckLine:
    return CheckLine(
        at=check.at,
        region=check.region,
        verdict=check.outcome,
        milliseconds=check.milliseconds,
        code=check.code,
        error=check.error,
    )


def _ran(lines: Iterable[CheckLine]) -> CheckLine | None:
    """The check that the button "Run now" has made, as it is stored: an address alone says nothing of results."""
    try:
        at = datetime.fromisoformat(asked("ran"))
    except ValueError:
        return None
    return next((one for one in lines if one.at == at and one.region == asked("from")), None)
