"""Posts for X: what happened, what it concerns and what was said, in 280 weighted characters, and the link.

The body is the post's text; the channel adds what it answers. The link is kept whole, the rest is cut.

Nothing but that link may work in a post: titles and texts come from monitors and customers' words, too. A name behind
an @ would call somebody, and a second address would be shown instead of the page. An invisible character (U+200B)
behind the sign takes the working from it and leaves it readable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...domain.events import (
    COMPONENT_EVENTS,
    CONFIRMATION,
    DIGEST,
    INCIDENT_EVENTS,
    MAINTENANCE_EVENTS,
    MONITOR_EVENTS,
    REMINDER,
    TEST,
    Event,
    is_repeated,
)
from ...domain.retry import HOUR, MINUTE, Policy
from .format import Format
from .weighted import MOST, cut, link_weight, weight

Data = Mapping[str, Any]

BREAK = "\u200b"

_CALLS = re.compile(
    r"(?P<sign>[@\uff20#\uff03$])(?=\w)"  # somebody, a topic, a share
    r"|(?P<scheme>(?i:https?):)(?=//)"
    r"|(?<=[^\W_])(?P<dot>\.)(?=[^\W\d_])"  # example.com is a link without more
)
_REFUSED = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ufeff\ufffe\uffff\ud800-\udfff]")
"""What X refuses in a post, or what turns the words around it."""

_LINKED = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*\)")
_MARKUP = re.compile(r"^#{1,6}[ \t]+|^>[ \t]?|\*\*|__|~~|`+|^([ \t]*)[*+-][ \t]+", re.MULTILINE)

MAX_TITLE = 160
"""What a title may weigh at most, so that there is room for what was said."""

MAX_AFFECTED = 60


def render(event: Event) -> str:
    """The text of the post."""
    if event.name in (TEST, CONFIRMATION):
        return _post(event, str(event.data.get("message") or "This is a test."), "", "")
    if event.name == DIGEST:
        return _digest(event)
    subject = event.name.partition(".")[0]
    word = {"incident": _incident, "maintenance": _maintenance, "component": _component}
    return word.get(subject, _monitor)(event)


def _incident(event: Event) -> str:
    incident = event.data["incident"]
    title = f"{_word(incident['status'])}: {incident['title']}"
    return _post(
        event, title, _affected(incident["components"]), _latest(incident), incident["url"]
    )


def _maintenance(event: Event) -> str:
    maintenance = event.data["maintenance"]
    title = f"Maintenance {_word(maintenance['status']).lower()}: {maintenance['title']}"
    if event.name == REMINDER:
        title = f"Maintenance soon: {maintenance['title']}"
    start, end = maintenance["scheduled_start"], maintenance["scheduled_end"]
    window = f"{_instant(start)} to {_instant(end, after=start)} UTC"
    over = maintenance["ended_at"] is not None
    affected = _affected(maintenance["components"])
    return _post(
        event,
        title,
        affected if over else f"{window}\n{affected}",
        _latest(maintenance),
        maintenance["url"],
    )


def _component(event: Event) -> str:
    component = event.data["component"]
    status, before = _word(component["status"]), _word(component["previous_status"])
    return _post(event, f"{component['name']}: {status}", f"Before: {before}", "")


def _monitor(event: Event) -> str:
    """Without the target: it can be an internal address with a key in it."""
    monitor = event.data["monitor"]
    down = monitor["verdict"] == "down"
    says = "has recovered" if not down else "is still down" if is_repeated(monitor) else "is down"
    return _post(event, f"{monitor['name']} {says}", "", "")


def _digest(event: Event) -> str:
    notices = event.data["notices"]
    listed = "\n".join(f"{_word(one['status'])}: {one['title']}" for one in reversed(notices))
    count = len(notices)
    return _post(
        event, f"{count} more update{'' if count == 1 else 's'} within the hour", "", listed
    )


def _post(event: Event, title: str, fact: str, said: str, url: str | None = None) -> str:
    """*title*, *fact* and what was *said*, cut in this order of worth, then when it was and the link."""
    page = event.data["page"]
    link = url or page["url"]
    # The time makes each post another one: X refuses a text that it has just had.
    end = event.occurred_at.strftime("%H:%M UTC")
    room = MOST - weight(f"{end}\n") - link_weight(link)
    if room > 2 * len(end):
        end = f"{end}\n{link}"
    else:
        room = MOST - weight(end)
    lines = [cut(_tame(title), min(MAX_TITLE, room - 2))]
    if fact and (told := cut(_tame(fact), MAX_AFFECTED)):
        lines.append(told)
    text = "\n".join(lines)
    if said := _tame(_plain(said)):
        text = f"{text}\n\n{said}"
    return f"{cut(text, room - 2)}\n\n{end}"


def _tame(text: str) -> str:
    """*text* with nothing in it that works, and nothing that X refuses."""
    return _CALLS.sub(lambda found: found.group() + BREAK, _REFUSED.sub("", text)).strip()


def _plain(markdown: str) -> str:
    """Markdown without its marks, in one line for each paragraph."""
    text = _MARKUP.sub(
        lambda found: "• " if found[1] is not None else "", _LINKED.sub(r"\1", markdown)
    )
    # Not by an expression for blanks around a line break: it looks at each of ten thousand blanks to the end of them.
    return "\n".join(filter(None, map(str.strip, text.split("\n"))))


def _affected(components: Sequence[Data]) -> str:
    return ", ".join(str(one["name"]) for one in components)


def _latest(about: Data) -> str:
    # Not the newest that has words: what announced a window says nothing of its end.
    return str(about["updates"][0]["body"]) if about["updates"] else ""


def _word(status: str) -> str:
    return status.replace("_", " ").capitalize()


def _instant(text: str, *, after: str = "") -> str:
    """Day and time, or only the time on the day of *after*."""
    return text[11:16] if after[:10] == text[:10] else text[:16].replace("T", " ")


format = Format(
    name="x",
    channels=frozenset({"x"}),
    render=render,
    unasked=frozenset((*INCIDENT_EVENTS, *MAINTENANCE_EVENTS)) - {"incident.postmortem"},
    offered=frozenset(
        (*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, REMINDER, *COMPONENT_EVENTS, *MONITOR_EVENTS)
    ),
    content_type="text/plain; charset=utf-8",
    policy=Policy(
        timeout=30.0,  # of three calls at most: refused, a new token, again
        delays=(10.0, 1 * MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR),
        success=range(201, 202),
        rate=20,
    ),
    members_only=True,
)
