"""What a monitor's incidents say: in its template's words where it has one, else in its own."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from ..domain.incident import OPEN
from ..domain.status import ComponentStatus
from ..errors import Invalid
from ..probing import CheckResult
from ..storage.components import Component
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.templates import Template
from . import templates, texts

logger = logging.getLogger(__name__)

OUTAGE_WORDS = {
    ComponentStatus.MAJOR_OUTAGE: "is down",
    ComponentStatus.PARTIAL_OUTAGE: "is partly down",
    ComponentStatus.DEGRADED_PERFORMANCE: "is degraded",
}

ANSWERS_SLOWLY = "Answers again, but more slowly than it should."

PLACEHOLDERS = ("monitor", "error", "failures")
"""The placeholders of its own that a template may have for a monitor to fill: its name, what went wrong, and how many
checks in a row failed."""


def opening(session: Session, page: Page, monitor: Monitor, result: CheckResult) -> dict[str, Any]:
    """``title`` and ``body`` of the incident that *monitor* opens; of a template ``status`` and ``impact``, too.

    A template that cannot be rendered any more costs its words, never the incident.
    """
    component = session.get(Component, monitor.component_id) if monitor.component_id else None
    if monitor.template_id is not None:
        try:
            return _filled(session, page, monitor, component, result)
        except Invalid as error:
            logger.warning(
                "status page: the template of monitor %s cannot be rendered, so its incident has the usual text: %s",
                monitor.slug,
                "; ".join(f"{one.field}: {one.message}" for one in error.errors),
            )
    name = component.name if component else monitor.name
    words = OUTAGE_WORDS.get(monitor.outage_status, "has a problem")
    return {"title": f"{name} {words}"[: texts.MAX_TITLE], "body": failure(monitor)}


def failure(monitor: Monitor) -> str:
    """That it fails, for readers. What exactly a check found is for members, who see it with the monitor."""
    failures = _failures(monitor)
    times = "The latest check" if failures == 1 else f"{failures} checks in a row"
    return f"{times} failed. We are looking into it."


def finding(result: CheckResult) -> str:
    """What went wrong, in a few words."""
    return result.error or "No answer"


def duration(lasted: timedelta) -> str:
    seconds = max(0, round(lasted.total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    if seconds < 60:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min"


def _filled(
    session: Session,
    page: Page,
    monitor: Monitor,
    component: Component | None,
    result: CheckResult,
) -> dict[str, Any]:
    template = session.get(Template, monitor.template_id)
    own = template.placeholders if template else {}
    offered = {
        "monitor": monitor.name,
        "error": finding(result),
        "failures": str(_failures(monitor)),
    }
    values = {name: offered[name] for name in PLACEHOLDERS if name in own}
    given = {"components": [component.slug]} if component else {}
    fields = templates.fill(session, page, "incident", str(monitor.template_id), values, given)
    # What begins now is not over, whatever else the template is for.
    told = {name: fields[name] for name in ("title", "body", "impact") if name in fields}
    return told | ({"status": fields["status"]} if fields.get("status") in OPEN else {})


def _failures(monitor: Monitor) -> int:
    return max((row.down for row in monitor.regions), default=1)
