"""A text for a phone: what must stand in it, and a middle that is cut to the segments that it may cost.

The body is JSON ``{"before", "text", "after"}``: ``text`` alone may be cut.
"""

from __future__ import annotations

import json
from typing import Any

from ...domain.events import CONFIRMATION, DIGEST, PUBLIC_EVENTS, TEST, Event
from ...domain.retry import MINUTE, Policy
from .format import Format

_PLAIN = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DOUBLE = frozenset("^{}\\[~]|€\f")
"""Characters of GSM 03.38's extension, which cost two."""


def render(event: Event) -> str:
    """*event* in its three parts."""
    before, text, after = _parts(event)
    return json.dumps({"before": before, "text": text, "after": after}, ensure_ascii=False)


def whole(body: str, segments: int) -> str:
    """The text of *body* in at most *segments* segments: 160 characters alone, 153 each of several; 70 and 67 where
    a character needs UCS-2."""
    parts = json.loads(body)
    before, text, after = parts["before"], parts["text"], parts["after"]
    if fits(before + text + after, segments):
        return str(before + text + after)
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(f"{before}{text[:middle]}...{after}", segments):
            low = middle
        else:
            high = middle - 1
    return f"{before}{text[:low]}...{after}"


def fits(text: str, segments: int) -> bool:
    if set(text) <= _PLAIN | _DOUBLE:
        costs, alone, room = [2 if mark in _DOUBLE else 1 for mark in text], 160, 153
    else:
        costs, alone, room = [len(mark.encode("utf-16-be")) // 2 for mark in text], 70, 67
    if sum(costs) <= alone:
        return True
    used, number = 0, 1
    for cost in costs:  # no character is torn apart
        if used + cost > room:
            used, number = 0, number + 1
        used += cost
    return number <= segments


def _parts(event: Event) -> tuple[str, str, str]:
    data: Any = event.data
    name = f"{data['page']['name']}: "
    if event.name == CONFIRMATION:
        if "code" in data:
            text = f"your code is {data['code']}. Type it on the page, or answer YES to get status updates."
            return name, text, " STOP ends all texts."
        return name, "you get status updates already. Change: ", data["manage_url"]
    if event.name == TEST:
        return name, data["message"], ""
    if event.name == DIGEST:
        return name, f"{len(data['notices'])} more updates", f" {data['page']['url']}"
    subject = data[event.name.partition(".")[0]]
    status = subject.get("status") or subject.get("verdict") or ""
    url = subject.get("url") or data["page"]["url"]
    return f"{name}{status}: ", subject.get("title") or subject.get("name") or "", f" {url}"


format = Format(
    name="sms",
    channels=frozenset({"sms"}),
    render=render,
    unasked=frozenset(
        (
            "incident.created",
            "incident.resolved",
            "maintenance.scheduled",
            "maintenance.completed",
        )
    ),
    offered=frozenset(PUBLIC_EVENTS),
    policy=Policy(timeout=15.0, delays=(MINUTE, 5 * MINUTE, 30 * MINUTE)),
)
