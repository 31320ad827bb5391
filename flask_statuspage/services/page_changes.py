"""What one transaction changes in a page as a whole, told once, just before its commit.

Use cases let the page be watched before they change anything, and note each event that they write. At the end of the
transaction the page is read again: formats that tell one message per transaction get the event ``page.status_change``,
and those that tell the page's status with everything find it in ``data["page"]["status"]`` of all that was noted. Where
nobody is subscribed in such a format this costs one query.

The database keeps the account: of events that went with a rolled back savepoint nothing is told.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery.formats import Format, formats
from ..domain.events import COMPONENT_EVENTS, PAGE_CHANGE
from ..domain.facts import plain
from ..domain.standing import Standing, net_changes
from ..storage import outbox
from ..storage import standing as stored
from ..storage import subscriptions as stored_subscriptions
from ..storage.on_commit import before_commit, closing
from ..storage.outbox import EventRow
from ..storage.pages import Page
from . import events


@dataclass
class Watch:
    """One page in one transaction.

    :param before: how it stood; None: no subscription is told of the page as a whole.
    :param wants_status: a subscription's format tells the page's status with each event.
    :param noted: whether subscribers are told of each event, by their ids. Their sequences would not do: on SQLite
        those of a rolled back savepoint are given again.
    :param first: no noted event has a lower sequence.
    """

    page_id: UUID
    before: Standing | None
    wants_status: bool
    noted: dict[UUID, bool] = field(default_factory=dict)
    first: int = sys.maxsize

    def __call__(self, session: Session) -> None:
        if not self.noted or (self.before is None and not self.wants_status):
            return
        since = outbox.events_since(session, self.page_id, self.first)
        rows = [row for row in since if row.id in self.noted]
        if not any(self.noted[row.id] for row in rows):
            return
        now = stored.read(session, self.page_id)
        if self.wants_status:
            for row in rows:
                # A new object: changes within a JSON value are not noticed.
                row.data = {**row.data, "page": {**row.data["page"], "status": now.status.value}}
        if self.before is not None:
            self._tell(session, self.before, now, rows)
        session.flush()

    def _tell(
        self, session: Session, before: Standing, now: Standing, rows: list[EventRow]
    ) -> None:
        changes = net_changes(
            (row.data["component"], self.noted[row.id])
            for row in rows
            if row.name in COMPONENT_EVENTS
        )
        if now.status is before.status and not any(change.told for change in changes):
            return
        topic = now.topic
        events.record(
            session,
            session.get_one(Page, self.page_id),
            PAGE_CHANGE,
            subject_id=self.page_id,
            components=[change.id for change in changes if change.told],
            data={
                "change": {
                    "previous_status": before.status,
                    "status": now.status,
                    "components": plain(now.components),
                    "changes": plain(changes),
                    "title": topic.title if topic else None,
                    "text": stored.latest_text(session, topic) if topic else "",
                }
            },
        )


def watch(session: Session, page: Page) -> Watch:
    """Look at *page* before it is changed. Only the first look of a transaction asks the database."""
    key = ("statuspage page", page.id)
    watching = closing(session, key)
    if not isinstance(watching, Watch):
        used = _concerned(session, page)
        watching = Watch(
            page.id,
            stored.read(session, page.id) if any(f.per_transaction for f in used) else None,
            any(f.page_status for f in used),
        )
        before_commit(session, watching, key=key)
    return watching


def note(session: Session, page: Page, row: EventRow, *, told: bool) -> None:
    """Let *row* count among what changes *page* in this transaction.

    :param told: whether subscribers hear of it. What is only for host code is by itself no reason for a message.
    """
    watching = watch(session, page)
    watching.noted[row.id] = told
    watching.first = min(watching.first, row.sequence)


def _concerned(session: Session, page: Page) -> list[Format]:
    able = {name: f for name, f in formats.items() if f.per_transaction or f.page_status}
    return [able[name] for name in stored_subscriptions.formats_among(session, page.id, able)]
