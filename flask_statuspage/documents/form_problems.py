"""What is wrong with a form, as the summary above it lists it: each line leads to its field."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..domain.facts import ComponentFact
from ..errors import FieldError

# The field that an error's link leads to; errors of other fields are printed without a link.
_TARGETS = {
    "channel": "channel",
    "address": "address",
    "secret": "secret",
    "format": "format",
    "scope": "scope",
    "components": "scope",
    "events_scope": "events",
    "events": "events",
    "locale": "locale",
    "time_zone": "time-zone",
    "code": "code",
}


@dataclass(frozen=True)
class Problem:
    """A wrong field as the summary above a form lists it; ``target`` is what its link leads to. The template says the
    ``message`` in the reader's language.
    """

    field: str
    message: str
    target: str | None


def problems_of(
    errors: Iterable[FieldError], *, absent: Collection[str] = ()
) -> tuple[Problem, ...]:
    """*errors* as a form lists them.

    :param absent: the targets that the form has not.
    """
    targets = {field: target for field, target in _TARGETS.items() if target not in absent}
    return tuple(
        Problem(field, error.message, targets.get(field))
        for error in errors
        for field in (error.field.partition(".")[0],)
    )


def absent(components: Collection[ComponentFact], channels: Collection[str]) -> set[str]:
    """What links of a sign-up's problems cannot lead to: the fields that stand there only where they are of use."""
    if not channels:
        return set(_TARGETS.values())
    scope = set() if components else {"scope"}
    return scope if "webhook" in channels else scope | {"secret"}
