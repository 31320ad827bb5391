"""The fields of a kind's options in a form, and what the page of a monitor tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...documents.console.monitor_form import OptionField
from ...documents.console.monitor_words import option_words
from ...services.monitor_options import MASK
from .option_shapes import Control, Shape, shapes_of
from .option_values import CLEAR, PLAIN, every, is_set, stored_at, text_of

AREAS = frozenset({Control.TEXT, Control.LINES, Control.PAIRS, Control.JSON})
HINTS = {
    Control.LINES: "One per line.",
    Control.PAIRS: "One per line: a name, a colon, a value.",
    Control.JSON: "As JSON.",
}
KEPT = "Set, and not shown"


def fields(
    kind: str, shapes: Iterable[Shape], options: Mapping[str, Any], *, within: bool = False
) -> list[OptionField]:
    """:param options: those that stand in the fields.
    :param within: *shapes* are the parts of a group that may be missing as a whole.
    """
    return [_field(kind, shape, options, within=within) for shape in shapes]


def _field(kind: str, shape: Shape, options: Mapping[str, Any], *, within: bool) -> OptionField:
    value = text_of(shape, stored_at(options, shape))
    label, hint = option_words(
        kind, ".".join(shape.path), shape.hint or HINTS.get(_sort(shape), "")
    )
    may_go = shape.is_secret and shape.nullable and len(shape.path) == 1
    return OptionField(
        name=shape.name,
        label=label,
        hint=hint,
        control=_control(shape, value),
        value=value,
        choices=_choices(shape, within=within),
        more=_more(shape),
        is_set=is_set(options, shape),
        clear=f"{CLEAR}{shape.name}" if may_go and is_set(options, shape) else "",
        parts=fields(kind, shape.parts, options, within=shape.nullable),
    )


def told(kind: str, options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Labels and texts of the options that say something; secrets as kept."""
    found = []
    for shape in every(shapes_of(kind)):
        value = stored_at(options, shape)
        if shape.control is Control.GROUP or value in (None, "", [], {}):
            continue
        text = KEPT if shape.is_secret and value == MASK else text_of(shape, value)
        if shape.control is Control.TICK:
            text = "Yes" if value else "No"
        found.append((option_words(kind, ".".join(shape.path))[0], text))
    return found


def _sort(shape: Shape) -> Control:
    return Control.JSON if shape.is_secret and shape.control not in PLAIN else shape.control


def _control(shape: Shape, value: str) -> str:
    if shape.is_secret:
        return "secret area" if _sort(shape) in AREAS else "secret"
    if shape.control in AREAS or (shape.control is Control.LINE and "\n" in value):
        return "area"
    return shape.control.value


def _choices(shape: Shape, *, within: bool) -> list[tuple[str, str]]:
    choices = [(str(one), str(one)) for one in shape.choices]
    may_be_none = shape.nullable or (within and shape.required)
    return [("", "None"), *choices] if may_be_none else choices


def _more(shape: Shape) -> list[tuple[str, str]]:
    if shape.control is not Control.NUMBER or shape.is_secret:
        return []
    low, high = shape.range
    step = "1" if shape.types == {"integer"} else "any"
    limits = [("min", low), ("max", high)]
    return [("step", step), *((name, f"{one:g}") for name, one in limits if one is not None)]
