"""The fields of a monitor's form: as texts, and read into a body of the manage API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from ...errors import Invalid, Problems
from . import option_values, reading, telling
from .option_shapes import Control, Shape
from .option_values import TICKED
from .visit import Visit

TEXTS = ("name", "slug", "kind", "target", "outage_status")
CHOSEN = ("component", "template", "depends_on")
"""An empty field says that there is none, as in those that follow."""
FREE_NUMBERS = ("degraded_threshold", "degraded_over_ms")
NUMBERS = ("interval", "failure_threshold", "recovery_threshold", "quorum")


def texts(values: Mapping[str, Any], shapes: Iterable[Shape] | None) -> dict[str, str]:
    """What stands in the fields of a monitor with *values*, which are described as the manage API does.

    :param shapes: of its options; None: the form is of another kind.
    """
    found = {name: _text(value) for name, value in values.items() if name != "options"}
    return found if shapes is None else found | option_values.texts(shapes, values["options"])


def read(
    typed: reading.Typed,
    shapes: Iterable[Shape],
    options: Mapping[str, Any],
    *,
    is_new: bool,
    is_declared: bool = False,
) -> dict[str, Any]:
    """What was typed, as the manage API would get it.

    :param options: those that are kept, or the defaults.
    :param is_declared: of what the code says only what was sent all the same counts: it is refused by its name.
    :raises Invalid: naming each field that cannot be read.
    """
    problems = Problems()
    values: dict[str, Any] = {
        name: reading.words(typed, name).strip() for name in TEXTS if name in typed
    }
    values |= reading.optional(typed, *(name for name in CHOSEN if name in typed))
    values["open_incident"] = "open_incident" in typed
    values["regions"] = reading.chosen(typed.getlist("regions"))
    if is_new and not values.get("slug"):
        values.pop("slug", None)
    for name in (*NUMBERS, *FREE_NUMBERS, "timeout"):
        with problems.gathered():
            if name in typed:
                values |= _number(typed, name, is_new=is_new)
    with problems.gathered():
        values["escalation_intervals"] = _pauses(reading.words(typed, "escalation_intervals"))
    with problems.gathered():
        if not is_declared or any(name.startswith("options.") for name in typed):
            values["options"] = option_values.read(shapes, typed, options)
    problems.tell()
    return values


def check_seen(typed: reading.Typed, present: Mapping[str, str], ticks: Iterable[str]) -> None:
    """:raises Conflict: when somebody else changed the monitor meanwhile; see :func:`.reading.check_seen`."""
    plain: MultiDict[str, str] = MultiDict(typed.items(multi=True))
    plain["regions"] = " ".join(sorted(typed.getlist("regions")))
    for name in ticks:
        plain[name] = TICKED if name in typed else ""
    reading.check_seen(plain, present, what="this monitor")


def follow(visit: Visit, present: Mapping[str, str], ticks: Iterable[str]) -> None:
    """Let the fields that nobody touched show what is so by now."""
    boxes = {*ticks, "regions"}
    sent = {name: text for name, text in present.items() if name in visit.sent}
    telling.follow(visit, {name: text for name, text in sent.items() if name not in boxes})
    for name in boxes & present.keys():
        telling.follow_ticks(visit, name, present[name].split())


def ticks(shapes: Iterable[Shape], *, is_declared: bool = False) -> list[str]:
    """The names of all boxes that are ticked or not."""
    if is_declared:
        return ["open_incident"]
    every = option_values.every(shapes)
    return ["open_incident", *(one.name for one in every if one.control is Control.TICK)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return TICKED if value else ""
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def _number(typed: reading.Typed, name: str, *, is_new: bool) -> dict[str, Any]:
    """The number in a field; nothing where a new monitor has what is usual."""
    text = reading.words(typed, name).strip()
    if not text and name not in FREE_NUMBERS:
        if is_new:
            return {}
        raise Invalid.field(name, "Is missing.")
    if name != "timeout":
        return {name: reading.number(typed, name)}
    return {name: reading.decimal(typed, name)}


def _pauses(text: str) -> list[int]:
    """Numbers with spaces or commas between."""
    words = [word for word in re.split(r"[\s,]+", text) if word]
    if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
        message = "Must be whole numbers of seconds, with spaces between."
        raise Invalid.field("escalation_intervals", message)
    return [int(word) for word in words]
