"""Monitors: their life, pausing, and a check on demand.

Monitors are locked before their page is touched, here as in :mod:`.monitoring`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.ids import is_slug
from ..domain.status import ComponentStatus
from ..domain.verdict import Streak, Verdict
from ..errors import FieldError, Invalid, NotFound
from ..probing import CheckResult, probes
from ..state import current_settings
from ..storage import components as stored_components
from ..storage import monitors as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.checks import Check
from ..storage.incidents import open_of_monitor
from ..storage.monitors import Monitor, MonitorRegion
from ..storage.pages import Page
from . import audit, components, conditions, events, facts, incidents
from .slugs import free_slug

DEFAULT_REGION = "default"

LIMITS: dict[str, tuple[float, float]] = {
    "interval": (1, 86_400),
    "timeout": (0.1, 120),
    "quorum": (1, 50),
    "failure_threshold": (1, 100),
    "recovery_threshold": (1, 100),
    "degraded_over_ms": (1, 600_000),
}
"""Smallest and largest value; ``interval`` and ``timeout`` in seconds."""

OUTAGES = (
    ComponentStatus.DEGRADED_PERFORMANCE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.MAJOR_OUTAGE,
)

_audit = partial(audit.of, subject="monitor")


def get(session: Session, page: Page, ident: str, *, lock: bool = False) -> Monitor:
    """The monitor of *page* with that slug or id, with its regions."""
    query = select(Monitor.id).where(Monitor.page_id == page.id)
    try:
        query = query.where(Monitor.id == UUID(ident))
    except ValueError:
        query = query.where(Monitor.slug == ident)
    monitor_id = session.scalar(query)
    monitor = stored.get(session, monitor_id, lock=lock) if monitor_id else None
    if monitor is None:
        raise NotFound("monitor", ident)
    return monitor


def create(
    session: Session,
    page: Page,
    *,
    name: str,
    target: str,
    kind: str = "http",
    slug: str | None = None,
    component: str | None = None,
    interval: int = 60,
    timeout: float = 10.0,
    regions: list[str] | None = None,
    quorum: int = 1,
    failure_threshold: int = 3,
    recovery_threshold: int = 2,
    degraded_over_ms: int | None = None,
    outage_status: ComponentStatus = ComponentStatus.MAJOR_OUTAGE,
    open_incident: bool = True,
    options: Mapping[str, Any] | None = None,
    actor: str | None = None,
) -> Monitor:
    """A new monitor, due at once.

    :param component: slug or id of the component whose status it decides; None: it only measures.
    """
    now = utc_now()
    pages.touch(session, page.id, now)
    watched = components.named(session, page, [component], field="component") if component else []
    monitor = Monitor(
        page_id=page.id,
        component_id=watched[0].id if watched else None,
        name=name,
        slug=_free_slug(session, page, slug, name),
        kind=kind,
        target=target,
        interval=interval,
        timeout=timeout,
        quorum=quorum,
        failure_threshold=failure_threshold,
        recovery_threshold=recovery_threshold,
        degraded_over_ms=degraded_over_ms,
        outage_status=outage_status,
        open_incident=open_incident,
        options=dict(options or {}),
        verdict=Verdict.UNKNOWN,
        created_at=now,
        updated_at=now,
        regions=[
            MonitorRegion(region=region, due_at=now)
            for region in _regions(regions or [DEFAULT_REGION])
        ],
    )
    _check(monitor)
    session.add(monitor)
    session.flush()
    _begin_unknown(session, page, monitor)
    _audit(session, "create", monitor, actor, after=_state(monitor))
    return monitor


def change(
    session: Session, page: Page, monitor: Monitor, values: Mapping[str, Any], *, actor: str | None
) -> Monitor:
    """Change some of a monitor's fields. Another target, kind or component starts its verdict anew."""
    pages.touch(session, page.id, utc_now())
    before = _state(monitor)
    values = dict(values)
    if "slug" in values and values["slug"] != monitor.slug:
        values["slug"] = _free_slug(session, page, values["slug"], monitor.name)
    restart = False
    if "component" in values:
        ident = values.pop("component")
        watched = components.named(session, page, [ident], field="component") if ident else []
        new_id = watched[0].id if watched else None
        if new_id != monitor.component_id:
            _fall_silent(session, page, monitor)
            monitor.component_id, restart = new_id, True
    if "regions" in values:
        _set_regions(monitor, _regions(values.pop("regions")))
    restart |= any(
        name in values and values[name] != getattr(monitor, name) for name in ("kind", "target")
    )
    for name, value in values.items():
        setattr(monitor, name, value)
    _check(monitor)
    was, now_is = audit.difference(before, _state(monitor))
    if not now_is:
        return monitor
    monitor.updated_at = utc_now()
    session.flush()
    if restart:
        _start_anew(session, page, monitor)
    _audit(session, "change", monitor, actor, before=was, after=now_is)
    return monitor


def remove(session: Session, page: Page, monitor: Monitor, *, actor: str | None) -> None:
    """Delete a monitor with its results; its word on the component ends, an open incident of its own is resolved."""
    pages.touch(session, page.id, utc_now())
    _audit(session, "delete", monitor, actor, before=_state(monitor))
    _know_nothing(session, page, monitor)
    _fall_silent(session, page, monitor)
    _close_incident(session, page, monitor, "The monitor that found this was removed.")
    for model in (Check, MonitorRegion):
        session.execute(delete(model).where(model.monitor_id == monitor.id))
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
    """Checks go on, the first one at once."""
    if monitor.paused_at is not None:
        pages.touch(session, page.id, utc_now())
        monitor.paused_at = None
        for row in monitor.regions:
            row.due_at = utc_now()
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


def described(monitor: Monitor) -> dict[str, Any]:
    """The fields of a monitor as the API and the audit show them."""
    return {
        "name": monitor.name,
        "slug": monitor.slug,
        "kind": monitor.kind,
        "target": monitor.target,
        "interval": monitor.interval,
        "timeout": monitor.timeout,
        "regions": [row.region for row in monitor.regions],
        "quorum": monitor.quorum,
        "failure_threshold": monitor.failure_threshold,
        "recovery_threshold": monitor.recovery_threshold,
        "degraded_over_ms": monitor.degraded_over_ms,
        "outage_status": monitor.outage_status.value,
        "open_incident": monitor.open_incident,
        "options": dict(monitor.options),
    }


def _state(monitor: Monitor) -> dict[str, Any]:
    """The fields of a monitor with the component that it watches, for the audit."""
    return {**described(monitor), "component": plain(monitor.component_id)}


def _check(monitor: Monitor) -> None:
    """Check all fields together and put target and options in their stored spelling."""
    errors: list[FieldError] = []
    for name, (low, high) in LIMITS.items():
        value = getattr(monitor, name)
        if value is not None and not low <= value <= high:
            errors.append(FieldError(name, f"Must be from {low} to {high}."))
    if monitor.quorum > len(monitor.regions):
        errors.append(FieldError("quorum", "There are fewer regions than that."))
    if monitor.outage_status not in OUTAGES:
        words = ", ".join(status.value for status in OUTAGES)
        errors.append(FieldError("outage_status", f"Must be one of {words}."))
    if monitor.kind not in probes:
        errors.append(FieldError("kind", f"Must be one of {', '.join(probes)}."))
        raise Invalid(*errors)
    probe = probes[monitor.kind]
    try:
        monitor.target = probe.normalise(monitor.target, current_settings())
    except Invalid as error:
        errors.extend(error.errors)
    try:
        monitor.options = probe.check_options(monitor.options)
    except Invalid as error:
        errors.extend(error.errors)
    if errors:
        raise Invalid(*errors)


def _regions(regions: list[str]) -> list[str]:
    if not regions or len(set(regions)) != len(regions):
        raise Invalid.field("regions", "Name at least one region, each once.")
    for region in regions:
        if not is_slug(region) or len(region) > 40:
            raise Invalid.field("regions", f"{region!r} is not a region's name.")
    return regions


def _set_regions(monitor: Monitor, wanted: list[str]) -> None:
    rows = {row.region: row for row in monitor.regions}
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
    for row in monitor.regions:
        row.streak = Streak()
    session.flush()
    _begin_unknown(session, page, monitor)


def _know_nothing(session: Session, page: Page, monitor: Monitor) -> None:
    """No verdict any more. Whoever was told that it is down is told that this is over."""
    previous = monitor.verdict
    monitor.verdict, monitor.verdict_at = Verdict.UNKNOWN, None
    if previous is not Verdict.DOWN:
        return
    events.record(
        session,
        page,
        "monitor.recovered",
        subject_id=monitor.id,
        components=[monitor.component_id] if monitor.component_id else [],
        data={"monitor": facts.monitor(monitor, previous=previous, result=None)},
    )


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
