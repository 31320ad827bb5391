"""A mail's subject and its two bodies, kept as JSON ``{"subject", "text", "html"}``; the channel adds the headers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from ...domain.events import (
    CONFIRMATION,
    DIGEST,
    DISABLED,
    INCIDENT_EVENTS,
    MAINTENANCE_EVENTS,
    PUBLIC_EVENTS,
    REMINDER,
    TEST,
    Event,
)
from ...domain.markup import to_html
from ...domain.retry import HOUR, MINUTE, Policy
from .format import Format

Words = tuple[str, list[str], str]  # subject, plain lines, HTML of the middle part

INCIDENT_WORDS = {
    "investigating": "Investigating",
    "identified": "Identified",
    "monitoring": "Monitoring",
    "resolved": "Resolved",
    "postmortem": "Postmortem",
}

MAINTENANCE_WORDS = {
    "scheduled": "Maintenance planned",
    "in_progress": "Maintenance in progress",
    "verifying": "Maintenance being verified",
    "completed": "Maintenance completed",
    "cancelled": "Maintenance cancelled",
}

STATUS_WORDS = {
    "unknown": "Unknown",
    "operational": "Operational",
    "under_maintenance": "Under maintenance",
    "degraded_performance": "Degraded performance",
    "partial_outage": "Partial outage",
    "major_outage": "Major outage",
}


def render(event: Event) -> str:
    """Subject, plain text and HTML of *event*."""
    page = event.data["page"]
    subject, lines, middle = _words_for(event)
    text = "\n".join([*lines, "", f"{page['name']}: {page['url']}"])
    html = f'<p>{middle}</p><p><a href="{escape(page["url"])}">{escape(page["name"])}</a></p>'
    return json.dumps(
        {"subject": f"[{page['name']}] {subject}", "text": text, "html": html}, ensure_ascii=False
    )


def _words_for(event: Event) -> Words:
    special = {CONFIRMATION: _confirmation, DISABLED: _disabled, TEST: _test, DIGEST: _digest}
    if event.name in special:
        return special[event.name]({**event.data, "at": event.occurred_at.isoformat()})
    subject = event.name.partition(".")[0]
    if subject == "maintenance":
        return _maintenance(event.name, event.data)
    by_subject: dict[str, Callable[[Mapping[str, Any]], Words]] = {
        "incident": _incident,
        "component": _component,
        "monitor": _monitor,
    }
    return by_subject[subject](event.data)


def _incident(data: Mapping[str, Any]) -> Words:
    incident = data["incident"]
    state = INCIDENT_WORDS[incident["status"]]
    latest = incident["updates"][0]
    affected = [
        f"{component['name']}: {STATUS_WORDS[component['status']]}"
        for component in incident["components"]
    ]
    lines = [
        f"{state}: {incident['title']}",
        f"Started {_instant(incident['started_at'])}",
        *([f"Resolved {_instant(incident['resolved_at'])}"] if incident["resolved_at"] else []),
        *affected,
        *([f"Next update by {_instant(due)}"] if (due := incident.get("next_update_due")) else []),
        "",
        latest["body"] or "No further details yet.",
        "",
        incident["url"],
    ]
    middle = (
        f"<strong>{escape(state)}: {escape(incident['title'])}</strong><br>"
        + "<br>".join(escape(line) for line in lines[1:-4])
        + f"</p>{to_html(latest['body'])}<p>"
        + f'<a href="{escape(incident["url"])}">Details of this incident</a>'
    )
    return f"{state}: {incident['title']}", lines, middle


def _maintenance(name: str, data: Mapping[str, Any]) -> Words:
    maintenance = data["maintenance"]
    subject = f"{_maintenance_step(name, maintenance)}: {maintenance['title']}"
    said = next((update["body"] for update in maintenance["updates"] if update["body"]), "")
    moved = maintenance.get("moved_from")
    facts = [
        f"Planned from {_instant(maintenance['scheduled_start'])} "
        f"until {_instant(maintenance['scheduled_end'])}",
        *(
            [
                f"Before: {_instant(moved['scheduled_start'])} until {_instant(moved['scheduled_end'])}"
            ]
            if moved
            else []
        ),
        *(
            [f"Affects {', '.join(c['name'] for c in maintenance['components'])}"]
            if maintenance["components"]
            else []
        ),
    ]
    lines = [
        subject,
        *facts,
        "",
        said or "No further details yet.",
        "",
        maintenance["url"],
    ]
    middle = (
        f"<strong>{escape(subject)}</strong><br>"
        + "<br>".join(escape(line) for line in facts)
        + f"</p>{to_html(said)}<p>"
        + f'<a href="{escape(maintenance["url"])}">Details of this maintenance</a>'
    )
    return subject, lines, middle


def _maintenance_step(name: str, maintenance: Mapping[str, Any]) -> str:
    """What there is to tell, in a few words."""
    if "minutes" in maintenance:
        return f"Maintenance begins in {_span(maintenance['minutes'])}"
    if "moved_from" in maintenance:
        return "Maintenance moved"
    if maintenance["status"] == "scheduled" and name != "maintenance.scheduled":
        return "News of a planned maintenance"
    return MAINTENANCE_WORDS[maintenance["status"]]


def _span(minutes: int) -> str:
    days, rest = divmod(minutes, 24 * 60)
    hours, rest = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (rest, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _component(data: Mapping[str, Any]) -> Words:
    component = data["component"]
    line = (
        f"{component['name']} is now {STATUS_WORDS[component['status']].lower()} "
        f"(before: {STATUS_WORDS[component['previous_status']].lower()})"
    )
    return line, [line + "."], escape(line + ".")


def _monitor(data: Mapping[str, Any]) -> Words:
    monitor = data["monitor"]
    word = "is down" if monitor["verdict"] == "down" else "has recovered"
    line = f"Monitor {monitor['name']} {word}"
    check = monitor["check"] or {}
    detail = f"{check.get('error') or 'Answered'} at {_instant(check['at'])}" if check else ""
    return line, [line + ".", detail], f"{escape(line)}.<br>{escape(detail)}"


def _confirmation(data: Mapping[str, Any]) -> Words:
    name = data["page"]["name"]
    if "confirm_url" in data:
        subject, link = "Please confirm your subscription", data["confirm_url"]
        before = f"Somebody, probably you, asked for status updates of {name} to be sent to this address."
        press = "To receive them, open this page and press the button"
        after = (
            "The link works for 7 days. If it was not you, do nothing: "
            "you will not hear from us again."
        )
    else:
        subject, link = "You are subscribed already", data["manage_url"]
        before = (
            f"Somebody, probably you, asked for status updates of {name}. You receive them already."
        )
        press = "To change what you receive, open this page"
        after = "If it was not you, do nothing: nothing has changed."
    lines = [before, "", f"{press}:", link, "", after]
    middle = f'{escape(before)}</p><p><a href="{escape(link)}">{escape(press)}</a>.</p><p>{escape(after)}'
    return subject, lines, middle


def _disabled(data: Mapping[str, Any]) -> Words:
    """For the owner of an address that is no mailbox."""
    subscription, page = data["subscription"], data["page"]["name"]
    before = (
        f"Status updates of {page} are no longer sent to this address, "
        "because of how it answered. It is yours, or you set it up."
    )
    facts = [
        f"Address: {_without_query(subscription['address'])} ({subscription['channel']})",
        f"Reason: {subscription['reason'] or 'not known'}",
        f"Since: {_instant(data['at'])}",
    ]
    call = f"POST {data['enable_url']}"
    how = "Once it works again, somebody with an admin's key of the manage API switches it on with one request:"
    after = (
        f"If you have no such key, ask the team behind {page}. "
        "What happens until then is not sent later by itself."
    )
    lines = [before, "", *facts, "", how, call, "", after]
    middle = (
        f"{escape(before)}</p><p>{'<br>'.join(escape(fact) for fact in facts)}</p>"
        f"<p>{escape(how)}<br><code>{escape(call)}</code></p><p>{escape(after)}"
    )
    return f"Your {subscription['channel']} was switched off", lines, middle


def _without_query(address: str) -> str:
    """What stands behind the question mark may be a key, which mail servers on the way need not read."""
    return address.partition("?")[0].partition("#")[0]


def _test(data: Mapping[str, Any]) -> Words:
    return "Test message", [data["message"]], escape(data["message"])


def _digest(data: Mapping[str, Any]) -> Words:
    count = len(data["notices"]) + data["more"]
    before = f"These are {count} updates in one message, as you are sent at most {data['limit']} an hour:"
    told = [(f"{_instant(one['at'])} {one['title']}", one["url"]) for one in data["notices"]]
    lines = [before, "", *(f"{line} {url}" for line, url in told)]
    items = "".join(f'<br><a href="{escape(url)}">{escape(line)}</a>' for line, url in told)
    return f"{count} updates", lines, f"{escape(before)}{items}"


def _instant(text: str) -> str:
    """``2026-02-19T17:30:00+00:00`` as a reader likes it, with the zone named."""
    return text[:16].replace("T", " ") + " UTC"


format = Format(
    name="email",
    channels=frozenset({"email"}),
    render=render,
    unasked=frozenset((*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, REMINDER)),
    offered=frozenset(PUBLIC_EVENTS),
    # A mail server that defers asks for patience; two days is what mail users are used to.
    policy=Policy(
        timeout=30.0, delays=(MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 8 * HOUR, 24 * HOUR)
    ),
)
