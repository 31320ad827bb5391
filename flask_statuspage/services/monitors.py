"""Monitors: their life, pausing, and a check on demand.

Monitors are locked before their page is touched, here as in :mod:`.monitoring`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..domain.status import ComponentStatus
from ..domain.verdict import Streak, Thresholds, Verdict
from ..errors import Invalid, NotFound, Problems
from ..probing import CheckResult, probes
from ..state import current_settings
from ..storage import components as stored_components
from ..storage import due, history, monitor_ties, pages
from ..storage import monitors as stored
from ..storage.base import utc_now
from ..storage.incidents import open_of_monitor
from ..storage.monitors import Monitor, MonitorRegion
from ..storage.pages import Page
from ..storage.session import database_now
from . import (
    audit,
    conditions,
    heartbeats,
    incidents,
    monitor_fields,
    monitor_options,
    monitor_reports,
)
from .monitor_fields import DEFAULT_REGION
from .slugs import free_slug

_audit = partial(audit.of, subject="monitor")


def get(
    session: Session, page: Page, ident: str, *, lock: bool = False, dependants: bool = False
) -> Monitor:
    """The monitor of *page* with that slug or id, with its regions.

    :param dependants: with *lock*: whether those that depend on it are held, too.
    """
    monitor_id = stored.find(session, page.id, ident)
    if lock and dependants:
        monitor_ties.lock_family(session, monitor_id)
    monitor = stored.get(session, monitor_id, lock=lock)
    if monitor is None:
        raise NotFound("monitor", ident)
    return monitor


def create(
    session: Session,
    page: Page,
    *,
    name: str,
    target: str = "",
    kind: str = "http",
    slug: str | None = None,
    component: str | None = None,
    interval: int = 60,
    timeout: float = 10.0,
    regions: list[str] | None = None,
    quorum: int = 1,
    failure_threshold: int | None = None,
    degraded_threshold: int | None = None,
    recovery_threshold: int | None = None,
    degraded_over_ms: int | None = None,
    outage_status: ComponentStatus = ComponentStatus.MAJOR_OUTAGE,
    open_incident: bool = True,
    template: str | None = None,
    depends_on: str | None = None,
    escalation_intervals: Collection[int] = (),
    options: Mapping[str, Any] | None = None,
    by_code: bool = False,
    actor: str | None = None,
) -> Monitor:
    """A new monitor, due at once, or after its first heartbeat.

    :param component: slug or id of the component whose status it decides; None: it only measures.
    :param failure_threshold: results in a row; None, as of ``recovery_threshold``: as usual for the kind.
    :param degraded_threshold: None: as many as for a failure.
    :param template: id or name of the template of incidents whose text it publishes.
    :param depends_on: slug or id of the monitor while whose failure it is silent.
    :param escalation_intervals: seconds from one notice to the next while it stays down.
    :param by_code: the site's code makes it, which alone makes some kinds.
    :raises Invalid: naming every field that is wrong.
    """
    now, problems = utc_now(), Problems()
    with problems.gathered():
        if not by_code:
            monitor_fields.refuse_new(kind)
    pages.touch(session, page.id, now)
    usual = probes[kind].thresholds if kind in probes else Thresholds()
    component_id, template_id, parent_id = None, None, None
    with problems.gathered():
        component_id = monitor_fields.component(session, page, component)
    with problems.gathered():
        template_id = monitor_fields.template(session, page, template)
    with problems.gathered():
        parent_id = monitor_fields.parent(session, page, None, depends_on)
    with problems.gathered():
        slug = _free_slug(session, page, slug, name)
    wanted = regions or [DEFAULT_REGION]
    with problems.gathered():
        monitor_fields.regions(wanted)
    monitor = Monitor(
        page_id=page.id,
        component_id=component_id,
        name=name,
        slug=slug,
        kind=kind,
        target=target,
        interval=interval,
        timeout=timeout,
        quorum=quorum,
        failure_threshold=usual.failure if failure_threshold is None else failure_threshold,
        degraded_threshold=degraded_threshold,
        recovery_threshold=usual.recovery if recovery_threshold is None else recovery_threshold,
        degraded_over_ms=degraded_over_ms,
        outage_status=outage_status,
        open_incident=open_incident,
        template_id=template_id,
        depends_on_id=parent_id,
        escalation_intervals=list(escalation_intervals),
        options=dict(options or {}),
        verdict=Verdict.UNKNOWN,
        created_at=now,
        updated_at=now,
        regions=[MonitorRegion(region=region, due_at=now) for region in wanted],
    )
    with problems.gathered():
        monitor_fields.check(monitor)
    problems.tell()
    heartbeats.settle(monitor, now, anew=True)
    session.add(monitor)
    session.flush()
    _begin_unknown(session, page, monitor)
    _audit(session, "create", monitor, actor, after=monitor_fields.state(monitor))
    return monitor


def change(
    session: Session,
    page: Page,
    monitor: Monitor,
    values: Mapping[str, Any],
    *,
    by_code: bool = False,
    actor: str | None,
) -> Monitor:
    """Change some of a monitor's fields. Another target, kind or component starts its verdict anew.

    :param by_code: the site's code changes what it has declared.
    :raises Invalid: naming every field that is wrong.
    """
    if not by_code:
        monitor_fields.refuse_change(monitor, values)
    problems = Problems()
    pages.touch(session, page.id, utc_now())
    before, stored_before = monitor_fields.state(monitor), monitor_options.kept(monitor)
    values = dict(values)
    if "slug" in values and values["slug"] != monitor.slug:
        with problems.gathered():
            values["slug"] = _free_slug(session, page, values["slug"], monitor.name)
    restart, new_id = False, monitor.component_id
    if "component" in values:
        with problems.gathered():
            new_id = monitor_fields.component(session, page, values.pop("component"))
        if new_id != monitor.component_id:
            _fall_silent(session, page, monitor)
            monitor.component_id, restart = new_id, True
    if "template" in values:
        with problems.gathered():
            monitor.template_id = monitor_fields.template(session, page, values.pop("template"))
    if "depends_on" in values:
        ident = values.pop("depends_on")
        with problems.gathered():
            monitor.depends_on_id = monitor_fields.parent(session, page, monitor, ident)
    if "regions" in values:
        wanted, known = values.pop("regions"), len(problems.found)
        with problems.gathered():
            _set_regions(session, monitor, monitor_fields.regions(wanted))
        if len(problems.found) > known:
            values.pop("quorum", None)  # of those that are wanted, and these are not there
    if values.get("kind", monitor.kind) != monitor.kind:
        values.setdefault("options", {})  # those of the other kind say nothing here
    restart |= any(
        name in values and values[name] != getattr(monitor, name) for name in ("kind", "target")
    )
    for name, value in values.items():
        setattr(monitor, name, value)
    with problems.gathered():
        monitor_fields.check(monitor, stored_before)
    problems.tell()
    was, now_is = audit.difference(before, monitor_fields.state(monitor))
    secret = monitor_options.changed(stored_before.secrets, monitor_options.secrets(monitor))
    if secret:
        was, now_is = {**was, "secrets": []}, {**now_is, "secrets": secret}
    if not now_is:
        return monitor
    monitor.updated_at = utc_now()
    heartbeats.settle(monitor, monitor.updated_at, anew="kind" in now_is)
    session.flush()
    if "interval" in now_is:
        due.keep_beat(session, utc_now(), monitor_id=monitor.id)
    if "escalation_intervals" in now_is:
        pauses = before["escalation_intervals"]
        monitor_reports.renew_notices(monitor, pauses, monitor.updated_at)
    if restart:
        _start_anew(session, page, monitor)
    _audit(session, "change", monitor, actor, before=was, after=now_is)
    return monitor


def remove(session: Session, page: Page, monitor: Monitor, *, actor: str | None) -> None:
    """Delete a monitor with its results; its word on the component ends, an open incident of its own is resolved.

    It is held with those that depend on it.
    """
    pages.touch(session, page.id, utc_now())
    _audit(session, "delete", monitor, actor, before=monitor_fields.state(monitor))
    _know_nothing(session, page, monitor)
    _fall_silent(session, page, monitor)
    _close_incident(session, page, monitor, "The monitor that found this was removed.")
    history.forget(session, [row.id for row in monitor.regions])
    monitor_ties.free_dependants(session, monitor.id)
    session.execute(delete(MonitorRegion).where(MonitorRegion.monitor_id == monitor.id))
    session.execute(delete(Monitor).where(Monitor.id == monitor.id))
    session.expire_all()


def pause(session: Session, page: Page, monitor: Monitor, *, actor: str | None) -> Monitor:
    """No checks until :func:`resume`; what it watched is not known meanwhile."""
    if monitor.paused_at is None:
        pages.touch(session, page.id, utc_now())
        monitor.paused_at = utc_now()
        for row in monitor.regions:
            row.due_at = None
        _start_anew(session, page, monitor)
        _close_incident(session, page, monitor, "The monitor that found this was paused.")
        _audit(session, "pause", monitor, actor, before={"paused": False}, after={"paused": True})
    return monitor


def resume(session: Session, page: Page, monitor: Monitor, *, actor: str | None) -> Monitor:
    """Checks go on, the first one at once; a heartbeat is due after the next one."""
    if monitor.paused_at is not None:
        pages.touch(session, page.id, utc_now())
        monitor.paused_at = None
        now = database_now(session)
        for row in monitor.regions:
            row.due_at, row.abstained_at = utc_now(), now
        heartbeats.settle(monitor, utc_now(), anew=True)
        session.flush()
        _audit(session, "resume", monitor, actor, before={"paused": True}, after={"paused": False})
    return monitor


def note_run(session: Session, monitor: Monitor, result: CheckResult, *, actor: str | None) -> None:
    """Write down that a person asked out of turn, and what came of it."""
    _audit(
        session,
        "run",
        monitor,
        actor,
        after={"outcome": result.outcome.value, "code": result.code, "error": result.error},
    )


def vet(kind: str, target: str) -> None:
    """Ask the network whether *target* may be called. No transaction may be open: this can take seconds.

    :raises Invalid: naming ``target``. What else is wrong is left to :func:`create` and :func:`change`.
    """
    if kind not in probes:
        return
    try:
        target = probes[kind].normalise(target, current_settings())
    except Invalid:
        return  # it is named together with all else that is wrong
    probes[kind].vet(target, current_settings())


def _set_regions(session: Session, monitor: Monitor, wanted: list[str]) -> None:
    rows = {row.region: row for row in monitor.regions}
    history.forget(session, [row.id for name, row in rows.items() if name not in wanted])
    due_at = None if monitor.paused_at else utc_now()
    monitor.regions = [
        rows.get(region) or MonitorRegion(region=region, due_at=due_at) for region in wanted
    ]


def _begin_unknown(session: Session, page: Page, monitor: Monitor) -> None:
    if monitor.component_id is None:
        return
    for component in stored_components.locked(session, [monitor.component_id]):
        conditions.say(
            session,
            page,
            component,
            ComponentStatus.UNKNOWN,
            source="monitor",
            reference=str(monitor.id),
        )


def _start_anew(session: Session, page: Page, monitor: Monitor) -> None:
    _know_nothing(session, page, monitor)
    monitor.observed = None
    for row in monitor.regions:
        row.streak, row.abstained_at = Streak(), None
    session.flush()
    _begin_unknown(session, page, monitor)


def _know_nothing(session: Session, page: Page, monitor: Monitor) -> None:
    """No verdict any more. Whoever was told that it is down is told that this is over."""
    previous = monitor.verdict
    monitor.verdict, monitor.verdict_at = Verdict.UNKNOWN, None
    monitor_reports.end_notices(monitor)
    if previous is Verdict.DOWN:
        now = database_now(session)
        monitor_reports.tell(session, page, monitor, previous, None, now=now)


def _fall_silent(session: Session, page: Page, monitor: Monitor) -> None:
    if monitor.component_id is not None:
        watched = stored_components.locked(session, [monitor.component_id])
        conditions.hush(session, page, watched, source="monitor", reference=str(monitor.id))


def _close_incident(session: Session, page: Page, monitor: Monitor, body: str) -> None:
    incident = open_of_monitor(session, monitor.id)
    if incident is not None and incident.automatic:
        incidents.resolve(session, page, incident.id, body=body)


def _free_slug(session: Session, page: Page, slug: str | None, name: str) -> str:
    taken = set(session.scalars(select(Monitor.slug).where(Monitor.page_id == page.id)))
    return free_slug(slug, name, taken, kind="monitor")
