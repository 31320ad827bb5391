"""StatusGator's webhook: how a service as a whole changed, one message per page and transaction, or per change of an
upstream service.

Source of the format: "Integrating StatusGator with Webhooks", support pages of StatusGator. Success is 200 only. Any
other answer is retried 20 times over 24 days, then the message is discarded; an endpoint that five times in a row
cannot be reached is switched off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from ...domain.dialects import STATUSGATOR_STATUS
from ...domain.events import COMPONENT_EVENTS, TEST, UPSTREAM_CHANGE, Event
from ...domain.retry import Policy
from ...domain.status import ComponentStatus
from .format import Format

RETRIES = 20


def delay(retry: int) -> float:
    """Seconds before the *retry*-th retry, counted from 1: 8 s, 51 s, … 5 days 8 h; all together are 24 days."""
    return 5.0 + 2.869 * retry**4


SENTENCES = {
    ComponentStatus.OPERATIONAL: "All systems operational",
    ComponentStatus.UNKNOWN: "All systems operational",
    ComponentStatus.DEGRADED_PERFORMANCE: "Degraded performance",
    ComponentStatus.PARTIAL_OUTAGE: "Partial outage",
    ComponentStatus.MAJOR_OUTAGE: "Major outage",
    ComponentStatus.UNDER_MAINTENANCE: "Maintenance in progress",
}
"""``message`` where no incident and no maintenance has more to say, by the page's status."""


def render(event: Event) -> str:
    """The JSON body of a change, of the page or of an upstream service, or of a test."""
    told = _upstream(event) if event.name == UPSTREAM_CHANGE else _page(event)
    change, status = told.change, ComponentStatus(told.change["status"])
    message = change["title"] or _sentence(status, change["components"])
    body = shape(
        service_name=told.name,
        slug=told.slug,
        status_page_url=told.status_page_url,
        home_page_url=told.home_page_url,
        favicon_url=told.favicon_url,
        last_status=ComponentStatus(change["previous_status"]),
        current_status=status,
        message=message,
        details=change["text"] or message,
        components=change["components"],
        changes=change["changes"],
        occurred_at=event.occurred_at,
    )
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, kw_only=True)
class _Told:
    """The service that changed, and the change as the event has it."""

    name: str
    slug: str
    status_page_url: str
    home_page_url: str
    favicon_url: str
    change: Mapping[str, Any]


def _page(event: Event) -> _Told:
    page = event.data["page"]
    if event.name == TEST:
        # Nobody is to act on it: the service is up and has not changed.
        up = ComponentStatus.OPERATIONAL
        change: Mapping[str, Any] = {"previous_status": up, "status": up, "title": "Test message"}
        change = {**change, "text": event.data["message"], "components": [], "changes": []}
    else:
        change = event.data["change"]
    return _Told(
        name=page["name"],
        slug=page["slug"],
        status_page_url=page["url"],
        home_page_url=urljoin(page["url"], "/"),
        favicon_url=urljoin(page["url"], page.get("logo") or "/favicon.ico"),
        change=change,
    )


def _upstream(event: Event) -> _Told:
    service = event.data["upstream"]
    return _Told(
        name=service["name"],
        slug=service["slug"],
        status_page_url=service["status_page_url"],
        home_page_url=service["home_page_url"],
        favicon_url=service["favicon_url"],
        change=service,
    )


def shape(
    *,
    service_name: str,
    slug: str,
    status_page_url: str,
    home_page_url: str,
    favicon_url: str,
    last_status: ComponentStatus,
    current_status: ComponentStatus,
    message: str,
    details: str,
    components: Sequence[Mapping[str, Any]],
    changes: Sequence[Mapping[str, Any]],
    occurred_at: datetime,
) -> dict[str, Any]:
    """The documented object, whatever service it is about.

    :param components: ``{name, group, status}`` of each, in our words; ``group`` may be None.
    :param changes: ``{name, group, previous_status, status}``. One that StatusGator has no two words for is left out.
    :param occurred_at: aware.
    """
    changed = [
        {
            "group_name": one["group"],
            "name": one["name"],
            "last_status": _word(one["previous_status"]),
            "current_status": _word(one["status"]),
        }
        for one in changes
    ]
    return {
        "component_status_changes": [
            one for one in changed if one["last_status"] != one["current_status"]
        ],
        "component_statuses": [
            {"group_name": one["group"], "name": one["name"], "status": _word(one["status"])}
            for one in components
        ],
        "current_status": STATUSGATOR_STATUS[current_status],
        "details": details,
        "favicon_url": favicon_url,
        "home_page_url": home_page_url,
        "last_status": STATUSGATOR_STATUS[last_status],
        "message": message,
        "occurred_at": occurred_at.isoformat(timespec="seconds"),
        "service_name": service_name,
        "slug": slug,
        "status_page_url": status_page_url,
    }


def _word(status: str) -> str:
    return STATUSGATOR_STATUS[ComponentStatus(status)]


def _sentence(status: ComponentStatus, components: Sequence[Mapping[str, Any]]) -> str:
    """The page in one sentence, as its banner has it: the worst is named."""
    names = [one["name"] for one in components if one["status"] == status]
    if not names or status.is_calm:
        return SENTENCES[status]
    others = f" and {len(names) - 1} more" if names[1:] else ""
    return f"{SENTENCES[status]}: {names[0]}{others}"


format = Format(
    name="statusgator",
    channels=frozenset({"webhook"}),
    render=render,
    unasked=frozenset(COMPONENT_EVENTS),
    offered=frozenset(COMPONENT_EVENTS),
    policy=Policy(
        timeout=10.0,
        delays=tuple(delay(retry) for retry in range(1, RETRIES + 1)),
        success=range(200, 201),
        jitter=0.0,  # the sum is documented
        disable_after_unreached=5,
    ),
    per_transaction=True,
    levels=("any", "warn", "down"),
)
