"""What an import did: which things are new, which changed and how. The page is touched at the first of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..storage import pages
from ..storage.base import utc_now
from ..storage.pages import Page
from . import audit

ACTION = "import"


class Imported(Protocol):
    """A row of a page that has an origin."""

    @property
    def id(self) -> UUID: ...


@dataclass
class _Entry:
    subject: audit.Subject
    before: dict[str, Any] | None
    after: dict[str, Any]


@dataclass
class Ledger:
    """One import into *page*. Entries about one thing become one audit entry."""

    session: Session
    page: Page
    actor: str | None
    now: datetime = field(default_factory=utc_now)
    _entries: dict[UUID, _Entry] = field(default_factory=dict)
    _seen: set[UUID] = field(default_factory=set)
    _touched: bool = False

    def saw(self, row: Imported) -> None:
        """The source has this thing."""
        self._seen.add(row.id)

    def created(self, subject: audit.Subject, row: Imported, after: Any) -> None:
        """:param after: its fact."""
        self.touch()
        self._entries[row.id] = _Entry(subject, None, plain(after))

    def changed(
        self,
        subject: audit.Subject,
        row: Imported,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> bool:
        """Note what differs between the two, compared as they are; → whether anything does."""
        was, is_now = audit.difference(before, after)
        if not is_now:
            return False
        self.touch()
        entry = self._entries.setdefault(row.id, _Entry(subject, {}, {}))
        if entry.before is not None:
            entry.before |= plain(was)
        entry.after |= plain(is_now)
        return True

    def is_new(self, row_id: UUID) -> bool:
        return row_id in self._entries and self._entries[row_id].before is None

    def touch(self) -> None:
        """Readers will see a change. The page's row is held already."""
        if not self._touched:
            pages.touch(self.session, self.page.id, self.now)
            self._touched = True

    def counts(self) -> tuple[int, int, int]:
        """How many things are new, changed and unchanged."""
        new = sum(entry.before is None for entry in self._entries.values())
        unchanged = len(self._seen - self._entries.keys())
        return new, len(self._entries) - new, unchanged

    def write(self) -> None:
        """Write the audit entries."""
        for row_id, entry in self._entries.items():
            audit.record(
                self.session,
                actor=self.actor,
                action=ACTION,
                subject=entry.subject,
                subject_id=row_id,
                page_id=self.page.id,
                before=entry.before,
                after=entry.after,
            )
        self.session.flush()
