"""One thing after another through its service, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from ...errors import Invalid
from .. import audit, monitor_options
from .changes import Change, at
from .document import Entry

Row = TypeVar("Row")


@dataclass
class Work:
    """The session and person on whose behalf a document is applied, and what was changed so far."""

    session: Session
    actor: str | None
    changes: list[Change] = field(default_factory=list)

    def put(
        self,
        place: str,
        name: str,
        entry: Entry,
        values: Mapping[str, Any],
        row: Row | None,
        *,
        describe: Callable[[Row], dict[str, Any]],
        create: Callable[[Mapping[str, Any]], Row],
        change: Callable[[Row, Mapping[str, Any]], object],
        secrets: Callable[[Row], Mapping[str, Any]] = lambda row: {},
    ) -> Row:
        """Make *row*, or change it where *values* differ from what *describe* says of it.

        :param secrets: what *describe* does not say; of a change only the names are told, as ``secrets``.
        """
        with at(place):
            if row is None:
                for needed in entry.NEEDED:
                    if not values.get(needed):
                        raise Invalid.field(needed, f"Is missing, and this {entry.KIND} is new.")
                row = create(values)
                self.changes.append(Change("create", entry.KIND, name, after=describe(row)))
                return row
            before = describe(row)
            differing = {key: value for key, value in values.items() if value != before[key]}
            if differing:
                secrets_before = secrets(row)
                with self.session.begin_nested() as savepoint:
                    change(row, differing)
                    was, now_is = audit.difference(before, describe(row))
                    if named := monitor_options.changed(secrets_before, secrets(row)):
                        was, now_is = {**was, "secrets": []}, {**now_is, "secrets": named}
                    if now_is:
                        self.changes.append(Change("change", entry.KIND, name, was, now_is))
                    else:  # The service spells it as it is already; then not even the version goes up.
                        savepoint.rollback()
        return row

    def remove(
        self, kind: str, name: str, before: Mapping[str, Any], remove: Callable[[], None]
    ) -> None:
        with at(f"{kind} {name}"):
            remove()
        self.changes.append(Change("remove", kind, name, before=before))
