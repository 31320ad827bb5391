"""Every write leaves an entry: who, what, before, after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, get_args
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ..storage.team import AuditEntry

SYSTEM = "system"
"""The actor of what the extension does by itself."""

Subject = Literal[
    "account",
    "component",
    "component-group",
    "delivery",
    "incident",
    "maintenance",
    "member",
    "monitor",
    "page",
    "subscription",
    "template",
    "token",
]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)
"""The kinds of things that entries are about."""

HOST = "host"
"""The actor of what the site's own code does."""

SHELL = "command line"
"""The actor of what is done in a shell of the site's machine."""

KEY = "key "
"""What the actors that are keys of the manage API begin with; the key's name follows."""


def is_taken(name: str) -> bool:
    """Whether an actor of that name would be taken for one that is no member. :param name: lower case."""
    return name in (SYSTEM, HOST, SHELL) or name.startswith(KEY)


def record(
    session: Session,
    *,
    actor: str | None,
    action: str,
    subject: Subject,
    subject_id: UUID,
    page_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one entry in the transaction of the change. *before* and *after* are plain data without secrets."""
    session.add(
        AuditEntry(
            actor=actor or SYSTEM,
            action=action,
            subject=subject,
            subject_id=subject_id,
            page_id=page_id,
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
        )
    )


def record_all(
    session: Session,
    *,
    actor: str | None,
    action: str,
    subject: Subject,
    page_id: UUID,
    after: Mapping[UUID, Mapping[str, Any]],
) -> None:
    """Write an entry about each of many new things of one kind, by their ids, in one statement."""
    if after:
        # As mapped objects they would take a statement each on SQLite, to learn their numbers.
        entries = [
            {
                "actor": actor or SYSTEM,
                "action": action,
                "subject": subject,
                "subject_id": ident,
                "page_id": page_id,
                "after": dict(values),
            }
            for ident, values in after.items()
        ]
        session.execute(insert(AuditEntry), entries)


class Audited(Protocol):
    """A row that entries can be about."""

    @property
    def id(self) -> UUID: ...


def of(
    session: Session,
    action: str,
    row: Audited,
    actor: str | None,
    *,
    subject: Subject,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one entry about *row*; a module fixes *subject* for its own rows."""
    record(
        session,
        actor=actor,
        action=action,
        subject=subject,
        subject_id=row.id,
        page_id=getattr(row, "page_id", None),
        before=before,
        after=after,
    )


def difference(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Only what differs between two states, as a pair to be recorded."""
    changed = [key for key in after if before.get(key) != after[key]]
    return {key: before.get(key) for key in changed}, {key: after[key] for key in changed}
