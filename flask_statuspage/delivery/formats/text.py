"""A title and plain text in the reader's language, as JSON ``{"title", "body", "type"}``.

For services that show both and colour by ``type``: ``info``, ``success``, ``warning`` or ``failure``, as Apprise has
them.
"""

from __future__ import annotations

import json

from ...domain.events import INCIDENT_EVENTS, MAINTENANCE_EVENTS, PUBLIC_EVENTS, Event
from ...domain.markup import one_line
from ...domain.reader import Reader
from ...domain.retry import MINUTE, Policy
from ...domain.status import ComponentStatus
from .format import Format
from .letter import Link, plain
from .letters import written
from .phrases import Phrases

TYPES = {
    ComponentStatus.UNKNOWN: "info",
    ComponentStatus.OPERATIONAL: "success",
    ComponentStatus.UNDER_MAINTENANCE: "info",
    ComponentStatus.DEGRADED_PERFORMANCE: "warning",
    ComponentStatus.PARTIAL_OUTAGE: "failure",
    ComponentStatus.MAJOR_OUTAGE: "failure",
}


def render(event: Event) -> str:
    """For whom nothing is known of: in English, by UTC."""
    return render_for(event, Reader())


def render_for(event: Event, reader: Reader) -> str:
    """The JSON body. What has no page of its own leads to the status page."""
    page, letter = event.data["page"], written(event, reader)
    parts = [plain(letter.parts, Phrases(reader).direction)]
    if not any(isinstance(part, Link) for part in letter.parts):
        parts.append(one_line(page["url"]))
    body = {
        "title": f"[{one_line(page['name'])}] {letter.headline.plain()}",
        "body": "\n\n".join(part for part in parts if part),
        "type": TYPES[letter.tone],
    }
    return json.dumps(body, ensure_ascii=False)


format = Format(
    name="text",
    channels=frozenset({"apprise"}),
    render=render,
    render_for=render_for,
    unasked=frozenset((*INCIDENT_EVENTS, *MAINTENANCE_EVENTS)) - {"incident.postmortem"},
    offered=frozenset(PUBLIC_EVENTS),
    policy=Policy(timeout=20.0, delays=(10.0, 1 * MINUTE, 5 * MINUTE, 30 * MINUTE)),
)
