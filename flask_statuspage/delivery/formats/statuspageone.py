"""StatusPageOne's webhook ``monitor_alert``: a monitor goes down, or recovers.

The source is the page "Webhooks Integration" of StatusPageOne. Success is any 2xx within 30 s; five retries after 30 s,
2, 8, 32 and 128 minutes; at most 100 requests a minute and 1 MB a body.

Its receivers check ``X-StatusPageOne-Signature`` against ``JSON.stringify(JSON.parse(body))``, so the body is written
as JavaScript writes it. It tells a monitor's target, so only the site's team may choose it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ...domain.events import MONITOR_EVENTS, TEST, Event
from ...domain.retry import MINUTE, Policy
from ...domain.verdict import Verdict
from .. import signing
from .format import Format
from .javascript import stringify

STATUS = {
    Verdict.UNKNOWN: "UP",
    Verdict.UP: "UP",
    Verdict.DEGRADED: "UP",
    Verdict.DOWN: "DOWN",
}
"""Its receivers know two words; whatever is not ``DOWN`` is a recovery to them."""

_ASK_HTTP = frozenset({"http", "upstream"})
"""Kinds whose code is the HTTP status that the document means; that of a DNS question is another number."""

_USER = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)?[^/\\]*@")


def render(event: Event) -> str:
    """The JSON body of *event*: ``event_type``, ``monitor``, ``check_result``, ``context``.

    Both ``status`` say what became of the monitor: receivers tell an incident from a recovery by the check's, and with
    several regions the check that decided may be a good one while others fail.
    """
    if event.name == TEST:
        return stringify(_test(event))
    monitor = event.data["monitor"]
    down = event.name == "monitor.down"
    status = "DOWN" if down else "UP"
    check = monitor["check"] or {}
    failed = {"error_message": check.get("error")} if down else {}
    return stringify(
        {
            "event_type": "monitor_alert",
            "monitor": {
                "id": monitor["id"],
                "name": monitor["name"],
                "url": public_part(monitor["target"]),
                "status": status,
            },
            "check_result": {
                "status": status,
                "timestamp": _instant(check.get("at") or event.occurred_at.isoformat()),
                "region": check.get("region"),
                **failed,
                "response_time_ms": check.get("milliseconds"),
                "status_code": check.get("code") if monitor["kind"] in _ASK_HTTP else None,
            },
            "context": {
                "consecutive_failures": monitor["failures"] if down else 0,
                "previous_status": _previous(monitor, down=down),
                "notification_level": monitor.get("notification_level", 1),
                "notification_type": "incident" if down else "recovery",
            },
        }
    )


def public_part(target: str) -> str:
    """*target* without user, query and fragment: each may hold a key."""
    return _USER.sub(r"\1", re.split(r"[?#]", target, maxsplit=1)[0])


def _test(event: Event) -> dict[str, Any]:
    """As the document tests an endpoint: the monitor ``test`` is ``DOWN``."""
    return {
        "event_type": "monitor_alert",
        "monitor": {
            "id": TEST,
            "name": "Test Monitor",
            "url": event.data["page"]["url"],
            "status": "DOWN",
        },
        "check_result": {
            "status": "DOWN",
            "timestamp": _instant(event.occurred_at.isoformat()),
            "region": TEST,
            "error_message": event.data["message"],
            "response_time_ms": None,
            "status_code": None,
        },
        "context": {
            "consecutive_failures": 1,
            "previous_status": "UP",
            "notification_level": 1,
            "notification_type": "incident",
        },
    }


def _previous(monitor: Mapping[str, Any], *, down: bool) -> str:
    if monitor["previous"] is None:
        return "UP" if down else "DOWN"
    return STATUS[Verdict(monitor["previous"])]


def _instant(moment: str) -> str:
    """RFC 3339 in the document's notation: whole seconds and ``Z``."""
    told = datetime.fromisoformat(moment).astimezone(UTC)
    return told.isoformat(timespec="seconds").replace("+00:00", "Z")


def sign(secret: str, body: bytes) -> Mapping[str, str]:
    return {"X-StatusPageOne-Signature": signing.prefixed_signature(secret, body)}


format = Format(
    name="statuspageone",
    channels=frozenset({"webhook"}),
    render=render,
    unasked=frozenset(MONITOR_EVENTS),
    offered=frozenset(MONITOR_EVENTS),
    policy=Policy(
        timeout=30.0,
        delays=(0.5 * MINUTE, 2 * MINUTE, 8 * MINUTE, 32 * MINUTE, 128 * MINUTE),
        rate=100,
        size=1_000_000,
    ),
    sign=sign,
    members_only=True,
)
