"""What the fields of a monitor may hold, and how they are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.ids import is_slug
from ..domain.status import ComponentStatus
from ..errors import FieldError, Invalid, NotFound
from ..probing import Probe, probes
from ..state import current_settings
from ..storage import monitors as stored
from ..storage.components import Component
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.templates import Template
from . import components, monitor_options, templates
from .monitor_options import NOTHING, Kept

DEFAULT_REGION = "default"

LIMITS: dict[str, tuple[float, float]] = {
    "timeout": (0.1, 120),
    "quorum": (1, 50),
    "failure_threshold": (1, 100),
    "recovery_threshold": (1, 100),
    "degraded_threshold": (1, 100),
    "degraded_over_ms": (1, 600_000),
}
"""Smallest and largest value; ``timeout`` in seconds. The interval's are the probe's."""

MAX_ESCALATIONS = 20
ESCALATION = (10, 7 * 86_400)
"""Shortest and longest time from one notice to the next, in seconds."""

OUTAGES = (
    ComponentStatus.DEGRADED_PERFORMANCE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.MAJOR_OUTAGE,
)


FIXED = ("kind", "target", "slug", "name", "interval", "options")
"""What the site's code says of a monitor that it declares; members may change all else."""


def refuse_new(kind: str) -> None:
    """:raises Invalid: naming ``kind``, when only the site's code makes monitors of it."""
    if kind in probes and probes[kind].declared:
        raise Invalid.field("kind", f"Monitors of kind {kind!r} are made by the site's code.")


def refuse_change(monitor: Monitor, values: Mapping[str, Any]) -> None:
    """:raises Invalid: naming what the site's code says and *values* would change."""
    kind = values.get("kind")
    if not is_declared(monitor):
        if kind is not None and kind != monitor.kind:
            refuse_new(kind)
        return
    wrong = [name for name in FIXED if name in values and values[name] != getattr(monitor, name)]
    if wrong:
        message = "Is said by the site's code, where this monitor is declared."
        raise Invalid(*(FieldError(name, message) for name in wrong))


def is_declared(monitor: Monitor) -> bool:
    """Whether the site's code made it."""
    return monitor.kind in probes and probes[monitor.kind].declared


def check(monitor: Monitor, before: Kept = NOTHING) -> None:
    """Check all fields together and put target and options in their stored spelling, secrets apart.

    :param before: what is stored of it; a new one has nothing.
    :raises Invalid: naming every field that is wrong.
    """
    errors = list(_wrong_values(monitor))
    if monitor.kind not in probes:
        errors.append(FieldError("kind", f"Must be one of {', '.join(probes)}."))
        raise Invalid(*errors)
    probe = probes[monitor.kind]
    errors += _wrong_interval(monitor, probe)
    try:
        monitor.target = probe.normalise(monitor.target, current_settings())
    except Invalid as error:
        errors.extend(error.errors)
    try:
        given = monitor_options.unmasked(monitor, probe, before)
        options = probe.check_options(given, current_settings())
    except Invalid as error:
        errors.extend(error.errors)
    if errors:
        raise Invalid(*errors)
    monitor_options.keep_apart(monitor, probe, options, before)


def _wrong_values(monitor: Monitor) -> Iterator[FieldError]:
    for name, (low, high) in LIMITS.items():
        value = getattr(monitor, name)
        if value is not None and not low <= value <= high:
            yield FieldError(name, f"Must be from {low} to {high}.")
    if monitor.quorum > len(monitor.regions):
        yield FieldError("quorum", "There are fewer regions than that.")
    if monitor.outage_status not in OUTAGES:
        words = ", ".join(status.value for status in OUTAGES)
        yield FieldError("outage_status", f"Must be one of {words}.")
    pauses = monitor.escalation_intervals or []
    low, high = ESCALATION
    if len(pauses) > MAX_ESCALATIONS or not all(low <= pause <= high for pause in pauses):
        message = (
            f"Must be at most {MAX_ESCALATIONS} numbers of seconds, each from {low} to {high}."
        )
        yield FieldError("escalation_intervals", message)


def _wrong_interval(monitor: Monitor, probe: Probe) -> Iterator[FieldError]:
    low, high = probe.intervals
    shortest = current_settings().min_check_interval
    # A kind that must not ask more often than usual does not for any setting.
    low = shortest if low <= Probe.intervals[0] else max(low, shortest)
    if not low <= monitor.interval <= high:
        yield FieldError("interval", f"Must be from {low} to {high}.")


def regions(wanted: list[str]) -> list[str]:
    """The regions as they may be named.

    :raises Invalid: naming ``regions``.
    """
    known = current_settings().regions
    if not wanted or len(set(wanted)) != len(wanted):
        raise Invalid.field("regions", "Name at least one region, each once.")
    for region in wanted:
        if not is_slug(region) or len(region) > 40:
            raise Invalid.field("regions", f"{region!r} is not a region's name.")
        if region not in known:
            raise Invalid.field(
                "regions",
                f"There is no region {region!r}. STATUSPAGE_REGIONS names {', '.join(known)}.",
            )
    return wanted


def parent(session: Session, page: Page, monitor: Monitor | None, ident: str | None) -> UUID | None:
    """The id of the monitor that *monitor* is to depend on; None for none.

    :raises Invalid: naming ``depends_on``, also when it would depend on itself in the end.
    """
    if ident is None:
        return None
    try:
        found = stored.find(session, page.id, ident)
    except NotFound:
        message = f"There is no monitor {ident!r} on this page."
        raise Invalid.field("depends_on", message) from None
    above: UUID | None = found
    seen: set[UUID] = set()
    while above is not None and monitor is not None:
        if above == monitor.id or above in seen:
            raise Invalid.field("depends_on", "It would depend on itself.")
        seen.add(above)
        above = session.scalar(select(Monitor.depends_on_id).where(Monitor.id == above))
    return found


def component(session: Session, page: Page, ident: str | None) -> UUID | None:
    """The id of the component with that slug or id; None for none.

    :raises Invalid: naming ``component``.
    """
    if not ident:
        return None
    (found,) = components.named(session, page, [ident], field="component")
    return found.id


def template(session: Session, page: Page, ident: str | None) -> UUID | None:
    """The id of the template of incidents with that id or name; None for none.

    :raises Invalid: naming ``template``.
    """
    if ident is None:
        return None
    try:
        return templates.get(session, page, ident, kind="incident").id
    except NotFound:
        message = f"There is no template {ident!r} of kind 'incident' on this page."
        raise Invalid.field("template", message) from None


def names(
    session: Session, page: Page, monitors: Iterable[Monitor] | None = None
) -> dict[UUID, str]:
    """What the things are called that *monitors*, else all of the page, refer to: slugs, and names of templates."""
    found: dict[UUID, str] = {}
    for model, called, refers in (
        (Component, Component.slug, "component_id"),
        (Monitor, Monitor.slug, "depends_on_id"),
        (Template, Template.name, "template_id"),
    ):
        query = select(model.id, called).where(model.page_id == page.id)
        if monitors is not None:
            ids = {ident for one in monitors if (ident := getattr(one, refers))}
            if not ids:
                continue
            query = query.where(model.id.in_(ids))
        found |= {row[0]: row[1] for row in session.execute(query)}
    return found


def described(monitor: Monitor, names: Mapping[UUID, str]) -> dict[str, Any]:
    """The fields of a monitor as the API and the audit show them.

    :param names: as :func:`names` returns them.
    """

    def named(ident: UUID | None) -> str | None:
        return names.get(ident) if ident else None

    return {
        "name": monitor.name,
        "slug": monitor.slug,
        "component": named(monitor.component_id),
        "kind": monitor.kind,
        "target": monitor.target,
        "interval": monitor.interval,
        "timeout": monitor.timeout,
        "regions": [row.region for row in monitor.regions],
        "quorum": monitor.quorum,
        "failure_threshold": monitor.failure_threshold,
        "degraded_threshold": monitor.degraded_threshold,
        "recovery_threshold": monitor.recovery_threshold,
        "degraded_over_ms": monitor.degraded_over_ms,
        "outage_status": monitor.outage_status.value,
        "open_incident": monitor.open_incident,
        "template": named(monitor.template_id),
        "depends_on": named(monitor.depends_on_id),
        "escalation_intervals": list(monitor.escalation_intervals or ()),
        "options": dict(monitor.options),
    }


def state(monitor: Monitor) -> dict[str, Any]:
    """The fields of a monitor for the audit; what it refers to by its id."""
    referred = {
        "component": monitor.component_id,
        "template": monitor.template_id,
        "depends_on": monitor.depends_on_id,
    }
    told = {name: plain(ident) for name, ident in referred.items()}
    return {**described(monitor, {}), **told}
