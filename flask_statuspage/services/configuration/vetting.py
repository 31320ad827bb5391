"""Where the monitors of a document are going to ask: the network has its say before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ...errors import FieldError, Invalid
from .. import monitors
from .changes import at
from .document import checked
from .present import meant, present


@dataclass(frozen=True)
class Target:
    """A monitor's kind and target, and its place in the document."""

    place: str
    kind: str
    target: str


def targets(session: Session, document: Mapping[str, Any]) -> list[Target]:
    """What applying *document* would begin to ask; nothing that is asked already."""
    wanted, there = checked(document), present(session)
    found = []
    for number, entry in enumerate(wanted.pages):
        page = meant(entry, wanted, there)
        rows = {row.slug: row for row in page.monitors} if page else {}
        for index, monitor in enumerate(entry.monitors):
            row, given = rows.get(monitor.slug), monitor.given()
            kind = given.get("kind", row.kind if row else monitor.kind)
            target = given.get("target", row.target if row else "")
            if target and not (row and (kind, target) == (row.kind, row.target)):
                found.append(Target(f"pages[{number}].monitors[{index}]", kind, target))
    return found


def vet(wanted: Sequence[Target]) -> None:
    """Ask the network whether each of them may be called. No transaction may be open: this can take seconds.

    :raises Invalid: naming the place of each one that may not.
    """
    errors: list[FieldError] = []
    for item in wanted:
        try:
            with at(item.place):
                monitors.vet(item.kind, item.target)
        except Invalid as error:
            errors += error.errors
    if errors:
        raise Invalid(*errors)
