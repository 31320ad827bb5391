"""Every write leaves an entry: who, what, before, after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, get_args
from uuid import UUID

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
