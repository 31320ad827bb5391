"""Messages for Slack's incoming webhooks: Block Kit in one attachment, whose colour tells how bad it is.

Source of the format: Slack's "Sending messages using incoming webhooks", "Formatting text for app surfaces" (mrkdwn)
and "Reference: blocks". ``text`` is what notifications and old clients show. Success is 200 only; retries after 10 s,
1, 5 and 30 minutes; a message a second is the most that Slack takes. Slack knows the sender by the address: nothing is
signed, and the address is a secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...domain.events import (
    COMPONENT_EVENTS,
    INCIDENT_EVENTS,
    MAINTENANCE_EVENTS,
    MONITOR_EVENTS,
    REMINDER,
    TEST,
    Event,
    is_repeated,
)
from ...domain.retry import MINUTE, Policy
from ...domain.status import ComponentStatus, Impact
from .format import Format
from .mrkdwn import clipped, escaped, from_markdown

MAX_SECTION = 3000
"""Characters of the text of a section block; longer ones Slack refuses with the whole message."""

MAX_FALLBACK = 3000
"""Characters of ``text``. Slack takes up to 40,000, but it is there to be read in a notification."""

MAX_TITLE = 250
MAX_NAMES = 2000
"""Characters for the affected components; those that find no room are counted."""

MAX_ERROR = 250

COLOURS = {
    ComponentStatus.OPERATIONAL: "#2e7d32",
    ComponentStatus.UNKNOWN: "#6b7280",
    ComponentStatus.UNDER_MAINTENANCE: "#1d4ed8",
    ComponentStatus.DEGRADED_PERFORMANCE: "#eab308",
    ComponentStatus.PARTIAL_OUTAGE: "#ea580c",
    ComponentStatus.MAJOR_OUTAGE: "#b91c1c",
}

WORDS = {status: status.value.replace("_", " ").capitalize() for status in ComponentStatus}

Data = Mapping[str, Any]


def render(event: Event) -> str:
    """The JSON body: ``text`` and one attachment with at most five blocks."""
    if event.name == TEST:
        return _message(
            event, ComponentStatus.OPERATIONAL, "Test message", None, (), event.data["message"]
        )
    subject = event.name.partition(".")[0]
    word = {"incident": _incident, "maintenance": _maintenance, "component": _component}
    return word.get(subject, _monitor)(event)


def _incident(event: Event) -> str:
    incident = event.data["incident"]
    over = incident["resolved_at"] is not None
    facts = [
        f"*Status:* {_plain_word(incident['status'])}",
        *([] if over else [f"*Impact:* {_plain_word(incident['impact'])}"]),
        *_affected(incident["components"]),
        *(
            [f"*Next update by:* {_instant(due)}"]
            if (due := incident.get("next_update_due"))
            else []
        ),
    ]
    floor = ComponentStatus.OPERATIONAL if over else Impact(incident["impact"]).floor
    title = f"{_plain_word(incident['status'])}: {incident['title']}"
    return _message(event, floor, title, incident["url"], facts, _latest(incident))


def _maintenance(event: Event) -> str:
    maintenance = event.data["maintenance"]
    over = maintenance["ended_at"] is not None
    status = _plain_word(maintenance["status"])
    facts = [
        f"*Status:* {status}",
        f"*Window:* {_instant(maintenance['scheduled_start'])} to {_instant(maintenance['scheduled_end'])}",
        *_affected(maintenance["components"], statuses=False),
    ]
    if moved := maintenance.get("moved_from"):
        before = f"{_instant(moved['scheduled_start'])} to {_instant(moved['scheduled_end'])}"
        facts.append(f"*Before:* {before}")
    colour = ComponentStatus.OPERATIONAL if over else ComponentStatus.UNDER_MAINTENANCE
    title = f"Maintenance {status.lower()}: {maintenance['title']}"
    return _message(event, colour, title, maintenance["url"], facts, _latest(maintenance))


def _component(event: Event) -> str:
    component = event.data["component"]
    status, before = (ComponentStatus(component[key]) for key in ("status", "previous_status"))
    facts = [f"*Status:* {WORDS[status]}", f"*Before:* {WORDS[before]}"]
    title = f"{component['name']}: {WORDS[status].lower()}"
    return _message(event, status, title, event.data["page"]["url"], facts)


def _monitor(event: Event) -> str:
    """Without the target: it can be an internal address with a key in it."""
    monitor = event.data["monitor"]
    down = monitor["verdict"] == "down"
    check = monitor["check"] or {}
    facts = (
        [f"*Error:* {escaped(clipped(check['error'], MAX_ERROR))}"] if check.get("error") else []
    )
    colour = ComponentStatus.MAJOR_OUTAGE if down else ComponentStatus.OPERATIONAL
    says = "has recovered" if not down else "is still down" if is_repeated(monitor) else "is down"
    title = f"Monitor {monitor['name']} {says}"
    return _message(event, colour, title, event.data["page"]["url"], facts)


def _message(
    event: Event,
    colour: ComponentStatus,
    title: str,
    url: str | None,
    facts: Sequence[str],
    text: str = "",
) -> str:
    """:param title: plain text. *facts* are mrkdwn, *text* is Markdown."""
    page = event.data["page"]
    heading = escaped(clipped(title, MAX_TITLE))
    # Where a link ends or is divided, its label must not.
    linked = f"<{_url(url)}|{heading.replace('|', '¦')}>" if url else heading
    blocks = [_section(f"*{linked}*" if url else heading)]
    if facts:
        blocks.append(_section("\n".join(facts)))
    if said := from_markdown(text, MAX_SECTION).strip():  # an empty section is refused
        blocks.append(_section(said))
    footer = f"<{_url(page['url'])}|{escaped(page['name']).replace('|', '¦')}>"
    when = _instant(event.occurred_at.isoformat(timespec="seconds"))
    blocks.append(
        {"type": "context", "elements": [{"type": "mrkdwn", "text": f"{footer} · {when}"}]}
    )
    fallback = escaped(clipped(f"[{page['name']}] {title}", MAX_FALLBACK))
    body = {"text": fallback, "attachments": [{"color": COLOURS[colour], "blocks": blocks}]}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _affected(components: Sequence[Data], *, statuses: bool = True) -> list[str]:
    if not components:
        return []
    names = [
        escaped(one["name"])
        + (f" ({WORDS[ComponentStatus(one['status'])].lower()})" if statuses else "")
        for one in components
    ]
    listed = next(
        (n for n in range(1, len(names)) if len(", ".join(names[: n + 1])) > MAX_NAMES), len(names)
    )
    more = f" and {len(names) - listed} more" if names[listed:] else ""
    return [f"*Affected:* {', '.join(names[:listed])}{more}"]


def _latest(about: Data) -> str:
    # Not the newest that has words: what announced a window says nothing of its end.
    return str(about["updates"][0]["body"]) if about["updates"] else ""


def _plain_word(status: str) -> str:
    return status.replace("_", " ").capitalize()


def _instant(text: str) -> str:
    return text[:16].replace("T", " ") + " UTC"


def _url(url: str) -> str:
    return escaped(url).replace("|", "%7C")


format = Format(
    name="slack",
    channels=frozenset({"webhook", "slack"}),
    render=render,
    unasked=frozenset((*INCIDENT_EVENTS, *MAINTENANCE_EVENTS)) - {"incident.postmortem"},
    offered=frozenset(
        (*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, REMINDER, *COMPONENT_EVENTS, *MONITOR_EVENTS)
    ),
    policy=Policy(
        timeout=10.0,
        delays=(10.0, 1 * MINUTE, 5 * MINUTE, 30 * MINUTE),
        success=range(200, 201),
        rate=60,
        spacing=1.0,  # Slack takes one message a second and webhook, short bursts aside
    ),
    secret_address=True,
)
