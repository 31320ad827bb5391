"""Text messages: one line in the reader's language, as JSON ``{"before", "text", "after"}``.

How many segments a text may cost is the site's setting, which no format knows. So the three are kept apart until the
channel sends them: ``text`` is cut where all of it does not fit, see :func:`whole`.

How to end it stands in the message that asks whether texts are wanted, and not in each one: there it is what whoever
agrees has to know, later it would take a fifth of the room. STOP and HELP are answered all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from ...domain.events import CONFIRMATION, DIGEST, PUBLIC_EVENTS, TEST, Event
from ...domain.markup import one_line
from ...domain.reader import Reader
from ...domain.retry import MINUTE, Policy
from . import segments as gsm
from .format import Format
from .letters import written
from .notices import test_message
from .phrases import Phrases

MAX_NAME = 40
"""Characters of the page's name: it begins each text, and must leave room for the news."""

_PLAINER = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f", " "),
        "\u2026": "...",
    }
)
"""One typographic mark among plain letters would more than halve the room; these say the same."""

Texts = tuple[str, str, str]
"""What stays, what is cut where there is no room, and what stays behind it."""


def render(event: Event) -> str:
    """For whom nothing is known of: in English, by UTC."""
    return render_for(event, Reader())


def render_for(event: Event, reader: Reader) -> str:
    """The JSON body: what is whole, what may be cut, and what is whole behind it."""
    words, name = Phrases(reader), one_line(event.data["page"]["name"])[:MAX_NAME]
    kind = event.name if event.name in _TELLERS else event.name.partition(".")[0]
    texts = zip(("before", "text", "after"), _TELLERS[kind](event, words, name), strict=True)
    body = {key: text.translate(_PLAINER) for key, text in texts}
    return json.dumps(body, ensure_ascii=False)


def whole(body: str, segments: int) -> str:
    """The text exactly as it is sent, in at most *segments* segments where its link leaves room."""
    kept = json.loads(body)
    return gsm.fit(kept["before"], kept["text"], kept["after"], segments)


def _incident(event: Event, words: Phrases, name: str) -> Texts:
    incident = event.data["incident"]
    state = words.incident_state(incident["status"])
    return f"{name}: {state} - ", one_line(incident["title"]), f" {incident['url']}"


def _maintenance(event: Event, words: Phrases, name: str) -> Texts:
    """Of one that is still to come the reader wants to know when, before anything else."""
    maintenance = event.data["maintenance"]
    step = words.maintenance_step(event.name, maintenance)
    if maintenance["status"] == "scheduled":
        step = f"{step}, {words.time(maintenance['scheduled_start']).text}"
    return f"{name}: {step} - ", one_line(maintenance["title"]), f" {maintenance['url']}"


def _headline(event: Event, words: Phrases, name: str) -> Texts:
    headline = written(event, words.reader).headline.plain()
    return f"{name}: ", headline, f" {event.data['page']['url']}"


def _confirmation(event: Event, words: Phrases, name: str) -> Texts:
    """The words to answer with are the same in every language: it is the gateway that knows them."""
    data = event.data
    if "manage_url" in data:
        already = words.gettext("You get status texts already. To change: {url}")
        says = already.format(url=data["manage_url"])
    elif "code" in data:
        asks = words.gettext("Reply YES or enter {code} to get status texts.")
        says = asks.format(code=data["code"])
    else:
        says = words.gettext("Reply YES to get status texts.")
    end = words.gettext("Reply STOP to end.")
    return "", name, f": {says} {end}"


def _test(event: Event, words: Phrases, name: str) -> Texts:
    return f"{name}: ", one_line(test_message(event, words)), ""


def _digest(event: Event, words: Phrases, name: str) -> Texts:
    """The last ones come first: with the room at its end, it is the oldest that are not told."""
    notices = event.data["notices"]
    count = len(notices) + event.data.get("more", 0)
    says = words.ngettext(
        "{count} more message within an hour", "{count} more messages within an hour", count
    )
    told = "; ".join(
        words.news(notice["event"], notice["status"], notice["title"]).plain()
        for notice in reversed(notices)
    )
    return f"{name}: {says.format(count=count)}: ", told, f" {event.data['page']['url']}"


_TELLERS: dict[str, Callable[[Event, Phrases, str], Texts]] = {
    "incident": _incident,
    "maintenance": _maintenance,
    "component": _headline,
    "monitor": _headline,
    CONFIRMATION: _confirmation,
    DIGEST: _digest,
    TEST: _test,
}

format = Format(
    name="sms",
    channels=frozenset({"sms"}),
    render=render,
    render_for=render_for,
    unasked=frozenset(
        {
            "incident.created",
            "incident.resolved",
            "maintenance.scheduled",
            "maintenance.completed",
        }
    ),
    offered=frozenset(PUBLIC_EVENTS),
    policy=Policy(timeout=15.0, delays=(10.0, 1 * MINUTE, 5 * MINUTE, 30 * MINUTE)),
)
