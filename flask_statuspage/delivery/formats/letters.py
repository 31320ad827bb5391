"""What letters say of incidents, maintenances, components and monitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...domain.events import CONFIRMATION, DIGEST, DISABLED, TEST, Event, is_repeated
from ...domain.reader import Reader
from ...domain.status import ComponentStatus, Impact
from . import notices
from .letter import Letter, Lines, Link, Prose, Services
from .phrases import Phrases
from .sentence import Name, Sentence

Data = Mapping[str, Any]


def written(event: Event, reader: Reader) -> Letter:
    """The letter that tells *event*.

    :raises KeyError: for an event that nobody is written about.
    """
    return _WRITERS[event.name if event.name in _WRITERS else event.name.partition(".")[0]](
        event, Phrases(reader)
    )


def tone(event: Event) -> ComponentStatus:
    """How bad the news is, as the status of a component that is as bad."""
    data = event.data
    if "incident" in data:
        over = data["incident"]["resolved_at"] is not None
        impact = Impact(data["incident"]["impact"])
        if impact is Impact.NONE and not over:
            return ComponentStatus.UNKNOWN
        return ComponentStatus.OPERATIONAL if over else impact.floor
    if "maintenance" in data:
        over = data["maintenance"]["ended_at"] is not None
        return ComponentStatus.OPERATIONAL if over else ComponentStatus.UNDER_MAINTENANCE
    if "component" in data:
        return ComponentStatus(data["component"]["status"])
    if "monitor" in data:
        down = data["monitor"]["verdict"] == "down"
        return ComponentStatus.MAJOR_OUTAGE if down else ComponentStatus.OPERATIONAL
    return ComponentStatus.UNKNOWN


def _incident(event: Event, words: Phrases) -> Letter:
    incident = event.data["incident"]
    facts = [words.say(words.gettext("Started {time}"), time=words.time(incident["started_at"]))]
    if ended := incident["resolved_at"]:
        facts.append(words.say(words.gettext("Resolved {time}"), time=words.time(ended)))
    if due := incident.get("next_update_due"):
        facts.append(words.say(words.gettext("Next update by {time}"), time=words.time(due)))
    services = [
        (_standing(words, one["name"], one["status"]), ComponentStatus(one["status"]))
        for one in incident["components"]
    ]
    return Letter(
        headline=words.headline(words.incident_state(incident["status"]), incident["title"]),
        tone=tone(event),
        parts=[
            Lines(facts),
            *([Services(services)] if services else []),
            # Not the newest that has words: what opened an incident says nothing of its end.
            _said(words, incident["updates"][0]["body"] if incident["updates"] else ""),
            Link(words.say(words.gettext("Details of this incident")), incident["url"]),
        ],
    )


def _maintenance(event: Event, words: Phrases) -> Letter:
    maintenance = event.data["maintenance"]
    facts = [_window(words, words.gettext("Planned from {start} until {end}"), maintenance)]
    if moved := maintenance.get("moved_from"):
        facts.append(_window(words, words.gettext("Before: {start} until {end}"), moved))
    if maintenance["components"]:
        names = words.names(one["name"] for one in maintenance["components"])
        facts.append(words.say(words.gettext("Affects {names}"), names=names))
    said = next((update["body"] for update in maintenance["updates"] if update["body"]), "")
    step = words.maintenance_step(event.name, maintenance)
    return Letter(
        headline=words.headline(step, maintenance["title"]),
        tone=tone(event),
        parts=[
            Lines(facts),
            _said(words, said),
            Link(words.say(words.gettext("Details of this maintenance")), maintenance["url"]),
        ],
    )


def _component(event: Event, words: Phrases) -> Letter:
    component = event.data["component"]
    before = words.say(
        words.gettext("Before: {status}"), status=words.status(component["previous_status"])
    )
    return Letter(
        headline=_standing(words, component["name"], component["status"]),
        tone=tone(event),
        parts=[Lines([before])],
    )


def _monitor(event: Event, words: Phrases) -> Letter:
    """Without the target: it can be an internal address with a key in it."""
    monitor, check = event.data["monitor"], event.data["monitor"]["check"] or {}
    if is_repeated(monitor):
        headline = words.gettext("Monitor {name} is still down")
    elif monitor["verdict"] == "down":
        headline = words.gettext("Monitor {name} is down")
    else:
        headline = words.gettext("Monitor {name} has recovered")
    facts: list[Sentence] = []
    if check and check.get("error"):
        error, at = Name(check["error"]), words.time(check["at"])
        facts.append(words.say(words.gettext("{error} at {time}"), error=error, time=at))
    elif check:
        at = words.time(check["at"])
        facts.append(words.say(words.gettext("Answered at {time}"), time=at))
    return Letter(
        headline=words.say(headline, name=Name(monitor["name"])),
        tone=tone(event),
        parts=[Lines(facts)],
    )


def _standing(words: Phrases, name: str, status: str) -> Sentence:
    return words.say(
        words.gettext("{name}: {status}"), name=Name(name), status=words.status(status)
    )


def _window(words: Phrases, message: str, window: Data) -> Sentence:
    start, end = (words.time(window[key]) for key in ("scheduled_start", "scheduled_end"))
    return words.say(message, start=start, end=end)


def _said(words: Phrases, body: str) -> Prose | Lines:
    return (
        Prose(body)
        if body.strip()
        else Lines([words.say(words.gettext("No further details yet."))])
    )


_WRITERS: dict[str, Callable[[Event, Phrases], Letter]] = {
    "incident": _incident,
    "maintenance": _maintenance,
    "component": _component,
    "monitor": _monitor,
    CONFIRMATION: notices.confirmation,
    DISABLED: notices.disabled,
    DIGEST: notices.digest,
    TEST: notices.test,
}
